--
-- Models from the files of other libraries: bytes in, model out; never a
-- file of the server
--

CREATE FUNCTION explain.xgboost_model(file bytea, iterations int4 DEFAULT NULL)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_xgboost_model_bytes'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION explain.xgboost_model(bytea, int4) IS
'Model from the bytes of an XGBoost file, JSON or UBJSON as save_model() writes them (versions 1.0 and later). iterations: boosting rounds to use; by default all, or those up to the best one where the file says that training stopped early';

CREATE FUNCTION explain.xgboost_model(file text, iterations int4 DEFAULT NULL)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_xgboost_model_text'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION explain.xgboost_model(text, int4) IS
'Model from the text of an XGBoost file in JSON. iterations: boosting rounds to use; by default all, or those up to the best one where the file says that training stopped early';

CREATE FUNCTION explain.lightgbm_model(file bytea, iterations int4 DEFAULT NULL)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_lightgbm_model_bytes'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION explain.lightgbm_model(bytea, int4) IS
'Model from the bytes of a LightGBM text file as save_model() writes it (versions 2.1 and later). iterations: boosting rounds to use; by default all';

CREATE FUNCTION explain.lightgbm_model(file text, iterations int4 DEFAULT NULL)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_lightgbm_model_text'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION explain.lightgbm_model(text, int4) IS
'Model from the text of a LightGBM file as save_model() or model_to_string() write it (versions 2.1 and later). iterations: boosting rounds to use; by default all';

CREATE FUNCTION explain.onnx_model(file bytea, features text[] DEFAULT NULL, outputs text[] DEFAULT NULL,
	channels text[] DEFAULT NULL, graph_output text DEFAULT NULL)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_onnx_model'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION explain.onnx_model(bytea, text[], text[], text[], text) IS
'Model from the bytes of an ONNX file: a tree ensemble, a linear model or a network, with the preprocessing in front of it folded in. features, outputs: their names, instead of those in the file; channels: names of the channels of an image; graph_output: the value that is explained, where the graph has several outputs or an operator at its end is to be left out';
