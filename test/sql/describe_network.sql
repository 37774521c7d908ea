--
-- Networks as rows
--
\getenv test PG_ABS_SRCDIR
\cd :test

-- a perceptron over a number and a category, an image, two branches that meet
CREATE TEMP TABLE m AS SELECT 'perceptron' AS name, '{"family": "network", "features": ["age", {"name": "home", "levels": ["owner", "rent"], "unknown": "other"}],
	"columns": [{"feature": "age", "center": 40, "scale": 10}, {"feature": "home", "level": "rent"}], "outputs": ["no", "yes"], "link": "softmax",
	"layers": [{"kind": "dense", "name": "hidden", "weights": [[0.5, -1], [1.1, 2], [0, 4]], "bias": [1, -2, 0.5], "activation": "relu"},
		{"kind": "batch_norm", "mean": [0, 1, 2], "variance": [1, 4, 9], "gamma": [1, 2, 3]},
		{"kind": "dense", "weights": [[1, -3, 0.25], [0, 5, 6]], "bias": [0, 0.5]}]}'::explain.model AS model;
INSERT INTO m SELECT 'image', '{"family": "network", "image": {"channels": ["red", "blue"], "height": 4, "width": 5, "center": [1, 2], "scale": 8},
	"layers": [{"kind": "conv2d", "name": "edges", "kernel": [2, 3], "padding": [1, 0, 0, 1], "stride": [1, 2], "groups": 2, "channels": 4,
			"weights": [1, 2, 3, 4, 5, 6, -1, 0, 0, 0, 0, 1, 7, 7, 7, 7, 7, 7, 0, 0, 0, 0, 0, -9], "bias": [0, 1, 2, 3], "activation": "elu"},
		{"kind": "average_pool", "kernel": 2, "padding": 1, "counts_padding": true}, {"kind": "affine", "scale": 2, "shift": 1},
		{"kind": "flatten"}, {"kind": "dense", "units": 1, "weights": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]}]}';
INSERT INTO m SELECT 'branches', '{"family": "network", "features": ["a", "b"], "layers": [
	{"kind": "dense", "name": "left", "inputs": "input", "weights": [[1, 2], [3, 4]]}, {"kind": "tanh", "name": "squashed"},
	{"kind": "dense", "name": "right", "inputs": "input", "weights": [[5, 6], [7, 8]]},
	{"kind": "add", "name": "sum", "inputs": ["squashed", "right"]}, {"kind": "concat", "name": "all", "inputs": ["sum", "input"]}]}';

SELECT name, jsonb_pretty(explain.model_summary(model) - 'digest' - 'bytes' - 'shap_methods') FROM m WHERE name <> 'branches';
SELECT name, layer_number, layer, kind, sources, depth, channels, height, width, units, parameter_count FROM m, explain.layers(model);
SELECT name, layer, kernel, stride, padding, dilation, group_count, number FROM m, explain.layers(model)
WHERE kernel IS NOT NULL OR number IS NOT NULL;
SELECT name, o.* FROM m, explain.model_outputs(model) o;
SELECT name, feature_number, feature, kind, missing FROM m, explain.model_features(model) WHERE feature_number IN (1, 2, 40);
SELECT name, layer, layer_name, kind, sources, unit, unit_name, input, input_name, weight, kernel_y AS y, kernel_x AS x, level, center, scale, link
FROM m, explain.network_weights(model) WHERE name <> 'image' OR layer < 2;
SELECT name, layer, kernel, stride, padding, dilation, group_count, counts_padding, number, shape
FROM m, explain.network_weights(model) WHERE kernel IS NOT NULL OR number IS NOT NULL OR shape IS NOT NULL;

-- heat maps: a layer each, all or one; the cells are the weights
SELECT p.* FROM m, explain.model_parameters(model) p WHERE name = 'perceptron';
SELECT row_name, column_number, column_name, value, scaled, magnitude_rank FROM m, explain.model_parameters(model, 'edges') WHERE name = 'image';
SELECT layer, row_name, column_name, value FROM m, explain.model_parameters(model) WHERE name = 'image' AND layer <> 'edges' AND column_number IN (1, 24, 25);
SELECT name, count(*) AS cells, bool_and(abs(scaled) <= 1) AS scaled, count(*) FILTER (WHERE abs(scaled) = 1) > 0 AS largest,
	count(*) = (SELECT sum(parameter_count) FROM explain.layers(model)) AS complete,
	sum(value) = (SELECT sum(weight) FROM explain.network_weights(model)) AS same
FROM m, explain.model_parameters(model) GROUP BY name, model ORDER BY name;

-- drawings: units where there are few, layers otherwise
SELECT s.* FROM m, explain.model_structure(model) s WHERE name = 'perceptron';
SELECT element, kind, id, label, source, target, x, y, weight FROM m, explain.model_structure(model, 'layers') WHERE name = 'perceptron';
SELECT element, kind, id, label, source, target, x, y, weight FROM m, explain.model_structure(model) WHERE name = 'branches';
SELECT kind, id, label, x FROM m, explain.model_structure(model) WHERE name = 'image' AND element = 'node';
SELECT name, detail, count(*) FILTER (WHERE element = 'edge') AS edges,
	bool_and(element = 'node' OR EXISTS (SELECT FROM explain.model_structure(model, detail) t WHERE t.id = s.source)
		AND EXISTS (SELECT FROM explain.model_structure(model, detail) t WHERE t.id = s.target)) AS joined,
	count(DISTINCT (x, y)) FILTER (WHERE element = 'node') = count(*) FILTER (WHERE element = 'node') AS apart
FROM m, unnest(ARRAY['auto', 'layers']) detail, explain.model_structure(model, detail) s GROUP BY name, detail ORDER BY name, detail;
-- 201 units are drawn as layers, unless they are asked for
CREATE TEMP TABLE big AS SELECT explain.network_model(r) AS model
FROM (SELECT 1 AS layer, u AS unit, 'x' AS input, u::float8 AS weight FROM generate_series(1, 200) u) r;
SELECT detail, count(*) FILTER (WHERE element = 'node') AS nodes, count(*) FILTER (WHERE element = 'edge') AS edges
FROM big, unnest(ARRAY['auto', 'layers', 'units']) detail, explain.model_structure(model, detail) GROUP BY detail ORDER BY detail;

-- rows of weights make every model again, whatever its features say of missing values and levels
INSERT INTO m SELECT 'policies', '{"family": "network", "features": [{"name": "weight", "missing": "native"}, {"name": "age", "missing": {"impute": 33}},
		{"name": "member", "kind": "boolean"}, {"name": "colour", "levels": ["red", "green", "blue"], "unknown": "missing", "missing": "native"},
		{"name": "code", "levels": 3, "unknown": "other"}, "unused"],
	"columns": [{"feature": "weight", "center": 70, "scale": 10, "missing": 75}, {"feature": "weight", "indicator": true}, {"feature": "member"},
		{"feature": "colour", "level": "blue", "missing": 1, "center": 0.5}, {"feature": "age", "bin": ["-Infinity", 18]}, {"feature": "age", "bin": [18, 65]},
		{"feature": "age", "bin": ["-Infinity", "Infinity"]}, {"feature": "code", "level": 2}, {"feature": "code", "level": 1}, {"feature": "weight", "missing": 0}],
	"outputs": ["a", "b"], "link": "log", "layers": [{"kind": "dense", "weights": [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [0.1, 0, 0, 0, 0, 0, 0, 0, 0, -1]], "activation": "sigmoid"}]}';
INSERT INTO m SELECT 'pipeline', '{"family": "network", "features": ["x", {"name": "c", "levels": ["u", "v"], "unknown": "other"}],
	"inputs": [{"feature": "x", "impute": 3, "center": 1, "scale": 2}, {"feature": "x", "edges": [0, 1, 2]}, {"feature": "c", "level": "v"}],
	"layers": [{"kind": "dense", "weights": [[1, 2, 3], [4, 5, 6]], "activation": "gelu"}, {"kind": "dense", "weights": [[1, 2]], "activation": "sigmoid"}]}';
INSERT INTO m SELECT 'renamed', explain.with_missing(explain.with_features(model, (SELECT array_agg('pixel ' || i ORDER BY i DESC) FROM generate_series(1, 40) i)), 'pixel 7', 'native')
FROM m WHERE name = 'image';
SELECT name, explain.with_outputs_of(explain.with_features_of(again, model), model) OPERATOR(explain.=) model AS same
FROM m, LATERAL (SELECT explain.network_model(r) AS made FROM explain.network_weights(model) r) s,
	LATERAL (SELECT CASE name WHEN 'renamed' THEN explain.with_features(made, (SELECT array_agg(feature ORDER BY feature_number) FROM explain.model_features(model))) ELSE made END AS again) n
ORDER BY name;

-- weights that are changed in SQL: prune what is small
SELECT name, count(*) FILTER (WHERE abs(weight) BETWEEN 1e-9 AND 1) AS pruned, explain.model_digest(again) <> explain.model_digest(model) AS changed
FROM m, explain.network_weights(model),
	LATERAL (SELECT explain.with_outputs_of(explain.with_features_of(explain.network_model(r), model), model) AS again
		FROM (SELECT layer, layer_name, kind, sources, unit, input, CASE WHEN abs(weight) > 1 THEN weight WHEN weight IS NOT NULL THEN 0 END AS weight,
			level, center, scale, number FROM explain.network_weights(model)) r) s
WHERE name = 'perceptron' GROUP BY name, again, model;

-- null in, no rows out
SELECT count(*) FROM explain.layers(NULL::explain.model);
SELECT count(*) FROM explain.network_weights(NULL::explain.model);
SELECT count(*) FROM explain.model_parameters(NULL::explain.model, 'a');
SELECT explain.layers(model) FROM m WHERE name = 'branches';

-- errors
SELECT explain.layers('{"family":"linear","features":["a"],"coefficients":[1]}'::explain.model);
SELECT explain.coefficients(model) FROM m WHERE name = 'image';
SELECT explain.tree_nodes(model) FROM m WHERE name = 'image';
SELECT explain.split_importance(model) FROM m WHERE name = 'image';
SELECT explain.decision_path(model, '{1,2}'::float8[]) FROM m WHERE name = 'branches';
SELECT explain.with_base(model, '{1}') FROM m WHERE name = 'image';
SELECT explain.model_structure(model, 'units') FROM m WHERE name = 'image';
SELECT explain.model_structure(model, 'nodes') FROM m WHERE name = 'image';
SELECT explain.model_structure(model, NULL) FROM m WHERE name = 'image';
SELECT explain.model_parameters(model, 'edge') FROM m WHERE name = 'image';
SELECT explain.model_parameters('{"family":"linear","features":["a"],"coefficients":[1]}'::explain.model, 'edge');
