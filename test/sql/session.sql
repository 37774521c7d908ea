-- What a session keeps between calls: never an answer that has changed

CREATE TABLE two AS
SELECT explain.linear_model(ARRAY['x'], ARRAY[1.0]::float8[], 100) AS old,
	explain.linear_model(ARRAY['x'], ARRAY[1.0]::float8[], 200) AS new;
CALL explain.create_registry();
SELECT explain.register_model('m', old) FROM two;

-- one expression in PL/pgSQL, kept for the transaction
CREATE FUNCTION f() RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN explain.predict('m', ARRAY[1]::float8[]); END $$;

-- a version that was rolled back is gone, under a snapshot that stays as well
BEGIN ISOLATION LEVEL REPEATABLE READ;
DO $$
BEGIN
	BEGIN
		PERFORM explain.register_model('m', new) FROM two;
		RAISE NOTICE 'with version 2: %', f();
		RAISE EXCEPTION 'stop';
	EXCEPTION WHEN raise_exception THEN
		RAISE NOTICE 'rolled back: %', f();
	END;
	RAISE NOTICE 'afterwards: %', f();
END $$;
COMMIT;

-- a policy may ask a setting
ALTER TABLE explain.model_versions ADD COLUMN tenant text;
INSERT INTO explain.model_versions (name, version, model, tenant) SELECT 't', 1, old, 'a' FROM two UNION ALL SELECT 't', 2, new, 'b' FROM two;
ALTER TABLE explain.model_versions ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON explain.model_versions USING (tenant = current_setting('app.tenant'));
CREATE ROLE regress_explain_tenant;
GRANT SELECT ON explain.model_versions TO regress_explain_tenant;
SET ROLE regress_explain_tenant;
DO $$
DECLARE
	tenant text;
BEGIN
	FOREACH tenant IN ARRAY ARRAY['a', 'b', 'a'] LOOP
		PERFORM set_config('app.tenant', tenant, true);
		RAISE NOTICE '%: %', tenant, explain.predict('t', ARRAY[1]::float8[]);
	END LOOP;
END $$;
RESET ROLE;

-- a row type that is altered
CREATE TYPE point_row AS (x int4, y text);
CREATE FUNCTION g(r point_row[]) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN explain.predict('m', r[1]); END $$;
DO $$
BEGIN
	RAISE NOTICE '%', g(ARRAY[ROW(1, 'a')::point_row]);
	ALTER TYPE point_row DROP ATTRIBUTE x, ADD ATTRIBUTE x float8;
	RAISE NOTICE '%', g(ARRAY[ROW('a', 2.5)::point_row]);
	ALTER TYPE point_row DROP ATTRIBUTE x;
	RAISE NOTICE '%', g(ARRAY[ROW('a')::point_row]);
EXCEPTION WHEN undefined_column THEN
	RAISE NOTICE '%', SQLERRM;
END $$;

-- an aggregate of somebody's own that begins with arrays and goes on with names
DO $$
BEGIN
	EXECUTE format('CREATE AGGREGATE mixed(record) (SFUNC = explain.background_accum, STYPE = explain.background_sample, INITCOND = %L)',
				   (SELECT explain.background(ARRAY[x, x]) FROM generate_series(1.0, 3) x));
END $$;
SELECT mixed(r) FROM (SELECT 1 AS a) r;

DROP OWNED BY regress_explain_tenant;
DROP ROLE regress_explain_tenant;
DROP TABLE explain.model_versions CASCADE;
