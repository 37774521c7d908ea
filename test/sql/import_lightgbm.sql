--
-- Models from LightGBM files
--
\getenv test PG_ABS_SRCDIR
\cd :test

CREATE TEMP TABLE file (name text, content text);
\copy file FROM PROGRAM 'cd data/models/lightgbm && for f in *.txt; do printf "%s\t%s\n" "${f%.txt}" "$(base64 -w0 "$f")"; done'
CREATE TEMP TABLE input_line (name text, line text);
\copy input_line FROM PROGRAM 'cd data/models/lightgbm && for f in *.X.csv; do tail -n +2 "$f" | tr -d "\r" | sed "s|^|${f%.X.csv}\t|"; done'
CREATE TEMP TABLE answer_line (name text, line text);
\copy answer_line FROM PROGRAM 'cd data/models/lightgbm && for f in *.pred.csv; do tail -n +2 "$f" | tr -d "\r" | sed "s|^|${f%.pred.csv}\t|"; done'

CREATE TEMP TABLE model AS
SELECT name, explain.lightgbm_model(convert_from(decode(content, 'base64'), 'UTF8')) AS model FROM file ORDER BY name;

-- bytes give the same model
SET client_min_messages = warning;
SELECT name FROM file JOIN model USING (name)
WHERE explain.model_digest(explain.lightgbm_model(decode(content, 'base64'))) <> explain.model_digest(model);
RESET client_min_messages;

-- predictions within 1e-12 of the sum of |leaf|; the library's raw scores of
-- random forests are sums where its predictions are means
CREATE TEMP VIEW compared AS
SELECT m.name, i.row_id, o.output, p.raw, p.response, path.total AS path_raw,
	answer[output_number] / CASE WHEN s.summary ->> 'aggregation' = 'mean'
		THEN (s.summary ->> 'tree_count')::float8 / s.outputs ELSE 1 END AS expected_raw,
	answer[output_number + outputs] AS expected_response, path.scale
FROM model m
JOIN (SELECT name, split_part(line, ',', 1) AS row_id,
		string_to_array(substr(line, strpos(line, ',') + 1), ',', '')::float8[] AS x FROM input_line) i USING (name)
JOIN (SELECT name, split_part(line, ',', 1) AS row_id,
		string_to_array(substr(line, strpos(line, ',') + 1), ',', '')::float8[] AS answer FROM answer_line) a
	USING (name, row_id),
	LATERAL (SELECT explain.model_summary(model) AS summary, (explain.model_header(model)).outputs) s,
	explain.model_outputs(model) o JOIN explain.predictions(model, x) p USING (output),
	LATERAL (SELECT o.base + sum(value) AS total, abs(o.base) + sum(abs(value)) AS scale
			 FROM explain.decision_path(model, x) d WHERE d.output = o.output) path;
SELECT name, count(*) AS predictions,
	bool_and(abs(raw - expected_raw) <= 1e-12 * scale) AS raw_agrees,
	bool_and(abs(response - expected_response) / greatest(1, abs(expected_response)) <= 1e-12 * scale) AS response_agrees,
	bool_and(abs(raw - path_raw) <= 1e-14 * scale) AS path_adds_up
FROM compared GROUP BY name ORDER BY name;

SELECT name, explain.model_summary(model) ->> 'link' AS link,
	explain.model_summary(model) ->> 'aggregation' AS aggregation,
	explain.model_summary(model) -> 'outputs' AS outputs,
	explain.model_summary(model) ->> 'tree_count' AS trees
FROM model ORDER BY name;
SELECT feature, kind, level_count, missing, unknown FROM model, explain.model_features(model) WHERE name = 'reg_cat';

-- fewer rounds
SELECT explain.model_summary(explain.lightgbm_model(decode(content, 'base64'), iterations => 2)) ->> 'tree_count' AS trees
FROM file WHERE name = 'multiclass';
SELECT explain.lightgbm_model(NULL::text), explain.lightgbm_model(NULL::bytea, 3);

-- what is no model is refused, with what to do about it
SELECT explain.lightgbm_model('');
SELECT explain.lightgbm_model('model.txt');
SELECT explain.lightgbm_model('\x747265650a');
SELECT explain.lightgbm_model('\x80049503000000'::bytea);
SELECT explain.lightgbm_model('{"name":"tree","version":"v3"}');
SELECT explain.lightgbm_model(decode(content, 'base64'), 0) FROM file WHERE name = 'reg_nan';
SELECT explain.lightgbm_model(decode(content, 'base64'), 1000000) FROM file WHERE name = 'reg_nan';
\set VERBOSITY sqlstate
SELECT explain.lightgbm_model(substr(decode(content, 'base64'), 1, 2000)) FROM file WHERE name = 'reg_nan';
SELECT explain.lightgbm_model(replace(convert_from(decode(content, 'base64'), 'UTF8'), 'left_child=1', 'left_child=0'))
FROM file WHERE name = 'reg_nan';
SELECT explain.lightgbm_model(replace(convert_from(decode(content, 'base64'), 'UTF8'), 'objective=regression', 'objective=unheard'))
FROM file WHERE name = 'reg_nan';
SELECT explain.lightgbm_model(replace(convert_from(decode(content, 'base64'), 'UTF8'), 'version=v4', 'version=v9'))
FROM file WHERE name = 'reg_nan';
SELECT explain.lightgbm_model(replace(convert_from(decode(content, 'base64'), 'UTF8'), 'leaf_value=', 'leaf_value=nan '))
FROM file WHERE name = 'reg_nan';
