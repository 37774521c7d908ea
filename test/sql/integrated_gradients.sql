--
-- Integrated gradients and expected gradients
--
SET extra_float_digits = 0;
CREATE TABLE ig_models (name text PRIMARY KEY, m explain.model);
INSERT INTO ig_models VALUES
-- 4 relu(a - 1) + 2 relu(b - a): two kinks
('relu', '{"family":"network","features":["a","b"],"layers":[
	{"kind":"dense","weights":[[1,0],[-1,1]],"bias":[-1,0]},{"kind":"relu"},{"kind":"dense","weights":[[4,2]],"bias":[1]}]}'),
('sigmoid', '{"family":"network","features":["a","b"],"layers":[
	{"kind":"dense","weights":[[1,0],[-1,1]],"bias":[-1,0]},{"kind":"relu"},{"kind":"dense","weights":[[1,2]],"bias":[0]},{"kind":"sigmoid"}],
	"background":{"rows":[[0,0],[1,2],[2,4]]}}'),
('tanh', '{"family":"network","features":["a","b"],"layers":[
	{"kind":"dense","weights":[[1,0],[-1,1]],"bias":[-1,0]},{"kind":"tanh"},{"kind":"dense","weights":[[1,2]],"bias":[0]}],
	"background":{"rows":[[0,0],[1,2],[2,4]]}}'),
('classes', '{"family":"network","features":["a","b"],"outputs":["x","y","z"],"layers":[
	{"kind":"dense","weights":[[1,0],[-1,1],[0,3]],"bias":[-1,0,0]},{"kind":"relu"},
	{"kind":"dense","weights":[[1,2,0],[0,1,1],[1,0,1]],"bias":[0,0,0]},{"kind":"softmax"}]}'),
('logit', '{"family":"linear","features":["a","b"],"link":"logit","intercept":1,"coefficients":{"a":2,"b":-1},
	"background":{"rows":[[0,0],[1,2],[2,4]]}}'),
('linear', '{"family":"linear","features":["a","b"],"intercept":1,"coefficients":{"a":2,"b":-1}}'),
('colour', '{"family":"linear","features":["a",{"name":"c","levels":["red","green"]}],"intercept":0,"columns":[
	{"feature":"a","coefficient":2},{"feature":"c","level":"red","coefficient":8},{"feature":"c","level":"green","coefficient":4}],
	"background":{"rows":[[1,"red"],[1,"red"],[1,"green"],[1,"green"]]}}'),
('step', '{"family":"linear","features":["a"],"link":"step","intercept":0,"coefficients":{"a":1}}'),
('inverse', '{"family":"linear","features":["a"],"link":"inverse","intercept":-1,"coefficients":{"a":1}}'),
('tree', '{"family":"tree","features":["a"],"trees":[
	{"feature":["a",null,null],"threshold":[0.5,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,0,8]}]}');

-- the row contract
\x
SELECT e.* FROM ig_models, explain.integrated_gradients(m, '{3,4}'::float8[]) e WHERE name = 'relu' AND rank = 1;
SELECT e.* FROM ig_models, explain.expected_gradients(m, '{3,4}'::float8[]) e WHERE name = 'logit' AND rank = 1;
\x

-- from 0 to (3,4): unit 1 wakes up at 1/3, unit 2 is awake all the way
-- a: 3 (4 * 2/3 - 2) = 2, b: 4 * 2 = 8
SELECT explain.integrated_gradient_array(m, '{3,4}'::float8[]),
       explain.integrated_gradient_array(m, '{3,4}'::float8[], reference => '{3,0}'::float8[]) AS other_reference,
       explain.integrated_gradient_array(m, '{3,4}'::float8[], reference => '{3,4}'::float8[]) AS itself
FROM ig_models WHERE name = 'relu';

-- the baseline: auto is the mean where there is a background
SELECT name, baseline, explain.integrated_gradient_array(m, '{3,1}'::float8[], baseline => baseline)
FROM ig_models, unnest('{auto,mean,zero}'::text[]) AS baseline WHERE name IN ('logit', 'tanh') ORDER BY 1, 2;
SELECT explain.integrated_gradient_array(m, '{3,1}'::float8[]) = explain.integrated_gradient_array(m, '{3,1}'::float8[], baseline => 'zero') AS auto_is_zero
FROM ig_models WHERE name = 'linear';
SELECT explain.integrated_gradient_array(m, '{3,1}'::float8[], baseline => NULL) FROM ig_models WHERE name = 'linear';
-- of a linear model with the mean they are its Shapley values
SELECT explain.integrated_gradient_array(m, '{3,1}'::float8[]) = explain.shap_array(m, '{3,1}'::float8[]) AS as_shapley FROM ig_models WHERE name = 'logit';
-- a category starts from the shares of its levels
SELECT feature, feature_value, attribution, base_value FROM ig_models, explain.integrated_gradients(m, '{"a":1,"c":"red"}'::jsonb) WHERE name = 'colour' ORDER BY rank;
SELECT feature, feature_value, attribution, base_value
FROM ig_models, explain.integrated_gradients(m, '{"a":1,"c":"red"}'::jsonb, reference => '{"a":0,"c":"green"}'::jsonb) WHERE name = 'colour' ORDER BY rank;

-- response space: closed form of the logistic model, w d (s(z) - s(z0)) / (z - z0)
SELECT feature, abs(attribution - CASE feature WHEN 'a' THEN 6 ELSE -1 END * (prediction - base_value) / 5) < 1e-15 AS closed_form
FROM ig_models, explain.integrated_gradients(m, '{3,1}'::float8[], space => 'response', baseline => 'zero') WHERE name = 'logit' ORDER BY rank;
SELECT name, output, round(sum(attribution)::numeric, 6) AS sum, round(min(base_value)::numeric, 6) AS base, max(abs(residual)) < 1e-12 AS complete
FROM ig_models, explain.integrated_gradients(m, '{3,4}'::float8[], space => 'response')
WHERE name IN ('relu', 'sigmoid', 'tanh', 'classes') GROUP BY name, output ORDER BY 1, 2;
-- tolerance
SELECT max(abs(a - b)) < 1e-4 AS loose_is_near, max(abs(a - b)) > 0 AS but_not_the_same
FROM ig_models, unnest(explain.integrated_gradient_array(m, '{30,-11}'::float8[], tolerance => 1e-3),
	explain.integrated_gradient_array(m, '{30,-11}'::float8[], tolerance => 1e-12)) AS u (a, b) WHERE name = 'tanh';

-- what is shown
SELECT rank, feature, feature_value, kind FROM ig_models, explain.integrated_gradients(m, '{3,4}'::float8[], top_k => 1) WHERE name = 'relu' ORDER BY rank;
SELECT count(*) FROM ig_models, explain.integrated_gradients(m, '{3,4}'::float8[], direction => 'down', rest => false) WHERE name = 'relu';
SELECT DISTINCT output FROM ig_models, explain.integrated_gradients(m, '{3,4}'::float8[]) WHERE name = 'classes' ORDER BY 1;
SELECT DISTINCT output FROM ig_models, explain.integrated_gradients(m, '{3,4}'::float8[], output => 'y') WHERE name = 'classes' ORDER BY 1;
SELECT explain.integrated_gradient_array(m, '{3,4}'::float8[]) FROM ig_models WHERE name = 'classes';

-- inputs of all kinds
SELECT DISTINCT explain.integrated_gradient_array(m, '{3,4}'::float8[]) = x AS same
FROM ig_models, unnest(ARRAY[1]) AS one, LATERAL (VALUES
	(explain.integrated_gradient_array(m, '{"a":3,"b":4}'::jsonb)),
	(explain.integrated_gradient_array(m, (SELECT r FROM (SELECT 4 AS b, 3 AS a) r)))) AS v (x) WHERE name = 'relu';
SELECT explain.integrated_gradient_array(NULL::explain.model, '{3,4}'::float8[]) IS NULL AS null_model,
       explain.integrated_gradient_array(m, NULL::float8[]) IS NULL AS null_row,
       explain.expected_gradient_array(m, NULL::float8[]) IS NULL AS null_row_too
FROM ig_models WHERE name = 'sigmoid';
SELECT count(*) FROM ig_models, explain.integrated_gradients(m, NULL::float8[]) WHERE name = 'relu';
SELECT count(*) FROM ig_models, explain.expected_gradients(m, NULL::float8[]) WHERE name = 'sigmoid';

-- expected gradients: the exact base value; within their interval of the mean of integrated gradients
SELECT feature, abs(e.attribution - truth) BETWEEN 1e-9 AND 4 * std_error AS within_error,
       round((ci_high - ci_low)::numeric / std_error::numeric, 1) BETWEEN 3.9 AND 4.5 AS width,
       abs(base_value - base) < 1e-12 AS base, method
FROM ig_models, explain.expected_gradients(m, '{1,5}'::float8[]) e,
	LATERAL (SELECT avg(explain.predict(m, b)) AS base FROM (VALUES ('{0,0}'::float8[]), ('{1,2}'), ('{2,4}')) AS v (b)) AS p,
	LATERAL (SELECT avg(i.attribution) AS truth FROM (VALUES ('{0,0}'::float8[]), ('{1,2}'), ('{2,4}')) AS v (b),
		explain.integrated_gradients(m, '{1,5}'::float8[], reference => b) i WHERE i.feature = e.feature) AS t
WHERE name = 'tanh' ORDER BY feature;
SELECT explain.expected_gradient_array(m, x) = explain.expected_gradient_array(m, x, seed => 0) AS same_seed,
       explain.expected_gradient_array(m, x) = explain.expected_gradient_array(m, x, seed => 1) AS other_seed
FROM ig_models, (VALUES ('{1,5}'::float8[])) AS v (x) WHERE name = 'tanh';
-- samples spread over parallel workers are the same samples
SELECT count(DISTINCT explain.expected_gradient_array(m, x)) FROM ig_models, generate_series(1, 100), (VALUES ('{1,5}'::float8[])) AS v (x) WHERE name = 'tanh';
-- a reference row instead of a background: only the path is sampled, and a linear model has nothing to sample then
SELECT feature, round(attribution::numeric, 12) AS attribution, std_error < 1e-12 AS exact, residual < 1e-12 AS complete
FROM ig_models, explain.expected_gradients(m, '{3,1}'::float8[], reference => '{1,1}'::float8[]) WHERE name = 'linear' ORDER BY rank;
SELECT feature, std_error > 0 AS sampled, abs(residual) < 1 AS near FROM ig_models, explain.expected_gradients(m, '{3,1}'::float8[], space => 'response') WHERE name = 'sigmoid' ORDER BY feature;
SELECT rank, kind, std_error IS NULL AS no_error FROM ig_models, explain.expected_gradients(m, '{3,1}'::float8[], top_k => 1) WHERE name = 'sigmoid' ORDER BY rank;

-- bad input
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT call, pg_temp.outcome(format('SELECT explain.%s FROM ig_models WHERE name = %L', call, name)) AS outcome FROM (VALUES
	(1, 'tanh', 'integrated_gradient_array(m, ''{3,4}''::float8[], tolerance => 0)'),
	(2, 'relu', 'integrated_gradient_array(m, ''{3,4}''::float8[], tolerance => -1)'),
	(3, 'tanh', 'integrated_gradient_array(m, ''{3,4}''::float8[], tolerance => ''NaN'')'),
	(4, 'tanh', 'integrated_gradient_array(m, ''{3,4}''::float8[], tolerance => ''Infinity'')'),
	(5, 'tanh', 'integrated_gradient_array(m, ''{3,4}''::float8[], tolerance => NULL)'),
	(6, 'relu', 'integrated_gradient_array(m, ''{3,4}''::float8[], baseline => ''avg'')'),
	(7, 'relu', 'integrated_gradient_array(m, ''{3,4}''::float8[], baseline => ''mean'')'),
	(8, 'relu', 'integrated_gradient_array(m, ''{3,NaN}''::float8[])'),
	(9, 'relu', 'integrated_gradient_array(m, ''{3,NULL}''::float8[])'),
	(10, 'relu', 'integrated_gradient_array(m, ''{3,4}''::float8[], reference => ''{3,Infinity}''::float8[])'),
	(11, 'relu', 'integrated_gradient_array(m, ''{3,4}''::float8[], reference => ''{3}''::float8[])'),
	(12, 'relu', 'integrated_gradient_array(m, ''{3,4}''::float8[], output => ''nobody'')'),
	(13, 'relu', 'integrated_gradient_array(m, ''{3,4}''::float8[], space => NULL)'),
	(14, 'relu', 'integrated_gradient_array(m, ''{1e308,-1e308}''::float8[], reference => ''{-1e308,1e308}''::float8[])'),
	(15, 'tree', 'integrated_gradient_array(m, ''{1}''::float8[])'),
	(16, 'tree', 'expected_gradient_array(m, ''{1}''::float8[], reference => ''{0}''::float8[])'),
	(17, 'step', 'integrated_gradient_array(m, ''{1}''::float8[], space => ''response'')'),
	(18, 'step', 'expected_gradient_array(m, ''{1}''::float8[], space => ''response'', reference => ''{0}''::float8[])'),
	(19, 'inverse', 'integrated_gradient_array(m, ''{3}''::float8[], space => ''response'')'),
	(20, 'relu', 'expected_gradient_array(m, ''{3,4}''::float8[])'),
	(21, 'tanh', 'expected_gradient_array(m, ''{3,4}''::float8[], samples => 0)'),
	(22, 'tanh', 'expected_gradient_array(m, ''{3,4}''::float8[], samples => -1)'),
	(23, 'tanh', 'expected_gradient_array(m, ''{3,4}''::float8[], samples => 1)'),
	(24, 'tanh', 'expected_gradient_array(m, ''{3,4}''::float8[], samples => 2147483647)'),
	(25, 'tanh', 'expected_gradient_array(m, ''{3,4}''::float8[], samples => NULL)'),
	(26, 'tanh', 'expected_gradient_array(m, ''{3,4}''::float8[], seed => NULL)'),
	(27, 'tanh', 'expected_gradient_array(m, ''{3,4}''::float8[], seed => -9223372036854775808)'),
	(28, 'tanh', 'expected_gradient_array(m, ''{NaN,4}''::float8[])'),
	(29, 'tree', 'integrated_gradients(m, ''{1}''::float8[], top_k => 0)'),
	(30, 'tree', 'expected_gradient_array(m, ''{1}''::float8[])')
	) AS v (i, name, call) ORDER BY i;
DROP TABLE ig_models;
