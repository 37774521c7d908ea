--
-- Shapley values: methods, options, the row contract
--
SET extra_float_digits = 0;
CREATE TABLE models (name text PRIMARY KEY, m explain.model);
INSERT INTO models VALUES
('linear', '{"family":"linear","features":["a","b"],"link":"logit","intercept":1,"coefficients":{"a":2,"b":-1},
	"background":{"rows":[[0,0],[1,2],[2,4]]}}'),
('log', '{"family":"linear","features":["a","b"],"link":"log","intercept":1,"coefficients":{"a":2,"b":-1},
	"background":{"rows":[[0,0],[1,2],[2,4]]}}'),
('bare', '{"family":"linear","features":["a","b"],"intercept":1,"coefficients":{"a":2,"b":-1}}'),
('and', '{"family":"tree","features":["a","b","c"],"trees":[
	{"feature":["a","b",null,null,null],"threshold":[0.5,0.5,null,null,null],
	 "left_child":[2,3,null,null,null],"right_child":[1,4,null,null,null],"value":[null,null,0,0,8],"cover":[4,2,2,1,1]}]}'),
('uncovered', '{"family":"tree","features":["a","b"],"trees":[
	{"feature":["a",null,null],"threshold":[0.5,null,null],"left_child":[1,null,null],"right_child":[2,null,null],"value":[null,0,8]}]}'),
('classes', '{"family":"linear","features":["a","b"],"outputs":["x","y","z"],"link":"softmax","intercept":[0,1,2],
	"coefficients":{"x":{"a":1},"y":{"b":1},"z":{"a":-1,"b":-1}},"background":{"rows":[[0,0],[1,1]]}}');

-- the row contract
\x
SELECT e.* FROM models, explain.shap_values(m, '{3,1}'::float8[]) e WHERE name = 'linear';
\x
-- AND of two features: 8 = 2 + 3 + 3, and 2 of 8 are expected
SELECT feature, attribution, base_value, prediction, residual, method
FROM models, explain.shap_values(m, '{1,1,0}'::float8[]) WHERE name = 'and' ORDER BY rank;
SELECT explain.shap_array(m, '{1,1,0}'::float8[]), explain.base_value(m) FROM models WHERE name = 'and';
SELECT explain.shap_interaction_array(m, '{1,1,0}'::float8[]) FROM models WHERE name = 'and';
SELECT rank, feature, other_feature, attribution, kind FROM models, explain.shap_interactions(m, '{1,1,0}'::float8[])
WHERE name = 'and' AND rank <= 5 ORDER BY rank;

-- method by name; a background does not change what auto does
SELECT explain.shap_array(b, '{1,1,0}'::float8[], method => 'tree_interventional') AS interventional,
       explain.shap_array(b, '{1,1,0}'::float8[]) = explain.shap_array(m, '{1,1,0}'::float8[]) AS auto_unchanged,
       explain.base_value(b, method => 'tree_interventional') AS base
FROM models, LATERAL (SELECT explain.with_background(m, '{{0,0,0},{1,1,1}}'::float8[]) AS b) x WHERE name = 'and';
-- against one row
SELECT explain.shap_array(m, '{1,1,0}'::float8[], reference => '{0,0,0}'::float8[]),
       explain.shap_array(m, '{1,1,0}'::float8[], reference => '{1,0,5}'::float8[]) FROM models WHERE name = 'and';
SELECT feature, attribution, base_value, method FROM models, explain.shap_values(m, '{"a":1}'::jsonb || '{"b":1}', reference => '{"a":0,"b":0}'::jsonb)
WHERE name = 'uncovered' ORDER BY rank;
SELECT explain.shap_array(m, '{3,1}'::float8[], reference => '{1,1}'::float8[]) FROM models WHERE name = 'bare';

-- what is shown: largest first, the rest in one row, one sign
SELECT rank, feature, feature_value, attribution, kind FROM models, explain.shap_values(m, '{1,1,0}'::float8[], top_k => 1) WHERE name = 'and';
SELECT rank, feature, feature_value, attribution, kind FROM models, explain.shap_values(m, '{1,1,0}'::float8[], top_k => 1, rest => false) WHERE name = 'and';
SELECT rank, feature, feature_value, attribution, kind FROM models, explain.shap_values(m, '{3,4}'::float8[], direction => 'up') WHERE name = 'linear';
SELECT rank, feature, feature_value, attribution, kind FROM models, explain.shap_values(m, '{3,4}'::float8[], direction => 'down', rest => false) WHERE name = 'linear';
SELECT count(*) FROM models, explain.shap_values(m, '{1,1,0}'::float8[], top_k => 99) WHERE name = 'and';

-- response space where it is exact
SELECT feature, attribution, base_value, prediction, space FROM models, explain.shap_values(m, '{1,1}'::float8[], space => 'response') WHERE name = 'log' ORDER BY rank;
SELECT abs(sum(attribution) + min(base_value) - min(prediction)) < 1e-12 AS additive
FROM models, explain.shap_values(m, '{1,1}'::float8[], space => 'response') WHERE name = 'log';
SELECT explain.base_value(m, space => 'response') FROM models WHERE name = 'linear';

-- several outputs
SELECT output, feature, attribution FROM models, explain.shap_values(m, '{1,2}'::float8[]) WHERE name = 'classes' ORDER BY output, rank;
SELECT output, feature, attribution, base_value, prediction, prediction_response
FROM models, explain.shap_values(m, '{1,2}'::float8[], output => 'x', versus => 'z') WHERE name = 'classes' ORDER BY rank;
SELECT explain.shap_array(m, '{1,2}'::float8[], output => 'y'), explain.predict(m, '{1,2}'::float8[], output => 'y', space => 'raw') FROM models WHERE name = 'classes';
SELECT output, raw, response FROM models, explain.predictions(m, '{1,2}'::float8[]) WHERE name = 'classes';

-- stored arrays back into rows
SELECT a.feature, a.attribution, a.residual, a.base_value FROM models,
	explain.attributions(m, explain.shap_array(m, '{1,1,0}'::float8[]), '{1,1,0}'::float8[]) a WHERE name = 'and' ORDER BY rank;
SELECT DISTINCT a.residual AS not_of_this_row FROM models, explain.attributions(m, explain.shap_array(m, '{1,1,0}'::float8[]), '{0,1,0}'::float8[]) a WHERE name = 'and';

-- refusals: each with its SQLSTATE
\set VERBOSITY sqlstate
SELECT explain.shap_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'bare';
SELECT explain.shap_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'uncovered';
SELECT explain.shap_array(m, '{1,1}'::float8[], method => 'tree_path_dependent') FROM models WHERE name = 'uncovered';
SELECT explain.shap_array(m, '{1,1}'::float8[], method => 'kernel') FROM models WHERE name = 'uncovered';
SELECT explain.shap_array(m, '{1,1}'::float8[], method => 'tree_path_dependent') FROM models WHERE name = 'linear';
SELECT explain.shap_array(m, '{1,1,1}'::float8[], method => 'tree_path_dependent', reference => '{0,0,0}'::float8[]) FROM models WHERE name = 'and';
SELECT explain.shap_array(m, '{1,1}'::float8[], space => 'response') FROM models WHERE name = 'linear';
SELECT explain.shap_array(m, '{1,1}'::float8[], space => 'probability') FROM models WHERE name = 'linear';
SELECT explain.shap_array(m, '{1,1}'::float8[], space => NULL) FROM models WHERE name = 'linear';
SELECT explain.shap_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'classes';
SELECT explain.shap_array(m, '{1,1}'::float8[], output => 'w') FROM models WHERE name = 'classes';
SELECT count(*) FROM models, explain.shap_values(m, '{1,1}'::float8[], versus => 'x') WHERE name = 'classes';
SELECT count(*) FROM models, explain.shap_values(m, '{1,1}'::float8[], top_k => 0) WHERE name = 'linear';
SELECT count(*) FROM models, explain.shap_values(m, '{1,1}'::float8[], direction => 'sideways') WHERE name = 'linear';
SELECT count(*) FROM models, explain.attributions(m, '{1}'::float8[], '{1,1}'::float8[]) WHERE name = 'linear';
SELECT count(*) FROM models, explain.attributions(m, '{1,null}'::float8[], '{1,1}'::float8[]) WHERE name = 'linear';
SELECT count(*) FROM models, explain.attributions(m, '{1,nan}'::float8[], '{1,1}'::float8[]) WHERE name = 'linear';
SELECT explain.predict(m, '{1e308,-1e308}'::float8[]) FROM models WHERE name = 'linear';
SELECT explain.predict(m, '{1000,0}'::float8[]) FROM models WHERE name = 'log';
\set VERBOSITY default
-- and in words
SELECT explain.shap_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'bare';
SELECT explain.shap_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'uncovered';
SELECT explain.shap_array(m, '{1,1}'::float8[], method => 'kernel') FROM models WHERE name = 'uncovered';
SELECT explain.shap_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'classes';
SELECT explain.predict('{"family":"linear"}', '{1,1}'::float8[]);

DROP TABLE models;
