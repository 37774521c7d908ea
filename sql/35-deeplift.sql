--
-- DeepLIFT
--

-- @overloads model input
CREATE FUNCTION explain.deeplift(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', baseline explain.label DEFAULT 'auto',
	top_k int4 DEFAULT NULL, direction explain.label DEFAULT NULL, rest boolean DEFAULT true,
	reference @input_type@ DEFAULT NULL)
	RETURNS SETOF explain.attribution
	AS 'MODULE_PATHNAME', 'explain_deeplift_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 500 ROWS 10;
COMMENT ON FUNCTION explain.deeplift(@model_type@, @input_type@, explain.label, explain.space, explain.label, int4, explain.label, boolean, @input_type@) IS
'DeepLIFT attributions of one row (rescale rule; Shrikumar et al. 2017): the difference of the prediction to that of a reference, shared out through the units of a network; base_value + sum of attributions = prediction. baseline: zero, mean, background (average over the background rows: DeepSHAP, as explain.shap_values with method => ''deep''), or auto, the mean where the model has a background; reference => row takes a row instead. For networks and linear models';
-- @end

-- @overloads model input
CREATE FUNCTION explain.deeplift_array(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', baseline explain.label DEFAULT 'auto',
	reference @input_type@ DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_deeplift_array_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 300;
COMMENT ON FUNCTION explain.deeplift_array(@model_type@, @input_type@, explain.label, explain.space, explain.label, @input_type@) IS
'DeepLIFT attributions of one row and one output as an array in feature order. Options as in explain.deeplift';
-- @end
