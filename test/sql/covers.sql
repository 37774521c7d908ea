--
-- with_covers: node covers counted on background rows
--
CREATE TABLE customer AS
	SELECT i AS id, 20 + i % 50 AS age, CASE WHEN i % 10 <> 0 THEN (i * 37 % 1000) / 10.0 END AS income,
		(ARRAY['north', 'south', 'west'])[1 + i % 3] AS region
	FROM generate_series(0, 999) AS i;
-- as an import leaves it: no covers; the second tree's last split is beyond all ages
CREATE TABLE m AS SELECT $${"family": "tree", "features": ["age", {"name": "income", "missing": "native"},
	{"name": "region", "levels": ["north", "south", "west"]}], "base": [0.5], "trees": [
	{"op": ["<=", "<=", "leaf", "leaf", "in", "leaf", "leaf"], "feature": ["age", "income", null, null, "region", null, null], "threshold": [40, 50, null, null, null, null, null],
		"levels": [null, null, null, null, ["north", "west"], null, null],
		"left_child": [1, 2, null, null, 5, null, null], "right_child": [4, 3, null, null, 6, null, null],
		"missing_child": [null, 2, null, null, null, null, null],
		"value": [null, null, -1, 1, null, 2, -2]},
	{"feature": ["age", null, "income", null, null], "threshold": [200, null, 10, null, null],
		"left_child": [1, null, 3, null, null], "right_child": [2, null, 4, null, null],
		"value": [null, 0.25, null, 7, 9]}]}$$::explain.model AS model;

-- without covers there are no path-dependent values
\set VERBOSITY sqlstate
SELECT explain.shap_array(model, c, method => 'tree_path_dependent') FROM m, customer AS c WHERE id = 1;
\set VERBOSITY default

-- every row: covers are counts, and the notice tells what was not reached
CREATE TABLE covered AS
	SELECT explain.with_covers(model, (SELECT explain.background(c, 1000) FROM customer AS c)) AS model FROM m;
SELECT tree, node, feature, threshold, cover FROM covered, explain.tree_nodes(model) ORDER BY tree, node;
SELECT n.node, n.cover = counted.rows AS counted
FROM covered, explain.tree_nodes(model) AS n, LATERAL (SELECT count(*) AS rows FROM customer WHERE CASE node
		WHEN 0 THEN true WHEN 1 THEN age <= 40 WHEN 2 THEN age > 40
		WHEN 3 THEN age <= 40 AND (income <= 50 OR income IS NULL) WHEN 4 THEN age <= 40 AND income > 50
		WHEN 5 THEN age > 40 AND region IN ('north', 'west') ELSE age > 40 AND region = 'south' END) AS counted
WHERE tree = 0 ORDER BY node;

-- weights of a sample: each row counts as often as it occurs
SELECT tree, node, cover FROM explain.tree_nodes((SELECT explain.with_covers(model,
	(SELECT explain.background(x, 10) FROM (SELECT 30 + 20 * (i % 2) AS age, i % 2 * 60.0 AS income, 'south' AS region
		FROM generate_series(1, 300) AS i) AS x)) FROM m)) WHERE tree = 0 ORDER BY node;

-- the model's own background, an array of rows, a sample: the same covers
CREATE TYPE customer_row AS (age int, income float8, region text);
SELECT explain.model_digest(explain.with_covers(explain.with_background(model, rows))) =
		explain.model_digest(explain.with_background(explain.with_covers(model, rows), rows)) AS own,
	explain.model_digest(explain.with_covers(model, rows)) =
		explain.model_digest(explain.with_covers(model, (SELECT explain.background(r, 5)
			FROM unnest(ARRAY['(30,,north)', '(50,10,south)', '(41,60,west)']) AS t, LATERAL (SELECT (t::customer_row).*) AS r))) AS sample
FROM m, (VALUES ('{{30,null,0},{50,10,1},{41,60,2}}'::float8[])) AS v (rows);

-- path-dependent values work now, and add up; 'auto' takes them
SELECT DISTINCT e.method, max(abs(e.residual)) < 1e-12 AS additive
FROM covered, customer AS c, explain.shap_values(model, c) AS e GROUP BY e.method;
-- the expectation over the covers of all rows is the mean prediction
SELECT abs(explain.base_value(model, method => 'tree_path_dependent') - (0.5 + 0.25 +
	sum(CASE WHEN age <= 40 THEN CASE WHEN income > 50 THEN 1 ELSE -1 END
		ELSE CASE WHEN region = 'south' THEN -2 ELSE 2 END END) / 1000.0)) < 1e-12 AS base
FROM covered, customer GROUP BY model;
-- most nodes unreached: still finite and additive
SET client_min_messages = warning;
CREATE TABLE thin AS SELECT explain.with_covers(model, '{{30,5,0}}'::float8[]) AS model FROM m;
RESET client_min_messages;
SELECT max(abs(e.residual)) < 1e-12 AS additive, count(*) FROM thin, customer AS c, explain.shap_values(model, c) AS e;

-- a file that has none: a random forest in ONNX.  Counted on all rows, the base value is their mean prediction
\getenv test PG_ABS_SRCDIR
\cd :test
CREATE TEMP TABLE file (content text);
\copy file FROM PROGRAM 'base64 -w0 data/models/onnx/rf_reg_treeensemble.onnx'
CREATE TEMP TABLE patient (row_id int, age float8, sex float8, bmi float8, bp float8, s1 float8, s2 float8, s3 float8, s4 float8, s5 float8, s6 float8);
\copy patient FROM 'data/models/onnx/rf_reg_treeensemble.X.csv' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE forest AS SELECT explain.with_covers(bare, (SELECT explain.background(p, 1000) FROM patient AS p)) AS model, bare
FROM (SELECT explain.onnx_model(decode(content, 'base64'), '{age,sex,bmi,bp,s1,s2,s3,s4,s5,s6}') AS bare FROM file) AS f;
SELECT explain.model_summary(bare) -> 'covers' AS before, explain.model_summary(model) -> 'covers' AS after FROM forest;
SELECT abs(explain.base_value(model) - avg(explain.predict(bare, p))) < 1e-11 AS base FROM forest, patient AS p GROUP BY model;
SELECT max(abs(e.residual)) < 1e-10 AS additive, min(method) AS method, count(*) FROM forest, patient AS p, explain.shap_values(model, p) AS e;

-- covers that are there stay unless they are to be replaced
SELECT explain.with_covers(model, '{{30,5,0}}'::float8[]) FROM covered;
SELECT explain.model_digest(explain.with_covers(c.model, '{{30,5,0}}'::float8[], replace => true)) =
	explain.model_digest(t.model) AS replaced FROM covered AS c, thin AS t;
SELECT explain.with_covers(model) FROM m;
SELECT explain.with_covers(NULL::explain.model) IS NULL AS null_model, explain.with_covers(model, NULL::float8[]) IS NULL AS null_rows FROM m;

-- bad input
\set VERBOSITY sqlstate
SELECT explain.with_covers(explain.linear_model('{a}', '{1}'), '{{1}}'::float8[]);
SELECT explain.with_covers(model, '{}'::float8[]) FROM m;
SELECT explain.with_covers(model, '{1,2,3}'::float8[]) FROM m;
SELECT explain.with_covers(model, '{{1,2}}'::float8[]) FROM m;
SELECT explain.with_covers(model, '{{null,2,0}}'::float8[]) FROM m;
SELECT explain.with_covers(model, '{{1,Infinity,0}}'::float8[]) FROM m;
SELECT explain.with_covers(model, '{{1,2,3}}'::float8[]) FROM m;
SELECT explain.with_covers(model, (SELECT explain.background(x) FROM (SELECT 1 AS age) AS x)) FROM m;
\set VERBOSITY default
DROP TABLE customer, m, covered, thin;
DROP TYPE customer_row;
