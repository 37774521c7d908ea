--
-- total_derivative, and derivatives of many rows
--
CREATE TABLE models (name text PRIMARY KEY, m explain.model);
CREATE TABLE people AS SELECT i AS id, 20 + i % 50 AS age, CASE WHEN i % 3 = 0 THEN 'f' ELSE 'm' END AS sex, i % 4 = 0 AS vip,
	CASE WHEN i % 5 > 0 THEN i % 7 / 2.0 END::float8 AS income FROM generate_series(1, 200) AS i;
INSERT INTO models VALUES ('plain', '{"family": "linear", "link": "logit", "outputs": ["bad"], "intercept": -1,
		"features": ["age", {"name": "sex", "levels": ["f", "m"]}, {"name": "vip", "kind": "boolean"}, {"name": "income", "missing": "native"}],
		"coefficients": {"age": 0.02, "sex": {"m": 0.7}, "vip": 0.5, "income": -0.25}}'),
	('classes', '{"family": "linear", "link": "softmax", "outputs": ["a", "b"], "features": ["x", "y"],
		"columns": [{"feature": "x", "coefficient": [1, 2]}, {"feature": "y", "coefficient": [0.5, 0]}]}'),
	('tree', '{"family": "tree", "features": ["x"], "trees": [{"feature": ["x", null, null], "threshold": [1, null, null],
		"left_child": [1, null, null], "right_child": [2, null, null], "value": [null, 2, 5]}], "background": {"rows": [[0], [2], [4]]}}'),
	('levels', '{"family": "linear", "features": [{"name": "c", "levels": ["x", "y"]}], "coefficients": {"c": {"y": 2}}}');
INSERT INTO models SELECT 'known', explain.with_background((SELECT m FROM models WHERE name = 'plain'), (SELECT explain.background(p) FROM people p));
CREATE FUNCTION m(text) RETURNS explain.model LANGUAGE sql IMMUTABLE AS 'SELECT m FROM models WHERE name = $1';

-- one row: the sum over numeric features that are there
SELECT * FROM explain.total_derivative(m('plain'), '{40,1,1,2}'::float8[]);
SELECT * FROM explain.total_derivative(m('plain'), '{40,1,1,null}'::float8[]);
SELECT * FROM explain.total_derivative(m('classes'), '{1,2}'::float8[]);
SELECT * FROM explain.total_derivative(m('classes'), '{1,2}'::float8[], output => 'b');
SELECT * FROM explain.total_derivative(m('levels'), '{1}'::float8[]);
SELECT * FROM explain.total_derivative(m('tree'), '{1.5}'::float8[], method => 'finite_difference');
SELECT count(*) AS none FROM explain.total_derivative(m('plain'), NULL::float8[]);
-- it is the sum of the rows of feature_gradient, and of those times the standard deviations
SELECT bool_and(abs(t.total_derivative - g.sum) < 1e-15 AND abs(t.standardised - g.standardised) < 1e-14) AS sums, count(*)
FROM people p, explain.total_derivative(m('known'), p, space => 'response') t,
	LATERAL (SELECT sum(attribution), sum(attribution * sd) AS standardised
		FROM explain.feature_gradient(m('known'), p, space => 'response') g
		JOIN (SELECT 'age' AS feature, stddev(age) AS sd FROM people UNION SELECT 'income', stddev(income) FROM people) s USING (feature)) AS g;
SELECT abs(a.total_derivative - b.total_derivative) < 1e-17 AS smooth_linear FROM explain.total_derivative(m('known'), '{40,1,1,2}'::float8[], method => 'smooth') a, explain.total_derivative(m('known'), '{40,1,1,2}'::float8[]) b;

-- many rows
CREATE TABLE gradients AS SELECT p.*, explain.gradient_array(m('known'), p, space => 'response') AS g FROM people p;
SELECT rank, feature, mean::numeric(12, 8), spread::numeric(12, 8), mean_abs::numeric(12, 8), mean_square::numeric(12, 8), standardised::numeric(12, 8), n, kind
FROM explain.total_derivatives(m('known'), (SELECT explain.attribution_summary(g) FROM gradients));
-- against plain SQL
SELECT feature, abs(mean - avg(x)) < 1e-16 AS mean, abs(spread - stddev(x)) < 1e-15 AS spread, abs(mean_abs - avg(abs(x))) < 1e-16 AS mean_abs,
	abs(mean_square - avg(x ^ 2)) < 1e-16 AS mean_square, n = count(x) AS n
FROM explain.total_derivatives(m('known'), (SELECT explain.attribution_summary(g) FROM gradients)) t
JOIN (SELECT 'age' AS feature, g[1] AS x FROM gradients UNION ALL SELECT 'sex', g[2] FROM gradients UNION ALL SELECT 'vip', g[3] FROM gradients
	UNION ALL SELECT 'income', g[4] FROM gradients) AS long USING (feature)
GROUP BY t.feature, mean, spread, mean_abs, mean_square, n ORDER BY 1;
SELECT abs(t.mean - (avg(g[1]) + avg(g[4]))) < 1e-15 AS total, abs(t.standardised - (avg(g[1]) * stddev(age) + avg(g[4]) * stddev(income))) < 1e-14 AS standardised
FROM gradients, explain.total_derivatives(m('known'), (SELECT explain.attribution_summary(g) FROM gradients)) t WHERE kind = 'total' GROUP BY t.mean, t.standardised;
-- without a background nothing is standardised; a feature that is always missing; no numeric feature
SELECT rank, feature, mean, standardised, n, kind FROM explain.total_derivatives(m('plain'), (SELECT explain.attribution_summary(a) FROM (VALUES ('{1,2,3,NULL}'::float8[]), ('{3,2,NULL,NULL}')) AS t(a)));
SELECT rank, feature, mean, standardised, n, kind FROM explain.total_derivatives(m('levels'), (SELECT explain.attribution_summary(a) FROM (VALUES ('{1}'::float8[]), (NULL)) AS t(a)));
-- partitions and their merging give the same state, in any order
SELECT count(DISTINCT state) AS states, bool_and(state = (SELECT explain.attribution_summary(g)::text FROM gradients)) AS same
FROM generate_series(1, 50) AS trial,
LATERAL (SELECT explain.attribution_summary_merge(s)::text AS state
	FROM (SELECT explain.attribution_summary(g) AS s FROM gradients GROUP BY (hashint8(id + trial * 7919) & 65535) % (1 + trial % 64)) AS part) AS merged;
SELECT count(*) AS none FROM explain.total_derivatives(m('known'), NULL) a, explain.total_derivatives(NULL::explain.model, NULL) b;
CALL explain.create_registry();
SELECT explain.register_model('total test', m('known'));
SELECT abs(a.total_derivative - b.mean) < 1e-17 AS by_name, b.n FROM explain.total_derivative('total test', '{40,1,1,2}'::float8[]) a,
	explain.total_derivatives('total test', (SELECT explain.attribution_summary(explain.gradient_array('total test', '{40,1,1,2}'::float8[])))) b WHERE b.kind = 'total';
DROP TABLE explain.model_versions CASCADE;

-- what is refused
SELECT * FROM explain.total_derivative(m('tree'), '{1}'::float8[]);
SELECT * FROM explain.total_derivative(m('plain'), '{40,1,1,2}'::float8[], method => 'smooth_squared');
SELECT * FROM explain.total_derivatives(m('plain'), (SELECT explain.attribution_summary('{1,2}')));
\set VERBOSITY sqlstate
SELECT * FROM explain.total_derivative(m('tree'), '{1}'::float8[]);
SELECT * FROM explain.total_derivative(m('plain'), '{40,1,1,2}'::float8[], method => 'gradient_x_input');
SELECT * FROM explain.total_derivative(m('plain'), '{40,1,1,2}'::float8[], method => 'guided_backprop');
SELECT * FROM explain.total_derivative(m('plain'), '{40,1,1,2}'::float8[], method => 'nothing');
SELECT * FROM explain.total_derivative(m('plain'), '{40,1,1,2}'::float8[], output => 'good');
SELECT * FROM explain.total_derivative(m('plain'), '{40,1,1}'::float8[]);
SELECT * FROM explain.total_derivative(m('plain'), '{40,1,1,2}'::float8[], method => 'finite_difference');
SELECT * FROM explain.total_derivative(m('classes'), '{1,2}'::float8[], samples => 0);
SELECT * FROM explain.total_derivatives(m('plain'), (SELECT explain.attribution_summary('{1,2}')));
SELECT * FROM explain.total_derivatives(m('classes'), (SELECT explain.attribution_summary(a) FROM (VALUES ('{1.7e308,0}'::float8[]), ('{-1.7e308,0}')) AS t(a)));
\set VERBOSITY default

DROP TABLE models, people, gradients;
DROP FUNCTION m(text);
