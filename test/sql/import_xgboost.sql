--
-- Models from XGBoost files
--
\getenv test PG_ABS_SRCDIR
\cd :test

-- every file in both encodings; its rows; what the library answers for them
CREATE TEMP TABLE file (name text, format text, content text);
\copy file FROM PROGRAM 'cd data/models && for f in xgboost/*.json xgboost/*.ubj xgboost34/*.json xgboost34/*.ubj; do printf "%s\t%s\t%s\n" "${f%.*}" "${f##*.}" "$(base64 -w0 "$f")"; done'
CREATE TEMP TABLE input_line (name text, line text);
\copy input_line FROM PROGRAM 'cd data/models && for f in xgboost/*.X.csv xgboost34/*.X.csv; do tail -n +2 "$f" | sed "s|^|${f%.X.csv}\t|"; done'
CREATE TEMP TABLE answer_line (name text, line text);
\copy answer_line FROM PROGRAM 'cd data/models && for f in xgboost/*.pred.csv xgboost34/*.pred.csv; do tail -n +2 "$f" | sed "s|^|${f%.pred.csv}\t|"; done'

CREATE TEMP TABLE imported AS
SELECT name, format, CASE format
	WHEN 'ubj' THEN explain.xgboost_model(decode(content, 'base64'))
	ELSE explain.xgboost_model(convert_from(decode(content, 'base64'), 'UTF8')) END AS model
FROM file;

-- text, bytes of JSON and UBJSON are the same model
SELECT name FROM imported GROUP BY name
HAVING count(*) <> 2 OR count(DISTINCT explain.model_digest(model)) <> 1;
SELECT explain.model_digest(explain.xgboost_model(decode(content, 'base64'))) = explain.model_digest(model) AS same
FROM file JOIN imported USING (name, format) WHERE name = 'xgboost/reg' AND format = 'json';

-- raw predictions: XGBoost adds float32 numbers up, so within 3e-7 of the sum of |leaf|
CREATE TEMP TABLE model AS SELECT name, model FROM imported WHERE format = 'json';
UPDATE model SET model = explain.xgboost_model(decode(content, 'base64'), iterations => 31)
FROM file WHERE file.name = model.name AND format = 'ubj' AND model.name = 'xgboost/binary_earlystop';
CREATE TEMP VIEW case_row AS
SELECT m.name, m.model, split_part(i.line, ',', 1)::int AS row_id,
	string_to_array(substr(i.line, strpos(i.line, ',') + 1), ',', '')::float8[] AS x,
	string_to_array(substr(a.line, strpos(a.line, ',') + 1), ',', '')::float8[] AS answer
FROM model m JOIN input_line i USING (name)
JOIN answer_line a ON a.name = m.name AND split_part(a.line, ',', 1) = split_part(i.line, ',', 1);
CREATE TEMP VIEW compared AS
SELECT name, row_id, o.output, p.raw, p.response, path.total AS path_raw,
	answer[output_number] AS expected_raw,
	CASE WHEN cardinality(answer) = 2 * (explain.model_header(model)).outputs
	THEN answer[output_number + (explain.model_header(model)).outputs] END AS expected_response,
	coalesce(path.scale, linear.scale) AS scale
FROM case_row, explain.model_outputs(model) o JOIN explain.predictions(model, x) p USING (output),
	LATERAL (SELECT (explain.model_header(model)).family = 'tree' AS is_tree) f,
	LATERAL (SELECT o.base + sum(d.value) AS total, abs(o.base) + sum(abs(d.value)) AS scale
			 FROM (SELECT model AS m WHERE is_tree) t, explain.decision_path(t.m, x) d
			 WHERE d.output = o.output) path,
	LATERAL (SELECT sum(abs(c.coefficient * coalesce(x[k.feature_number], 1))) AS scale
			 FROM (SELECT model AS m WHERE NOT is_tree) t,
				  explain.coefficients(t.m) c LEFT JOIN explain.model_features(t.m) k USING (feature)) linear;
SELECT name, count(*) AS predictions, max(abs(raw - expected_raw) / scale) < 3e-7 AS raw_agrees,
	max(abs(response - expected_response) / (scale * greatest(1, abs(expected_response)))) < 3e-7 AS response_agrees,
	max(abs(raw - path_raw) / scale) < 1e-14 AS path_adds_up
FROM compared GROUP BY name ORDER BY name;

-- what early stopping leaves: 26 rounds, as in scikit-learn's predict()
SELECT bool_and(abs(explain.predict(i.model, x) - answer[3]) < 1e-6) AS agrees
FROM case_row c JOIN imported i USING (name) WHERE c.name = 'xgboost/binary_earlystop';

-- a look at what is in the files
SELECT name, explain.model_summary(model) ->> 'link' AS link,
	explain.model_summary(model) -> 'outputs' AS outputs,
	explain.model_summary(model) ->> 'feature_count' AS features,
	explain.model_summary(model) ->> 'tree_count' AS trees,
	explain.model_summary(model) ->> 'node_count' AS nodes
FROM model ORDER BY name;
SELECT feature, kind, level_count, missing, unknown FROM model, explain.model_features(model)
WHERE name = 'xgboost/cat_reg';

-- PL/pgSQL variables, prepared statements
DO $$
DECLARE
	m explain.model;
	x float8[];
	a float8;
BEGIN
	SELECT c.model, c.x, explain.predict(c.model, c.x) INTO m, x, a FROM case_row c
	WHERE name = 'xgboost/reg' AND row_id = 1;
	ASSERT a = explain.predict(m, x);
	m := explain.xgboost_model(decode((SELECT content FROM file WHERE name = 'xgboost/reg_poisson' AND format = 'ubj'), 'base64'));
	ASSERT a IS DISTINCT FROM explain.predict(m, array_fill(1::float8, ARRAY[(explain.model_header(m)).features]));
END
$$;
PREPARE digest(bytea) AS SELECT explain.model_digest(explain.xgboost_model($1)) = explain.model_digest(model)
FROM model WHERE name = 'xgboost/reg';
SELECT content FROM file WHERE name = 'xgboost/reg' AND format = 'ubj' \gset
EXECUTE digest(decode(:'content', 'base64'));

-- nothing in, nothing out
SELECT explain.xgboost_model(NULL::bytea), explain.xgboost_model(NULL::text, 3);

-- what is no model is refused, with what to do about it
SELECT explain.xgboost_model('');
SELECT explain.xgboost_model(''::bytea);
SELECT explain.xgboost_model('model.json');
SELECT explain.xgboost_model('/tmp/my/model.ubj'::bytea);
SELECT explain.xgboost_model('\x7b4c000000');
SELECT explain.xgboost_model(:'content');
SELECT explain.xgboost_model('\x80049503000000'::bytea);
SELECT explain.xgboost_model('[1, 2, 3]');
SELECT explain.xgboost_model('{"learner": {}}');
SELECT explain.xgboost_model('{"learner": {"objective": {"name": "reg:squarederror"}}}', 0);
\set VERBOSITY sqlstate
SELECT explain.xgboost_model(substr(decode(:'content', 'base64'), 1, 20000));
SELECT explain.xgboost_model(decode(:'content', 'base64') || '\x00'::bytea);
SELECT explain.xgboost_model(decode(:'content', 'base64'), 100000);
SELECT explain.xgboost_model(replace(convert_from(decode(content, 'base64'), 'UTF8'), 'reg:squarederror', 'reg:unheard'))
FROM file WHERE name = 'xgboost/reg' AND format = 'json';
SELECT explain.xgboost_model(replace(convert_from(decode(content, 'base64'), 'UTF8'), '"left_children":[1,', '"left_children":[0,'))
FROM file WHERE name = 'xgboost/reg' AND format = 'json';
SELECT explain.xgboost_model(replace(convert_from(decode(content, 'base64'), 'UTF8'), '"left_children":[1,', '"left_children":[2000000000,'))
FROM file WHERE name = 'xgboost/reg' AND format = 'json';
SELECT explain.xgboost_model(repeat('[', 100000));
SELECT explain.xgboost_model('\x7b69006c656172');
