--
-- Networks from weight tables, and back
--
\getenv test PG_ABS_SRCDIR
\cd :test

-- the least a table needs
CREATE TEMP TABLE w (layer int, unit int, input text, weight float8, activation text);
INSERT INTO w VALUES (1, 1, 'age', 0.5, 'relu'), (1, 1, 'income', -2, NULL), (1, 1, NULL, 1, NULL),
	(1, 2, 'age', -1, NULL), (1, 2, 'income', 3, NULL), (1, 2, '(bias)', 0.25, NULL),
	(2, 1, '1', 4, NULL), (2, 1, '2', -0.5, NULL), (2, 1, NULL, 0.125, NULL);
CREATE TEMP TABLE small AS SELECT explain.network_model(w) AS model FROM w;
SELECT jsonb_pretty(model::jsonb) FROM small;
-- relu(2 - 1 + 1) * 4 + 0.125; relu(-4 + 1.5 + 0.25) is 0
SELECT r.*, explain.predict(model, r) FROM small, (VALUES (4, 0.5)) AS r (age, income);
SELECT count(DISTINCT explain.model_digest(m)) AS models FROM (
	SELECT model AS m FROM small
	UNION ALL SELECT explain.network_model(w ORDER BY weight) FROM w
	UNION ALL SELECT explain.network_model(w ORDER BY layer DESC, unit DESC, input DESC) FROM w
	-- counted from 0, with other types and columns that mean nothing
	UNION ALL SELECT explain.network_model(r) FROM (SELECT (layer - 1)::int8 AS layer, (unit - 1)::numeric AS unit,
		input::varchar, weight::numeric, activation, now() AS ignored FROM w) r
	-- the activation as a layer
	UNION ALL SELECT explain.network_model(r) FROM (SELECT layer * 2 AS layer, unit, input, weight, NULL AS kind FROM w
		UNION ALL SELECT 3, NULL, NULL, NULL, 'relu') r
	-- rows that only describe
	UNION ALL SELECT explain.network_model(r) FROM (SELECT layer, unit, input, weight, NULL AS activation FROM w
		UNION ALL SELECT 1, NULL, NULL, NULL, 'relu' UNION ALL SELECT 2, NULL, NULL, NULL, 'identity') r) s;

-- units and classes by name, a last softmax
CREATE TEMP TABLE named AS SELECT explain.network_model(r) AS model FROM (VALUES
	(1, 'young', 'age', -0.25, 'tanh'), (1, 'young', NULL, 8, NULL), (1, 'rich', 'age', 0, NULL), (1, 'rich', NULL, 1, NULL),
	(2, 'yes', 'young', 1, 'softmax'), (2, 'yes', 'rich', 2, NULL), (2, 'no', 'young', -1, NULL), (2, 'no', 'rich', 0, NULL))
	AS r (layer, unit, input, weight, activation);
SELECT p.output, round(raw::numeric, 12) AS raw, round(response::numeric, 12) AS response
FROM named, explain.predictions(model, '{30}'::float8[]) p;

-- columns of the input: scaled, dummies, bins, indicators
CREATE TEMP TABLE coded AS SELECT explain.network_model(r) AS model FROM (VALUES
	(0, 1, 'weight', NULL, 'input', NULL, NULL::float8, NULL::float8, 70, 10, 75),
	(0, 2, 'weight', NULL, 'indicator', NULL, NULL, NULL, NULL, NULL, NULL),
	(0, 3, 'colour', NULL, 'input', 'red', NULL, NULL, NULL, NULL, NULL),
	(0, 4, 'colour', NULL, 'input', 'blue', NULL, NULL, 0.5, 2, NULL),
	(0, 5, 'age', NULL, 'input', NULL, 18, 65, NULL, NULL, NULL),
	(0, 6, 'age', NULL, 'input', NULL, NULL, 18, NULL, NULL, NULL),
	(1, 1, '1', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (1, 1, '2', 100, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(1, 1, '3', 1000, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (1, 1, '4', 10000, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(1, 1, '5', 1e5, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (1, 1, '6', 1e6, NULL, NULL, NULL, NULL, NULL, NULL, NULL))
	AS r (layer, unit, input, weight, kind, level, low, high, center, scale, missing_value);
SELECT feature, kind, level_count, missing, unknown FROM coded, explain.model_features(model);
SELECT r.*, explain.predict(model, r) FROM coded,
	(VALUES (90, 'blue', 17), (NULL, 'red', 18), (70, 'green', 19), (70, NULL, 66)) AS r (weight, colour, age);

-- an image: two channels, a convolution with groups, pooling, normalisation, a residual connection
CREATE TEMP TABLE image AS SELECT explain.network_model(r) AS model FROM (
	SELECT 0 AS layer, NULL::text AS layer_name, 'image' AS kind, NULL::int[] AS sources, c AS unit, CASE c WHEN 1 THEN 'red' ELSE 'blue' END AS input,
		NULL::float8 AS weight, NULL::int AS kernel_y, NULL::int AS kernel_x, '{6,4}'::int[] AS shape, c::float8 AS center,
		NULL::text AS activation, NULL::int[] AS padding, NULL::int AS group_count, NULL::int[] AS kernel, NULL::float8 AS number
	FROM generate_series(1, 2) c
	UNION ALL SELECT 0, NULL, 'image', NULL, 2, NULL, NULL, 3, 1, NULL, -5, NULL, NULL, NULL, NULL, NULL
	UNION ALL SELECT 1, 'edges', 'conv2d', NULL, u, (1 + (u - 1) / 2)::text, (u * 7 + y * 3 + x * 5) % 11 - 5, y, x, NULL, NULL, 'leaky_relu', '{1}', 2, NULL, 0.25
	FROM generate_series(1, 4) u, generate_series(0, 2) y, generate_series(0, 2) x
	UNION ALL SELECT 1, NULL, NULL, NULL, u, NULL, u, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM generate_series(1, 4) u
	UNION ALL SELECT 2, NULL, 'batch_norm', NULL, u, p, u + length(p), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0.5
	FROM generate_series(1, 4) u, unnest(ARRAY['gamma', 'beta', 'mean', 'variance']) p
	UNION ALL SELECT 3, NULL, 'add', '{1,2}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	UNION ALL SELECT 4, NULL, 'max_pool', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{2,2}', NULL
	UNION ALL SELECT 5, NULL, 'flatten', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	UNION ALL SELECT 6, 'head', NULL, NULL, k, i::text, (i * k) % 5 / 8.0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM generate_series(1, 3) k, generate_series(1, 24) i) r;
SELECT layer_number, layer, kind, sources, depth, channels, height, width, units, parameter_count FROM image, explain.layers(model);
SELECT p.output, p.raw FROM image, explain.predictions(model, (SELECT array_agg((i * 5 % 13)::float8) FROM generate_series(1, 48) i)) p;

-- rows of network_weights() give the same model, with what rows do not say from the model itself
CREATE TEMP TABLE made AS SELECT 'small' AS name, model FROM small UNION ALL SELECT 'named', model FROM named
	UNION ALL SELECT 'coded', model FROM coded UNION ALL SELECT 'image', model FROM image;
SELECT name, again OPERATOR(explain.=) model AS same FROM made,
	LATERAL (SELECT explain.with_outputs_of(explain.with_features_of(explain.network_model(r), model), model) AS again
			 FROM explain.network_weights(model) r) s;

-- scikit-learn: its matrices as a table, and what it predicts with them
CREATE TEMP TABLE file (name text, content jsonb);
\copy file FROM PROGRAM 'cd data/models/sklearn && for f in mlp_*.native.json; do printf "%s\t%s\n" "${f%.native.json}" "$(tr -d "\n" <"$f")"; done'
CREATE TEMP TABLE weight_table AS
	SELECT name, l AS layer, o AS unit, CASE l WHEN 1 THEN content -> 'inputs' -> (i - 1)::int ->> 'name' ELSE i::text END AS input, w::float8 AS weight,
		layer ->> 'act' AS activation
	FROM file, jsonb_array_elements(content -> 'layers') WITH ORDINALITY AS layers (layer, l),
		jsonb_array_elements(layer -> 'W') WITH ORDINALITY AS rows (cells, i), jsonb_array_elements_text(cells) WITH ORDINALITY AS cells (w, o)
	UNION ALL
	SELECT name, l, o, NULL, w::float8, NULL
	FROM file, jsonb_array_elements(content -> 'layers') WITH ORDINALITY AS layers (layer, l),
		jsonb_array_elements_text(layer -> 'b') WITH ORDINALITY AS cells (w, o);
CREATE TEMP TABLE sk AS SELECT name, explain.network_model(w) AS model FROM weight_table w GROUP BY name;
SELECT name, link, explain.model_summary(model) -> 'layer_kinds' AS kinds, count(*) AS outputs
FROM sk, explain.model_outputs(model) GROUP BY name, link, model ORDER BY name;
CREATE TEMP TABLE sample (name text, line text);
\copy sample FROM PROGRAM 'cd data/models/sklearn && for f in mlp_*.X.csv; do tr -d "\r" <"$f" | sed "s/^/${f%.X.csv}\t/"; done'
CREATE TEMP TABLE answer (name text, line text);
\copy answer FROM PROGRAM 'cd data/models/sklearn && for f in mlp_*.pred.csv; do tail -n +2 "$f" | tr -d "\r" | sed "s/^/${f%.pred.csv}\t/"; done'
SELECT name, count(*) AS predictions, max(abs(p.response - (string_to_array(a.line, ','))[p.output::int + 2]::float8)
	/ greatest(1, abs(p.response))) < 1e-12 AS agrees
FROM sk JOIN sample head USING (name) JOIN sample s USING (name) JOIN answer a USING (name),
	LATERAL (SELECT jsonb_object_agg(key, value::float8) AS input
			 FROM unnest(string_to_array(head.line, ','), string_to_array(s.line, ',')) AS c (key, value) WHERE key <> 'row_id') i,
	explain.predictions(model, i.input) p
WHERE head.line LIKE 'row_id%' AND s.line NOT LIKE 'row_id%' AND split_part(s.line, ',', 1) = split_part(a.line, ',', 1)
GROUP BY name ORDER BY name;

-- no rows, null rows
SELECT explain.network_model(w) FROM w WHERE false;
SELECT explain.network_model(r) IS NULL AS nothing FROM (SELECT NULL::w AS r) s;

-- as a window function; parallel workers give the same model
SELECT DISTINCT explain.model_digest(explain.network_model(w) OVER ()) = explain.model_digest(model) AS same FROM w, small;
CREATE TABLE many AS SELECT 1 AS layer, u AS unit, 'f' || i AS input, (u * i) % 64 / 64.0::float8 AS weight
	FROM generate_series(1, 40) u, generate_series(1, 250) i;
ANALYZE many;
CREATE TEMP TABLE serial AS SELECT explain.network_model(many) AS model FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
ALTER TABLE many SET (parallel_workers = 3);
EXPLAIN (COSTS OFF) SELECT explain.network_model(many) FROM many;
SELECT explain.model_digest(explain.network_model(many)) = (SELECT explain.model_digest(model) FROM serial) AS same FROM many;
DROP TABLE many;

-- errors
CREATE FUNCTION pg_temp.with_row(layer int, unit int, input text, weight float8, activation text DEFAULT NULL) RETURNS explain.model
LANGUAGE sql AS $$ SELECT explain.network_model(r) FROM (TABLE w UNION ALL SELECT layer, unit, input, weight, activation) r $$;
SELECT explain.network_model(r) FROM (SELECT 1 AS layer, 1 AS unit, 'a' AS input) r;
SELECT explain.network_model(r) FROM (SELECT 1 AS layer, 1 AS unit, 'a' AS input, '1' AS weight) r;
SELECT explain.network_model(r) FROM (SELECT 1 AS layer, 1.5::float8 AS unit, 'a' AS input, 1 AS weight) r;
SELECT explain.network_model(r) FROM (SELECT 1 AS layer, 1 AS unit, 'a' AS input, 1 AS weight, '3x3' AS kernel) r;
SELECT pg_temp.with_row(1, 1, 'age', 0.5);
SELECT pg_temp.with_row(1, 1, 'height', 0.5);
SELECT pg_temp.with_row(1, 3, 'age', 0.5);
SELECT pg_temp.with_row(1, 4, 'age', 0.5);
SELECT pg_temp.with_row(2, 1, '3', 0.5);
SELECT pg_temp.with_row(2, 2, '1', 0.5);
SELECT pg_temp.with_row(4, 1, '1', 0.5);
SELECT pg_temp.with_row(1, 1, 'age', NULL);
SELECT pg_temp.with_row(NULL, 1, 'age', 0.5);
SELECT pg_temp.with_row(1, NULL, 'age', 0.5);
SELECT pg_temp.with_row(1, 1, 'age', 'NaN');
SELECT pg_temp.with_row(1, NULL, NULL, NULL, 'tanh');
SELECT pg_temp.with_row(2, NULL, NULL, NULL, 'swish');
SELECT pg_temp.with_row(2, 1, NULL, 0.5);
SELECT explain.network_model(w) FROM w WHERE input <> 'age' OR unit <> 2 OR layer <> 1;
SELECT explain.network_model(w) FROM w WHERE input IS NOT NULL OR layer <> 1;
SELECT explain.network_model(w) FROM w WHERE input IS NULL;
SELECT explain.network_model(r) FROM (SELECT *, 'dens' AS kind FROM w) r;
SELECT explain.network_model(r) FROM (SELECT *, ARRAY[layer] AS sources FROM w) r;
SELECT explain.network_model(r) FROM (SELECT *, 'cubic' AS link FROM w) r;
SELECT explain.network_model(r) FROM (SELECT w.*, k AS kind FROM w, unnest(ARRAY['dense', 'conv2d']) k) r;
SELECT explain.network_model(r) FROM (VALUES (1, 1, 'a', 1, 'dense', NULL::float8[]), (2, NULL, NULL, NULL, 'max_pool', '{0,1}'))
	AS r (layer, unit, input, weight, kind, kernel);
SELECT explain.network_model(r) FROM (VALUES (1, '1', 'age', 0.5, 'relu'), (2, '1', '7', 2, NULL)) AS r (layer, unit, input, weight, activation);
SELECT explain.network_model(r) FROM (VALUES (1, '1', 'age', 0.5), (1, '2', 'age', 1), (2, '1', '1', 2), (2, '1', 'x', 2)) AS r (layer, unit, input, weight);
SELECT explain.network_model(r) FROM (VALUES (0, 'age', 'age', NULL, 'input'), (1, '1', 'x', 0.5, NULL)) AS r (layer, unit, input, weight, kind);
SELECT explain.network_model_merge('\x', '\x');
SELECT explain.network_model_final('\x4558525701');
SELECT explain.network_weights('{"family":"linear","features":["a"],"coefficients":[1]}'::explain.model);
\set VERBOSITY sqlstate
SELECT explain.network_model(r) FROM (SELECT 1 AS layer, 1 AS unit, 'f' || i AS input, 1 AS weight FROM generate_series(1, 66000) i) r;
SELECT explain.network_model(r) FROM (VALUES (1, 1, 'a', 1), (20000, 1, '1', 1)) AS r (layer, unit, input, weight);
SELECT explain.network_model(r) FROM (VALUES (1, 1, repeat('x', 2000), 1)) AS r (layer, unit, input, weight);
SELECT explain.network_model(r) FROM (SELECT 1 AS layer, u AS unit, 'a' AS input, 1 AS weight FROM generate_series(1, 10001) u) r;
