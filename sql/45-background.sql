--
-- Background samples
--

CREATE TYPE explain.background_sample;

CREATE FUNCTION explain.background_sample_in(cstring) RETURNS explain.background_sample
	AS 'MODULE_PATHNAME', 'explain_background_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION explain.background_sample_in(cstring) IS 'Input function of type explain.background_sample';

CREATE FUNCTION explain.background_sample_out(explain.background_sample) RETURNS cstring
	AS 'MODULE_PATHNAME', 'explain_background_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION explain.background_sample_out(explain.background_sample) IS
'Output function of type explain.background_sample: exact, independent of settings';

CREATE FUNCTION explain.background_sample_recv(internal) RETURNS explain.background_sample
	AS 'MODULE_PATHNAME', 'explain_background_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION explain.background_sample_recv(internal) IS
'Receive function of type explain.background_sample: versioned, little-endian';

CREATE FUNCTION explain.background_sample_send(explain.background_sample) RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_background_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION explain.background_sample_send(explain.background_sample) IS
'Send function of type explain.background_sample: versioned, little-endian';

CREATE TYPE explain.background_sample (
	INPUT = explain.background_sample_in,
	OUTPUT = explain.background_sample_out,
	RECEIVE = explain.background_sample_recv,
	SEND = explain.background_sample_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE explain.background_sample IS
'Rows drawn from a table with their weights, and statistics of all its rows: n, mean, standard deviation, minimum, maximum, share of nulls and, for up to 1000 different values, level counts of each column. Knows no model; explain.with_background attaches it to one. Equal sets of rows give equal bytes';

CREATE FUNCTION explain.background_combine(state explain.background_sample, other explain.background_sample)
	RETURNS explain.background_sample
	AS 'MODULE_PATHNAME', 'explain_background_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.background_combine(explain.background_sample, explain.background_sample) IS
'Combine function of background';

-- @overloads input
CREATE FUNCTION explain.background_accum(state explain.background_sample, @input@)
	RETURNS explain.background_sample
	AS 'MODULE_PATHNAME', 'explain_background_accum_@overload@' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION explain.background_accum(explain.background_sample, @input_type@) IS
'Transition function of background';

CREATE FUNCTION explain.background_accum(state explain.background_sample, @input@, size int4)
	RETURNS explain.background_sample
	AS 'MODULE_PATHNAME', 'explain_background_accum_@overload@' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION explain.background_accum(explain.background_sample, @input_type@, int4) IS
'Transition function of background with a size';

CREATE FUNCTION explain.background_accum(state explain.background_sample, @input@, size int4, seed int8)
	RETURNS explain.background_sample
	AS 'MODULE_PATHNAME', 'explain_background_accum_@overload@' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION explain.background_accum(explain.background_sample, @input_type@, int4, int8) IS
'Transition function of background with a size and a seed';

CREATE AGGREGATE explain.background(@input@) (
	SFUNC = explain.background_accum, STYPE = explain.background_sample, SSPACE = 100000,
	COMBINEFUNC = explain.background_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.background(@input_type@) IS
'Draws a background sample of 100 rows from all rows, and keeps statistics of all of them. The rows with the smallest hashes of seed and content: the same sample in every plan, equal rows once with their number as weight. Columns that can be features (numbers, booleans, text, enums) are taken, others ignored; null rows are skipped';

CREATE AGGREGATE explain.background(@input@, size int4) (
	SFUNC = explain.background_accum, STYPE = explain.background_sample, SSPACE = 100000,
	COMBINEFUNC = explain.background_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.background(@input_type@, int4) IS
'Draws a background sample of up to size different rows (1 to 1000000) and keeps statistics of all rows. 1000 rows estimate a mean prediction three times as precisely as 100, and cost ten times as much where a method runs the model on each';

CREATE AGGREGATE explain.background(@input@, size int4, seed int8) (
	SFUNC = explain.background_accum, STYPE = explain.background_sample, SSPACE = 100000,
	COMBINEFUNC = explain.background_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.background(@input_type@, int4, int8) IS
'Draws a background sample of up to size different rows; each seed gives another sample, the default is 0';

-- @end
CREATE AGGREGATE explain.background_merge(state explain.background_sample) (
	SFUNC = explain.background_combine, STYPE = explain.background_sample, SSPACE = 100000,
	COMBINEFUNC = explain.background_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.background_merge(explain.background_sample) IS
'Merges background samples of the same size and seed into the sample of all their rows. Nulls are skipped';

CREATE FUNCTION explain.with_background(model explain.model, background explain.background_sample)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_background' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_background(explain.model, explain.background_sample) IS
'A copy of the model that carries a background sample, in place of one it had. Columns are matched to features by name (samples of arrays by position), other columns are ignored; missing values and unknown levels follow the model''s rules. 42703 for a feature without a column, 22004 for missing values that the model cannot take, 22023 for levels that it does not know';

CREATE FUNCTION explain.with_background(model explain.model, background float8[])
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_background_rows' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_background(explain.model, float8[]) IS
'A copy of the model that carries the rows of a two-dimensional array as its background, in feature order; null is a missing value, a categorical level its position in the model''s list. 22023 without rows, 22000 for another number of features';

CREATE FUNCTION explain.with_covers(model explain.model, replace boolean DEFAULT false)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_covers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION explain.with_covers(explain.model, boolean) IS
'The tree model with the covers of its nodes counted on the background that it carries: the weight of the rows that reach each node. For ensembles whose file has none (ONNX), so that path-dependent Shapley values work. A notice tells the share of nodes that no row reaches: where it is large, method tree_interventional is the better choice. 22023 if the model has covers, unless replace is true, or has no background';

CREATE FUNCTION explain.with_covers(model explain.model, background explain.background_sample,
	replace boolean DEFAULT false)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_covers_sample' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION explain.with_covers(explain.model, explain.background_sample, boolean) IS
'The tree model with the covers of its nodes counted on the rows of a background sample, which is not attached; each row counts as often as it occurs. Columns are matched as by explain.with_background';

CREATE FUNCTION explain.with_covers(model explain.model, background float8[], replace boolean DEFAULT false)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_covers_rows' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION explain.with_covers(explain.model, float8[], boolean) IS
'The tree model with the covers of its nodes counted on the rows of a two-dimensional array in feature order, which are not attached';

CREATE FUNCTION explain.background_statistics(background explain.background_sample,
	OUT feature text, OUT type text, OUT n float8, OUT n_values float8, OUT missing_share float8,
	OUT mean float8, OUT sd float8, OUT min float8, OUT max float8, OUT n_levels float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_background_statistics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 500 ROWS 20;
COMMENT ON FUNCTION explain.background_statistics(explain.background_sample) IS
'Statistics of all rows behind a background sample, by column: type (number, boolean, text), n rows, n_values of them not null, mean, standard deviation (n - 1), minimum and maximum of numbers and booleans, n_levels different values where they were counted (whole numbers, booleans and text, up to 1000)';

CREATE FUNCTION explain.background_levels(background explain.background_sample,
	OUT feature text, OUT level text, OUT n float8, OUT share float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_background_levels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 500 ROWS 100;
COMMENT ON FUNCTION explain.background_levels(explain.background_sample) IS
'How often each value occurs in all rows behind a background sample, for columns of up to 1000 different whole numbers, booleans or texts; share is of all rows';

CREATE FUNCTION explain.background_rows(background explain.background_sample,
	OUT background_row int4, OUT weight float8, OUT feature text, OUT feature_value text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_background_rows' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 500 ROWS 2000;
COMMENT ON FUNCTION explain.background_rows(explain.background_sample) IS
'The rows of a background sample, one result row per row and column; weight is how often the row occurs';
