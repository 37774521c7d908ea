--
-- The registry of named models, used by roles that own nothing
--
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_explain_team, regress_explain_reader, regress_explain_stranger;
RESET client_min_messages;
CREATE ROLE regress_explain_team;
CREATE ROLE regress_explain_reader;
CREATE ROLE regress_explain_stranger;
CREATE FUNCTION pg_temp.slope(slope float8) RETURNS explain.model
	LANGUAGE sql RETURN explain.linear_model(ARRAY['x'], ARRAY[slope]);

-- before there is one
SELECT explain.get_model('credit');
SELECT explain.predict('credit', '{1}'::float8[]);
SELECT explain.register_model('credit', pg_temp.slope(1));
-- its owner needs the right to create in the schema
SET ROLE regress_explain_team;
CALL explain.create_registry();
RESET ROLE;
GRANT CREATE ON SCHEMA explain TO regress_explain_team;
SET ROLE regress_explain_team;
CALL explain.create_registry();
CALL explain.create_registry();
RESET ROLE;
REVOKE CREATE ON SCHEMA explain FROM regress_explain_team;
SELECT a.attrelid::regclass AS relation, attname AS column, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
	pg_get_expr(adbin, adrelid) AS "default", col_description(a.attrelid, attnum) AS comment
FROM pg_attribute a LEFT JOIN pg_attrdef d ON adrelid = a.attrelid AND adnum = attnum
WHERE a.attrelid IN ('explain.model_versions'::regclass, 'explain.models'::regclass) AND attnum > 0 ORDER BY 1, attnum;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'explain.model_versions'::regclass AND contype IN ('c', 'p') ORDER BY 1;
SELECT relname, relowner::regrole, reloptions, relacl, obj_description(oid, 'pg_class') FROM pg_class
WHERE oid IN ('explain.model_versions'::regclass, 'explain.models'::regclass) ORDER BY 1;
-- they are not the extension's: a dump has them with their rows
SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
AND classid = 'pg_class'::regclass AND objid IN ('explain.model_versions'::regclass, 'explain.models'::regclass);

-- the owner registers versions
SET ROLE regress_explain_team;
SELECT explain.register_model('credit', pg_temp.slope(1), 'first');
SELECT explain.register_model('credit', pg_temp.slope(2));
SELECT explain.register_model('churn', pg_temp.slope(10), description => 'another');
SELECT explain.register_model('credit', pg_temp.slope(3), 'third');
SELECT name, version, family, features, outputs, bytes, description, owner, created_at <= now() AS dated
FROM explain.models ORDER BY name;
SELECT explain.predict('credit', '{1}'::float8[]) AS newest, explain.predict('credit@2', '{1}'::float8[]) AS second,
	explain.predict(explain.get_model('credit'), '{1}'::float8[]) AS value, explain.predict(explain.get_model('credit@1'), '{1}'::float8[]) AS first,
	explain.predict(explain.get_model('credit', 2), '{1}'::float8[]) AS numbered,
	explain.predict((SELECT explain.get_model('churn')), '{1}'::float8[]) AS churn;
SELECT explain.get_model(NULL), explain.get_model('credit', NULL);
-- what is not there
SELECT explain.get_model('debit');
SELECT explain.predict('debit', '{1}'::float8[]);
SELECT explain.get_model('credit@9');
SELECT explain.get_model('credit', 9);
SELECT explain.get_model('credit', 0);
SELECT explain.get_model('{"family": "linear"}');
-- names that are not allowed, by the function and by the table
SELECT explain.register_model('', pg_temp.slope(1));
SELECT explain.register_model('{x}', pg_temp.slope(1));
SELECT explain.register_model('credit@4', pg_temp.slope(1));
SELECT explain.register_model(NULL, pg_temp.slope(1));
SELECT explain.register_model('credit', NULL);
\set VERBOSITY sqlstate
INSERT INTO explain.model_versions (name, version, model) VALUES ('credit@4', 1, pg_temp.slope(1));
INSERT INTO explain.model_versions (name, version, model) VALUES ('', 1, pg_temp.slope(1));
INSERT INTO explain.model_versions (name, version, model) VALUES ('{', 1, pg_temp.slope(1));
INSERT INTO explain.model_versions (name, version, model) VALUES ('a', 0, pg_temp.slope(1));
INSERT INTO explain.model_versions (name, version, model) VALUES ('credit', 1, pg_temp.slope(1));
\set VERBOSITY default
-- names that are odd but allowed
SELECT explain.register_model($$it's "quoted"; %s @home@$$, pg_temp.slope(7));
SELECT explain.predict($$it's "quoted"; %s @home@$$, '{1}'::float8[]), explain.predict($$it's "quoted"; %s @home@@1$$, '{1}'::float8[]);

-- nobody else may look
SET ROLE regress_explain_stranger;
\set VERBOSITY terse
SELECT explain.get_model('credit');
SELECT explain.predict('credit', '{1}'::float8[]);
SELECT * FROM explain.models;
SELECT explain.register_model('credit', pg_temp.slope(1));
\set VERBOSITY default

-- a team's grants and row security: readers see what the policy lets them see
RESET ROLE;
SET ROLE regress_explain_team;
GRANT SELECT ON explain.model_versions, explain.models TO regress_explain_reader;
ALTER TABLE explain.model_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE explain.model_versions ADD COLUMN audience name;
UPDATE explain.model_versions SET audience = 'regress_explain_reader' WHERE name = 'credit' AND version < 3;
CREATE POLICY audience ON explain.model_versions FOR SELECT USING (audience = current_user);
RESET ROLE;
SET ROLE regress_explain_reader;
SELECT name, version FROM explain.models;
SELECT explain.predict('credit', '{1}'::float8[]) AS newest_visible, explain.predict(explain.get_model('credit@1'), '{1}'::float8[]) AS first;
-- hidden and unknown look the same
SELECT explain.get_model('churn');
SELECT explain.get_model('nothing');
SELECT explain.predict('credit@3', '{1}'::float8[]);
SELECT explain.predict('credit@33', '{1}'::float8[]);
\set VERBOSITY terse
SELECT explain.register_model('credit', pg_temp.slope(1));
\set VERBOSITY default
-- a writer cannot see version 3, but does not run into it
RESET ROLE;
GRANT INSERT ON explain.model_versions TO regress_explain_reader;
CREATE POLICY writing ON explain.model_versions FOR INSERT WITH CHECK (true);
ALTER TABLE explain.model_versions ALTER audience SET DEFAULT current_user;
SET ROLE regress_explain_reader;
SELECT explain.register_model('credit', pg_temp.slope(40));
SELECT explain.register_model('churn', pg_temp.slope(50));
SELECT name, version, owner FROM explain.models ORDER BY name;
RESET ROLE;

-- a role changed or a model updated between two calls of one function is seen at once
CREATE FUNCTION look(name text) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	RETURN explain.predict(name, '{1}'::float8[]);
EXCEPTION WHEN insufficient_privilege OR undefined_object THEN
	RETURN NULL;
END
$$;
BEGIN;
SET LOCAL ROLE regress_explain_team;
SELECT look('churn');
SET LOCAL ROLE regress_explain_reader;
SELECT look('churn');
SET LOCAL ROLE regress_explain_stranger;
SELECT look('churn');
SET LOCAL ROLE regress_explain_team;
SELECT look('churn@1');
UPDATE explain.model_versions SET model = pg_temp.slope(11) WHERE name = 'churn' AND version = 1;
SELECT look('churn@1');
DELETE FROM explain.model_versions WHERE name = 'churn' AND version = 1;
SELECT look('churn@1');
ROLLBACK;
SELECT look('churn@1');
SET row_security = off;
SET ROLE regress_explain_reader;
\set VERBOSITY sqlstate
SELECT explain.predict('credit', '{1}'::float8[]);
\set VERBOSITY default
RESET row_security;
RESET ROLE;
DO $$
DECLARE
	before float8;
	after float8;
	m explain.model;
BEGIN
	FOR i IN 1..3 LOOP
		UPDATE explain.model_versions SET model = pg_temp.slope(100 + i) WHERE name = 'credit' AND version = 1;
		after := explain.predict('credit@1', '{1}'::float8[]);
		ASSERT after = 100 + i;
		m := explain.get_model('credit', 1);
		ASSERT explain.predict(m, '{2}'::float8[]) = 2 * after;
	END LOOP;
END
$$;
PREPARE by_name(text) AS SELECT explain.predict($1, '{1}'::float8[]);
EXECUTE by_name('credit@1');
UPDATE explain.model_versions SET model = pg_temp.slope(-1) WHERE name = 'credit' AND version = 1;
EXECUTE by_name('credit@1');
EXECUTE by_name('credit@2');

-- a model out of line is found by its header
INSERT INTO explain.model_versions (name, version, model)
SELECT 'big', 1, explain.linear_model(array_agg('f' || i), array_agg(i::float8)) FROM generate_series(1, 2000) i;
SELECT pg_column_size(model) > 100000 AS big, h.* FROM explain.model_versions, explain.model_header(model) h WHERE name = 'big';
SELECT explain.predict('big', array_agg(1::float8)), count(DISTINCT explain.predict((SELECT explain.get_model('big')), array_fill(k::float8, ARRAY[2000])))
FROM generate_series(1, 2000) i, LATERAL (SELECT i % 3 AS k) s;

-- a table of that name with other columns is not taken for the registry
DROP VIEW explain.models;
DROP TABLE explain.model_versions;
CREATE TABLE explain.model_versions (name text, version int, model int);
INSERT INTO explain.model_versions VALUES ('credit', 1, 12345);
SELECT explain.get_model('credit');
SELECT explain.predict('credit', '{1}'::float8[]);
DROP TABLE explain.model_versions;
DROP FUNCTION look;
DROP ROLE regress_explain_team, regress_explain_reader, regress_explain_stranger;
