--
-- The schema
--

-- Whoever owns the schema can replace what is in it; insist on the installer.
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace
				   WHERE nspname OPERATOR(pg_catalog.=) 'explain'::pg_catalog.name
				   AND pg_catalog.pg_get_userbyid(nspowner) OPERATOR(pg_catalog.=) current_user)
	THEN
		RAISE EXCEPTION 'schema "explain" belongs to another role'
			USING ERRCODE = 'duplicate_schema',
				  HINT = 'Rename or drop that schema, or let its owner create the extension.';
	END IF;
END
$$;

COMMENT ON SCHEMA explain IS 'explain_ext: explains machine-learning models where the data is';
GRANT USAGE ON SCHEMA explain TO PUBLIC;
