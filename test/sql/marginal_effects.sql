--
-- marginal_effects: average marginal effects with delta-method standard errors
--
\getenv test PG_ABS_SRCDIR
\cd :test

-- golden data: statsmodels' get_margeff (test/oracle/test_marginal_effects.py --golden)
CREATE TABLE golden (document json);
\copy golden FROM PROGRAM 'cat data/effects/*.json'
CREATE TABLE fitted AS
SELECT row_number() OVER () AS id, (document -> 'model')::explain.model AS bare, document,
	explain.with_covariance((document -> 'model')::explain.model, c.covariance, t.terms) AS model
FROM golden,
	LATERAL (SELECT array_agg(r ORDER BY i) AS covariance FROM json_array_elements(document -> 'covariance') WITH ORDINALITY AS e (row, i),
		LATERAL (SELECT array_agg(v::float8 ORDER BY j) AS r FROM json_array_elements_text(row) WITH ORDINALITY AS n (v, j)) AS n) AS c,
	LATERAL (SELECT array_agg(t ORDER BY i) AS terms FROM json_array_elements_text(document -> 'terms') WITH ORDINALITY AS e (t, i)) AS t;
CREATE TABLE x AS
SELECT id, i, x FROM fitted, json_array_elements(document -> 'rows') WITH ORDINALITY AS e (row, i),
	LATERAL (SELECT array_agg(v::float8 ORDER BY j) AS x FROM json_array_elements_text(row) WITH ORDINALITY AS n (v, j)) AS n;
CREATE TABLE summed AS
SELECT f.id, o.output, explain.marginal_effect_summary(explain.marginal_effect_array(model, x, output => o.output)) AS summary
FROM fitted AS f JOIN x USING (id), explain.model_outputs(f.model) AS o GROUP BY f.id, o.output;
CREATE TABLE expected AS
SELECT id, output, feature, level, effect, std_error, z, p, ci_low, ci_high FROM fitted,
	json_to_recordset(document -> 'expected') AS e (output text, feature text, level text, effect float8, std_error float8,
		z float8, p float8, ci_low float8, ci_high float8);
SELECT f.document -> 'model' ->> 'link' AS link, count(*) AS effects, count(DISTINCT e.output) AS outputs,
	max(abs(m.effect - e.effect) / m.std_error) < 1e-12 AS effect,
	max(abs(m.std_error - e.std_error) / m.std_error) < 1e-12 AS std_error,
	max(abs(m.z - e.z) / (1 + abs(m.z))) < 1e-12 AS z,
	max(abs(m.p - e.p) / e.p / (1 + m.z ^ 2)) < 1e-12 AS p,
	max(abs(m.ci_low - e.ci_low) / m.std_error) < 1e-12 AS ci_low,
	max(abs(m.ci_high - e.ci_high) / m.std_error) < 1e-12 AS ci_high
FROM fitted AS f JOIN summed AS s USING (id), LATERAL explain.marginal_effects(f.model, s.summary, output => s.output) AS m
JOIN expected AS e ON e.output = m.output AND e.feature = m.feature AND e.level IS NOT DISTINCT FROM m.level
WHERE e.id = f.id GROUP BY f.id, f.document -> 'model' ->> 'link' ORDER BY 1, 2;
SELECT m.output, m.feature, m.level, m.reference, round(m.effect::numeric, 6) AS effect, round(m.std_error::numeric, 6) AS std_error, m.n, m.kind
FROM fitted AS f JOIN summed AS s USING (id), explain.marginal_effects(f.model, s.summary, output => s.output) AS m
WHERE f.document -> 'model' ->> 'link' = 'cloglog';

-- with_covariance also sets standard errors
SELECT c.kind, c.feature, round(c.standard_error::numeric, 6) FROM fitted, explain.coefficients(model) AS c
WHERE document -> 'model' ->> 'link' = 'log' ORDER BY 1, 2;

-- by hand, one row: logit at p = 0.5, where p' = 1/4 and p'' = 0
CREATE TABLE m AS SELECT explain.with_covariance(explain.linear_model('{a,b}', '{2,-1}', 0, 'logit'),
	'{{0.04,0.01,0},{0.01,0.09,0},{0,0,0.25}}') AS model;
SELECT explain.marginal_effect_array(model, '{1,2}'::float8[]) FROM m;
SELECT feature, effect, std_error, z, round(p::numeric, 12) AS p, round(ci_low::numeric, 12) AS ci_low, round(ci_high::numeric, 12) AS ci_high, n, kind
FROM m, explain.marginal_effects(model, (SELECT explain.marginal_effect_summary(explain.marginal_effect_array(model, '{1,2}'::float8[])) FROM m));
-- a tail: 2 * (1 - Phi(40)) is 7.3e-350, Phi(30) leaves 9.8e-198
SELECT z, p::numeric(4, 3) = 0 AS tiny, abs(p / 9.813427854297e-198 - 1) < 1e-9 AS p
FROM explain.marginal_effects(explain.with_covariance(explain.linear_model('{a}', '{30}'), '{{1,0},{0,1}}'),
	(SELECT explain.marginal_effect_summary(explain.marginal_effect_array(
		explain.with_covariance(explain.linear_model('{a}', '{30}'), '{{1,0},{0,1}}'), '{5}'::float8[]))));
-- of a linear response the effect is the coefficient, its error the coefficient's; a fixed one has no z
SELECT feature, effect, std_error, z, round(p::numeric, 12) AS p, round(ci_low::numeric, 12) AS ci_low, round(ci_high::numeric, 12) AS ci_high
FROM explain.marginal_effects(explain.with_covariance(explain.linear_model('{a,b}', '{3,0}'), '{{4}}', '{a}'),
	(SELECT explain.marginal_effect_summary(explain.marginal_effect_array(
		explain.with_covariance(explain.linear_model('{a,b}', '{3,0}'), '{{4}}', '{a}'), ARRAY[i, i * i]::float8[])) FROM generate_series(1, 9) AS i));

-- every form of input and model; names decide, not order
SELECT explain.marginal_effect_array(model, r) = a.effects AS record, explain.marginal_effect_array(model, '{"b": 2, "a": 1}'::jsonb) = a.effects AS json
FROM m, LATERAL (SELECT explain.marginal_effect_array(model, '{1,2}'::float8[]) AS effects) AS a, (SELECT 2 AS b, 1 AS a) AS r;
CALL explain.create_registry();
SELECT explain.register_model('m', model) IS NOT NULL AS registered FROM m;
SELECT explain.marginal_effect_array('m', '{1,2}'::float8[]) = explain.marginal_effect_array(model, '{1,2}'::float8[]) AS array,
	(SELECT count(*) FROM explain.marginal_effects('m', (SELECT explain.marginal_effect_summary(explain.marginal_effect_array('m', '{1,2}'::float8[]))))) AS rows FROM m;

-- terms in any order; without them as explain.coefficients, the intercept last
SELECT explain.model_digest(model) = explain.model_digest(explain.with_covariance(model, '{{0.25,0,0},{0,0.09,0.01},{0,0.01,0.04}}', '{const,b,a}')) AS terms FROM m;
SELECT explain.model_digest(explain.with_covariance(l.model, c, ARRAY['home = owner', 'home = rent', 'age', '65 < age', '(Intercept)', 'age is null'])) =
	explain.model_digest(explain.with_covariance(l.model, '{{3,0,0,0,0,0},{0,4,0,0,0,0},{0,0,6,0,0,0},{0,0,0,1,0,0},{0,0,0,0,2,0},{0,0,0,0,0,5}}')) AS named
FROM (SELECT explain.linear_model(r) AS model FROM (VALUES (NULL, NULL, 1, NULL, NULL), ('age', NULL, 0.5, NULL, NULL), ('age', NULL, 1, 65, NULL), ('age', NULL, 2, NULL, 'missing'),
	('home', 'owner', -2, NULL, NULL), ('home', 'rent', 4, NULL, NULL)) AS r (feature, level, coefficient, low, kind)) AS l,
	(VALUES ('{{1,0,0,0,0,0},{0,2,0,0,0,0},{0,0,3,0,0,0},{0,0,0,4,0,0},{0,0,0,0,5,0},{0,0,0,0,0,6}}'::float8[])) AS v (c);
-- levels that a coefficient table does not know are the reference
SELECT m.feature, m.level, m.reference, m.effect, m.std_error, m.kind, m.n
FROM (SELECT explain.with_covariance(explain.linear_model(r), '{{1,0,0},{0,4,0},{0,0,9}}') AS model
	FROM (VALUES (NULL, NULL, 1), ('home', 'owner', -2), ('home', 'rent', 4)) AS r (feature, level, coefficient)) AS l,
	LATERAL explain.marginal_effects(model, (SELECT explain.marginal_effect_summary(explain.marginal_effect_array(model, jsonb_build_object('home', h)))
		FROM unnest('{owner,rent,parents,NULL}'::text[]) AS h)) AS m;

-- a feature that a row lacks has no effect there, and is not averaged; imputed or not
SELECT explain.marginal_effect_array(explain.with_missing(model, 'b', 'impute', 2), '{1,null}'::float8[]) FROM m;
SELECT m.feature, m.effect, m.n FROM (SELECT explain.with_missing(model, 'b', 'impute', 2) AS model FROM m) AS i,
	LATERAL explain.marginal_effects(model, (SELECT explain.marginal_effect_summary(explain.marginal_effect_array(model, x))
		FROM (VALUES ('{1,null}'::float8[]), ('{1,2}')) AS v (x))) AS m;
SELECT m.feature, m.effect, m.std_error, m.z, m.p < 1e-22 AS p, m.n FROM (SELECT explain.with_missing(model, 'b', 'impute', 2) AS model FROM m) AS i,
	LATERAL explain.marginal_effects(model, (SELECT explain.marginal_effect_summary(explain.marginal_effect_array(model, x)) FROM (VALUES ('{1,null}'::float8[])) AS v (x))) AS m;

-- the summary: any partition and order, text and binary, parallel: the same bits
SELECT count(DISTINCT state) AS states, count(*) AS partitions FROM generate_series(1, 50) AS trial,
LATERAL (SELECT explain.marginal_effect_summary_merge(s)::text AS state
	FROM (SELECT explain.marginal_effect_summary(explain.marginal_effect_array(model, x) ORDER BY hashint8(i + trial)) AS s
		FROM fitted JOIN x USING (id) WHERE id = 1 GROUP BY (hashint8(i * trial) & 65535) % (1 + trial % 7)) AS part) AS merged;
SELECT bool_and(summary::text::explain.marginal_effect_summary_state::text = summary::text) AS text FROM summed;
SELECT explain.marginal_effect_summary(NULL) IS NULL AS nothing, count(e) AS rows FROM m, LATERAL explain.marginal_effects(model, NULL) AS e;
SELECT explain.marginal_effect_array(NULL::explain.model, '{1}'::float8[]) IS NULL AS model, explain.marginal_effect_array(model, NULL::float8[]) IS NULL AS input,
	explain.with_covariance(NULL, '{{1}}') IS NULL AS covariance_of_null, explain.with_covariance(model, NULL) IS NULL AS null_covariance FROM m;

-- errors that explain
SELECT explain.marginal_effect_array(explain.linear_model('{a}', '{1}'), '{1}'::float8[]);
SELECT explain.marginal_effect_array('{"family":"tree","features":["a"],"trees":[{"value":[1]}]}'::explain.model, '{1}'::float8[]);
SELECT explain.marginal_effect_array(model, x) FROM fitted JOIN x USING (id) WHERE document -> 'model' ->> 'link' = 'softmax' LIMIT 1;
SELECT explain.with_covariance(model, '{{1,0},{0,1}}') FROM m;
SELECT explain.with_covariance(model, '{{1,0},{0,1}}', '{a,c}') FROM m;
SELECT explain.with_covariance(model, '{{1,0},{0,1}}', '{a,const}') FROM m;
SELECT explain.with_covariance(model, '{{1,0},{0,1}}', '{a,a}') FROM m;
SELECT explain.with_covariance(bare, '{{1}}', '{"class 1: other"}') FROM fitted WHERE document -> 'model' ->> 'link' = 'softmax';
SELECT explain.marginal_effects(model, (SELECT explain.marginal_effect_summary('{{1,2}}'))) FROM m;
-- a matrix that is no covariance
SELECT explain.marginal_effects(bad, explain.marginal_effect_summary('{{1,1,-1,1},{1,1,-1,1}}')) FROM m,
	LATERAL (SELECT explain.with_covariance(model, '{{1,0.9,-0.9},{0.9,1,0.9},{-0.9,0.9,1}}') AS bad) AS b GROUP BY bad;

-- bad input
\set VERBOSITY sqlstate
SELECT explain.with_covariance(model, '{{1,0,0},{0,1,0}}') FROM m;
SELECT explain.with_covariance(model, '{}') FROM m;
SELECT explain.with_covariance(model, '{{{1}}}') FROM m;
SELECT explain.with_covariance(model, '{{1,0,0},{0.5,1,0},{0,0,1}}') FROM m;
SELECT explain.with_covariance(model, '{{-1,0,0},{0,1,0},{0,0,1}}') FROM m;
SELECT explain.with_covariance(model, '{{1,2,0},{2,1,0},{0,0,1}}') FROM m;
SELECT explain.with_covariance(model, '{{1,NaN,0},{NaN,1,0},{0,0,1}}') FROM m;
SELECT explain.with_covariance(model, '{{1,null,0},{null,1,0},{0,0,1}}') FROM m;
SELECT explain.with_covariance(model, '{{Infinity,0,0},{0,1,0},{0,0,1}}') FROM m;
SELECT explain.with_covariance(model, '{{1,0,0},{0,1,0},{0,0,1}}', '{a,b}') FROM m;
SELECT explain.with_covariance(model, '{{1,0,0},{0,1,0},{0,0,1}}', '{a,b,null}') FROM m;
SELECT explain.with_covariance(model, '{{1,0,0},{0,1,0},{0,0,1}}', '{{a,b,const}}') FROM m;
SELECT explain.with_covariance('{"family":"tree","features":["a"],"trees":[{"value":[1]}]}', '{{1}}');
SELECT explain.marginal_effect_array(model, '{1,null}'::float8[]) FROM m;
SELECT explain.marginal_effect_array(model, '{1}'::float8[]) FROM m;
SELECT explain.marginal_effect_array(explain.with_link(model, 'step'), '{1,2}'::float8[]) FROM m;
SELECT explain.marginal_effect_array(explain.with_link(model, 'log'), '{1000,2}'::float8[]) FROM m;
SELECT explain.marginal_effect_array(explain.with_link(model, 'inverse'), '{1,2}'::float8[]) FROM m;
SELECT explain.marginal_effect_summary('{1,2}');
SELECT explain.marginal_effect_summary('{}');
SELECT explain.marginal_effect_summary('{{1,NaN}}');
SELECT explain.marginal_effect_summary('{{1,Infinity}}');
SELECT explain.marginal_effect_summary('{{1,null}}');
SELECT explain.marginal_effect_summary(a) FROM (VALUES ('{{1,2}}'::float8[]), ('{{1,2,3}}')) AS v (a);
SELECT explain.marginal_effect_summary_merge(s) FROM (SELECT explain.marginal_effect_summary('{{1,2}}') AS s UNION ALL SELECT explain.marginal_effect_summary('{{1,2},{3,4}}')) AS v;
SELECT explain.marginal_effect_summary_accum(NULL, '{{1}}');
SELECT ''::explain.marginal_effect_summary_state;
SELECT 'marginal_effect_summary 1 1 1 1'::explain.marginal_effect_summary_state;
SELECT 'marginal_effect_summary 1 1 4000000000 4000000000 1 -'::explain.marginal_effect_summary_state;
SELECT 'marginal_effect_summary 2 1 1 1 1 -'::explain.marginal_effect_summary_state;
SELECT explain.marginal_effects(model, 'marginal_effect_summary 1 1 1 1 1 0:1') FROM m;
\set VERBOSITY default
DROP TABLE golden, fitted, x, summed, expected, m;
DROP TABLE explain.model_versions CASCADE;
