--
-- Gradients
--

CREATE TYPE explain.gradient AS (
	output text,
	rank int4,
	feature text,
	feature_value text,
	feature_num float8,
	feature_scaled float8,
	attribution float8,
	base_value float8,
	prediction float8,
	prediction_response float8,
	std_error float8,
	ci_low float8,
	ci_high float8,
	residual float8,
	space text,
	method text,
	kind text,
	reference_value text,
	step float8
);
COMMENT ON TYPE explain.gradient IS
'One row per output and feature: how fast the prediction changes with the feature. The columns of explain.attribution, and what a difference was taken to or over';
COMMENT ON COLUMN explain.gradient.output IS 'Output (class or target) that is explained';
COMMENT ON COLUMN explain.gradient.rank IS '1 = largest absolute value; features without one come last';
COMMENT ON COLUMN explain.gradient.feature IS 'Name of the feature';
COMMENT ON COLUMN explain.gradient.feature_value IS 'The feature''s value as text, independent of settings; null where it was missing';
COMMENT ON COLUMN explain.gradient.feature_num IS 'The value of a numeric or boolean feature as a number';
COMMENT ON COLUMN explain.gradient.feature_scaled IS 'The value within the feature''s range in the background, 0..1, for colour; null without a background';
COMMENT ON COLUMN explain.gradient.attribution IS 'Numeric feature: the derivative, or what the method makes of it; boolean: true minus false; categorical: the level minus the reference level; null where the feature is missing or has no such value';
COMMENT ON COLUMN explain.gradient.base_value IS 'Null: derivatives start from nothing';
COMMENT ON COLUMN explain.gradient.prediction IS 'Prediction for the row, in the space explained';
COMMENT ON COLUMN explain.gradient.prediction_response IS 'Prediction for the row in response space';
COMMENT ON COLUMN explain.gradient.std_error IS 'Standard error from sampling (methods smooth...); 0 where nothing is sampled';
COMMENT ON COLUMN explain.gradient.ci_low IS 'Lower end of the 95 % interval of the sampling; equal to attribution for exact methods';
COMMENT ON COLUMN explain.gradient.ci_high IS 'Upper end of the 95 % interval of the sampling; equal to attribution for exact methods';
COMMENT ON COLUMN explain.gradient.residual IS 'Null: derivatives do not add up to the prediction';
COMMENT ON COLUMN explain.gradient.space IS 'raw or response';
COMMENT ON COLUMN explain.gradient.method IS 'Method that was used';
COMMENT ON COLUMN explain.gradient.kind IS 'feature';
COMMENT ON COLUMN explain.gradient.reference_value IS 'What a boolean (false) or a category (the reference level) was compared with; null for derivatives';
COMMENT ON COLUMN explain.gradient.step IS 'Width of the window of a finite difference, in units of the feature; null for other methods';

-- @overloads model input
CREATE FUNCTION explain.feature_gradient(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', method explain.label DEFAULT 'gradient',
	samples int4 DEFAULT 50, noise float8 DEFAULT 0.1, sigma float8[] DEFAULT NULL,
	seed int8 DEFAULT 0, window_sd float8 DEFAULT 1,
	top_k int4 DEFAULT NULL, direction explain.label DEFAULT NULL, reference @input_type@ DEFAULT NULL)
	RETURNS SETOF explain.gradient
	AS 'MODULE_PATHNAME', 'explain_feature_gradient_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 500 ROWS 10;
COMMENT ON FUNCTION explain.feature_gradient(@model_type@, @input_type@, explain.label, explain.space, explain.label, int4, float8, float8[], int8, float8, int4, explain.label, @input_type@) IS
'How fast the prediction of one row changes with each feature: derivatives of numeric features, differences of booleans (true minus false) and categories (to the level of the reference row, else the most frequent one of the background, else the first). method: gradient; gradient_x_input; smooth, smooth_squared, smooth_variance (over samples rows with normal noise of so many standard deviations of each feature, or of sigma in units of each feature; the same seed gives the same bits, as long as explain_ext.blas_library is the same); finite_difference (over a window of window_sd standard deviations: for trees); guided_backprop, deconvnet. space => ''response'' applies the chain rule. Derivatives of trees are refused: they are zero almost everywhere';
-- @end

-- @overloads model input
CREATE FUNCTION explain.gradient_array(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', method explain.label DEFAULT 'gradient',
	samples int4 DEFAULT 50, noise float8 DEFAULT 0.1, sigma float8[] DEFAULT NULL,
	seed int8 DEFAULT 0, window_sd float8 DEFAULT 1, reference @input_type@ DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_gradient_array_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 300;
COMMENT ON FUNCTION explain.gradient_array(@model_type@, @input_type@, explain.label, explain.space, explain.label, int4, float8, float8[], int8, float8, @input_type@) IS
'The values of explain.feature_gradient of one output as an array in feature order: the form for storing, for images and for explain.attribution_summary. An element is null where the feature is missing or has no such value';
-- @end

-- @overloads model input
CREATE FUNCTION explain.guided_backprop(@model@, @input@, output explain.label DEFAULT NULL,
	top_k int4 DEFAULT NULL, direction explain.label DEFAULT NULL)
	RETURNS SETOF explain.gradient
	AS 'MODULE_PATHNAME', 'explain_guided_backprop_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 500 ROWS 10;
COMMENT ON FUNCTION explain.guided_backprop(@model_type@, @input_type@, explain.label, int4, explain.label) IS
'Guided backpropagation (Springenberg et al. 2015) from the raw prediction of a network with ReLU units: the gradient, but a unit passes back only what is positive, and only where it was active. Known limits: the picture barely changes when the weights of upper layers are replaced by random ones (Adebayo et al. 2018, Nie et al. 2018), so it shows the input''s features rather than the reasons of the prediction; no derivative, and values do not add up to anything. Prefer feature_gradient or integrated gradients where the reasons matter';
-- @end

-- @overloads model input
CREATE FUNCTION explain.deconvnet(@model@, @input@, output explain.label DEFAULT NULL,
	top_k int4 DEFAULT NULL, direction explain.label DEFAULT NULL)
	RETURNS SETOF explain.gradient
	AS 'MODULE_PATHNAME', 'explain_deconvnet_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 500 ROWS 10;
COMMENT ON FUNCTION explain.deconvnet(@model_type@, @input_type@, explain.label, int4, explain.label) IS
'Deconvolution (Zeiler & Fergus 2014) from the raw prediction of a network with ReLU units: as the gradient, but a unit passes back what is positive, whether it was active or not. Known limits: the picture depends on the weights of upper layers, and thus on the class, hardly at all (Nie et al. 2018; for guided backpropagation Adebayo et al. 2018); no derivative, and values do not add up to anything';
-- @end

CREATE TYPE explain.total_derivative_row AS (
	output text,
	total_derivative float8,
	standardised float8,
	n_features int4,
	n_left_out int4,
	space text,
	method text
);
COMMENT ON TYPE explain.total_derivative_row IS 'One row per output: the sum of the derivatives of one prediction';
COMMENT ON COLUMN explain.total_derivative_row.output IS 'Output (class or target) that is explained';
COMMENT ON COLUMN explain.total_derivative_row.total_derivative IS 'Sum of the derivatives with respect to the numeric features; depends on their units';
COMMENT ON COLUMN explain.total_derivative_row.standardised IS 'The same with each derivative times the feature''s standard deviation in the background: per standard deviation instead of per unit; null without a background';
COMMENT ON COLUMN explain.total_derivative_row.n_features IS 'Features in the sum';
COMMENT ON COLUMN explain.total_derivative_row.n_left_out IS 'Features left out: boolean, categorical, missing';
COMMENT ON COLUMN explain.total_derivative_row.space IS 'raw or response';
COMMENT ON COLUMN explain.total_derivative_row.method IS 'Method that the derivatives come from';

-- @overloads model input
CREATE FUNCTION explain.total_derivative(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', method explain.label DEFAULT 'gradient',
	samples int4 DEFAULT 50, noise float8 DEFAULT 0.1, sigma float8[] DEFAULT NULL,
	seed int8 DEFAULT 0, window_sd float8 DEFAULT 1)
	RETURNS SETOF explain.total_derivative_row
	AS 'MODULE_PATHNAME', 'explain_total_derivative_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 400 ROWS 1;
COMMENT ON FUNCTION explain.total_derivative(@model_type@, @input_type@, explain.label, explain.space, explain.label, int4, float8, float8[], int8, float8) IS
'Total derivative of one prediction: the sum of its derivatives with respect to all numeric features. method: gradient, smooth or finite_difference, with the options of explain.feature_gradient. Of many rows: explain.total_derivatives. Not to be confused with average marginal effects, which have standard errors: explain.marginal_effects';
-- @end
