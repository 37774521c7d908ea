--
-- Shapley values against those that the libraries themselves computed, and the
-- demo's models against what they were trained to answer
--
\getenv test PG_ABS_SRCDIR
\cd :test

CREATE TEMP TABLE model (name text PRIMARY KEY, model explain.model);
CREATE TEMP TABLE file (name text, content text);
\copy file FROM PROGRAM 'cd data/models && for f in xgboost/*.ubj xgboost34/*.ubj lightgbm/*.txt; do [ ! -f "${f%.*}.contrib.csv" ] || printf "%s\t%s\n" "${f%.*}" "$(base64 -w0 "$f")"; done'
SET client_min_messages = warning;	-- one file names an objective that is not LightGBM's
INSERT INTO model SELECT name, CASE WHEN name LIKE 'xgboost%' THEN explain.xgboost_model(bytes) ELSE explain.lightgbm_model(bytes) END
FROM file, LATERAL (SELECT decode(content, 'base64') AS bytes) b;
RESET client_min_messages;

CREATE TEMP TABLE line (name text, what text, line text);
\copy line FROM PROGRAM 'cd data/models && for f in xgboost/*.contrib.csv xgboost34/*.contrib.csv lightgbm/*.contrib.csv; do for what in X contrib; do tail -n +2 "${f%.contrib.csv}.$what.csv" | tr -d "\r" | sed "s|^|${f%.contrib.csv}\t$what\t|"; done; done'
CREATE TEMP TABLE numbers AS
SELECT name, what, split_part(line, ',', 1)::int AS row_id,
	string_to_array(substr(line, strpos(line, ',') + 1), ',', '')::float8[] AS value FROM line;

-- attributions are compared on the scale of the sum of each tree's largest leaf
CREATE TEMP TABLE scale AS
SELECT name, sum(leaf) AS scale
FROM (SELECT name, tree, max(abs(weight * v)) AS leaf
	  FROM model, explain.tree_nodes(model) n, unnest(n.value) v
	  WHERE (explain.model_header(model)).family = 'tree' GROUP BY name, tree) t GROUP BY name;

-- a library's row has for each output the features in order, then the base value
CREATE TEMP TABLE attribution AS
SELECT m.name, x.row_id, o.output, i - 1 AS feature, scale,
	(explain.shap_array(model, x.value, output => o.output) || explain.base_value(model, o.output))[i] AS phi,
	c.value[(o.output_number - 1) * (h.features + 1) + i]
		/ CASE WHEN s.summary ->> 'aggregation' = 'mean' AND m.name LIKE 'lightgbm/%'
		  THEN (s.summary ->> 'tree_count')::float8 / h.outputs ELSE 1 END AS expected
FROM model m JOIN scale USING (name)
JOIN numbers x ON x.name = m.name AND x.what = 'X'
JOIN numbers c ON c.name = m.name AND c.what = 'contrib' AND c.row_id = x.row_id,
	LATERAL explain.model_header(model) h, LATERAL (SELECT explain.model_summary(model) AS summary) s,
	LATERAL explain.model_outputs(model) o, generate_series(1, h.features + 1) i;

-- XGBoost computes them in float32, LightGBM in float64
SELECT name, count(*) AS attributions,
	bool_and(abs(phi - expected) <= CASE WHEN name LIKE 'xgboost%' THEN 3e-7 ELSE 1e-12 END * scale) AS agrees
FROM attribution GROUP BY name ORDER BY name;

-- gblinear attributes what a feature adds to the prediction for a row of zeros
SELECT count(*) AS rows, bool_and(abs(phi - c.value[i]) <= 3e-7 * abs(prediction)) AS agrees
FROM model m JOIN numbers x USING (name) JOIN numbers c USING (name, row_id),
	LATERAL (SELECT array_fill(0::float8, ARRAY[cardinality(x.value)]) AS zeros) z,
	LATERAL (SELECT explain.predict(model, x.value) AS prediction) p,
	LATERAL unnest(explain.shap_array(model, x.value, reference => zeros) || explain.predict(model, zeros)) WITH ORDINALITY a(phi, i)
WHERE name = 'xgboost/reg_gblinear' AND x.what = 'X' AND c.what = 'contrib';

-- the demo
\cd ..
\set ECHO none
\i demo/demo_tables.sql
\set ECHO all
CREATE TEMP TABLE answer (id int, xgboost_margin float8, xgboost_probability float8, logistic_probability float8);
\copy answer FROM 'demo/expected_predictions.csv' CSV HEADER
CREATE TEMP TABLE contrib (id int, seniority float8, home float8, time float8, age float8, marital float8, records float8, job float8, expenses float8, income float8, assets float8, debt float8, amount float8, price float8, bias float8);
\copy contrib FROM 'demo/expected_contribs.csv' CSV HEADER
\set file `base64 -w 0 demo/credit_xgboost.ubj`
CREATE TEMP TABLE demo (xgboost explain.model, logistic explain.model);
INSERT INTO demo SELECT explain.xgboost_model(decode(:'file', 'base64')), explain.with_imputation(explain.with_link(explain.linear_model(k), 'logit'),
	(SELECT array_agg(feature ORDER BY feature) FROM credit_imputation), (SELECT array_agg(value ORDER BY feature) FROM credit_imputation))
FROM credit_coefficients k;
-- the file has codes of categories, the table their names
DO $$
DECLARE
	named record;
BEGIN
	FOR named IN SELECT feature, array_agg(level ORDER BY position) AS levels FROM credit_levels GROUP BY feature LOOP
		UPDATE demo SET xgboost = explain.with_levels(xgboost, named.feature, named.levels);
	END LOOP;
END
$$;
CREATE TEMP VIEW demo_scale AS
SELECT sum(leaf) AS scale
FROM (SELECT max(abs(v)) AS leaf FROM demo, explain.tree_nodes(xgboost) n, unnest(n.value) v GROUP BY tree) t;
SELECT count(*) AS applications,
	bool_and(abs(explain.predict(xgboost, c, space => 'raw') - xgboost_margin) <= 3e-7 * scale) AS margin_agrees,
	bool_and(abs(explain.predict(xgboost, c) - xgboost_probability) <= 3e-7 * scale) AS probability_agrees,
	bool_and(abs(explain.predict(logistic, c) - logistic_probability) <= 1e-12) AS logistic_agrees
FROM demo, demo_scale, credit c JOIN answer USING (id);
SELECT count(*) AS attributions,
	bool_and(abs(attribution - (to_jsonb(e) ->> feature)::float8) <= 3e-7 * scale) AS agrees,
	bool_and(abs(base_value - bias) <= 3e-7 * scale) AS base_agrees
FROM demo, demo_scale, credit c JOIN contrib e USING (id), explain.shap_values(xgboost, c);
-- an object says the same as the table's row
SELECT bool_and(explain.shap_array(xgboost, c) = explain.shap_array(xgboost, to_jsonb(c))) AS same FROM demo, credit c;

DROP TABLE credit, credit_coefficients, credit_imputation, credit_levels;
