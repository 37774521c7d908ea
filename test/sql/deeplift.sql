--
-- DeepLIFT, and Shapley values of networks
--
\getenv test PG_ABS_SRCDIR
\cd :test
SET extra_float_digits = 0;
CREATE TABLE models (name text PRIMARY KEY, m explain.model);
INSERT INTO models VALUES
-- relu(a + b - 1) * 3 + 1/4
('relu', '{"family":"network","features":["a","b"],"layers":[
	{"kind":"dense","weights":[[1,1]],"bias":[-1]},{"kind":"relu"},{"kind":"dense","weights":[[3]],"bias":[0.25]}]}'),
('sigmoid', '{"family":"network","features":["a","b"],"background":{"rows":[[0,0],[1,0],[0,2]]},"layers":[
	{"kind":"dense","weights":[[1,-1],[0.5,2]],"bias":[0,-0.5]},{"kind":"tanh"},{"kind":"dense","weights":[[2,-1]],"bias":[0.5]},{"kind":"sigmoid"}]}'),
('classes', '{"family":"network","features":["a","b"],"outputs":["x","y","z"],"background":{"rows":[[0,0],[1,0],[0,2]]},"layers":[
	{"kind":"dense","weights":[[1,-1],[0.5,2]],"bias":[0,-0.5]},{"kind":"relu"},
	{"kind":"dense","weights":[[1,0],[0,1],[-1,1]],"bias":[0,1,0]},{"kind":"softmax"}]}'),
('colours', '{"family":"network","features":["size",{"name":"colour","kind":"categorical","levels":["red","green","blue"]}],
	"columns":[{"feature":"size","center":1,"scale":2},{"feature":"colour","level":"red"},{"feature":"colour","level":"green"},{"feature":"colour","level":"blue"}],
	"background":{"rows":[[0,"red"],[2,"green"],[4,"green"],[1,"blue"]]},
	"layers":[{"kind":"dense","weights":[[1,2,-1,0.5],[-1,0.5,1,2]],"bias":[0.1,-0.2]},{"kind":"tanh"},{"kind":"dense","weights":[[1,-2]],"bias":[0.3]}]}'),
('linear', '{"family":"linear","features":["a","b"],"link":"logit","intercept":1,"coefficients":{"a":2,"b":-1},
	"background":{"rows":[[0,0],[1,2],[2,4]]}}'),
('tree', '{"family":"tree","features":["a","b"],"trees":[
	{"feature":["a",null,null],"threshold":[0.5,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,0,8]}]}');

-- the unit goes from -1 to 1, its output from 0 to 1: half of the weight, where the gradient at the reference is 0
\x
SELECT e.* FROM models, explain.deeplift(m, '{1,1}'::float8[]) e WHERE name = 'relu' AND rank = 1;
\x
SELECT explain.deeplift_array(m, '{1,1}'::float8[]), explain.deeplift_array(m, '{1,1}'::float8[], reference => '{1,1}'::float8[]) AS against_itself,
	explain.deeplift_array(m, '{1,1}'::float8[], reference => '{1,0}'::float8[]) AS one_changed
FROM models WHERE name = 'relu';

-- baselines; the mean of the columns is the base of categories
SELECT baseline, feature, feature_value, round(attribution::numeric, 6) AS attribution, round(base_value::numeric, 6) AS base, abs(residual) < 1e-14 AS adds_up
FROM models, unnest(ARRAY['auto', 'zero', 'mean', 'background']::text[]) WITH ORDINALITY AS t(baseline, i),
	explain.deeplift(m, '{"size":3,"colour":"blue"}'::jsonb, baseline => baseline::explain.label) WHERE name = 'colours' ORDER BY i, rank;
SELECT explain.deeplift_array(m, '{3,2}'::float8[], baseline => 'background') = explain.shap_array(m, '{3,2}'::float8[], method => 'deep') AS deep_shap,
	explain.base_value(m, method => 'deep') = explain.base_value(m, method => 'exact') AS one_base
FROM models WHERE name = 'colours';

-- response space: the link is one more unit
SELECT feature, round(attribution::numeric, 8) AS attribution, round(base_value::numeric, 8) AS base, round(prediction::numeric, 8) AS prediction, abs(residual) < 1e-14 AS adds_up, space, method
FROM models, explain.deeplift(m, '{1,0.5}'::float8[], space => 'response', baseline => 'background') WHERE name = 'sigmoid' ORDER BY rank;
SELECT name, feature, round(attribution::numeric, 8) AS attribution, abs(residual) < 1e-14 AS adds_up
FROM models, explain.deeplift(m, '{1,0.5}'::float8[], space => 'response') WHERE name IN ('sigmoid', 'linear') ORDER BY name, rank;

-- several outputs; what is shown
SELECT output, feature, attribution, base_value, prediction FROM models, explain.deeplift(m, '{2,-1}'::float8[], baseline => 'zero') WHERE name = 'classes' ORDER BY output, rank;
SELECT rank, feature, feature_value, attribution, kind FROM models, explain.deeplift(m, '{2,-1}'::float8[], output => 'z', top_k => 1, baseline => 'zero') WHERE name = 'classes';
SELECT feature, attribution FROM models, explain.deeplift(m, '{2,-1}'::float8[], output => 'z', direction => 'up', rest => false, baseline => 'zero') WHERE name = 'classes';

-- a linear model: coefficient times difference
SELECT explain.deeplift_array(m, '{3,1}'::float8[]), explain.shap_array(m, '{3,1}'::float8[]) FROM models WHERE name = 'linear';

-- nulls
SELECT explain.deeplift_array(NULL::explain.model, '{1,1}'::float8[]), explain.deeplift_array(m, NULL::float8[]) FROM models WHERE name = 'relu';
SELECT count(*) FROM models, explain.deeplift(m, NULL::jsonb) WHERE name = 'relu';

--
-- Shapley values: all coalitions, by default where they are few
--
SELECT feature, attribution, base_value, abs(residual) < 1e-14 AS adds_up, method FROM models, explain.shap_values(m, '{1,1}'::float8[], reference => '{0,0}'::float8[]) WHERE name = 'relu' ORDER BY rank;
SELECT output, feature, round(attribution::numeric, 8) AS attribution, abs(residual) < 1e-14 AS adds_up, space
FROM models, explain.shap_values(m, '{2,-1}'::float8[], space => 'response') WHERE name = 'classes' ORDER BY output, rank;
SELECT output, feature, round(attribution::numeric, 8) AS attribution, abs(residual) < 1e-14 AS adds_up, method
FROM models, explain.shap_values(m, '{2,-1}'::float8[], output => 'x', versus => 'y', method => 'deep') WHERE name = 'classes' ORDER BY rank;
SELECT feature, other_feature, round(attribution::numeric, 8) AS attribution, kind FROM models, explain.shap_interactions(m, '{1,0.5}'::float8[]) WHERE name = 'sigmoid' ORDER BY rank;
-- responses of other families, which have no closed form
SELECT name, feature, round(attribution::numeric, 8) AS attribution, round(base_value::numeric, 8) AS base, abs(residual) < 1e-14 AS adds_up, method
FROM models, explain.shap_values(m, '{3,1}'::float8[], space => 'response', method => 'exact') WHERE name = 'linear' ORDER BY rank;
SELECT explain.shap_array(m, '{1,1}'::float8[], method => 'exact', reference => '{0,0}'::float8[]) FROM models WHERE name = 'tree';

-- against all coalitions enumerated in Python, and the rescale rule in numpy
CREATE TEMP TABLE line (name text, what text, row_id int, line text);
\copy line FROM PROGRAM 'cd data/explanations && for m in mlp_relu mlp_tanh; do for w in rows background shap interactions deep; do awk -v "w=$m\t$w" "NR > 1 {print w \"\\t\" NR - 1 \"\\t\" \$0}" $m/$w.csv; done; done'
CREATE TEMP TABLE golden AS SELECT name, what, row_id, string_to_array(line, ',')::float8[] AS value FROM line;
CREATE TEMP TABLE document (name text, content text);
\copy document FROM PROGRAM 'cd data/explanations && for m in mlp_relu mlp_tanh; do printf "%s\t" $m; tr -d "\n" < $m/model.json; echo; done'
-- their weights are [in][out]
CREATE FUNCTION transposed(w jsonb) RETURNS jsonb LANGUAGE sql AS
	'SELECT jsonb_agg(col ORDER BY o) FROM (SELECT o, jsonb_agg(v ORDER BY i) AS col FROM jsonb_array_elements(w) WITH ORDINALITY r(row_values, i), jsonb_array_elements(row_values) WITH ORDINALITY c(v, o) GROUP BY o) t';
INSERT INTO models
SELECT d.name, explain.with_background(jsonb_build_object('family', 'network', 'features', (SELECT jsonb_agg('c' || i) FROM generate_series(0, 9) i),
	'layers', (SELECT jsonb_agg(jsonb_build_object('kind', 'dense', 'weights', transposed(w), 'bias', c -> 'intercepts' -> (i - 1)::int)
		|| CASE WHEN i < jsonb_array_length(c -> 'coefs') THEN jsonb_build_object('activation', c ->> 'activation') ELSE '{}' END ORDER BY i)
		FROM jsonb_array_elements(c -> 'coefs') WITH ORDINALITY l(w, i)))::text::explain.model,
	(SELECT array_agg(value ORDER BY row_id) FROM golden g WHERE g.name = d.name AND what = 'background'))
FROM document d, LATERAL (SELECT content::jsonb AS c) j;
SELECT r.name, count(*) AS values, max(abs(phi - e.value[i])) < 1e-12 AS exact
FROM golden r JOIN golden e USING (name, row_id) JOIN models m USING (name),
	LATERAL unnest(explain.shap_array(m, r.value)) WITH ORDINALITY a(phi, i)
WHERE r.what = 'rows' AND e.what = 'shap' GROUP BY 1 ORDER BY 1;
SELECT r.name, count(*) AS values, max(abs(phi - e.value[i])) < 1e-12 AS exact
FROM golden r JOIN golden e USING (name, row_id) JOIN models m USING (name),
	LATERAL unnest(explain.shap_interaction_array(m, r.value)) WITH ORDINALITY a(phi, i)
WHERE r.what = 'rows' AND e.what = 'interactions' AND row_id % 10 = 1 GROUP BY 1 ORDER BY 1;
SELECT r.name, count(*) AS values, max(abs(phi - e.value[i])) < 1e-12 AS agrees
FROM golden r JOIN golden e USING (name, row_id) JOIN models m USING (name),
	LATERAL unnest(explain.deeplift_array(m, r.value, baseline => 'background')) WITH ORDINALITY a(phi, i)
WHERE r.what = 'rows' AND e.what = 'deep' GROUP BY 1 ORDER BY 1;

--
-- What is refused
--
\set VERBOSITY sqlstate
SELECT explain.deeplift_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'tree';
SELECT explain.deeplift_array(m, '{1,1}'::float8[], output => 'x', space => 'response') FROM models WHERE name = 'classes';
SELECT explain.deeplift_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'classes';
SELECT explain.deeplift_array(m, '{1,1}'::float8[], baseline => 'median') FROM models WHERE name = 'relu';
SELECT explain.deeplift_array(m, '{1,1}'::float8[], baseline => 'mean') FROM models WHERE name = 'relu';
SELECT explain.deeplift_array(m, '{1,1}'::float8[], baseline => 'background') FROM models WHERE name = 'relu';
SELECT explain.deeplift_array(m, '{1}'::float8[]) FROM models WHERE name = 'relu';
SELECT explain.deeplift_array(m, '{1,null}'::float8[]) FROM models WHERE name = 'relu';
SELECT explain.deeplift_array(m, '{1,nan}'::float8[]) FROM models WHERE name = 'relu';
SELECT explain.deeplift_array(m, '{1,inf}'::float8[]) FROM models WHERE name = 'relu';
SELECT explain.deeplift_array(m, '{1,1}'::float8[], reference => '{0,inf}'::float8[]) FROM models WHERE name = 'relu';
SELECT explain.deeplift_array(m, '{1e308,1e308}'::float8[]) FROM models WHERE name = 'relu';
SELECT explain.deeplift_array('{"family":"network","features":["a"],"layers":[{"kind":"dense","weights":[[1],[2]],"bias":[0,0]},{"kind":"softmax"},{"kind":"dense","weights":[[1,2]],"bias":[0]}]}'::explain.model, '{1}'::float8[]);
SELECT explain.shap_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'relu';
SELECT explain.shap_array(m, '{1,1}'::float8[], method => 'kernel') FROM models WHERE name = 'relu';
SELECT explain.shap_array(m, '{1,1}'::float8[], output => 'x', method => 'deep', space => 'response') FROM models WHERE name = 'classes';
SELECT explain.shap_interaction_array(m, '{1,1}'::float8[], output => 'x', method => 'deep') FROM models WHERE name = 'classes';
-- 21 features that vary are too many, and 20 are too many for auto
CREATE TEMP VIEW wide AS SELECT n, jsonb_build_object('family', 'network', 'features', (SELECT jsonb_agg('f' || i) FROM generate_series(1, n) i),
	'layers', jsonb_build_array(jsonb_build_object('kind', 'dense', 'weights', jsonb_build_array((SELECT jsonb_agg(i) FROM generate_series(1, n) i)), 'bias', '[0]'::jsonb)))::text::explain.model AS m,
	(SELECT array_agg(i::float8) FROM generate_series(1, n) i) AS input, array_fill(0::float8, ARRAY[n]) AS zeros
FROM unnest(ARRAY[12, 20, 21, 64, 65]) n;
SELECT explain.shap_array(m, input, reference => zeros) FROM wide WHERE n = 21;
SELECT explain.shap_array(m, input, reference => zeros, method => 'exact') FROM wide WHERE n = 21;
SELECT explain.shap_array(m, input, reference => zeros, method => 'exact') FROM wide WHERE n = 64;
SELECT explain.shap_array(m, input, reference => zeros, method => 'exact') FROM wide WHERE n = 65;
\set VERBOSITY default
SELECT n, abs((explain.shap_array(m, input, reference => zeros))[n] - n * n) < 1e-11 AS exact FROM wide WHERE n = 12;
-- only those that vary count
SELECT n, abs((explain.shap_array(m, input, reference => input[:n - 3] || '{0,0,0}'::float8[], method => 'exact'))[n] - n * n) < 1e-11 AS exact FROM wide ORDER BY n;
SELECT n, abs((explain.shap_array(m, input, reference => zeros, method => 'deep'))[n] - n * n) < 1e-11 AS deep FROM wide ORDER BY n;
-- and in words
SELECT explain.shap_array(m, input, reference => zeros) FROM wide WHERE n = 65;
SELECT explain.shap_array(m, input, reference => zeros, method => 'exact') FROM wide WHERE n = 65;
SELECT explain.shap_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'relu';
SELECT explain.deeplift_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'tree';
SELECT explain.deeplift_array(m, '{1,1}'::float8[], output => 'x', space => 'response') FROM models WHERE name = 'classes';
SELECT explain.deeplift_array(m, '{1,1}'::float8[], baseline => 'background') FROM models WHERE name = 'relu';

DROP VIEW wide;
DROP TABLE models;
DROP FUNCTION transposed;
