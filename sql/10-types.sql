--
-- Types
--

CREATE TYPE explain.space AS ENUM ('raw', 'response');
COMMENT ON TYPE explain.space IS
'Scale of predictions and attributions: raw is the margin (log-odds of a logistic model, log of a Poisson mean), response what the link''s inverse makes of it';

CREATE TYPE explain.link AS ENUM ('identity', 'logit', 'log', 'probit', 'cloglog', 'inverse', 'softmax', 'ovr',
	'signed_square', 'softplus', 'step', 'isolation', 'cumulative_softplus', 'sorted');
COMMENT ON TYPE explain.link IS
'Link between raw and response space: response = inverse link of raw. ovr: one-vs-rest, logistic each and divided by their sum; signed_square, softplus, step, isolation, cumulative_softplus, sorted: links of particular objectives of tree libraries';

-- Text without a collation: a text constant keeps postgres_fdw from shipping
-- an expression, and option values are compared byte by byte anyway.
CREATE TYPE explain.label;

CREATE FUNCTION explain.label_in(cstring) RETURNS explain.label
	AS 'textin' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION explain.label_in(cstring) IS 'Input function of type explain.label';

CREATE FUNCTION explain.label_out(explain.label) RETURNS cstring
	AS 'textout' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION explain.label_out(explain.label) IS 'Output function of type explain.label';

CREATE FUNCTION explain.label_recv(internal) RETURNS explain.label
	AS 'textrecv' LANGUAGE internal STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION explain.label_recv(internal) IS 'Receive function of type explain.label';

CREATE FUNCTION explain.label_send(explain.label) RETURNS bytea
	AS 'textsend' LANGUAGE internal STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION explain.label_send(explain.label) IS 'Send function of type explain.label';

CREATE TYPE explain.label (
	INPUT = explain.label_in,
	OUTPUT = explain.label_out,
	RECEIVE = explain.label_recv,
	SEND = explain.label_send,
	LIKE = pg_catalog.text,
	CATEGORY = 'U'
);
COMMENT ON TYPE explain.label IS
'Name of an output, feature, method or other option: text without collation; literals are written like text';

CREATE CAST (pg_catalog.text AS explain.label) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.varchar AS explain.label) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.name AS explain.label) WITH INOUT AS IMPLICIT;
CREATE CAST (explain.label AS pg_catalog.text) WITHOUT FUNCTION AS ASSIGNMENT;

--
-- explain.model
--

CREATE TYPE explain.model;

CREATE FUNCTION explain.model_in(cstring) RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_model_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.model_in(cstring) IS 'Input function of type explain.model: its JSON form';

CREATE FUNCTION explain.model_out(explain.model) RETURNS cstring
	AS 'MODULE_PATHNAME', 'explain_model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.model_out(explain.model) IS 'Output function of type explain.model: its JSON form';

CREATE FUNCTION explain.model_recv(internal) RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_model_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.model_recv(internal) IS 'Receive function of type explain.model: versioned, little-endian';

CREATE FUNCTION explain.model_send(explain.model) RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.model_send(explain.model) IS 'Send function of type explain.model: versioned, little-endian';

-- external: uncompressed out of line, so that a slice of the value is its header
CREATE TYPE explain.model (
	INPUT = explain.model_in,
	OUTPUT = explain.model_out,
	RECEIVE = explain.model_recv,
	SEND = explain.model_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = external
);
COMMENT ON TYPE explain.model IS
'A machine-learning model as a value: features, outputs, parameters and optionally background rows. Text form: a JSON document (doc/model-json.md); use explain.model_summary(model) to look at one';

CREATE CAST (pg_catalog.jsonb AS explain.model) WITH INOUT;
CREATE CAST (pg_catalog.json AS explain.model) WITH INOUT;
CREATE CAST (explain.model AS pg_catalog.json) WITH INOUT;
CREATE CAST (explain.model AS pg_catalog.jsonb) WITH INOUT;

CREATE FUNCTION explain.model_eq(explain.model, explain.model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'explain_model_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION explain.model_eq(explain.model, explain.model) IS 'Are two models the same? (by content digest)';

CREATE FUNCTION explain.model_ne(explain.model, explain.model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'explain_model_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION explain.model_ne(explain.model, explain.model) IS 'Do two models differ? (by content digest)';

CREATE FUNCTION explain.model_hash(explain.model) RETURNS int4
	AS 'MODULE_PATHNAME', 'explain_model_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION explain.model_hash(explain.model) IS 'Hash of a model: part of its content digest';

CREATE OPERATOR explain.= (
	LEFTARG = explain.model, RIGHTARG = explain.model, FUNCTION = explain.model_eq,
	COMMUTATOR = OPERATOR(explain.=), NEGATOR = OPERATOR(explain.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES
);
COMMENT ON OPERATOR explain.= (explain.model, explain.model) IS 'same model';

CREATE OPERATOR explain.<> (
	LEFTARG = explain.model, RIGHTARG = explain.model, FUNCTION = explain.model_ne,
	COMMUTATOR = OPERATOR(explain.<>), NEGATOR = OPERATOR(explain.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR explain.<> (explain.model, explain.model) IS 'different models';

CREATE OPERATOR CLASS explain.model_hash_ops DEFAULT FOR TYPE explain.model USING hash AS
	OPERATOR 1 explain.= ,
	FUNCTION 1 explain.model_hash(explain.model);

CREATE FUNCTION explain.model_digest(model explain.model) RETURNS text
	AS 'MODULE_PATHNAME', 'explain_model_digest' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION explain.model_digest(explain.model) IS
'Content digest of a model, 32 hexadecimal digits: the first 128 bits of SHA-256 over its wire form. Equal models have equal digests';
