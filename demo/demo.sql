--
-- The demo: two models of the same loan applications, explained where the
-- applications are.  make demo runs it; every statement works in psql as is.
--
\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\pset border 1
\pset null '(missing)'
SET client_min_messages = warning;

\i demo/demo_tables.sql

\echo
\echo '== 4,454 loan applications and how the loans ended =='
SELECT status, count(*) AS applications, round(avg(income)) AS income, round(avg(amount)) AS amount,
       round(100 * avg((records = 'yes')::int)) AS percent_with_records
FROM credit GROUP BY status ORDER BY status;

CALL explain.create_registry();

-- A file of XGBoost's (120 trees, categories, missing values): bytes in, model out.
\set file `base64 -w 0 demo/credit_xgboost.ubj`
SELECT explain.xgboost_model(decode(:'file', 'base64')) AS imported \gset
SELECT explain.register_model('credit',
           explain.with_background(named.m, (SELECT explain.background(c) FROM credit c WHERE id % 4 <> 0)),
           'XGBoost: probability that a loan goes bad')
FROM (SELECT explain.with_levels(explain.with_levels(explain.with_levels(explain.with_levels(
                 explain.with_outputs(:'imported'::explain.model, ARRAY['bad']),
                 'home', l.home), 'marital', l.marital), 'records', l.records), 'job', l.job) AS m
      FROM (SELECT array_agg(level ORDER BY position) FILTER (WHERE feature = 'home') AS home,
                   array_agg(level ORDER BY position) FILTER (WHERE feature = 'marital') AS marital,
                   array_agg(level ORDER BY position) FILTER (WHERE feature = 'records') AS records,
                   array_agg(level ORDER BY position) FILTER (WHERE feature = 'job') AS job
            FROM credit_levels) AS l) AS named \g /dev/null

-- A logistic regression from the rows of a coefficient table.
SELECT explain.register_model('credit_logistic',
           explain.with_background(m, (SELECT explain.background(c) FROM credit c WHERE id % 4 <> 0)),
           'Logistic regression from table credit_coefficients')
FROM (SELECT explain.with_imputation(
                 explain.with_outputs(explain.with_link(explain.linear_model(k), 'logit'), ARRAY['bad']),
                 (SELECT array_agg(feature ORDER BY feature) FROM credit_imputation),
                 (SELECT array_agg(value ORDER BY feature) FROM credit_imputation)) AS m
      FROM credit_coefficients AS k) AS built \g /dev/null

\echo '== The models: SELECT * FROM explain.models =='
SELECT name, version, family, features, outputs, bytes FROM explain.models ORDER BY name;

\echo '== Predictions: the five applications that look worst (neither model was trained on id % 4 = 0) =='
SELECT c.id, c.status, round(explain.predict('credit', c)::numeric, 3) AS xgboost,
       round(explain.predict('credit_logistic', c)::numeric, 3) AS logistic
FROM credit c WHERE id % 4 = 0
ORDER BY explain.predict('credit', c) DESC LIMIT 5;

\echo '== Why?  One application, explained (log-odds of going bad; the rows add up to the prediction) =='
SELECT rank, coalesce(feature, feature_value) AS feature,
       CASE WHEN kind = 'feature' THEN coalesce(feature_value, '(missing)') ELSE '' END AS value,
       round(attribution::numeric, 3) AS attribution,
       repeat(CASE WHEN attribution > 0 THEN '+' ELSE '-' END, (abs(attribution) * 16)::int) AS picture
FROM credit c, explain.shap_values('credit', c, top_k => 7)
WHERE c.id = 444 ORDER BY rank;

SELECT round(base_value::numeric, 3) AS base_value, round(sum(attribution)::numeric, 3) AS sum_of_attributions,
       round(prediction::numeric, 3) AS prediction, round(prediction_response::numeric, 3) AS probability
FROM credit c, explain.shap_values('credit', c)
WHERE c.id = 444 GROUP BY base_value, prediction, prediction_response;

\echo '== Which features matter, over all applications, in both models =='
CREATE TABLE credit_explained AS
	SELECT c.id, explain.predict('credit', c) AS xgboost, explain.predict('credit_logistic', c) AS logistic,
	       explain.shap_array('credit', c) AS xgboost_shap,
	       explain.shap_array('credit_logistic', c) AS logistic_shap
	FROM credit c;

SELECT x.rank, x.feature, round(x.mean_abs::numeric, 3) AS xgboost, round((100 * x.share)::numeric) AS "share %",
       round(l.mean_abs::numeric, 3) AS logistic, l.rank AS logistic_rank
FROM explain.importance('credit', (SELECT explain.attribution_summary(xgboost_shap) FROM credit_explained)) x
JOIN explain.importance('credit_logistic', (SELECT explain.attribution_summary(logistic_shap) FROM credit_explained)) l
USING (feature) ORDER BY x.rank LIMIT 8;

\echo '== The two models side by side =='
SELECT round(explain.model_similarity(xgboost, logistic)::numeric, 4) AS weighted_cosine,
       round(corr(xgboost, logistic)::numeric, 4) AS correlation,
       round(100 * avg(((xgboost > 0.5) <> (logistic > 0.5))::int), 1) AS "disagree %"
FROM credit_explained;

-- Two views for a BI tool: SELECT * is all that it needs.
CREATE VIEW credit_explanations AS
	SELECT c.id, c.status, e.*
	FROM credit c, explain.shap_values('credit', c) e;
COMMENT ON VIEW credit_explanations IS 'Why model credit scores each application as it does: one row per application and feature';
COMMENT ON COLUMN credit_explanations.id IS 'Number of the application';
COMMENT ON COLUMN credit_explanations.status IS 'How the loan ended';
COMMENT ON COLUMN credit_explanations.rank IS '1 = the feature that moved the score most';
COMMENT ON COLUMN credit_explanations.feature IS 'Feature of the application';
COMMENT ON COLUMN credit_explanations.feature_value IS 'Its value, as text';
COMMENT ON COLUMN credit_explanations.attribution IS 'By how much it moved the log-odds of going bad';
COMMENT ON COLUMN credit_explanations.prediction_response IS 'Predicted probability that the loan goes bad';

CREATE VIEW credit_importance AS
	SELECT i.*
	FROM explain.importance('credit', (SELECT explain.attribution_summary(explain.shap_array('credit', c)) FROM credit c)) i;
COMMENT ON VIEW credit_importance IS 'Which features drive model credit over all applications';
COMMENT ON COLUMN credit_importance.rank IS '1 = the most important feature';
COMMENT ON COLUMN credit_importance.feature IS 'Feature of an application';
COMMENT ON COLUMN credit_importance.mean_abs IS 'Mean absolute attribution, in log-odds';
COMMENT ON COLUMN credit_importance.share IS 'Share of the sum over all features, 0..1';

\echo '== For BI tools: views credit_explanations and credit_importance =='
SELECT id, rank, feature, feature_value, round(attribution::numeric, 3) AS attribution
FROM credit_explanations WHERE id = 444 AND rank <= 3 ORDER BY rank;

\i demo/digits.sql

\echo '== Try next (make psql) =='
\echo '  SELECT * FROM credit c, explain.shap_values(''credit'', c, top_k => 3, direction => ''up'') WHERE c.id = 444;'
\echo '  SELECT * FROM credit c, explain.decision_path(''credit'', c) WHERE c.id = 444 LIMIT 20;'
\echo '  SELECT * FROM explain.predictions(''credit'', (SELECT to_jsonb(c) || ''{"income": 300}'' FROM credit c WHERE id = 444));'
\echo '  SELECT explain.model_summary(explain.get_model(''credit''));'
\echo '  \\df+ explain.shap_values'
