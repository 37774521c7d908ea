-- Window functions that work on tiles: the same answers as row by row.
CREATE TEMP TABLE m AS
	SELECT explain.linear_model('{a,b,c}', '{1,2,-0.5}', 0.25, 'logit') AS model;
CREATE TEMP TABLE t AS
	SELECT i AS id, i % 7 AS g, sin(i) AS a, cos(i) AS b, i / 100.0 AS c FROM generate_series(1, 2000) i;
ANALYZE t;

-- any partition and order, rows not in the order of the table
SELECT bool_and(batch IS NOT DISTINCT FROM alone) AS same, count(batch)
FROM (SELECT explain.predict_batch(model, t) OVER () AS batch, explain.predict(model, t) AS alone FROM t, m) s;
SELECT bool_and(batch IS NOT DISTINCT FROM alone) AS same, count(batch)
FROM (SELECT explain.predict_batch(model, t) OVER (PARTITION BY g ORDER BY c DESC) AS batch,
		explain.predict(model, t) AS alone FROM t, m) s;
-- partitions of one row
SELECT bool_and(batch IS NOT DISTINCT FROM alone) AS same, count(batch)
FROM (SELECT explain.predict_batch(model, t) OVER (PARTITION BY id) AS batch, explain.predict(model, t) AS alone
	FROM t, m) s;
-- several calls, frames, other window functions
SELECT bool_and(raw IS NOT DISTINCT FROM alone) AS same, bool_and(response IS NOT DISTINCT FROM explained) AS also, max(n)
FROM (SELECT explain.predict_batch(model, t, space => 'raw') OVER w AS raw, explain.predict_batch(model, t) OVER w AS response,
		explain.predict(model, t, space => 'raw') AS alone, explain.predict(model, t) AS explained,
		row_number() OVER w AS n, sum(a) OVER w AS total
	FROM t, m WINDOW w AS (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING)) s;
-- null rows and null models, models that change from row to row
SELECT bool_and(batch IS NOT DISTINCT FROM alone) AS same, count(batch), count(*)
FROM (SELECT explain.predict_batch(CASE WHEN id % 11 > 0 THEN model END, CASE WHEN id % 5 > 0 THEN t END) OVER () AS batch,
		explain.predict(CASE WHEN id % 11 > 0 THEN model END, CASE WHEN id % 5 > 0 THEN t END) AS alone
	FROM t, m) s;
SELECT bool_and(batch IS NOT DISTINCT FROM alone) AS same, count(DISTINCT model)
FROM (SELECT explain.predict_batch(k.model, t) OVER (ORDER BY id, k.n) AS batch, explain.predict(k.model, t) AS alone,
		explain.model_digest(k.model) AS model
	FROM t, (SELECT n, explain.linear_model('{a,b,c}', ARRAY[n, 1.5, 2], n) AS model FROM generate_series(1, 3) n) k) s;
-- LIMIT reads ahead no further than a tile
CREATE FUNCTION pg_temp.noted(anyelement) RETURNS anyelement VOLATILE AS
	$$ SELECT CASE WHEN nextval('reads') > 0 THEN $1 END $$ LANGUAGE sql;
CREATE TEMP SEQUENCE reads;
SELECT explain.predict_batch((SELECT model FROM m), s) OVER () > 0 AS positive
FROM (SELECT a, b, pg_temp.noted(c) AS c FROM t OFFSET 0) s LIMIT 2;
SELECT last_value < 300 AS read_few FROM reads;
-- arrays and jsonb, prepared statements
PREPARE p(explain.space) AS SELECT round(explain.predict_batch(model, ARRAY[a, b, c], space => $1) OVER ()::numeric, 6)
	FROM m, (SELECT * FROM t WHERE id <= 2) t;
EXECUTE p('raw');
EXECUTE p('response');
SELECT round(explain.predict_batch(model, to_jsonb(t)) OVER ()::numeric, 6) FROM m, t WHERE id <= 2;
-- Shapley values and interactions: linear, trees by both methods, several outputs
UPDATE m SET model = explain.with_background(model, (SELECT explain.background(t) FROM t WHERE id % 100 = 0));
SELECT bool_and(batch IS NOT DISTINCT FROM alone) AS same, count(batch)
FROM (SELECT explain.shap_batch(model, t) OVER () AS batch, explain.shap_array(model, t) AS alone FROM t, m) s;
SELECT bool_and(batch IS NOT DISTINCT FROM alone) AS same, count(batch)
FROM (SELECT explain.shap_batch(model, t, reference => NULL::t) OVER () AS batch, explain.shap_array(model, t) AS alone
	FROM (SELECT * FROM t ORDER BY id DESC) t, m) s;
SELECT bool_and(batch IS NOT DISTINCT FROM alone) AS same, count(batch)
FROM (SELECT explain.shap_interaction_batch(model, t) OVER (PARTITION BY g) AS batch,
		explain.shap_interaction_array(model, t) AS alone FROM t, m) s;
-- a window of one's own: rows come in any number of tiles and answer alike; null rows lie between
CREATE TEMP TABLE gap AS SELECT id, CASE WHEN id % 3 > 0 THEN t END AS r FROM t;
SELECT bool_and(batch IS NOT DISTINCT FROM alone) AS same, count(batch)
FROM (SELECT explain.shap_batch(model, r) OVER (ORDER BY id) AS batch, explain.shap_array(model, r) AS alone FROM gap, m) s;
SELECT count(none) FROM (SELECT explain.shap_batch(NULL::explain.model, t) OVER () AS none FROM t) s;

--
-- Models of libraries, by every method and for every output: the bits of the functions for one row
--
\getenv test PG_ABS_SRCDIR
\cd :test
CREATE TEMP TABLE file (name text, content text);
\copy file FROM PROGRAM 'cd data/models && for f in xgboost/*.ubj xgboost34/*.ubj lightgbm/*.txt; do printf "%s\t%s\n" "${f%.*}" "$(base64 -w0 "$f")"; done'
\copy file FROM PROGRAM 'cd data/models && for f in xgboost/cat_reg xgboost/reg_dart; do printf "%s.json\t%s\n" "$f" "$(base64 -w0 "$f.json")"; done'
CREATE TEMP TABLE line (name text, line text);
\copy line FROM PROGRAM 'cd data/models && for f in xgboost/*.X.csv xgboost34/*.X.csv lightgbm/*.X.csv; do tail -n +2 "$f" | tr -d "\r" | sed "s|^|${f%.X.csv}\t|"; done'
SET client_min_messages = warning;
CREATE TEMP TABLE library AS
SELECT name, CASE WHEN name LIKE 'xgboost%' THEN explain.xgboost_model(bytes) ELSE explain.lightgbm_model(bytes) END AS model
FROM file, LATERAL (SELECT decode(content, 'base64') AS bytes) b;
RESET client_min_messages;
-- enough rows for a tile of 256 and a part of another
CREATE TEMP TABLE x AS
SELECT name, row_number() OVER (PARTITION BY name) AS id, value
FROM (SELECT name, string_to_array(substr(line, strpos(line, ',') + 1), ',', '')::float8[] AS value, generate_series(1, 40) FROM line) s;
DELETE FROM x WHERE id > 300;
UPDATE library l SET model = explain.with_background(model, (SELECT explain.background(value, 40) FROM x
	WHERE x.name = replace(l.name, '.json', '') AND '{Infinity,-Infinity}'::float8[] && value IS NOT TRUE));

-- do the rows of a model come out alike?
CREATE FUNCTION pg_temp.same(name text, batch text, alone text, options text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rows int;
	same bool;
	state text;
BEGIN
	EXECUTE format('SELECT count(*), bool_and(batch IS NOT DISTINCT FROM alone AND batch::text IS NOT DISTINCT FROM alone::text)'
		' FROM (SELECT explain.%s(model, value%s) OVER () AS batch, explain.%s(model, value%s) AS alone'
		'   FROM x, library l WHERE x.name = %L AND l.name = %L) s', batch, options, alone, options, replace(name, '.json', ''), name) INTO rows, same;
	RETURN CASE WHEN NOT same THEN 'DIFFERENT' WHEN rows < 256 THEN 'too few rows' ELSE 'same' END;
EXCEPTION WHEN feature_not_supported THEN
	GET STACKED DIAGNOSTICS state = MESSAGE_TEXT;
	RETURN state;
END
$$;
CREATE TEMP TABLE asked AS
SELECT name, (explain.model_header(model)).family, output, method
FROM library, explain.model_outputs(model) o, unnest('{auto,tree_path_dependent,tree_interventional}'::text[]) method
WHERE (explain.model_header(model)).family = 'tree';
SELECT method, pg_temp.same(name, 'shap_batch', 'shap_array', format(', output => %L, method => %L', output, method)) AS bits,
	count(*) AS outputs, count(DISTINCT name) AS models
FROM asked GROUP BY 1, 2 ORDER BY 1, 2;
SELECT pg_temp.same(name, 'shap_interaction_batch', 'shap_interaction_array', format(', output => %L', output)) AS bits,
	count(*) AS outputs, count(DISTINCT name) AS models
FROM asked WHERE method = 'tree_path_dependent' GROUP BY 1 ORDER BY 1;
SELECT pg_temp.same(name, 'predict_batch', 'predict', format(', output => %L, space => %L', output, space)) AS bits, count(*) AS outputs
FROM (SELECT DISTINCT name, output FROM asked) a, unnest('{raw,response}'::text[]) space GROUP BY 1 ORDER BY 1;
-- a reference row, a difference of two outputs
SELECT name, pg_temp.same(name, 'shap_batch', 'shap_array', format(', output => %L, reference => %L::float8[]', output,
		(SELECT value FROM x WHERE x.name = a.name AND id = 3))) AS reference,
	pg_temp.same(name, 'shap_batch', 'shap_array', format(', output => %L, versus => %L', output,
		(SELECT output FROM asked b WHERE b.name = a.name ORDER BY output DESC LIMIT 1))) AS difference
FROM asked a WHERE method = 'auto' AND name IN ('xgboost/cat_reg', 'xgboost/multi_softprob', 'xgboost34/multioutput', 'lightgbm/cat_binary', 'lightgbm/reg_nan')
ORDER BY 1, output;
-- several calls in one query, two models, windows that differ, null rows
SELECT bool_and(a IS NOT DISTINCT FROM a1) AS a, bool_and(b IS NOT DISTINCT FROM b1) AS b, bool_and(c IS NOT DISTINCT FROM c1) AS c,
	bool_and(d IS NOT DISTINCT FROM d1) AS d, count(a), count(*)
FROM (SELECT explain.shap_batch(l.model, v) OVER () AS a, explain.shap_array(l.model, v) AS a1,
		explain.shap_batch(n.model, v, method => 'tree_interventional') OVER (PARTITION BY id % 3) AS b,
		explain.shap_array(n.model, v, method => 'tree_interventional') AS b1,
		explain.shap_interaction_batch(l.model, v) OVER (PARTITION BY id % 3 ORDER BY v[1], id DESC) AS c, explain.shap_interaction_array(l.model, v) AS c1,
		explain.predict_batch(CASE WHEN id % 2 = 0 THEN l.model ELSE n.model END, v) OVER (ORDER BY id % 2, id) AS d,
		explain.predict(CASE WHEN id % 2 = 0 THEN l.model ELSE n.model END, v) AS d1
	FROM (SELECT id, CASE WHEN id % 7 <> 0 THEN value END AS v FROM x WHERE name = 'xgboost/reg') x,
		library l, library n WHERE l.name = 'xgboost/reg' AND n.name = 'xgboost/reg_dart') s;

--
-- Networks
--
CREATE TEMP TABLE network AS
SELECT name, explain.with_background(model, '{{0,0,1},{1,-1,0.5},{0.3,2,-1}}'::float8[]) AS model
FROM (VALUES ('mlp', '{"family": "network", "features": ["a", "b", "c"], "link": "logit", "layers": [
		{"kind": "dense", "units": 4, "bias": [0.1, -0.2, 0.3, 0], "weights": [[1, -1, 0.5], [0.25, 2, -1], [-0.5, 0.75, 1], [1, 1, 1]], "activation": "relu"},
		{"kind": "dense", "units": 1, "bias": [0.5], "weights": [[1, -2, 0.5, 0.25]]}]}'::explain.model),
	('tanh', '{"family": "network", "features": ["a", "b", "c"], "outputs": ["y"], "layers": [
		{"kind": "dense", "units": 2, "bias": [0.1, -0.2], "weights": [[1, -1, 0.5], [0.25, 2, -1]], "activation": "tanh"},
		{"kind": "dense", "units": 1, "bias": [0.5], "weights": [[1, -2]]}]}')) v(name, model);
SELECT name, bool_and(p IS NOT DISTINCT FROM p1) AS predict, bool_and(d IS NOT DISTINCT FROM d1) AS deep,
	bool_and(e IS NOT DISTINCT FROM e1) AS exact, bool_and(r IS NOT DISTINCT FROM r1) AS response, count(*)
FROM (SELECT name, explain.predict_batch(model, t) OVER w AS p, explain.predict(model, t) AS p1,
		explain.shap_batch(model, t, method => 'deep') OVER w AS d, explain.shap_array(model, t, method => 'deep') AS d1,
		explain.shap_batch(model, t, method => 'exact') OVER w AS e, explain.shap_array(model, t, method => 'exact') AS e1,
		explain.shap_batch(model, t, space => 'response', method => 'exact') OVER w AS r,
		explain.shap_array(model, t, space => 'response', method => 'exact') AS r1
	FROM network, t WHERE id <= 600 WINDOW w AS (PARTITION BY name ORDER BY id)) s
GROUP BY name ORDER BY name;

--
-- How a query may use them
--
-- a model for each group of rows, by a correlated subquery; by name
BEGIN;
CALL explain.create_registry();
SELECT count(explain.register_model(name, model)) FROM network;
SELECT bool_and(by_group IS NOT DISTINCT FROM alone) AS same, bool_and(named IS NOT DISTINCT FROM named1) AS named, count(*)
FROM (SELECT explain.predict_batch((SELECT model FROM network n WHERE n.name = t.kind), ARRAY[a, b, c]) OVER (ORDER BY kind, id) AS by_group,
		explain.predict((SELECT model FROM network n WHERE n.name = t.kind), ARRAY[a, b, c]) AS alone,
		explain.predict_batch(kind, ARRAY[a, b, c]) OVER () AS named, explain.predict(kind, ARRAY[a, b, c]) AS named1
	FROM (SELECT *, CASE WHEN id % 3 = 0 THEN 'mlp' ELSE 'tanh' END AS kind FROM t) t) s;
ROLLBACK;
-- LATERAL: the plan runs again and again, and LIMIT leaves tiles unfinished
SELECT count(*), bool_and(p = explain.predict(model, u)) AS same
FROM m, generate_series(1, 40) n, LATERAL (SELECT t AS u, explain.predict_batch(model, t) OVER (ORDER BY id DESC) AS p
	FROM t WHERE id % 40 = n % 40 LIMIT n) s;
SELECT setval('reads', 1, false);
SELECT count(*) FROM generate_series(1, 20) n, LATERAL (SELECT explain.predict_batch((SELECT model FROM m), s) OVER ()
	FROM (SELECT a, b, pg_temp.noted(c + n * 0) AS c FROM t OFFSET 0) s LIMIT 1) l;
SELECT last_value <= 20 * 33 AS read_few FROM reads;
-- a cursor, and an error amid a tile, after which the session goes on
BEGIN;
DECLARE k SCROLL CURSOR FOR SELECT id, explain.predict_batch(model, t) OVER (ORDER BY id) = explain.predict(model, t) AS same FROM t, m;
FETCH 1 FROM k;
MOVE 400 FROM k;
FETCH 1 FROM k;
FETCH PRIOR FROM k;
SAVEPOINT s;
SELECT explain.predict_batch(model, ARRAY[a, b, 1 / (id - 150)]) OVER () FROM t, m;
ROLLBACK TO s;
FETCH LAST FROM k;
COMMIT;
CREATE FUNCTION pg_temp.tried(fail_at int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM explain.predict_batch(model, ARRAY[a, b, 1.0 / (id - fail_at)]) OVER (ORDER BY id) FROM t, m;
	RETURN 'done';
EXCEPTION WHEN division_by_zero THEN
	RETURN 'failed';
END
$$;
SELECT pg_temp.tried(700), pg_temp.tried(-1), pg_temp.tried(1);
-- a table whose rows have changed shape; domains; a column of another type
CREATE TEMP TABLE changed (gone text, b float4, a int, also_gone int, c numeric);
INSERT INTO changed SELECT 'x', i, i, i, i FROM generate_series(1, 100) i;
ALTER TABLE changed DROP COLUMN gone, DROP COLUMN also_gone;
ALTER TABLE changed ADD COLUMN d text DEFAULT 'new';
INSERT INTO changed SELECT i, i, i FROM generate_series(1, 100) i;
SELECT bool_and(explained = alone) AS same, count(*) FROM (SELECT explain.shap_batch(model, x) OVER () AS explained,
	explain.shap_array(model, x) AS alone FROM m, changed x) s;
-- tables made of it
CREATE TEMP TABLE made AS SELECT id, explain.shap_batch(model, t) OVER () AS phi FROM t, m;
INSERT INTO made SELECT id, explain.shap_batch(model, t) OVER (ORDER BY id) FROM t, m;
SELECT count(*), count(DISTINCT (id, phi)) FROM made;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT explain.predict_batch(model, t) OVER () FROM t, m LIMIT 1;
-- errors
\set VERBOSITY sqlstate
SELECT explain.predict_batch(model, t, output => g::text) OVER () FROM m, t;
SELECT explain.predict_batch(model, t) FROM m, t;
SELECT explain.predict_batch(model, '{1,2}'::float8[]) OVER () FROM m;
SELECT explain.predict_batch(model, t, output => 'x') OVER () FROM m, t;
SELECT explain.predict_batch(model, s) OVER () FROM m, (SELECT 1 AS a, 2 AS b) s;
SELECT explain.shap_batch(model, t, method => 'nothing') OVER () FROM m, t;
SELECT explain.shap_batch(model, t, space => NULL) OVER () FROM m, t;
SELECT explain.shap_batch(model, t, space => CASE WHEN id > 5 THEN 'raw' ELSE 'response' END::explain.space) OVER () FROM m, t;
SELECT explain.shap_batch(model, t, method => CASE WHEN random() < 2 THEN 'auto' END) OVER () FROM m, t;
SELECT explain.shap_batch(model, t, reference => t) OVER () FROM m, t;
SELECT explain.shap_batch('nobody', t) OVER () FROM t;
SELECT explain.shap_interaction_batch(model, ARRAY[a, b, c], method => 'deep') OVER () FROM network, t WHERE name = 'mlp';
SELECT count(*) FROM t, m WHERE explain.predict_batch(model, t) OVER () > 0;
SELECT sum(explain.predict_batch(model, t) OVER ()) FROM t, m;
CREATE FUNCTION pg_temp.first(explain.model, float8[], explain.label, explain.space) RETURNS explain.model LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE pg_temp.misused(float8[], explain.label, explain.space) (SFUNC = pg_temp.first, STYPE = explain.model,
	FINALFUNC = explain.predict_batch, FINALFUNC_EXTRA);
\set VERBOSITY default
-- nothing is under way but this
SELECT count(*) FROM explain.progress();
