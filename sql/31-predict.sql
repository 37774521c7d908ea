--
-- Predictions
--

-- @overloads model input
CREATE FUNCTION explain.predict(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'response')
	RETURNS float8
	AS 'MODULE_PATHNAME', 'explain_predict_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 20;
COMMENT ON FUNCTION explain.predict(@model_type@, @input_type@, explain.label, explain.space) IS
'Prediction of a model for one row, in response space unless space => ''raw''. A model with several outputs needs output => name. Null for a null model or row. 22003 where the prediction is out of range';
-- @end

-- @overloads model input
CREATE FUNCTION explain.predictions(@model@, @input@,
	OUT output text, OUT raw float8, OUT response float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_predictions_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 30 ROWS 3;
COMMENT ON FUNCTION explain.predictions(@model_type@, @input_type@) IS
'Predictions of all outputs of a model for one row: one row per output, on the raw and on the response scale';
-- @end
