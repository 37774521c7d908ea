--
-- Marginal effects with standard errors
--

CREATE FUNCTION explain.with_covariance(model explain.model, covariance float8[], terms text[] DEFAULT NULL)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_covariance'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_covariance(explain.model, float8[], text[]) IS
'The linear model with the covariance of its estimated coefficients, as its fit gives it (statsmodels cov_params(), R vcov()), and with standard errors from its diagonal: what explain.marginal_effects needs. terms names its rows and columns in their order: the intercept is (Intercept) or const, a column is called as its feature, a level "feature = level", a bin "1 < feature <= 5", a missing indicator "feature is null"; with several outputs the output goes in front, "output: term". A coefficient of 0 that terms leaves out is fixed, not estimated (the reference class of a multinomial fit). Without terms the order is that of explain.coefficients, but for the intercept of each output, which comes last. 22023 unless square, symmetric and without negative variances';

-- @overloads model input
CREATE FUNCTION explain.marginal_effect_array(@model@, @input@, output explain.label DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'explain_marginal_effect_array_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 50;
COMMENT ON FUNCTION explain.marginal_effect_array(@model_type@, @input_type@, explain.label) IS
'Marginal effects of one row of a linear model, for explain.marginal_effect_summary: one row of the array for each effect, in the order of explain.marginal_effects; first the effect on the response, then its derivative with respect to each coefficient (output by output, its columns as in explain.coefficients, then its intercept). Null for a feature that the row lacks';
-- @end

CREATE TYPE explain.marginal_effect_summary_state;

CREATE FUNCTION explain.marginal_effect_summary_state_in(cstring) RETURNS explain.marginal_effect_summary_state
	AS 'MODULE_PATHNAME', 'explain_marginal_effect_summary_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.marginal_effect_summary_state_in(cstring) IS
'Input function of type explain.marginal_effect_summary_state';

CREATE FUNCTION explain.marginal_effect_summary_state_out(explain.marginal_effect_summary_state) RETURNS cstring
	AS 'MODULE_PATHNAME', 'explain_marginal_effect_summary_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.marginal_effect_summary_state_out(explain.marginal_effect_summary_state) IS
'Output function of type explain.marginal_effect_summary_state: exact, independent of settings';

CREATE FUNCTION explain.marginal_effect_summary_state_recv(internal) RETURNS explain.marginal_effect_summary_state
	AS 'MODULE_PATHNAME', 'explain_marginal_effect_summary_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.marginal_effect_summary_state_recv(internal) IS
'Receive function of type explain.marginal_effect_summary_state: versioned, little-endian';

CREATE FUNCTION explain.marginal_effect_summary_state_send(explain.marginal_effect_summary_state) RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_marginal_effect_summary_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.marginal_effect_summary_state_send(explain.marginal_effect_summary_state) IS
'Send function of type explain.marginal_effect_summary_state: versioned, little-endian';

CREATE TYPE explain.marginal_effect_summary_state (
	INPUT = explain.marginal_effect_summary_state_in,
	OUTPUT = explain.marginal_effect_summary_state_out,
	RECEIVE = explain.marginal_effect_summary_state_recv,
	SEND = explain.marginal_effect_summary_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE explain.marginal_effect_summary_state IS
'Sums of marginal effects and of their derivatives over many rows, equal bit for bit for equal sets of rows in any order. Made by marginal_effect_summary, merged by marginal_effect_summary_merge, read by marginal_effects';

CREATE FUNCTION explain.marginal_effect_summary_accum(state explain.marginal_effect_summary_state, effects float8[])
	RETURNS explain.marginal_effect_summary_state
	AS 'MODULE_PATHNAME', 'explain_marginal_effect_summary_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 30;
COMMENT ON FUNCTION explain.marginal_effect_summary_accum(explain.marginal_effect_summary_state, float8[]) IS
'Transition function of marginal_effect_summary';

CREATE FUNCTION explain.marginal_effect_summary_combine(state explain.marginal_effect_summary_state,
	other explain.marginal_effect_summary_state)
	RETURNS explain.marginal_effect_summary_state
	AS 'MODULE_PATHNAME', 'explain_marginal_effect_summary_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION explain.marginal_effect_summary_combine(explain.marginal_effect_summary_state, explain.marginal_effect_summary_state) IS
'Combine function of marginal_effect_summary';

CREATE AGGREGATE explain.marginal_effect_summary(effects float8[]) (
	SFUNC = explain.marginal_effect_summary_accum, STYPE = explain.marginal_effect_summary_state, SSPACE = 60000,
	COMBINEFUNC = explain.marginal_effect_summary_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.marginal_effect_summary(float8[]) IS
'Sums the marginal effects of many rows, one array of explain.marginal_effect_array for each. The result is a value that can be stored, sent and merged; explain.marginal_effects turns it into rows. The same bits in every plan. Null arrays are skipped; rows that lack an effect do not count in it; 22000 if the shape of the array changes';

CREATE AGGREGATE explain.marginal_effect_summary_merge(state explain.marginal_effect_summary_state) (
	SFUNC = explain.marginal_effect_summary_combine, STYPE = explain.marginal_effect_summary_state, SSPACE = 60000,
	COMBINEFUNC = explain.marginal_effect_summary_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.marginal_effect_summary_merge(explain.marginal_effect_summary_state) IS
'Merges summaries of marginal effects into one: the summary of all their rows. Nulls are skipped';

CREATE TYPE explain.marginal_effect AS (
	output text,
	feature text,
	level text,
	reference text,
	effect float8,
	std_error float8,
	z float8,
	p float8,
	ci_low float8,
	ci_high float8,
	n float8,
	kind text
);
COMMENT ON TYPE explain.marginal_effect IS 'One row per average marginal effect: what a feature does to the response, and how sure that is';
COMMENT ON COLUMN explain.marginal_effect.output IS 'Class or target whose response is meant';
COMMENT ON COLUMN explain.marginal_effect.feature IS 'Name of the feature';
COMMENT ON COLUMN explain.marginal_effect.level IS 'Level (or true) whose response is compared; null for a slope';
COMMENT ON COLUMN explain.marginal_effect.reference IS 'Level (or false) that it is compared with: the first one without a coefficient, (other) if the model lists none such; null for a slope';
COMMENT ON COLUMN explain.marginal_effect.effect IS 'Mean over rows: change of the response for one unit of the feature, or from reference to level';
COMMENT ON COLUMN explain.marginal_effect.std_error IS 'Standard error by the delta method, from the covariance of the coefficients: not the spread over rows';
COMMENT ON COLUMN explain.marginal_effect.z IS 'effect / std_error; null if std_error is 0';
COMMENT ON COLUMN explain.marginal_effect.p IS 'Probability of a standard normal beyond |z|, on both sides';
COMMENT ON COLUMN explain.marginal_effect.ci_low IS 'Lower end of the 95 % confidence interval (normal)';
COMMENT ON COLUMN explain.marginal_effect.ci_high IS 'Upper end of the 95 % confidence interval (normal)';
COMMENT ON COLUMN explain.marginal_effect.n IS 'Number of rows that have the feature';
COMMENT ON COLUMN explain.marginal_effect.kind IS 'slope of a number, boolean (true - false) or level (level - reference)';

-- @overloads model
CREATE FUNCTION explain.marginal_effects(@model@, summary explain.marginal_effect_summary_state,
	output explain.label DEFAULT NULL)
	RETURNS SETOF explain.marginal_effect
	AS 'MODULE_PATHNAME', 'explain_marginal_effects_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION explain.marginal_effects(@model_type@, explain.marginal_effect_summary_state, explain.label) IS
'Average marginal effects of a linear model on its response, with delta-method standard errors, z, p and 95 % intervals, from the summary of explain.marginal_effect_array over rows (same model, same output). Slopes of numbers, differences for booleans and levels, in the order of features. Only for models that carry the covariance of their coefficients (explain.with_covariance). Not to be mixed up with explain.total_derivatives, which is of any model that can be differentiated and tells the spread over rows, but no significance';
-- @end
