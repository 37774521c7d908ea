--
-- feature_gradient, gradient_array, guided_backprop, deconvnet
--
CREATE TABLE models (name text PRIMARY KEY, m explain.model);
INSERT INTO models VALUES
	('linear', '{"family": "linear", "link": "logit", "outputs": ["bad"], "intercept": -1,
		"features": ["age", {"name": "sex", "levels": ["f", "m"]}, {"name": "vip", "kind": "boolean"}, {"name": "income", "missing": "native"}],
		"coefficients": {"age": 0.02, "sex": {"m": 0.7}, "vip": 0.5, "income": -0.25}}'),
	('softmax', '{"family": "linear", "link": "softmax", "outputs": ["a", "b", "c"], "features": ["x", "y"],
		"intercept": [0, 0.5, -0.5], "columns": [{"feature": "x", "coefficient": [1, 2, 3]}, {"feature": "y", "coefficient": [0.5, 0, -1]}]}'),
	('tree', '{"family": "tree", "features": ["x", {"name": "home", "levels": ["owner", "rent"]}], "trees": [
		{"feature": ["x", null, "home", null, null], "threshold": [1, null, null, null, null], "levels": [null, null, ["owner"], null, null],
		"left_child": [1, null, 3, null, null], "right_child": [2, null, 4, null, null], "value": [null, 2, null, 5, 7]}]}'),
	('network', '{"family": "network", "features": ["x", "y"], "layers": [
		{"kind": "dense", "units": 4, "weights": [[1, 2], [3, -1], [-1, -2], [2, -1]], "bias": [0.5, 0, 1, 0]}, {"kind": "relu"},
		{"kind": "dense", "units": 1, "weights": [[2, -3, 5, 4]], "bias": [0.25]}]}'),
	('image', '{"family": "network", "image": {"channels": ["grey"], "height": 2, "width": 3}, "layers": [
		{"kind": "dense", "units": 2, "weights": [[1, -2, 3, -4, 5, -6], [1, 1, 1, 1, 1, 1]], "bias": [0, 0]}, {"kind": "relu"},
		{"kind": "dense", "units": 1, "weights": [[1, -1]], "bias": [0]}]}'),
	('tanh', '{"family": "network", "features": ["x", "y"], "layers": [
		{"kind": "dense", "units": 1, "weights": [[1, 2]], "bias": [0]}, {"kind": "tanh"}]}'),
	('bins', '{"family": "linear", "features": ["x"], "columns": [{"feature": "x", "bin": [0, 1], "coefficient": 2}]}'),
	('hinge', '{"family": "linear", "link": "step", "features": ["x"], "coefficients": [2]}'),
	('log', '{"family": "linear", "link": "log", "features": ["x"], "coefficients": [2]}');
CREATE TABLE people AS SELECT * FROM (VALUES (1, 20::float8, 'm', true, 1::float8), (2, 30, 'm', false, 2), (3, 55, 'f', true, 4)) AS t(id, age, sex, vip, income);
INSERT INTO models SELECT 'known', explain.with_background((SELECT m FROM models WHERE name = 'linear'),
	(SELECT explain.background(p) FROM people p));
INSERT INTO models SELECT 'known tree', explain.with_background((SELECT m FROM models WHERE name = 'tree'),
	(SELECT explain.background(r) FROM (VALUES (0::float8, 'rent'), (4, 'rent'), (2, 'owner')) AS r(x, home)));
CREATE FUNCTION m(text) RETURNS explain.model LANGUAGE sql IMMUTABLE AS 'SELECT m FROM models WHERE name = $1';

-- the row contract; what is missing has no derivative and comes last
SELECT output, rank, feature, feature_value, feature_num, feature_scaled, attribution, base_value, prediction, prediction_response::numeric(10, 6)
FROM explain.feature_gradient(m('linear'), '{"age": 40, "sex": "m", "vip": true, "income": null}'::jsonb);
SELECT rank, feature, std_error, ci_low, ci_high, residual, space, method, kind, reference_value, step
FROM explain.feature_gradient(m('linear'), '{"age": 40, "sex": "m", "vip": true, "income": null}'::jsonb);

-- reference levels: the first, the most frequent, that of the reference row
SELECT feature, attribution, reference_value FROM explain.feature_gradient(m('linear'), '{40,1,0,2}'::float8[]) WHERE reference_value IS NOT NULL;
SELECT feature, attribution, reference_value FROM explain.feature_gradient(m('known'), '{40,1,0,2}'::float8[]) WHERE reference_value IS NOT NULL;
SELECT feature, attribution, reference_value FROM explain.feature_gradient(m('known'), '{40,1,0,2}'::float8[], reference => '{0,0,1,0}') WHERE reference_value IS NOT NULL;
SELECT feature, attribution, reference_value
FROM people p, explain.feature_gradient(m('known'), p, reference => (SELECT q FROM people q WHERE q.id = 3)) WHERE p.id = 1 AND reference_value IS NOT NULL;

-- spaces: the chain rule
SELECT feature, g.attribution::numeric(12, 8), (c.b * g.prediction * (1 - g.prediction))::numeric(12, 8) AS chain_rule
FROM (VALUES ('age', 0.02), ('income', -0.25)) AS c(f, b), explain.feature_gradient(m('linear'), '{40,1,0,2}'::float8[], space => 'response') AS g WHERE f = feature;
SELECT output, feature, attribution::numeric(12, 8) FROM explain.feature_gradient(m('softmax'), '{0.3,-0.2}'::float8[], space => 'response') ORDER BY 1, 2;
SELECT feature, abs(sum(attribution)) < 1e-16 AS classes_cancel FROM explain.feature_gradient(m('softmax'), '{0.3,-0.2}'::float8[], space => 'response') GROUP BY 1 ORDER BY 1;
SELECT explain.gradient_array(m('softmax'), '{0.3,-0.2}'::float8[], 'b');

-- arrays are the rows in feature order; all shapes of input agree
SELECT explain.gradient_array(m('known'), p) AS by_record,
	explain.gradient_array(m('known'), ARRAY[age, (sex = 'm')::int, vip::int, income]) = explain.gradient_array(m('known'), p) AS by_array,
	explain.gradient_array(m('known'), to_jsonb(p)) = explain.gradient_array(m('known'), p) AS by_jsonb
FROM people p;
SELECT explain.gradient_array(m('linear'), '{"age": 40, "sex": "m", "vip": null, "income": null}'::jsonb);
SELECT explain.gradient_array(m('linear'), '{40,1,1,null}'::float8[]);
SELECT explain.gradient_array(NULL::explain.model, '{40}'::float8[]) IS NULL AS a, explain.gradient_array(m('linear'), NULL::float8[]) IS NULL AS b,
	(SELECT count(*) FROM explain.feature_gradient(m('linear'), NULL::jsonb)) AS c;

-- top_k and direction; there is no rest, as derivatives have no sum
SELECT rank, feature, attribution, kind FROM explain.feature_gradient(m('known'), '{40,0,1,2}'::float8[], top_k => 2);
SELECT rank, feature, attribution, kind FROM explain.feature_gradient(m('known'), '{40,0,1,2}'::float8[], direction => 'down');

-- gradient x input
SELECT feature, feature_value, attribution FROM explain.feature_gradient(m('linear'), '{40,1,0,2}'::float8[], method => 'gradient_x_input');

-- SmoothGrad: of a linear model the gradient; repeatable; standard errors
SELECT feature, attribution, std_error, method FROM explain.feature_gradient(m('known'), '{40,1,0,2}'::float8[], method => 'smooth') WHERE feature IN ('age', 'income');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], method => 'smooth', space => 'response') = explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], method => 'smooth', space => 'response') AS same_seed,
	explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], method => 'smooth', space => 'response') <> explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], method => 'smooth', space => 'response', seed => 1) AS other_seed,
	explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], method => 'smooth', space => 'response', samples => 1) = explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], space => 'response') AS one_sample,
	explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], method => 'smooth', space => 'response', noise => 0) = explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], space => 'response') AS no_noise,
	explain.gradient_array(m('linear'), '{40,1,0,2}'::float8[], method => 'smooth', space => 'response', sigma => '{0,0,0,0}') = explain.gradient_array(m('linear'), '{40,1,0,2}'::float8[], space => 'response') AS no_sigma;
SELECT a.feature, abs(a.attribution - b.attribution) < 4.5 * sqrt(a.std_error ^ 2 + b.std_error ^ 2) AS agree, b.std_error < a.std_error / 5 AS smaller,
	(a.ci_high - a.ci_low) / a.std_error BETWEEN 3.9199 AND 3.92 AS interval
FROM explain.feature_gradient(m('network'), '{0.5,0.5}'::float8[], method => 'smooth', sigma => '{0.5,0.5}', samples => 100) a
JOIN explain.feature_gradient(m('network'), '{0.5,0.5}'::float8[], method => 'smooth', sigma => '{0.5,0.5}', samples => 10000, seed => -7) b USING (feature) ORDER BY 1;
SELECT feature, attribution > 0 AS positive, std_error > 0 AS sampled, method FROM explain.feature_gradient(m('network'), '{0.5,0.5}'::float8[], method => 'smooth_variance', sigma => '{0.5,0.5}') ORDER BY 1;
SELECT feature, attribution > 0 AS positive, std_error > 0 AS sampled, method FROM explain.feature_gradient(m('network'), '{0.5,0.5}'::float8[], method => 'smooth_squared', sigma => '{0.5,0.5}') ORDER BY 1;
-- the mean of squares is the square of the mean and the variance (with n - 1)
SELECT abs(s.a[1] - (g.a[1] ^ 2 + v.a[1] * 49 / 50)) < 1e-12 * s.a[1] AS decomposition
FROM explain.gradient_array(m('network'), '{0.5,0.5}'::float8[], method => 'smooth', sigma => '{0.5,0.5}') AS g(a),
	explain.gradient_array(m('network'), '{0.5,0.5}'::float8[], method => 'smooth_squared', sigma => '{0.5,0.5}') AS s(a),
	explain.gradient_array(m('network'), '{0.5,0.5}'::float8[], method => 'smooth_variance', sigma => '{0.5,0.5}') AS v(a);

-- finite differences: the way for trees; the window is shown
SELECT feature, attribution, reference_value, step, method FROM explain.feature_gradient(m('known tree'), '{1.5,0}'::float8[], method => 'finite_difference');
SELECT feature, attribution, step FROM explain.feature_gradient(m('known tree'), '{1.5,0}'::float8[], method => 'finite_difference', window_sd => 0.25) WHERE step IS NOT NULL;
SELECT explain.gradient_array(m('known tree'), '{1.5,0}'::float8[], method => 'finite_difference');
SELECT abs(a[1] - 0.02) < 1e-15 AS linear FROM explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], method => 'finite_difference') AS a;

-- ReLU: the derivative at the kink is 0; guided backpropagation and deconvnet by hand
SELECT explain.gradient_array(m('network'), '{1,2}'::float8[]);
SELECT feature, attribution, base_value, prediction, residual, method FROM explain.guided_backprop(m('network'), '{1,2}'::float8[]);
SELECT feature, attribution, base_value, prediction, residual, method FROM explain.deconvnet(m('network'), '{1,2}'::float8[]);
SELECT feature, attribution FROM explain.deconvnet(m('network'), '{"x": 1, "y": 2}'::jsonb, top_k => 1, direction => 'down');
SELECT explain.gradient_array(m('network'), '{1,2}'::float8[], method => 'guided_backprop') AS guided, explain.gradient_array(m('network'), '{1,2}'::float8[], method => 'deconvnet') AS deconvnet;
SELECT explain.gradient_array(m('image'), '{{{1,0,1},{0,1,0}}}'::float8[]) AS gradient, explain.gradient_array(m('image'), '{{{1,0,1},{0,1,0}}}'::float8[], method => 'guided_backprop') AS guided;

-- what is refused
SELECT explain.gradient_array(m('tree'), '{1,0}'::float8[]);
SELECT * FROM explain.feature_gradient(m('tree'), '{1,0}'::float8[], method => 'smooth', sigma => '{1,1}');
SELECT explain.gradient_array(m('tree'), '{1,0}'::float8[], method => 'finite_difference');
SELECT explain.gradient_array(m('bins'), '{1}'::float8[]);
SELECT explain.gradient_array(m('hinge'), '{1}'::float8[], space => 'response');
SELECT explain.gradient_array(m('log'), '{355}'::float8[], space => 'response');
SELECT explain.gradient_array(m('linear'), '{40,1,0,2}'::float8[], method => 'smoothgrad');
SELECT explain.gradient_array(m('linear'), '{40,1,0,2}'::float8[], method => 'smooth');
SELECT explain.gradient_array(m('linear'), '{40,1,0,2}'::float8[], method => 'smooth', sigma => '{1.7e308,0,0,0}');
SELECT explain.gradient_array(explain.with_background(explain.linear_model('{age}', '{2}'), '{{10},{50}}'::float8[]), '{30}'::float8[],
	method => 'smooth', noise => 1e308);
SELECT explain.gradient_array(m('linear'), '{Infinity,1,0,2}'::float8[]);
SELECT explain.gradient_array(m('linear'), '{NaN,1,0,2}'::float8[]);
SELECT explain.gradient_array(m('softmax'), '{1,2}'::float8[]);
SELECT * FROM explain.guided_backprop(m('tanh'), '{1,2}'::float8[]);
SELECT * FROM explain.guided_backprop(m('linear'), '{40,1,0,2}'::float8[]);
SELECT explain.gradient_array(m('network'), '{1,2}'::float8[], space => 'response', method => 'deconvnet');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], method => 'smooth', sigma => '{1,2}');
SELECT explain.gradient_array(m('known'), '{1e30,1,0,2}'::float8[], method => 'finite_difference');
\set VERBOSITY sqlstate
SELECT explain.gradient_array(m('tree'), '{1,0}'::float8[]);
SELECT explain.gradient_array(m('tree'), '{1,0}'::float8[], method => 'finite_difference');
SELECT explain.gradient_array(m('bins'), '{1}'::float8[]);
SELECT explain.gradient_array(m('hinge'), '{1}'::float8[], space => 'response');
SELECT explain.gradient_array(m('log'), '{355}'::float8[], space => 'response');
SELECT explain.gradient_array(m('linear'), '{40,1,0,2}'::float8[], method => 'smoothgrad');
SELECT explain.gradient_array(m('linear'), '{NaN,1,0,2}'::float8[]);
SELECT explain.gradient_array(m('linear'), '{40,1,0}'::float8[]);
SELECT explain.gradient_array(m('softmax'), '{1,2}'::float8[]);
SELECT explain.gradient_array(m('softmax'), '{1,2}'::float8[], 'd');
SELECT * FROM explain.guided_backprop(m('tanh'), '{1,2}'::float8[]);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], samples => 0);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], samples => -2147483648);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], samples => 2147483647);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], samples => NULL);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], noise => -1);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], noise => 'NaN');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], noise => 'Infinity');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], noise => NULL);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], sigma => '{1,2}');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], sigma => '{1,2,3,4,5}');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], sigma => '{}');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], sigma => '{{1,2},{3,4}}');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], sigma => '{1,2,NULL,4}');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], sigma => '{1,2,-3,4}');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], sigma => '{1,2,NaN,4}');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], seed => NULL);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], window_sd => 0);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], window_sd => 5e-324);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], window_sd => 1e300);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], window_sd => 'NaN');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], window_sd => NULL);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], method => 'smooth_variance', samples => 1);
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], space => NULL);
SELECT * FROM explain.feature_gradient(m('known'), '{40,1,0,2}'::float8[], top_k => 0);
SELECT * FROM explain.feature_gradient(m('known'), '{40,1,0,2}'::float8[], direction => 'sideways');
SELECT explain.gradient_array(m('known'), '{40,1,0,2}'::float8[], seed => -9223372036854775808, method => 'smooth') IS NOT NULL AS smallest_seed;
\set VERBOSITY default

-- the same in a parallel plan, and by name
CREATE TABLE many AS SELECT i AS id, sin(i) AS x, cos(i) AS y FROM generate_series(1, 2000) AS i;
ALTER TABLE many SET (parallel_workers = 2);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN RETURN QUERY EXECUTE ''EXPLAIN '' || query; END';
SELECT count(*) AS gathers FROM plan_of($$SELECT explain.attribution_summary(explain.gradient_array((SELECT m FROM models WHERE name = 'network'), r)) FROM many r$$) AS line WHERE line LIKE '%Gather%';
SELECT explain.attribution_summary(explain.gradient_array((SELECT m FROM models WHERE name = 'network'), r)) AS parallel FROM many r \gset
SET max_parallel_workers_per_gather = 0;
SELECT explain.attribution_summary(explain.gradient_array((SELECT m FROM models WHERE name = 'network'), r))::text = :'parallel' AS same_bits FROM many r;
RESET ALL;
CALL explain.create_registry();
SELECT explain.register_model('gradient test', m('network'));
SELECT explain.gradient_array('gradient test', '{1,2}'::float8[]), (SELECT count(*) FROM explain.feature_gradient('gradient test', '{1,2}'::float8[])),
	(SELECT count(*) FROM explain.guided_backprop('gradient test', '{1,2}'::float8[]));
DROP TABLE explain.model_versions CASCADE;

DROP TABLE models, people, many;
DROP FUNCTION m(text), plan_of(text);
