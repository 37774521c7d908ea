--
-- The row to explain: as a record, an array or a jsonb object
--
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE DOMAIN years AS int4 CHECK (VALUE >= 0);
CREATE TABLE models (name text PRIMARY KEY, m explain.model);
INSERT INTO models VALUES
('mixed', '{"family":"linear","features":[
	{"name":"age"},
	{"name":"colour","kind":"categorical","levels":["blue","green","red"],"unknown":"error"},
	{"name":"member","kind":"boolean"}],
	"intercept":100,"coefficients":{"age":1,"colour":{"green":10,"red":20},"member":1000}}'),
('codes', '{"family":"tree","features":[{"name":"c","kind":"categorical","levels":4,"missing":"native","unknown":"other"}],
	"trees":[{"feature":["c",null,null],"op":["in","leaf","leaf"],"levels":[[1,3],null,null],
	"left_child":[1,null,null],"right_child":[2,null,null],"missing_child":[2,null,null],"value":[null,1,0],"cover":[2,1,1]}]}'),
('imputed', '{"family":"linear","features":[{"name":"a","missing":{"impute":5}},{"name":"b"}],
	"intercept":0,"coefficients":{"a":1,"b":100},"background":{"rows":[[0,0]]}}');

-- records: columns are matched by name, whatever their order and type; others are ignored
CREATE TABLE people (id int8, gone text, member bool, colour colour, age years, note jsonb);
ALTER TABLE people DROP COLUMN gone;
INSERT INTO people VALUES (1, true, 'red', 30, '{}'), (2, false, 'blue', 40, NULL);
SELECT id, explain.predict((SELECT m FROM models WHERE name = 'mixed'), p) FROM people p ORDER BY id;
SELECT t::text, explain.predict((SELECT m FROM models WHERE name = 'mixed'), r)
FROM (VALUES ('int2')) AS t, LATERAL (SELECT 30::int2 AS age, 'red'::varchar AS colour, 1 AS member) r
UNION ALL
SELECT t::text, explain.predict((SELECT m FROM models WHERE name = 'mixed'), r)
FROM (VALUES ('int8')) AS t, LATERAL (SELECT 30::int8 AS age, 'red'::text AS colour, 1.0::float4 AS member) r
UNION ALL
SELECT t::text, explain.predict((SELECT m FROM models WHERE name = 'mixed'), r)
FROM (VALUES ('numeric')) AS t, LATERAL (SELECT 30.0::numeric AS age, 'red'::name AS colour, true AS member) r
UNION ALL
SELECT t::text, explain.predict((SELECT m FROM models WHERE name = 'mixed'), r)
FROM (VALUES ('bpchar')) AS t, LATERAL (SELECT 30.0::float8 AS age, 'red'::char(5) AS colour, 1::numeric AS member) r;

-- arrays: feature order, levels by position from 0; any lower bound
SELECT explain.predict(m, '{30,2,1}'::float8[]), explain.predict(m, '[5:7]={30,2,1}'::float8[]),
       explain.predict(m, ARRAY[30, 2, 1]), explain.predict(m, ARRAY[30, 2, 1]::numeric[])
FROM models WHERE name = 'mixed';
-- objects
SELECT explain.predict(m, '{"member": true, "age": 30, "colour": "red", "more": [1]}'::jsonb),
       explain.predict(m, '{"member": 0, "age": 3e1, "colour": "blue"}'::jsonb)
FROM models WHERE name = 'mixed';
SELECT explain.predict(m, to_jsonb(p)) = explain.predict(m, p) AS same FROM models, people p WHERE name = 'mixed';

-- codes of categories: numbers or their text; unknown ones are in no set
SELECT v.c, explain.predict(m, ARRAY[v.c]), explain.predict(m, jsonb_build_object('c', v.c)),
       explain.predict(m, jsonb_build_object('c', v.c::text)), explain.predict(m, r)
FROM models, (VALUES (0.0), (1), (1.5), (3), (4), (-1), (-0.5)) AS v(c), LATERAL (SELECT v.c) r WHERE name = 'codes';
SELECT explain.predict(m, '{null}'::float8[]), explain.predict(m, '{nan}'::float8[]), explain.predict(m, '{"c":null}'::jsonb)
FROM models WHERE name = 'codes';

-- imputed values: the row says that the value was missing
SELECT explain.predict(m, '{null,1}'::float8[]), explain.predict(m, '{"a":null,"b":1}'::jsonb) FROM models WHERE name = 'imputed';
SELECT feature, feature_value, feature_num, attribution
FROM models, explain.shap_values(m, '{null,1}'::float8[]) WHERE name = 'imputed' ORDER BY rank;

-- null model or row
SELECT explain.predict(NULL::explain.model, '{1}'::float8[]), explain.predict(m, NULL::jsonb), explain.shap_array(m, NULL::float8[]) FROM models WHERE name = 'codes';
SELECT count(*) FROM models, explain.shap_values(m, NULL::jsonb);

-- a toasted, a compressed and a short row give what a plain one does
CREATE TABLE wide (id int4, age float8, colour text, member bool, pad text);
INSERT INTO wide SELECT i, 30, 'red', true, repeat('x', i * 100000) FROM generate_series(0, 3) i;
ALTER TABLE wide ALTER pad SET STORAGE external;
INSERT INTO wide SELECT 4, 30, 'red', true, repeat('y', 100000);
SELECT DISTINCT explain.predict((SELECT m FROM models WHERE name = 'mixed'), w) FROM wide w;

-- a table of 1,500 columns, of which three are features
SELECT 'CREATE TABLE columns_1500 AS SELECT 30 AS age, true AS member, ''red''::text AS colour, '
	|| string_agg(i || ' AS c' || i, ', ' ORDER BY i) FROM generate_series(1, 1497) i \gexec
SELECT explain.predict((SELECT m FROM models WHERE name = 'mixed'), w) FROM columns_1500 w;
DROP TABLE columns_1500;

-- a row type that changes between calls of a prepared statement
PREPARE by_row AS SELECT id, explain.predict((SELECT m FROM models WHERE name = 'mixed'), p) FROM people p ORDER BY id;
EXECUTE by_row;
ALTER TABLE people ADD COLUMN extra int4;
ALTER TABLE people ALTER age TYPE float8;
EXECUTE by_row;
DEALLOCATE by_row;

-- parameters and PL/pgSQL variables
PREPARE by_parameter(float8[], jsonb) AS SELECT explain.predict(m, $1), explain.predict(m, $2) FROM models WHERE name = 'mixed';
EXECUTE by_parameter('{30,2,1}', '{"age":30,"colour":"red","member":true}');
DO $$
DECLARE
	m explain.model := (SELECT m.m FROM models m WHERE name = 'mixed');
	x float8[] := '{30,2,0}';
	p people;
BEGIN
	x[3] := 1;					-- an expanded array
	RAISE NOTICE 'array %', explain.predict(m, x);
	SELECT * INTO p FROM people WHERE id = 1;
	RAISE NOTICE 'record %', explain.predict(m, p);
	m := (SELECT m.m FROM models m WHERE name = 'imputed');
	RAISE NOTICE 'another model %', explain.predict(m, ARRAY[1, 2]);
END
$$;

-- what cannot be read: each with its SQLSTATE
\set VERBOSITY sqlstate
SELECT explain.predict(m, '{1,2}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{1,2,1,1}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{{1,2,1}}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{1,2,{1}}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{1,two,1}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{1e400,2,1}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{null,2,1}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{nan,2,1}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{inf,2,1}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{1,3,1}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{1,-1,1}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{1,2,0.5}'::float8[]) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, ARRAY['a', 'b', 'c']) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{1,2,1}') FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '[1,2,1]'::jsonb) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{"age":1,"colour":"red"}'::jsonb) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{"age":"1","colour":"red","member":true}'::jsonb) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{"age":[1],"colour":"red","member":true}'::jsonb) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{"age":1,"colour":"Red","member":true}'::jsonb) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{"age":1,"colour":null,"member":true}'::jsonb) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, ROW(1, 'red', true)) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, r) FROM models, LATERAL (SELECT 1 AS age, 'red' AS colour) r WHERE name = 'mixed';
SELECT explain.predict(m, r) FROM models, LATERAL (SELECT 1 AS age, 'red' AS colour, true AS member, 2 AS age) r WHERE name = 'mixed';
SELECT explain.predict(m, r) FROM models, LATERAL (SELECT '1'::text AS age, 'red' AS colour, true AS member) r WHERE name = 'mixed';
SELECT explain.predict(m, r) FROM models, LATERAL (SELECT now() AS age, 'red' AS colour, true AS member) r WHERE name = 'mixed';
SELECT explain.predict(m, r) FROM models, LATERAL (SELECT 'NaN'::numeric AS age, 'red' AS colour, true AS member) r WHERE name = 'mixed';
\set VERBOSITY default
-- and in words
SELECT explain.predict(m, p) FROM models, LATERAL (SELECT 1 AS "Age", 'red' AS colour, true AS member) p WHERE name = 'mixed';
SELECT explain.predict(m, ROW(1, 'red', true)) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{"age":1,"colour":"pink","member":true}'::jsonb) FROM models WHERE name = 'mixed';
SELECT explain.predict(m, '{null,2,1}'::float8[]) FROM models WHERE name = 'mixed';

DROP TABLE people, wide, models;
DROP TYPE colour;
DROP DOMAIN years;
-- float8 columns are read from their places where no null and nothing of variable length precedes them
CREATE TEMP TABLE places (gone int, a float8, s int2, b float8, t text, c float8);
ALTER TABLE places ADD COLUMN d float8 DEFAULT 7;
INSERT INTO places VALUES (1, 1, 1, 2, 'x', 3, 4), (NULL, 1, 1, 2, 'x', 3, 4), (1, 1, NULL, 2, NULL, 3, 4);
ALTER TABLE places DROP COLUMN gone;
INSERT INTO places VALUES (1, 1, 2, 'x', 3, 4);
ALTER TABLE places ADD COLUMN e float8 DEFAULT 5;
SELECT explain.predict(explain.linear_model('{a,b}', '{1,10}', 0), p) AS before_text,
	explain.predict(explain.linear_model('{b,a,d,c}', '{10,1,1000,100}', 0), p) AS after_text,
	explain.predict(explain.linear_model('{b,a}', '{10,1}', 0), q) AS narrow,
	explain.predict(explain.linear_model('{e,b,a}', '{10000,10,1}', 0), p) AS added
FROM places p, LATERAL (SELECT p.a, p.s, p.b) q;
