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
-- errors
\set VERBOSITY sqlstate
SELECT explain.predict_batch(model, t, output => g::text) OVER () FROM m, t;
SELECT explain.predict_batch(model, t) FROM m, t;
SELECT explain.predict_batch(model, '{1,2}'::float8[]) OVER () FROM m;
SELECT explain.predict_batch(model, t, output => 'x') OVER () FROM m, t;
SELECT explain.predict_batch(model, s) OVER () FROM m, (SELECT 1 AS a, 2 AS b) s;
\set VERBOSITY default
-- nothing is under way but this
SELECT count(*) FROM explain.progress();
