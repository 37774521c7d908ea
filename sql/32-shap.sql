--
-- Shapley values
--

-- @overloads model input
CREATE FUNCTION explain.shap_values(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', method explain.label DEFAULT 'auto',
	top_k int4 DEFAULT NULL, direction explain.label DEFAULT NULL, rest boolean DEFAULT true,
	versus explain.label DEFAULT NULL, reference @input_type@ DEFAULT NULL)
	RETURNS SETOF explain.attribution
	AS 'MODULE_PATHNAME', 'explain_shap_values_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 500 ROWS 10;
COMMENT ON FUNCTION explain.shap_values(@model_type@, @input_type@, explain.label, explain.space, explain.label, int4, explain.label, boolean, explain.label, @input_type@) IS
'Shapley values of one row: how much each feature moved the prediction away from the base value (Lundberg & Lee 2017). Exact: base_value + sum of attributions = prediction. method: linear, tree_path_dependent, tree_interventional, or auto. All outputs unless output => name; versus => name explains the difference of two outputs; reference => row explains the difference to that row; top_k, direction (up, down) and rest choose what is shown';
-- @end

-- @overloads model input
CREATE FUNCTION explain.shap_array(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', method explain.label DEFAULT 'auto',
	versus explain.label DEFAULT NULL, reference @input_type@ DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_shap_array_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 300;
COMMENT ON FUNCTION explain.shap_array(@model_type@, @input_type@, explain.label, explain.space, explain.label, explain.label, @input_type@) IS
'Shapley values of one row and one output as an array in feature order: the form for storing and aggregating; explain.attributions turns it back into rows. Options as in explain.shap_values';
-- @end

-- @overloads model input
CREATE FUNCTION explain.shap_interactions(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', method explain.label DEFAULT 'auto',
	versus explain.label DEFAULT NULL, reference @input_type@ DEFAULT NULL)
	RETURNS SETOF explain.interaction
	AS 'MODULE_PATHNAME', 'explain_shap_interactions_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 5000 ROWS 100;
COMMENT ON FUNCTION explain.shap_interactions(@model_type@, @input_type@, explain.label, explain.space, explain.label, explain.label, @input_type@) IS
'Shapley interaction values of one row (Lundberg et al. 2020): ordered pairs of features with half of the interaction index each, main effects where both are the same; the rows of a feature sum to its Shapley value';
-- @end

-- @overloads model input
CREATE FUNCTION explain.shap_interaction_array(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', method explain.label DEFAULT 'auto',
	versus explain.label DEFAULT NULL, reference @input_type@ DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_shap_interaction_array_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 4000;
COMMENT ON FUNCTION explain.shap_interaction_array(@model_type@, @input_type@, explain.label, explain.space, explain.label, explain.label, @input_type@) IS
'Shapley interaction values of one row and one output as a square array in feature order; each row of the array sums to the feature''s Shapley value';
-- @end

-- @overloads model
CREATE FUNCTION explain.base_value(@model@, output explain.label DEFAULT NULL,
	method explain.label DEFAULT 'auto', space explain.space DEFAULT 'raw')
	RETURNS float8
	AS 'MODULE_PATHNAME', 'explain_base_value_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 300;
COMMENT ON FUNCTION explain.base_value(@model_type@, explain.label, explain.label, explain.space) IS
'Value that Shapley values start from: the expected raw prediction of the method, or in response space the mean response over the background rows';
-- @end

-- @overloads model input
CREATE FUNCTION explain.attributions(@model@, attribution_array float8[], @input@,
	output explain.label DEFAULT NULL, space explain.space DEFAULT 'raw',
	method explain.label DEFAULT 'auto', top_k int4 DEFAULT NULL,
	direction explain.label DEFAULT NULL, rest boolean DEFAULT true, versus explain.label DEFAULT NULL)
	RETURNS SETOF explain.attribution
	AS 'MODULE_PATHNAME', 'explain_attributions_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 100 ROWS 10;
COMMENT ON FUNCTION explain.attributions(@model_type@, float8[], @input_type@, explain.label, explain.space, explain.label, int4, explain.label, boolean, explain.label) IS
'The rows of explain.shap_values from an array that explain.shap_array or explain.shap_batch made for the same model and row; not for arrays of other methods, whose rows come from explain.feature_gradient, explain.integrated_gradients, explain.expected_gradients, explain.deeplift and explain.occlusion. The residual is far from 0 where model, row and array do not belong together';
-- @end
