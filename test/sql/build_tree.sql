--
-- Tree models from node tables
--
\getenv test PG_ABS_SRCDIR
\cd :test

-- the least a table needs; names of nodes are numbers or texts
CREATE TEMP TABLE n (node text, feature text, threshold float8, left_child text, right_child text, value float8);
INSERT INTO n VALUES ('top', 'age', 40, 'young', 'old', NULL), ('young', NULL, NULL, NULL, NULL, 1),
	('old', 'income', 1000, 'poor', 'rich', NULL), ('poor', NULL, NULL, NULL, NULL, 2), ('rich', NULL, NULL, NULL, NULL, 4);
CREATE TEMP TABLE small AS SELECT explain.tree_model(n) AS model FROM n;
SELECT model FROM small;
SELECT r.*, explain.predict(model, r) FROM small,
	(VALUES (40, 0), (40.5, 1000), (41, 1000.5)) AS r (age, income);
SELECT count(DISTINCT explain.model_digest(m)) AS models FROM (
	SELECT model AS m FROM small
	UNION ALL SELECT explain.tree_model(n ORDER BY node DESC) FROM n
	UNION ALL SELECT explain.tree_model(r) FROM (SELECT 7 AS tree, n.*, '<='::varchar AS op FROM n WHERE value IS NULL
		UNION ALL SELECT 7, n.*, 'leaf' FROM n WHERE value IS NOT NULL) r
	UNION ALL SELECT explain.tree_model(r)
		FROM (SELECT node, feature, threshold, left_child, right_child,
			CASE WHEN value IS NOT NULL THEN ARRAY[value]::float4[] END AS value FROM n) r) s;

-- every test there is, by name and the other way round
CREATE TEMP TABLE t (tree int, node int, feature text, op text, threshold float8, levels text[],
	left_child int, right_child int, missing_child int, value float8, cover float8, gain float8);
INSERT INTO t SELECT i, 0, CASE WHEN op LIKE '%in' THEN 'colour' ELSE 'x' END, op,
	CASE WHEN op ~ '[<>]' THEN 1.5 END, CASE WHEN op LIKE '%in' THEN '{red,green}'::text[] END,
	1, 2, CASE WHEN op NOT LIKE '%null' THEN 1 END, NULL, 10, 0.5
FROM unnest(ARRAY['<=', '<', '>', '>=', 'in', 'not in', 'is null', 'is not null']) WITH ORDINALITY AS o (op, i);
INSERT INTO t SELECT i, node, NULL, NULL, NULL, NULL, NULL, NULL, NULL, (node - 1) * 2 ^ (i - 1), node * 10 / 3.0, NULL
FROM generate_series(1, 8) i, generate_series(1, 2) node;
UPDATE t SET cover = 10 - 10 / 3.0 WHERE node = 2;
CREATE TEMP TABLE tests AS SELECT explain.tree_model(t) AS model FROM t;
SELECT feature, kind, level_count, missing, unknown FROM tests, explain.model_features(model);
SELECT DISTINCT ON (tree) tree, op, feature, threshold, levels, left_child, right_child, missing_child
FROM tests, explain.tree_nodes(model) ORDER BY tree, node;
-- bit i of the prediction: does test i fail?
SELECT r.*, explain.predict(model, r)::int::bit(8) AS fails FROM tests,
	(VALUES (1.0, 'red'), (1.5, 'blue'), (2, 'green'), (NULL, NULL), ('-Infinity', '')) AS r (x, colour);

-- levels as codes
CREATE TEMP TABLE coded AS SELECT explain.tree_model(r) AS model FROM (VALUES
	(1, 'shop', '{3,1}'::int[], 2, 3, NULL, NULL), (2, NULL, NULL, NULL, NULL, NULL, 1.0), (3, NULL, NULL, NULL, NULL, NULL, 2))
	AS r (node, feature, levels, left_child, right_child, missing_child, value);
SELECT feature, kind, level_count, missing, unknown FROM coded, explain.model_features(model);
SELECT shop, explain.predict(model, r) FROM coded, (VALUES (0), (1), (3), (4), (-1)) AS r (shop);
SELECT explain.predict(model, '{"shop": "3"}'::jsonb), explain.predict(model, '{3}'::float8[]) FROM coded;

-- several outputs: vectors in leaves, or trees that feed one each; weights
CREATE TEMP TABLE vectors AS SELECT explain.tree_model(r) AS model FROM (VALUES
	(0, 'x', 0, 1, 2, NULL), (1, NULL, NULL, NULL, NULL, '{1,0,0}'::float8[]), (2, NULL, NULL, NULL, NULL, '{0,0.25,0.75}'))
	AS r (node, feature, threshold, left_child, right_child, value);
SELECT p.* FROM vectors, explain.predictions(explain.with_outputs(model, '{a,b,c}'), '{1}'::float8[]) p;
CREATE TEMP TABLE fed AS SELECT explain.tree_model(r) AS model FROM (
	SELECT tree, node, CASE node WHEN 0 THEN 'x' END AS feature, 0 AS threshold,
		CASE node WHEN 0 THEN 1 END AS left_child, CASE node WHEN 0 THEN 2 END AS right_child,
		CASE WHEN node > 0 THEN tree + node END AS value, CASE tree % 2 WHEN 0 THEN 'even' ELSE 'odd' END AS output,
		0.5 ^ tree AS weight
	FROM generate_series(8, 11) tree, generate_series(0, 2) node) r;
SELECT p.* FROM fed, explain.predictions(model, '{1}'::float8[]) p;
SELECT DISTINCT tree, output, weight FROM fed, explain.tree_nodes(model) ORDER BY tree;

-- linear leaves, zero as missing
CREATE TEMP TABLE linear_leaves AS SELECT explain.tree_model(r) AS model FROM (VALUES
	(0, 'x', 0.5, 1, 2, 2, NULL, true, NULL, NULL, NULL),
	(1, NULL, NULL, NULL, NULL, NULL, -1, NULL, 0.5, '{x,y}'::text[], '{2,4}'::float8[]),
	(2, NULL, NULL, NULL, NULL, NULL, 8, NULL, NULL, NULL, NULL))
	AS r (node, feature, threshold, left_child, right_child, missing_child, value, zero_missing,
		linear_constant, linear_features, linear_coefficients);
SELECT r.*, explain.predict(explain.with_missing(model, 'y', 'native'), r) FROM linear_leaves,
	(VALUES (0.25, 1), (0.25, NULL), (0, 1), (NULL, 1), (1, 1)) AS r (x, y);

-- rows of tree_nodes() give the same model
SELECT name, (SELECT explain.tree_model(r) FROM explain.tree_nodes(model) r) OPERATOR(explain.=) model AS same FROM (
	SELECT 'small' AS name, model FROM small UNION ALL SELECT 'tests', model FROM tests
	UNION ALL SELECT 'coded', model FROM coded UNION ALL SELECT 'vectors', model FROM vectors
	UNION ALL SELECT 'fed', model FROM fed UNION ALL SELECT 'linear leaves', model FROM linear_leaves) s;

-- scikit-learn: node tables of trees, forests and boosting, and what it predicts with them
CREATE TEMP TABLE sk_node (name text, tree int, node int, op text, feature int, threshold_original text, threshold float8,
	levels int[], left_child int, right_child int, missing text, cover float8, value float8[]);
\copy sk_node FROM PROGRAM 'cd data/models/sklearn && for f in *.nodes.csv; do tail -n +2 "$f" | tr -d "\r" | sed "s/^/${f%.nodes.csv},/"; done' CSV
CREATE TEMP TABLE sk_tree (name text, tree int, output int, weight float8);
\copy sk_tree FROM PROGRAM 'cd data/models/sklearn && for f in *.trees.csv; do tail -n +2 "$f" | tr -d "\r" | sed "s/^/${f%.trees.csv},/"; done' CSV
CREATE TEMP TABLE sk_model (name text, description jsonb);
\copy sk_model FROM PROGRAM 'cd data/models/sklearn && for f in *.model.json; do printf "%s\t%s\n" "${f%.model.json}" "$(tr -d "\r\n" <"$f")"; done'
CREATE TEMP TABLE sk_line (name text, kind text, line text);
\copy sk_line FROM PROGRAM 'cd data/models/sklearn && for f in *.model.json; do n=${f%.model.json}; for k in X pred; do tail -n +2 "$n.$k.csv" | tr -d "\r" | sed "s/^/$n\t$k\t/"; done; done'
CREATE TEMP TABLE sk AS
SELECT name, explain.with_aggregation(explain.with_base(explain.with_link(explain.tree_model(r),
		(CASE description ->> 'link' WHEN 'iforest' THEN 'isolation' ELSE description ->> 'link' END)::explain.link,
		coalesce((description ->> 'iforest_c')::float8, 1)),
		ARRAY(SELECT jsonb_array_elements_text(description -> 'base')::float8)), description ->> 'agg') AS model
FROM sk_model JOIN sk_node USING (name) JOIN sk_tree USING (name, tree),
	LATERAL (SELECT tree, node, description -> 'inputs' -> feature ->> 'name' AS feature,
		CASE op WHEN 'le' THEN '<=' ELSE op END AS op, threshold, levels, left_child, right_child,
		CASE missing WHEN 'l' THEN left_child WHEN 'r' THEN right_child END AS missing_child, value, cover, weight) r
GROUP BY name, description;
-- what a node table does not say: there, an unknown level is a missing value
UPDATE sk SET model = explain.with_unknown(explain.with_unknown(model, 'colour', 'missing'), 'shop', 'missing')
WHERE name = 'hist_binary_cat';
-- inputs as objects by name, since the models list features by name; codes of categories are whole numbers
CREATE TEMP VIEW sk_case AS
SELECT sk.name, model, input, string_to_array(substr(a.line, strpos(a.line, ',') + 1), ',')::float8[] AS answer
FROM sk JOIN sk_model m ON m.name = sk.name JOIN sk_line x ON x.name = sk.name AND x.kind = 'X'
JOIN sk_line a ON a.name = sk.name AND a.kind = 'pred' AND split_part(a.line, ',', 1) = split_part(x.line, ',', 1),
	LATERAL (SELECT jsonb_object_agg(i ->> 'name', nullif(split_part(x.line, ',', n::int + 1), '')::float8) AS input
			 FROM jsonb_array_elements(m.description -> 'inputs') WITH ORDINALITY AS e (i, n)) o;
SELECT name, count(*) AS predictions,
	max(abs(response - answer[CASE WHEN name = 'isolation_forest' THEN 1
		ELSE cardinality(answer) - outputs + output_number END])) < 1e-12 * greatest(1, max(abs(raw))) AS agrees
FROM sk_case, LATERAL (SELECT (explain.model_header(model)).outputs) h,
	explain.model_outputs(model) o JOIN explain.predictions(model, input) p USING (output)
GROUP BY name ORDER BY name;

-- no rows; parallel workers give the same model
SELECT explain.tree_model(n) FROM n WHERE false;
CREATE TABLE many AS SELECT (explain.tree_nodes(model)).* FROM sk WHERE name = 'isolation_forest';
ANALYZE many;
CREATE TEMP TABLE serial AS SELECT explain.tree_model(many) AS model FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
ALTER TABLE many SET (parallel_workers = 3);
EXPLAIN (COSTS OFF) SELECT explain.tree_model(many) FROM many;
SELECT explain.model_digest(explain.tree_model(many)) = (SELECT explain.model_digest(model) FROM serial) AS same FROM many;
DROP TABLE many;

-- errors: a table of one tree of two levels, with one thing changed
CREATE TEMP TABLE good (tree text, node int, feature text, op text, threshold float8, levels text[],
	left_child int, right_child int, missing_child int, value float8, cover float8, output text, weight float8);
INSERT INTO good VALUES ('t', 1, 'x', '<=', 0, NULL, 2, 3, NULL, NULL, 10, NULL, NULL),
	('t', 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 4, NULL, NULL),
	('t', 3, 'y', '<=', 1, NULL, 4, 5, NULL, NULL, 6, NULL, NULL),
	('t', 4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2, 3, NULL, NULL),
	('t', 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3, 3, NULL, NULL);
CREATE FUNCTION pg_temp.try(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	d text;
	h text;
BEGIN
	CREATE TEMP TABLE bad AS SELECT * FROM good;
	BEGIN
		EXECUTE change;
		PERFORM explain.tree_model(bad) FROM bad;
		DROP TABLE bad;
		RETURN 'accepted';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
		DROP TABLE bad;
		RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(d, ''), nullif(h, ''));
	END;
END
$$;
\pset format unaligned
SELECT change || E'\n    ' || pg_temp.try(change) AS "a change and what it meets" FROM unnest(ARRAY[
	'UPDATE bad SET weight = 2',
	'UPDATE bad SET left_child = 3 WHERE node = 3',
	'UPDATE bad SET left_child = 1 WHERE node = 3',
	'UPDATE bad SET left_child = 2 WHERE node = 3',
	'UPDATE bad SET left_child = 9 WHERE node = 3',
	'UPDATE bad SET left_child = -1 WHERE node = 3',
	'UPDATE bad SET left_child = 2147483647 WHERE node = 3',
	'UPDATE bad SET right_child = NULL WHERE node = 3',
	'UPDATE bad SET left_child = NULL, right_child = NULL WHERE node = 3',
	'UPDATE bad SET op = ''leaf'' WHERE node = 3',
	'UPDATE bad SET op = ''~'' WHERE node = 3',
	'UPDATE bad SET op = ''in'' WHERE node = 3',
	'UPDATE bad SET op = ''in'', levels = ''{a}'' WHERE node = 3',
	'UPDATE bad SET op = ''in'', levels = ''{}'' WHERE node = 3',
	'UPDATE bad SET levels = ''{a}'' WHERE node = 3',
	'UPDATE bad SET levels = ''{a,NULL}'', op = ''in'' WHERE node = 3',
	'UPDATE bad SET levels = ''{{a}}'', op = ''in'' WHERE node = 3',
	'UPDATE bad SET op = ''in'', feature = ''x'', levels = ''{a}'' WHERE node = 3',
	'UPDATE bad SET threshold = NULL WHERE node = 3',
	'UPDATE bad SET threshold = ''NaN'' WHERE node = 3',
	'UPDATE bad SET threshold = ''Infinity'' WHERE node = 3',
	'UPDATE bad SET threshold = ''-Infinity'', op = ''<'' WHERE node = 3',
	'UPDATE bad SET feature = NULL WHERE node = 3',
	'UPDATE bad SET feature = '''' WHERE node = 3',
	'UPDATE bad SET missing_child = 2 WHERE node = 3',
	'UPDATE bad SET value = NULL WHERE node = 5',
	'UPDATE bad SET value = ''NaN'' WHERE node = 5',
	'UPDATE bad SET value = ''Infinity'' WHERE node = 5',
	'UPDATE bad SET value = 7 WHERE node = 3',
	'UPDATE bad SET cover = -1 WHERE node = 5',
	'UPDATE bad SET cover = ''NaN'' WHERE node = 5',
	'UPDATE bad SET cover = 4 WHERE node = 5',
	'UPDATE bad SET cover = NULL WHERE node = 5',
	'UPDATE bad SET node = NULL WHERE node = 5',
	'UPDATE bad SET tree = NULL WHERE node = 5',
	'UPDATE bad SET tree = NULL',
	'UPDATE bad SET tree = ''u'' WHERE node = 5',
	'UPDATE bad SET output = ''a'' WHERE node = 5',
	'UPDATE bad SET output = node::text',
	'UPDATE bad SET weight = node',
	'UPDATE bad SET weight = ''Infinity''',
	'INSERT INTO bad SELECT * FROM good',
	'INSERT INTO bad SELECT ''u'', node, feature, op, threshold, levels, left_child, right_child, missing_child, value, cover, ''b'' FROM good',
	'DELETE FROM bad WHERE node = 1',
	'DELETE FROM bad WHERE node = 2',
	'DELETE FROM bad WHERE node <> 2',
	'ALTER TABLE bad DROP COLUMN value',
	'ALTER TABLE bad ALTER threshold TYPE text',
	'ALTER TABLE bad ALTER value TYPE text',
	'ALTER TABLE bad ALTER levels TYPE date[] USING NULL',
	'ALTER TABLE bad ALTER value TYPE float8[] USING CASE node WHEN 2 THEN ''{1,2}'' WHEN 4 THEN ''{1}'' WHEN 5 THEN ''{1,2}''::float8[] END',
	'ALTER TABLE bad ALTER value TYPE float8[] USING ''{}''',
	'ALTER TABLE bad ALTER value TYPE float8[] USING ''{1,NULL}''',
	'ALTER TABLE bad ALTER value TYPE float8[] USING ''{1,2}''; UPDATE bad SET output = ''a'''
]) AS change;
\pset format aligned
-- one short row asks for a bitmap of 2 MB
SELECT explain.tree_model(r) FROM (SELECT tree, node, CASE node WHEN 0 THEN 'x' END AS feature,
		CASE node WHEN 0 THEN ARRAY[(1 << 24) - 1] END AS levels, CASE node WHEN 0 THEN 1 END AS left_child,
		CASE node WHEN 0 THEN 2 END AS right_child, CASE node WHEN 0 THEN NULL ELSE node END AS value
	FROM generate_series(1, 200) tree, generate_series(0, 2) node) r;
-- the state of one aggregate is none of the other
SELECT explain.tree_model_final('\x455852430100');
SELECT explain.tree_model_final('\x4558524e0100');
SELECT explain.tree_model_final('\x4558524e0200');
SELECT explain.tree_model_final('\x4558524e010001ffffffff');
