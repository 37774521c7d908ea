--
-- Integrated gradients and expected gradients
--

-- @overloads model input
CREATE FUNCTION explain.integrated_gradients(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', baseline explain.label DEFAULT 'auto',
	tolerance float8 DEFAULT 1e-9,
	top_k int4 DEFAULT NULL, direction explain.label DEFAULT NULL, rest boolean DEFAULT true,
	reference @input_type@ DEFAULT NULL)
	RETURNS SETOF explain.attribution
	AS 'MODULE_PATHNAME', 'explain_integrated_gradients_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 700 ROWS 10;
COMMENT ON FUNCTION explain.integrated_gradients(@model_type@, @input_type@, explain.label, explain.space, explain.label, float8, int4, explain.label, boolean, @input_type@) IS
'Integrated gradients of one row (Sundararajan et al. 2017): the gradient averaged over the straight path from the baseline to the row, times the way; base_value + sum of attributions = prediction. Linear models and networks. Baseline: reference => row, else ''mean'' of the background, ''zero'', or ''auto'' (mean where there is a background). Exact for linear models and networks of ReLU units and max pooling, in raw and in response space; otherwise by adaptive quadrature until the estimated error of every attribution is below tolerance, relative to the largest';
-- @end

-- @overloads model input
CREATE FUNCTION explain.integrated_gradient_array(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', baseline explain.label DEFAULT 'auto',
	tolerance float8 DEFAULT 1e-9, reference @input_type@ DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_integrated_gradient_array_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 500;
COMMENT ON FUNCTION explain.integrated_gradient_array(@model_type@, @input_type@, explain.label, explain.space, explain.label, float8, @input_type@) IS
'Integrated gradients of one row and one output as an array in feature order: the form for storing and aggregating. Options as in explain.integrated_gradients';
-- @end

-- @overloads model input
CREATE FUNCTION explain.expected_gradients(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', samples int4 DEFAULT 200, seed int8 DEFAULT 0,
	top_k int4 DEFAULT NULL, direction explain.label DEFAULT NULL, rest boolean DEFAULT true,
	reference @input_type@ DEFAULT NULL)
	RETURNS SETOF explain.attribution
	AS 'MODULE_PATHNAME', 'explain_expected_gradients_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 5000 ROWS 10;
COMMENT ON FUNCTION explain.expected_gradients(@model_type@, @input_type@, explain.label, explain.space, int4, int8, int4, explain.label, boolean, @input_type@) IS
'Expected gradients of one row (Erion et al. 2021; GradientSHAP): integrated gradients averaged over background rows as baselines, sampled; std_error, ci_low and ci_high say how far the sampling may be off, and base_value is the exact mean prediction of the background. Linear models and networks with a background, or reference => row. The same seed gives the same draws for every row and in any plan, and the same bits as long as explain_ext.blas_library is the same';
-- @end

-- @overloads model input
CREATE FUNCTION explain.expected_gradient_array(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', samples int4 DEFAULT 200, seed int8 DEFAULT 0,
	reference @input_type@ DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_expected_gradient_array_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 5000;
COMMENT ON FUNCTION explain.expected_gradient_array(@model_type@, @input_type@, explain.label, explain.space, int4, int8, @input_type@) IS
'Expected gradients of one row and one output as an array in feature order. Options as in explain.expected_gradients';
-- @end
