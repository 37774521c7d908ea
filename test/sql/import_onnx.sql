--
-- Models from ONNX files
--
\getenv test PG_ABS_SRCDIR
\cd :test

CREATE TEMP TABLE file (name text, content text);
\copy file FROM PROGRAM 'cd data/models && for f in onnx/*.onnx onnx_operators/mixed_*.onnx onnx_operators/label_tree.onnx onnx_operators/tree_v5_member.onnx onnx_operators/nhwc_3.onnx onnx_refused/*.onnx; do printf "%s\t%s\n" "${f%.onnx}" "$(base64 -w0 "$f")"; done'
CREATE TEMP TABLE input_line (name text, line text);
\copy input_line FROM PROGRAM 'cd data/models && for f in onnx/*.X.csv onnx_operators/mixed_*.X.csv onnx_operators/label_tree.X.csv onnx_operators/tree_v5_member.X.csv onnx_operators/nhwc_3.X.csv; do tail -n +2 "$f" | tr -d "\015" | sed "s|^|${f%.X.csv}\t|"; done'
CREATE TEMP TABLE answer_line (name text, library text, line text);
\copy answer_line FROM PROGRAM 'cd data/models && for f in onnx/*_pred.csv onnx_operators/mixed_*.ort_pred.csv onnx_operators/label_tree.ort_pred.csv onnx_operators/tree_v5_member.ort_pred.csv onnx_operators/nhwc_3.ort_pred.csv; do l=${f%_pred.csv}; l=${l##*.}; tail -n +2 "$f" | tr -d "\015" | sed "s|^|${f%.*_pred.csv}\t$l\t|"; done'

CREATE FUNCTION pg_temp.content(file_name text) RETURNS bytea LANGUAGE sql AS
$$ SELECT decode(content, 'base64') FROM file WHERE name = file_name $$;

CREATE TEMP TABLE model AS
SELECT name, explain.onnx_model(decode(content, 'base64')) AS model
FROM file WHERE name NOT LIKE 'onnx_refused/%';

-- what became of them
SELECT name, h.family, h.features, h.outputs, explain.model_summary(model) ->> 'link' AS link
FROM model, explain.model_header(model) h ORDER BY name COLLATE "C";

-- predictions: those of onnxruntime in float32, of the library in float64
CREATE TEMP VIEW compared AS
SELECT m.name, a.library, p.response,
	answer[cardinality(answer) - (explain.model_header(m.model)).outputs + o.output_number] AS expected
FROM model m JOIN input_line i USING (name)
JOIN answer_line a ON a.name = m.name AND split_part(a.line, ',', 1) = split_part(i.line, ',', 1),
	LATERAL (SELECT string_to_array(substr(i.line, strpos(i.line, ',') + 1), ',', '')::float8[] AS x,
				string_to_array(substr(a.line, strpos(a.line, ',') + 1), ',', '')::float8[] AS answer) v,
	explain.model_outputs(m.model) o, explain.predictions(m.model, v.x) p
WHERE p.output = o.output AND m.name NOT SIMILAR TO 'onnx_operators/(mixed|label)%';
SELECT name, library, count(*) AS predictions,
	max(abs(response - expected) / greatest(1, abs(expected))) < 2e-6 AS agrees
FROM compared GROUP BY name, library ORDER BY name COLLATE "C", library;

-- strings are levels; several inputs are several features
CREATE TEMP VIEW person AS
SELECT i.name, split_part(i.line, ',', 2) AS colour, split_part(i.line, ',', 3)::float8 AS age,
	split_part(i.line, ',', 4)::int AS code, split_part(a.line, ',', 2)::float8 AS expected
FROM input_line i JOIN answer_line a ON a.name = i.name AND split_part(a.line, ',', 1) = split_part(i.line, ',', 1)
WHERE i.name SIMILAR TO 'onnx_operators/(mixed|label)%';
SELECT p.name, count(*) AS predictions, count(DISTINCT colour) AS colours,
	max(abs(explain.predict(model, p) - expected) / greatest(1, abs(expected))) < 2e-6 AS agrees
FROM model m JOIN person p USING (name) GROUP BY p.name ORDER BY p.name COLLATE "C";
SELECT feature, kind, level_count, missing, unknown
FROM model, explain.model_features(model) WHERE name = 'onnx_operators/mixed_tree';
SELECT level FROM model, explain.model_levels(model) WHERE name = 'onnx_operators/mixed_tree' AND feature = 'colour';
SELECT feature, kind, level_count, missing, unknown
FROM model, explain.model_features(model) WHERE name = 'onnx_operators/tree_v5_member';

-- an imputer in front of a linear model is the rule for missing values
SELECT feature, missing FROM model, explain.model_features(model)
WHERE name = 'onnx/imputer_linearregressor' LIMIT 2;

-- explanations are of the inputs of the graph, whatever prepares them
SELECT m.name, count(DISTINCT e.feature) AS features,
	max(abs(e.total + e.base_value - e.prediction) / greatest(1, abs(e.prediction))) < 1e-10 AS adds_up
FROM (SELECT name, explain.with_background(model, background) AS model, x
	  FROM model JOIN (SELECT name, array_agg(x) AS background, min(x) AS x
					   FROM (SELECT name, string_to_array(substr(line, strpos(line, ',') + 1), ',', '')::float8[] AS x
							 FROM input_line WHERE split_part(line, ',', 1)::int <= 10
								 AND name IN ('onnx/scaler_linearclassifier', 'onnx/imputer_linearregressor', 'onnx/rf_reg_treeensemble')) r
					   GROUP BY name) b USING (name)) m,
	LATERAL (SELECT feature, base_value, prediction, sum(attribution) OVER (PARTITION BY output) AS total
			 FROM explain.shap_values(m.model, m.x)) e
GROUP BY m.name ORDER BY m.name COLLATE "C";

-- names
SELECT output FROM explain.model_outputs(explain.onnx_model(pg_temp.content('onnx/mlp_gemm_tanh'),
	outputs => ARRAY['barolo', 'grignolino', 'barbera'])) ORDER BY output_number;
SELECT feature FROM explain.model_features(explain.onnx_model(pg_temp.content('onnx/imputer_linearregressor'),
	features => ARRAY['age', 'sex', 'bmi', 'bp', 's1', 's2', 's3', 's4', 's5', 's6'])) LIMIT 3;
SELECT array_agg(feature ORDER BY feature_number) FILTER (WHERE feature_number IN (1, 2, 9, 64)) AS pixels
FROM explain.model_features(explain.onnx_model(pg_temp.content('onnx/cnn_digits_torch_export'), channels => ARRAY['ink']));
SELECT explain.model_summary(explain.onnx_model(pg_temp.content('onnx_refused/two_outputs'), graph_output => 'z')) ->> 'family' AS family;

-- nothing in, nothing out
SELECT explain.onnx_model(NULL);

-- any value that a node makes can be explained
SELECT family, outputs FROM explain.model_header(explain.onnx_model(pg_temp.content('onnx/mlp_torch_export'), graph_output => '/1/Relu_output_0'));

-- what is no model is refused, with what to do about it
SELECT explain.onnx_model('');
SELECT explain.onnx_model('model.onnx'::bytea);
SELECT explain.onnx_model('\x504b0304');
SELECT explain.onnx_model('\x3affffffff07');
SELECT explain.onnx_model(pg_temp.content('onnx_refused/svm'));
SELECT explain.onnx_model(pg_temp.content('onnx_refused/external'));
SELECT explain.onnx_model(pg_temp.content('onnx_refused/normalizer'));
SELECT explain.onnx_model(pg_temp.content('onnx_refused/two_outputs'));
SELECT explain.onnx_model(pg_temp.content('onnx_refused/unknown_columns'));
SELECT explain.onnx_model(pg_temp.content('onnx/mlp_gemm_tanh'), features => ARRAY['a', 'b']);
SELECT explain.onnx_model(pg_temp.content('onnx/mlp_gemm_tanh'), features => '{}');
SELECT explain.onnx_model(pg_temp.content('onnx/mlp_gemm_tanh'), outputs => ARRAY['a', NULL]);
SELECT explain.onnx_model(pg_temp.content('onnx/mlp_gemm_tanh'), graph_output => 'logits');

-- every refusal is a matter of the file, never of this library
CREATE FUNCTION pg_temp.answer(file bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM explain.onnx_model(file);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT name, pg_temp.answer(decode(content, 'base64')) AS sqlstate
FROM file WHERE name LIKE 'onnx_refused/%' ORDER BY name COLLATE "C";

-- a flipped bit anywhere, and a file cut off anywhere
SELECT left(answer, 2) AS class, count(*) > 0 AS seen
FROM (SELECT pg_temp.answer(CASE kind WHEN 'flipped' THEN set_byte(file, i, get_byte(file, i) # (1 << i % 8))
									  ELSE substr(file, 1, i) END) AS answer
	  FROM (SELECT pg_temp.content('onnx/scaler_linearclassifier') AS file) f,
		   generate_series(0, length(file) - 1) i, unnest(ARRAY['flipped', 'cut']) kind) a
GROUP BY 1 ORDER BY 1;
