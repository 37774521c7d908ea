--
-- Structures that are no model.  Numbers are those of the list of bad inputs
-- that the project keeps; each line answers with its SQLSTATE.
--
\set VERBOSITY sqlstate
CREATE FUNCTION tree(nodes text, more text DEFAULT '') RETURNS explain.model LANGUAGE sql AS
	$$ SELECT ('{"family":"tree","features":["a","b",{"name":"c","kind":"categorical","levels":["x","y","z"]}],"trees":[' || nodes || ']' || more || '}')::explain.model $$;
CREATE FUNCTION linear(members text, features text DEFAULT '["a","b"]') RETURNS explain.model LANGUAGE sql AS
	$$ SELECT ('{"family":"linear","features":' || features || ',' || members || '}')::explain.model $$;

-- 31 no trees
SELECT tree('') IS NULL;
-- 32 no coefficients
SELECT linear('"intercept":1,"coefficients":{}') IS NULL;
SELECT linear('"intercept":1') IS NULL;
-- 33 cycles: a child that is its parent, or itself
SELECT tree('{"feature":["a",null],"threshold":[1,null],"left_child":[0,null],"right_child":[1,null],"value":[null,1]}') IS NULL;
SELECT tree('{"feature":["a","a",null],"threshold":[1,2,null],"left_child":[1,0,null],"right_child":[2,2,null],"value":[null,null,1]}') IS NULL;
-- 34 children that do not exist
SELECT tree('{"feature":["a",null,null],"threshold":[1,null,null],"left_child":[1,null,null],"right_child":[3,null,null],"value":[null,1,2]}') IS NULL;
SELECT tree('{"feature":["a",null,null],"threshold":[1,null,null],"left_child":[-1,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
SELECT tree('{"feature":["a",null,null],"threshold":[1,null,null],"left_child":[2147483647,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
-- 35 children in any order are right
SELECT explain.predict(tree('{"feature":["a",null,null],"threshold":[1,null,null],"left_child":[2,null,null],"right_child":[1,null,null],"value":[null,5,7]}'), '{0,0,0}'::float8[]);
-- 36 a node with two parents, 37 one that nobody reaches
SELECT tree('{"feature":["a",null],"threshold":[1,null],"left_child":[1,null],"right_child":[1,null],"value":[null,1]}') IS NULL;
SELECT tree('{"feature":["a",null,null,null],"threshold":[1,null,null,null],"left_child":[1,null,null,null],"right_child":[2,null,null,null],"value":[null,1,2,3]}') IS NULL;
-- 38 a chain of 100,000 nodes is a model; with one feature it can be explained
CREATE TABLE chain AS SELECT tree('{"feature":[' || string_agg(CASE WHEN i < n THEN '"a",null' ELSE 'null' END, ',' ORDER BY i)
	|| '],"threshold":[' || string_agg(CASE WHEN i < n THEN i || ',null' ELSE 'null' END, ',' ORDER BY i)
	|| '],"left_child":[' || string_agg(CASE WHEN i < n THEN 2 * i + 1 || ',null' ELSE 'null' END, ',' ORDER BY i)
	|| '],"right_child":[' || string_agg(CASE WHEN i < n THEN 2 * i + 2 || ',null' ELSE 'null' END, ',' ORDER BY i)
	|| '],"value":[' || string_agg(CASE WHEN i < n THEN 'null,' || i ELSE '-1' END, ',' ORDER BY i)
	|| '],"cover":[' || string_agg(CASE WHEN i < n THEN (n - i + 1) || ',1' ELSE '1' END, ',' ORDER BY i) || ']}') AS m
FROM generate_series(0, 100000) i, (VALUES (100000)) v(n);
SELECT explain.predict(m, '{-1,0,0}'::float8[]) AS first, explain.predict(m, '{49999.5,0,0}'::float8[]) AS middle,
       explain.predict(m, '{1e9,0,0}'::float8[]) AS last FROM chain;
SELECT abs(explain.base_value(m) + (explain.shap_array(m, '{5,0,0}'::float8[]))[1] - 5) < 1e-6 AS additive FROM chain;
DROP TABLE chain;
-- 65 distinct features on one path are too many for Shapley values, not for predictions
CREATE TABLE wide AS SELECT n, ('{"family":"tree","features":' || (SELECT jsonb_agg('f' || i)::text FROM generate_series(0, n) i)
	|| ',"trees":[{"feature":[' || string_agg(CASE WHEN i < n THEN '"f' || i || '",null' ELSE 'null' END, ',' ORDER BY i)
	|| '],"threshold":[' || string_agg(CASE WHEN i < n THEN '0,null' ELSE 'null' END, ',' ORDER BY i)
	|| '],"left_child":[' || string_agg(CASE WHEN i < n THEN 2 * i + 1 || ',null' ELSE 'null' END, ',' ORDER BY i)
	|| '],"right_child":[' || string_agg(CASE WHEN i < n THEN 2 * i + 2 || ',null' ELSE 'null' END, ',' ORDER BY i)
	|| '],"value":[' || string_agg(CASE WHEN i < n THEN 'null,' || i ELSE '1000' END, ',' ORDER BY i)
	|| '],"cover":[' || string_agg(CASE WHEN i < n THEN (n - i + 1) || ',1' ELSE '1' END, ',' ORDER BY i) || ']}]}')::explain.model AS m
FROM (VALUES (63), (64), (65)) v(n), generate_series(0, n) i GROUP BY n;
SELECT explain.predict(m, (SELECT array_agg(1.0::float8) FROM generate_series(0, n))) FROM wide ORDER BY n;
SELECT abs(1000 - explain.base_value(m) - (SELECT sum(p) FROM unnest(explain.shap_array(m, (SELECT array_agg(1.0::float8) FROM generate_series(0, n)))) p)) < 1e-9 AS additive
FROM wide WHERE n <= 64 ORDER BY n;
SELECT explain.shap_array(m, (SELECT array_agg(1.0::float8) FROM generate_series(0, n))) FROM wide WHERE n = 65;
DROP TABLE wide;
-- 39 features that do not exist
SELECT tree('{"feature":["d",null,null],"threshold":[1,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
SELECT tree('{"feature":[3,null,null],"threshold":[1,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
SELECT tree('{"feature":[-2,null,null],"threshold":[1,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
-- 40 thresholds: infinite ones are right, NaN is not
SELECT explain.predict(tree('{"feature":["a",null,null],"threshold":["Infinity",null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}'), '{1e308,0,0}'::float8[]);
SELECT tree('{"feature":["a",null,null],"threshold":["NaN",null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
-- 41 leaves
SELECT tree('{"feature":["a",null,null],"threshold":[0,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,"NaN",2]}') IS NULL;
SELECT tree('{"feature":["a",null,null],"threshold":[0,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,"Infinity",2]}') IS NULL;
-- 42, 43 covers: negative, NaN, children that do not make up their parent
SELECT tree('{"feature":["a",null,null],"threshold":[0,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2],"cover":[1,-1,2]}') IS NULL;
SELECT tree('{"feature":["a",null,null],"threshold":[0,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2],"cover":[1,"NaN",2]}') IS NULL;
SELECT tree('{"feature":["a",null,null],"threshold":[0,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2],"cover":[10,1,2]}') IS NULL;
SELECT explain.shap_array(tree('{"feature":["a",null,null],"threshold":[0,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2],"cover":[2,0,2]}'), '{-1,0,0}'::float8[]);
-- 44 columns of different length
SELECT tree('{"feature":["a",null,null],"threshold":[0,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
-- 45 levels that the feature does not have, a set of none
SELECT tree('{"feature":["c",null,null],"op":["in","leaf","leaf"],"levels":[["w"],null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
SELECT tree('{"feature":["c",null,null],"op":["in","leaf","leaf"],"levels":[[7],null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
SELECT tree('{"feature":["c",null,null],"op":["<="],"threshold":[1,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}') IS NULL;
-- 46 a missing key, an unknown key
SELECT '{"family":"linear","coefficients":{}}'::explain.model IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1},"coeficients":{}') IS NULL;
SELECT '{}'::explain.model IS NULL;
SELECT '[]'::explain.model IS NULL;
SELECT 'null'::explain.model IS NULL;
SELECT '{"family":"forest","features":["a"]}'::explain.model IS NULL;
-- 47 a wrong type, a null
SELECT linear('"intercept":"1","coefficients":{"a":1}') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":null}') IS NULL;
-- 48 a key twice
SELECT linear('"intercept":1,"intercept":2,"coefficients":{"a":1}') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1,"a":2}') IS NULL;
-- 49, 50 numbers that are none
SELECT linear('"intercept":NaN,"coefficients":{"a":1}') IS NULL;
SELECT linear('"intercept":1e400,"coefficients":{"a":1}') IS NULL;
SELECT linear('"intercept":"Infinity","coefficients":{"a":1}') IS NULL;
SELECT linear('"intercept":01,"coefficients":{"a":1}') IS NULL;
-- 51 nesting
SELECT (repeat('[', 1000000))::explain.model IS NULL;
SELECT ('{"family":' || repeat('[', 100) || repeat(']', 100) || '}')::explain.model IS NULL;
-- 53 truncated, empty, control characters, surrogates
SELECT '{"family":"linear"'::explain.model IS NULL;
SELECT ''::explain.model IS NULL;
SELECT '{"family":"lin\u0000ear"}'::explain.model IS NULL;
SELECT '{"family":"\ud800"}'::explain.model IS NULL;
SELECT (E'{"family":"\n"}')::explain.model IS NULL;
-- 54, 55 names of features: twice, empty, missing, long
SELECT linear('"intercept":1,"coefficients":{"a":1}', '["a","a"]') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1}', '["a",""]') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1}', '["a",null]') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1}', '[]') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1}', '["a","b","' || repeat('x', 1024) || '"]') IS NOT NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1}', '["' || repeat('x', 1025) || '"]') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1}', '[{"name":"a","kind":"text"}]') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1}', '[{"name":"a","kind":"categorical"}]') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"a":1}', '[{"name":"a","kind":"categorical","levels":["x","x"]}]') IS NULL;
-- 56 names are text, nothing else
SELECT feature FROM explain.model_features(linear('"intercept":1,"coefficients":{"%s\";\n'' DROP":1}', '["%s\";\n'' DROP"]'));
-- 57, 58, 59 the binary form: short, long, damaged, huge counts, of another version
CREATE TABLE wire AS SELECT explain.model_send(linear('"intercept":1,"coefficients":{"a":1,"b":2}')) AS b;
CREATE TABLE received (m explain.model);
CREATE FUNCTION receive(b bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	path text := current_setting('data_directory') || '/received.bin';
	loid oid;
BEGIN
	-- COPY BINARY of one column: signature, flags, one field
	loid := lo_from_bytea(0, decode('5047434f50590aff0d0a00', 'hex') || decode('0000000000000000', 'hex')
		|| decode('0001', 'hex') || int4send(length(b)) || b || decode('ffff', 'hex'));
	PERFORM lo_export(loid, path);
	PERFORM lo_unlink(loid);
	EXECUTE format('COPY received FROM %L (FORMAT binary)', path);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT receive(b), receive(substr(b, 1, length(b) - 1)), receive(b || '\x00'), receive(''::bytea), receive('\x00'::bytea) FROM wire;
SELECT receive(set_byte(b, i, get_byte(b, i) # 1)) AS answer, count(*) > 0 AS some FROM wire, generate_series(0, length(b) - 1) i
GROUP BY 1 ORDER BY 1;
SELECT receive(overlay(b PLACING '\xffffff7f' FROM 29 FOR 4)) AS sections, receive(overlay(b PLACING '\xffffffff' FROM 9 FOR 4)) AS features,
       receive(overlay(b PLACING '\x63' FROM 5 FOR 1)) AS version FROM wire;
SELECT count(*) AS received, count(DISTINCT explain.model_digest(m)) AS different FROM received;
DROP TABLE wire, received;
-- 61 the wrong number of coefficients
SELECT linear('"outputs":["x","y"],"intercept":[1],"coefficients":{"x":{"a":1},"y":{"a":2}}') IS NULL;
SELECT linear('"intercept":1,"coefficients":{"d":1}') IS NULL;
SELECT explain.linear_model('{a,b}', '{1}'::float8[], 0) IS NULL;
-- 62 an unknown link
SELECT linear('"intercept":1,"coefficients":{"a":1},"link":"sofmax"') IS NULL;
SELECT explain.linear_model('{a}', '{1}'::float8[], 0, 'sofmax') IS NULL;
-- 63 outputs: none, twice, too many
SELECT linear('"outputs":[],"intercept":1,"coefficients":{}') IS NULL;
SELECT linear('"outputs":["x","x"],"intercept":[1,2],"coefficients":{"x":{},"y":{}}') IS NULL;
SELECT linear('"outputs":10001,"intercept":1,"coefficients":{}') IS NULL;
SELECT tree('{"output":"7","value":[1]}') IS NULL;

-- some of them in words
\set VERBOSITY default
SELECT tree('{"feature":["d",null,null],"threshold":[1,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,1,2]}');
SELECT tree('{"feature":["a",null],"threshold":[1,null],"left_child":[1,null],"right_child":[1,null],"value":[null,1]}');
SELECT linear('"intercept":1,"coefficients":{"a":1},"coeficients":{}');
SELECT linear('"intercept":1,"coefficients":{"a":1},"link":"sofmax"');
SELECT linear('"intercept":1,"coefficients":{"d":1}');
SELECT linear('"intercept":1,"coefficients":{"a":1}', '["a","a"]');
DROP FUNCTION receive, tree, linear;
