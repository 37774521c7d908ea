--
-- Attributions of many rows
--

CREATE TYPE explain.attribution_summary_state;

CREATE FUNCTION explain.attribution_summary_state_in(cstring) RETURNS explain.attribution_summary_state
	AS 'MODULE_PATHNAME', 'explain_attribution_summary_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.attribution_summary_state_in(cstring) IS 'Input function of type explain.attribution_summary_state';

CREATE FUNCTION explain.attribution_summary_state_out(explain.attribution_summary_state) RETURNS cstring
	AS 'MODULE_PATHNAME', 'explain_attribution_summary_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.attribution_summary_state_out(explain.attribution_summary_state) IS
'Output function of type explain.attribution_summary_state: exact, independent of settings';

CREATE FUNCTION explain.attribution_summary_state_recv(internal) RETURNS explain.attribution_summary_state
	AS 'MODULE_PATHNAME', 'explain_attribution_summary_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.attribution_summary_state_recv(internal) IS
'Receive function of type explain.attribution_summary_state: versioned, little-endian';

CREATE FUNCTION explain.attribution_summary_state_send(explain.attribution_summary_state) RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_attribution_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.attribution_summary_state_send(explain.attribution_summary_state) IS
'Send function of type explain.attribution_summary_state: versioned, little-endian';

CREATE TYPE explain.attribution_summary_state (
	INPUT = explain.attribution_summary_state_in,
	OUTPUT = explain.attribution_summary_state_out,
	RECEIVE = explain.attribution_summary_state_recv,
	SEND = explain.attribution_summary_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE explain.attribution_summary_state IS
'What attributions look like over many rows: per feature the sums, range and signs, equal bit for bit for equal sets of rows in any order. Made by attribution_summary, merged by attribution_summary_merge, read by importance';

CREATE FUNCTION explain.attribution_summary_accum(state explain.attribution_summary_state, attributions float8[])
	RETURNS explain.attribution_summary_state
	AS 'MODULE_PATHNAME', 'explain_attribution_summary_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 30;
COMMENT ON FUNCTION explain.attribution_summary_accum(explain.attribution_summary_state, float8[]) IS
'Transition function of attribution_summary';

CREATE FUNCTION explain.attribution_summary_combine(state explain.attribution_summary_state, other explain.attribution_summary_state)
	RETURNS explain.attribution_summary_state
	AS 'MODULE_PATHNAME', 'explain_attribution_summary_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION explain.attribution_summary_combine(explain.attribution_summary_state, explain.attribution_summary_state) IS
'Combine function of attribution_summary';

CREATE AGGREGATE explain.attribution_summary(attributions float8[]) (
	SFUNC = explain.attribution_summary_accum, STYPE = explain.attribution_summary_state, SSPACE = 8000,
	COMBINEFUNC = explain.attribution_summary_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.attribution_summary(float8[]) IS
'Summarises attributions of many rows, one array per row in feature order (explain.shap_array and its like). The result is a value that can be stored, sent and merged; explain.importance turns it into rows. The same bits in every plan. Null arrays and null elements (a missing feature''s gradient, a pixel not covered) are skipped, and each feature counts its own values; 22003 for NaN or infinity, 22000 if the number of values changes';

CREATE AGGREGATE explain.attribution_summary_merge(state explain.attribution_summary_state) (
	SFUNC = explain.attribution_summary_combine, STYPE = explain.attribution_summary_state, SSPACE = 8000,
	COMBINEFUNC = explain.attribution_summary_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.attribution_summary_merge(explain.attribution_summary_state) IS
'Merges attribution summaries into one: the summary of all their rows. Nulls are skipped';

CREATE TYPE explain.feature_importance AS (
	rank int4,
	feature text,
	mean_abs float8,
	share float8,
	std_error float8,
	mean float8,
	sd float8,
	min float8,
	max float8,
	positive_share float8,
	sign_consistency float8,
	n float8
);
COMMENT ON TYPE explain.feature_importance IS 'One row per feature: its importance in a set of attributions';
COMMENT ON COLUMN explain.feature_importance.rank IS '1 = largest mean_abs; equal ones in feature order';
COMMENT ON COLUMN explain.feature_importance.feature IS 'Name of the feature';
COMMENT ON COLUMN explain.feature_importance.mean_abs IS 'Mean of the absolute attribution: the importance';
COMMENT ON COLUMN explain.feature_importance.share IS 'Share of mean_abs in its sum over all features; null if all are 0';
COMMENT ON COLUMN explain.feature_importance.std_error IS 'Standard error of mean_abs from the spread over rows (standard deviation of the absolute attribution / sqrt(n)); null for one row';
COMMENT ON COLUMN explain.feature_importance.mean IS 'Mean of the attribution: the direction on average';
COMMENT ON COLUMN explain.feature_importance.sd IS 'Standard deviation of the attribution over rows (n - 1); null for one row';
COMMENT ON COLUMN explain.feature_importance.min IS 'Smallest attribution';
COMMENT ON COLUMN explain.feature_importance.max IS 'Largest attribution';
COMMENT ON COLUMN explain.feature_importance.positive_share IS 'Share of the positive among the attributions that are not 0; null if all are 0';
COMMENT ON COLUMN explain.feature_importance.sign_consistency IS 'Share of the more frequent sign among the attributions that are not 0: 1 = always the same direction, 0.5 = as often up as down; null if all are 0';
COMMENT ON COLUMN explain.feature_importance.n IS 'Rows where the feature has an attribution; all rows for most methods';

-- @overloads model
CREATE FUNCTION explain.importance(@model@, summary explain.attribution_summary_state)
	RETURNS SETOF explain.feature_importance
	AS 'MODULE_PATHNAME', 'explain_importance_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 100 ROWS 20;
COMMENT ON FUNCTION explain.importance(@model_type@, explain.attribution_summary_state) IS
'Global importance of a model''s features: the rows of a summary of its attributions, most important first. 22000 if the summary is of another number of features';
-- @end

CREATE FUNCTION explain.importance(features text[], summary explain.attribution_summary_state)
	RETURNS SETOF explain.feature_importance
	AS 'MODULE_PATHNAME', 'explain_importance_names'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 20;
COMMENT ON FUNCTION explain.importance(text[], explain.attribution_summary_state) IS
'Global importance from a summary of attributions and the names of the features in the arrays'' order, for attributions that come from elsewhere';

CREATE TYPE explain.derivative_summary_row AS (
	rank int4,
	feature text,
	mean float8,
	spread float8,
	mean_abs float8,
	mean_square float8,
	standardised float8,
	n float8,
	kind text
);
COMMENT ON TYPE explain.derivative_summary_row IS 'One row per feature, and one of kind total: derivatives over many rows';
COMMENT ON COLUMN explain.derivative_summary_row.rank IS '1 = largest absolute mean; equal ones in feature order; the total is last';
COMMENT ON COLUMN explain.derivative_summary_row.feature IS 'Name of the feature; null in the row of kind total';
COMMENT ON COLUMN explain.derivative_summary_row.mean IS 'Mean derivative (boolean and categorical features: mean difference); total: the sum of the means of the numeric features';
COMMENT ON COLUMN explain.derivative_summary_row.spread IS 'Standard deviation of the derivative over rows (n - 1). It says how much the derivative differs between rows, not how certain its mean is: no significance follows from it (explain.marginal_effects has standard errors)';
COMMENT ON COLUMN explain.derivative_summary_row.mean_abs IS 'Mean absolute derivative: signs do not cancel';
COMMENT ON COLUMN explain.derivative_summary_row.mean_square IS 'Mean squared derivative: the derivative-based global sensitivity measure (DGSM, Sobol & Kucherenko 2009)';
COMMENT ON COLUMN explain.derivative_summary_row.standardised IS 'mean times the standard deviation of the feature in the model''s background: comparable between units; of numeric features; null without a background';
COMMENT ON COLUMN explain.derivative_summary_row.n IS 'Rows where the feature has a derivative; total: all rows';
COMMENT ON COLUMN explain.derivative_summary_row.kind IS 'feature, or total';

-- @overloads model
CREATE FUNCTION explain.total_derivatives(@model@, summary explain.attribution_summary_state)
	RETURNS SETOF explain.derivative_summary_row
	AS 'MODULE_PATHNAME', 'explain_total_derivatives_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 100 ROWS 20;
COMMENT ON FUNCTION explain.total_derivatives(@model_type@, explain.attribution_summary_state) IS
'The derivatives of a model over many rows, by feature and in total, from explain.attribution_summary over arrays of explain.gradient_array. A description of the model on these rows; average marginal effects with standard errors are explain.marginal_effects. 22000 if the summary is of another number of features';
-- @end
