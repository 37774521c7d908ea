--
-- Similarity of two models
--

CREATE TYPE explain.similarity_state;

CREATE FUNCTION explain.similarity_state_in(cstring) RETURNS explain.similarity_state
	AS 'MODULE_PATHNAME', 'explain_similarity_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION explain.similarity_state_in(cstring) IS 'Input function of type explain.similarity_state';

CREATE FUNCTION explain.similarity_state_out(explain.similarity_state) RETURNS cstring
	AS 'MODULE_PATHNAME', 'explain_similarity_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION explain.similarity_state_out(explain.similarity_state) IS
'Output function of type explain.similarity_state: exact, independent of settings';

CREATE FUNCTION explain.similarity_state_recv(internal) RETURNS explain.similarity_state
	AS 'MODULE_PATHNAME', 'explain_similarity_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION explain.similarity_state_recv(internal) IS
'Receive function of type explain.similarity_state: versioned, little-endian';

CREATE FUNCTION explain.similarity_state_send(explain.similarity_state) RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_similarity_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION explain.similarity_state_send(explain.similarity_state) IS
'Send function of type explain.similarity_state: versioned, little-endian';

-- plain: never packed or moved out of line, so that a stored state is used where it is
CREATE TYPE explain.similarity_state (
	INPUT = explain.similarity_state_in,
	OUTPUT = explain.similarity_state_out,
	RECEIVE = explain.similarity_state_recv,
	SEND = explain.similarity_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE explain.similarity_state IS
'State of model_similarity: row count and the sums of w, w f1, w f2, w f1^2, w f2^2 and w f1 f2, equal bit for bit for equal sets of rows in any order. Store it, send it, merge it with model_similarity_merge';

CREATE FUNCTION explain.similarity_accum(state explain.similarity_state, f1 float8, f2 float8)
	RETURNS explain.similarity_state
	AS 'MODULE_PATHNAME', 'explain_similarity_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION explain.similarity_accum(explain.similarity_state, float8, float8) IS
'Transition function of model_similarity';

CREATE FUNCTION explain.similarity_accum(state explain.similarity_state, f1 float8, f2 float8, weight float8)
	RETURNS explain.similarity_state
	AS 'MODULE_PATHNAME', 'explain_similarity_accum_weighted' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 3;
COMMENT ON FUNCTION explain.similarity_accum(explain.similarity_state, float8, float8, float8) IS
'Transition function of model_similarity with weights';

CREATE FUNCTION explain.similarity_combine(state explain.similarity_state, other explain.similarity_state)
	RETURNS explain.similarity_state
	AS 'MODULE_PATHNAME', 'explain_similarity_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION explain.similarity_combine(explain.similarity_state, explain.similarity_state) IS
'Combine function of model_similarity';

CREATE FUNCTION explain.model_similarity_final(state explain.similarity_state) RETURNS float8
	AS 'MODULE_PATHNAME', 'explain_similarity_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION explain.model_similarity_final(explain.similarity_state) IS
'The similarity that a state stands for: what model_similarity gives for the same rows. Null for a null state and where a model predicts 0 for every row';

CREATE AGGREGATE explain.model_similarity(f1 float8, f2 float8) (
	SFUNC = explain.similarity_accum, STYPE = explain.similarity_state, SSPACE = 400,
	FINALFUNC = explain.model_similarity_final, COMBINEFUNC = explain.similarity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.model_similarity(float8, float8) IS
'Similarity of two models: the cosine sum(f1 f2) / sqrt(sum(f1^2) sum(f2^2)) of their predictions, from -1 to 1. Exactly 1 for a model with itself, -1 with its negation; the same bits in every plan. Rows with a null are skipped; null without rows or where a model predicts 0 for every row. 22003 for NaN or infinity';

CREATE AGGREGATE explain.model_similarity(f1 float8, f2 float8, weight float8) (
	SFUNC = explain.similarity_accum, STYPE = explain.similarity_state, SSPACE = 400,
	FINALFUNC = explain.model_similarity_final, COMBINEFUNC = explain.similarity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.model_similarity(float8, float8, float8) IS
'Weighted similarity of two models: sum(w f1 f2) / sqrt(sum(w f1^2) sum(w f2^2)), from -1 to 1. A weight says how much a row matters: a count, a sampling weight, an exposure. Rows with a null are skipped. 22023 for a negative weight, 22003 for NaN or infinity';

CREATE AGGREGATE explain.model_similarity_state(f1 float8, f2 float8) (
	SFUNC = explain.similarity_accum, STYPE = explain.similarity_state, SSPACE = 400,
	COMBINEFUNC = explain.similarity_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.model_similarity_state(float8, float8) IS
'The state of model_similarity, for a part of the rows: store or send it, then model_similarity_final(model_similarity_merge(state))';

CREATE AGGREGATE explain.model_similarity_state(f1 float8, f2 float8, weight float8) (
	SFUNC = explain.similarity_accum, STYPE = explain.similarity_state, SSPACE = 400,
	COMBINEFUNC = explain.similarity_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.model_similarity_state(float8, float8, float8) IS
'The state of model_similarity with weights, for a part of the rows';

CREATE AGGREGATE explain.model_similarity_merge(state explain.similarity_state) (
	SFUNC = explain.similarity_combine, STYPE = explain.similarity_state, SSPACE = 400,
	COMBINEFUNC = explain.similarity_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.model_similarity_merge(explain.similarity_state) IS
'Merges states of model_similarity into one: the state of all their rows. Nulls are skipped';
