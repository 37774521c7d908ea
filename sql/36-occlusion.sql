--
-- Occlusion, and images pixel by pixel
--

-- @overloads model input
CREATE FUNCTION explain.occlusion(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', baseline explain.label DEFAULT 'auto', groups jsonb DEFAULT NULL,
	window_height int4 DEFAULT NULL, window_width int4 DEFAULT NULL,
	stride_height int4 DEFAULT NULL, stride_width int4 DEFAULT NULL, per_channel boolean DEFAULT false,
	top_k int4 DEFAULT NULL, direction explain.label DEFAULT NULL, rest boolean DEFAULT false,
	reference @input_type@ DEFAULT NULL)
	RETURNS SETOF explain.attribution
	AS 'MODULE_PATHNAME', 'explain_occlusion_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 5000 ROWS 10;
COMMENT ON FUNCTION explain.occlusion(@model_type@, @input_type@, explain.label, explain.space, explain.label, jsonb, int4, int4, int4, int4, boolean, int4, explain.label, boolean, @input_type@) IS
'What the prediction loses when a feature is put out (Zeiler & Fergus 2014): prediction minus prediction with the baseline in its place. groups => ''{"name": ["feature", ...]}'' puts out several features together; window_height, window_width, stride_height (1) and stride_width (1) move a window over an image, a pixel getting the mean over the windows that cover it and null where none does, per_channel => true one channel at a time. baseline: zero, mean, background (average over the background rows), or auto, the mean where the model has a background; reference => row takes a row instead. The attributions do not add up to anything, so there is no base value, and no row of kind rest unless rest => true';
-- @end

-- @overloads model input
CREATE FUNCTION explain.occlusion_array(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', baseline explain.label DEFAULT 'auto',
	window_height int4 DEFAULT NULL, window_width int4 DEFAULT NULL,
	stride_height int4 DEFAULT NULL, stride_width int4 DEFAULT NULL, per_channel boolean DEFAULT false,
	reference @input_type@ DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_occlusion_array_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 4000;
COMMENT ON FUNCTION explain.occlusion_array(@model_type@, @input_type@, explain.label, explain.space, explain.label, int4, int4, int4, int4, boolean, @input_type@) IS
'What the prediction of one output loses when each feature is put out, as an array in feature order; null elements for pixels that no window covers. Options as in explain.occlusion';
-- @end

-- @overloads model
CREATE FUNCTION explain.saliency_rows(@model@, attribution_array float8[],
	OUT pixel_x int4, OUT pixel_y int4, OUT channel text, OUT value float8, OUT scaled float8, OUT feature text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_saliency_rows_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 100 ROWS 784;
COMMENT ON FUNCTION explain.saliency_rows(@model_type@, float8[]) IS
'An explained image as rows for a heat map: one for each pixel and channel, x from the left and y from the top, both from 0, with the attribution and the same divided by the largest magnitude, -1..1. For arrays of any method (shap_array, gradient_array, integrated_gradient_array, occlusion_array, ...) of a model of images';
-- @end
