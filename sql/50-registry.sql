--
-- Registry of named models: an ordinary table of the user's
--

CREATE FUNCTION explain.get_model(name text)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_get_model'
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.get_model(text) IS
'Model of that name in the registry: the newest version that you may see, or version 2 of credit with get_model(''credit@2''). 42704 if there is none';

CREATE FUNCTION explain.get_model(name text, version int4)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_get_model_version'
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.get_model(text, int4) IS
'Version of the model of that name in the registry. 42704 if there is none';

CREATE FUNCTION explain.model_header(model explain.model,
	OUT family text, OUT features int4, OUT outputs int4, OUT bytes int4)
	RETURNS record
	AS 'MODULE_PATHNAME', 'explain_model_header'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION explain.model_header(explain.model) IS
'Family, number of features, number of outputs and size of a model, without reading more than its first bytes';

CREATE FUNCTION explain.register_model(name text, model explain.model, description text DEFAULT NULL)
	RETURNS int4
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
AS $$
#variable_conflict use_column
DECLARE
	added pg_catalog.int4;
	candidate pg_catalog.int4 := 1;
BEGIN
	IF $1 IS NULL OR $2 IS NULL THEN
		RAISE EXCEPTION 'name and model must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF $1 OPERATOR(pg_catalog.=) '' OR $1 OPERATOR(pg_catalog.~) '^\{' OR $1 OPERATOR(pg_catalog.~) '@[0-9]+$' THEN
		RAISE EXCEPTION 'invalid name for a model: "%"', $1
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = 'A name must not be empty, begin with { (a JSON document does) or end in @ and digits (a version does).';
	END IF;
	IF pg_catalog.to_regclass('explain.model_versions') IS NULL THEN
		RAISE EXCEPTION 'there is no model registry in this database'
			USING ERRCODE = 'undefined_table',
				  HINT = 'Create one with CALL explain.create_registry().';
	END IF;
	-- A version that another session is adding, or that a policy hides, is in
	-- the way only when the row is inserted; try the next number then.
	LOOP
		candidate := GREATEST(candidate, (
			SELECT coalesce(pg_catalog.max(v.version), 0) OPERATOR(pg_catalog.+) 1
			FROM explain.model_versions v
			WHERE v.name OPERATOR(pg_catalog.=) $1));
		INSERT INTO explain.model_versions AS v (name, version, model, description)
			VALUES ($1, candidate, $2, $3)
			ON CONFLICT (name, version) DO NOTHING
			RETURNING v.version INTO added;
		EXIT WHEN added IS NOT NULL;
		candidate := candidate OPERATOR(pg_catalog.+) 1;
	END LOOP;
	RETURN added;
END
$$;
COMMENT ON FUNCTION explain.register_model(text, explain.model, text) IS
'Adds a version of a named model to the registry and returns its number: 1 for a new name, else one more than the newest. Runs with the rights of the caller';

CREATE PROCEDURE explain.create_registry()
	LANGUAGE plpgsql
AS $$
BEGIN
	IF pg_catalog.to_regclass('explain.model_versions') IS NOT NULL THEN
		RAISE EXCEPTION 'the registry exists already'
			USING ERRCODE = 'duplicate_table',
				  DETAIL = 'Table explain.model_versions is there.';
	END IF;
	IF NOT pg_catalog.has_schema_privilege('explain', 'CREATE') THEN
		RAISE EXCEPTION 'permission denied to create the registry in schema "explain"'
			USING ERRCODE = 'insufficient_privilege',
				  HINT = 'The owner of the schema can do it, or grant the right: GRANT CREATE ON SCHEMA explain TO ....';
	END IF;

	CREATE TABLE explain.model_versions (
		name pg_catalog.text NOT NULL
			CONSTRAINT model_versions_name_not_empty CHECK (name OPERATOR(pg_catalog.<>) ''),
		version pg_catalog.int4 NOT NULL
			CONSTRAINT model_versions_version_positive CHECK (version OPERATOR(pg_catalog.>) 0),
		model explain.model NOT NULL,
		description pg_catalog.text,
		owner pg_catalog.text NOT NULL DEFAULT CURRENT_USER,
		created_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now(),
		CONSTRAINT model_versions_pkey PRIMARY KEY (name, version),
		-- a name that starts with a brace would be taken for a JSON literal,
		-- one that ends in @2 for a version
		CONSTRAINT model_versions_name_plain CHECK
			(name OPERATOR(pg_catalog.!~) '^\{' AND name OPERATOR(pg_catalog.!~) '@[0-9]+$')
	);
	COMMENT ON TABLE explain.model_versions IS
		'Registry of models: every version of every named model. An ordinary table: grants, policies and further columns are yours';
	COMMENT ON COLUMN explain.model_versions.name IS 'Name of the model; functions of explain_ext take it in place of a model';
	COMMENT ON COLUMN explain.model_versions.version IS 'Number of the version, from 1; name@version names it';
	COMMENT ON COLUMN explain.model_versions.model IS 'The model itself';
	COMMENT ON COLUMN explain.model_versions.description IS 'What the model predicts, what it was trained on';
	COMMENT ON COLUMN explain.model_versions.owner IS 'Role that registered the version';
	COMMENT ON COLUMN explain.model_versions.created_at IS 'When it was registered';

	CREATE VIEW explain.models WITH (security_invoker = true) AS
		SELECT v.name, v.version, h.family, h.features, h.outputs, h.bytes, v.description, v.owner, v.created_at
		FROM (SELECT DISTINCT ON (name) name, version, model, description, owner, created_at
			  FROM explain.model_versions
			  ORDER BY name, version DESC) v,
			 LATERAL explain.model_header(v.model) h;
	COMMENT ON VIEW explain.models IS
		'The newest version of each model of explain.model_versions that you may see, without its contents';
	COMMENT ON COLUMN explain.models.name IS 'Name of the model';
	COMMENT ON COLUMN explain.models.version IS 'Number of its newest version';
	COMMENT ON COLUMN explain.models.family IS 'Family of models that it belongs to: linear, tree, network';
	COMMENT ON COLUMN explain.models.features IS 'Number of its features';
	COMMENT ON COLUMN explain.models.outputs IS 'Number of its outputs';
	COMMENT ON COLUMN explain.models.bytes IS 'Its size';
	COMMENT ON COLUMN explain.models.description IS 'What the model predicts, what it was trained on';
	COMMENT ON COLUMN explain.models.owner IS 'Role that registered the version';
	COMMENT ON COLUMN explain.models.created_at IS 'When the version was registered';
END
$$;
COMMENT ON PROCEDURE explain.create_registry() IS
'Creates the registry of named models: table explain.model_versions and view explain.models, owned by the caller and no part of the extension, so that they are dumped with their rows, grants and policies. Needs the right to create in schema explain. Nobody else may use them until the owner grants it';
