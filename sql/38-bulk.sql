--
-- Whole tables, tile by tile
--

-- @overloads model input
CREATE FUNCTION explain.predict_batch(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'response')
	RETURNS float8
	AS 'MODULE_PATHNAME', 'explain_predict_batch_@overload@'
	LANGUAGE C WINDOW @volatility@ PARALLEL SAFE COST 20;
COMMENT ON FUNCTION explain.predict_batch(@model_type@, @input_type@, explain.label, explain.space) IS
'Window function: the predictions of explain.predict, computed for tiles of up to 256 rows. Write OVER (), or any window: partitions and their order change nothing. Options must be the same for all rows. An error in a row is raised with its tile';
-- @end

-- @overloads model input
CREATE FUNCTION explain.shap_batch(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', method explain.label DEFAULT 'auto',
	versus explain.label DEFAULT NULL, reference @input_type@ DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_shap_batch_@overload@'
	LANGUAGE C WINDOW @volatility@ PARALLEL SAFE COST 300;
COMMENT ON FUNCTION explain.shap_batch(@model_type@, @input_type@, explain.label, explain.space, explain.label, explain.label, @input_type@) IS
'Window function: the arrays of explain.shap_array, bit by bit, computed for tiles of up to 256 rows, which is faster for models of many trees. Write OVER (), or any window: partitions and their order change nothing. Options must be the same for all rows. An error in a row is raised with its tile';
-- @end

-- @overloads model input
CREATE FUNCTION explain.shap_interaction_batch(@model@, @input@, output explain.label DEFAULT NULL,
	space explain.space DEFAULT 'raw', method explain.label DEFAULT 'auto',
	versus explain.label DEFAULT NULL, reference @input_type@ DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_shap_interaction_batch_@overload@'
	LANGUAGE C WINDOW @volatility@ PARALLEL SAFE COST 4000;
COMMENT ON FUNCTION explain.shap_interaction_batch(@model_type@, @input_type@, explain.label, explain.space, explain.label, explain.label, @input_type@) IS
'Window function: the arrays of explain.shap_interaction_array, computed for tiles of rows as explain.shap_batch does';
-- @end

CREATE FUNCTION explain.progress(
	OUT pid int4, OUT database text, OUT username text, OUT function text, OUT relation text,
	OUT rows_done float8, OUT rows_total float8, OUT rows_per_second float8, OUT seconds float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_progress'
	LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 5;
COMMENT ON FUNCTION explain.progress() IS
'Explanations and predictions of many rows that are under way, in any session: how many rows are done, of how many (the estimated size of the table whose rows they are; null where it is not known, and more than the rows of a query with a condition), how fast, and for how long. Parallel workers have rows of their own. Work of other roles is shown to members of pg_read_all_stats';
