--
-- Linear models from arrays and from coefficient tables
--
\getenv test PG_ABS_SRCDIR
\cd :test

-- arrays: one output, several outputs
SELECT explain.linear_model(ARRAY['age', 'income'], ARRAY[0.5, -0.25], 3);
SELECT explain.linear_model('{age,income}', '{0.5,-0.25}', link => 'logit');
SELECT explain.linear_model('{age,income}', '{{1,2},{3,4},{5,6}}', intercepts => '{0,1,-1}',
	outputs => '{low,middle,high}', link => 'softmax');
SELECT explain.linear_model('{age,income}', '{{1,2},{3,4}}', intercepts => '{0,1}');
SELECT explain.linear_model(NULL, '{1}'), explain.linear_model('{a}', '{1}', NULL::float8),
	explain.linear_model('{a}', '{1}', intercepts => NULL);
SELECT explain.predict(explain.linear_model('{age,income}', '{0.5,-0.25}', 3, link), '{4,8}'::float8[]) AS response, link
FROM unnest(enum_range('identity'::explain.link, 'inverse')) AS link;

-- a coefficient table, its rows in any order; the intercept has many names
CREATE TEMP TABLE c (feature text, level text, coefficient float8, standard_error float8);
INSERT INTO c VALUES ('(Intercept)', NULL, 0.5, 0.1), ('home', 'rent', 0.25, 0.3), ('age', NULL, 0.125, 0.01),
	('home', 'owner', -1, 0.2);
SELECT explain.linear_model(c) FROM c;
SELECT count(DISTINCT explain.model_digest(m)) AS models FROM (
	SELECT explain.linear_model(c ORDER BY feature DESC, level) AS m FROM c
	UNION ALL SELECT explain.linear_model(c ORDER BY coefficient) FROM c
	UNION ALL SELECT explain.linear_model(r)
		FROM (SELECT coefficient::numeric, standard_error::float4::float8 + 0 * 7 AS ignored,
			standard_error, level::varchar, feature::name FROM c) r
	UNION ALL SELECT explain.linear_model(r)
		FROM (SELECT nullif(feature, '(Intercept)') AS feature, level, coefficient, standard_error FROM c) r
	UNION ALL SELECT explain.linear_model(r)
		FROM unnest(ARRAY['intercept', 'Intercept', '(intercept)', 'const']) AS i, c,
			LATERAL (SELECT CASE c.feature WHEN '(Intercept)' THEN i ELSE c.feature END AS feature,
				c.level, c.coefficient, c.standard_error) r GROUP BY i) s;

-- an unknown level and a missing one add nothing, like the level that was dropped; a number must not be missing
SELECT home, explain.predict((SELECT explain.linear_model(c) FROM c), r)
FROM (VALUES (8, 'owner'), (8, 'rent'), (8, 'parents'), (8, NULL)) AS r (age, home);
\set VERBOSITY terse
SELECT explain.predict((SELECT explain.linear_model(c) FROM c), '{"age": null, "home": "rent"}'::jsonb);
\set VERBOSITY default

-- bins, missing indicators, several outputs, features that are called like intercepts
CREATE TEMP TABLE full_table (output text, feature text, level text, low float8, high float8, coefficient float8,
	standard_error float8, kind text);
INSERT INTO full_table VALUES
	('no', '(Intercept)', NULL, NULL, NULL, 1, NULL, NULL),
	('yes', 'age', NULL, NULL, 18, 1, 0.5, NULL),
	('yes', 'age', NULL, 18, 65, 2, 0.25, NULL),
	('yes', 'age', NULL, 65, NULL, 4, NULL, NULL),
	('no', 'age', NULL, 18, 65, -1, NULL, 'bin'),
	('no', 'income', NULL, NULL, NULL, 0.5, NULL, NULL),
	('no', 'income', NULL, NULL, NULL, 8, NULL, 'missing'),
	('yes', 'const', NULL, NULL, NULL, 16, NULL, 'value'),
	('yes', NULL, NULL, NULL, NULL, 32, 0.125, 'intercept'),
	('yes', 'home', 'owner', NULL, NULL, 64, NULL, 'level');
CREATE TEMP TABLE full_model AS SELECT explain.linear_model(f) AS model FROM full_table f;
SELECT jsonb_pretty(model::jsonb) FROM full_model;
SELECT r.*, p.output, p.raw FROM full_model,
	(VALUES (18, 1, 0, 'owner'), (65, NULL, 1, ''), (66, 0, 0, NULL)) AS r (age, income, const, home),
	explain.predictions(model, r) p ORDER BY age, output;

-- rows of coefficients() give the same model
SELECT explain.linear_model(r) OPERATOR(explain.=) model AS same FROM full_model, explain.coefficients(model) r GROUP BY model;
SELECT (SELECT explain.linear_model(r) FROM explain.coefficients(m) r) OPERATOR(explain.=) m AS same
FROM (SELECT explain.linear_model(c) AS m FROM c) s;

-- outputs named by numbers are in the order of the numbers
SELECT array_agg(output ORDER BY output_number) FROM (
	SELECT explain.linear_model(r) AS m
	FROM (SELECT k::text AS output, 'x' AS feature, k AS coefficient FROM generate_series(0, 11) k) r) s,
	explain.model_outputs(m);

-- statsmodels: models with a dummy-coded factor, and what it predicts with them
CREATE TEMP TABLE term (name text, term text, estimate float8, std_err float8);
\copy term FROM PROGRAM 'cd data/models/statsmodels && for f in *.coef.csv; do tail -n +2 "$f" | tr -d "\r" | sed "s/^/${f%.coef.csv},/"; done' CSV
CREATE TEMP TABLE x (row_id int, x1 float8, x2 float8, colour text, exposure float8);
\copy x FROM 'data/models/statsmodels/X.csv' CSV HEADER
CREATE TEMP TABLE answer (row_id int, ols float8, binomial_logit float8, binomial_probit float8,
	binomial_cloglog float8, poisson_offset float8, mnlogit_0 float8, mnlogit_1 float8, mnlogit_2 float8);
\copy answer FROM 'data/models/statsmodels/pred.csv' CSV HEADER
SELECT name, count(*) AS predictions, max(abs(explain.predict(m, x) / (to_jsonb(answer) ->> name)::float8 - 1)) < 1e-12 AS agrees
FROM (SELECT name, explain.with_link(explain.linear_model(r), link) AS m
	  FROM term t, LATERAL (SELECT coalesce(substring(term FROM '^C\((.*)\)\['), term) AS feature,
			substring(term FROM '\[T\.(.*)\]$') AS level, estimate AS coefficient, std_err AS standard_error) r,
			LATERAL (SELECT (CASE name WHEN 'ols' THEN 'identity' ELSE split_part(name, '_', 2) END)::explain.link AS link) l
	  GROUP BY name, link) model, x JOIN answer USING (row_id)
GROUP BY name ORDER BY name;

-- no rows, null rows
SELECT explain.linear_model(c) FROM c WHERE false;
SELECT explain.linear_model(r) IS NULL AS nothing FROM (SELECT NULL::c AS r) s;

-- with DISTINCT, FILTER, GROUPING SETS, as a window function
SELECT count(*) AS models, count(DISTINCT explain.model_digest(m)) AS different FROM (
	SELECT explain.linear_model(DISTINCT c) AS m FROM c
	UNION ALL SELECT explain.linear_model(c) FILTER (WHERE coefficient <> 77) FROM (SELECT * FROM c UNION ALL VALUES ('x', NULL, 77, 1)) c
	UNION ALL SELECT explain.linear_model(c) FROM c GROUP BY GROUPING SETS ((), ())
	UNION ALL SELECT explain.linear_model(c) OVER () FROM c) s;
SELECT feature, level, explain.model_summary(explain.linear_model(c) OVER (ORDER BY feature DESC, level)) -> 'coefficient_count' AS n
FROM c;

-- parallel workers give the same model
CREATE TABLE many AS SELECT 'f' || i AS feature, i / 64.0::float8 AS coefficient FROM generate_series(1, 5000) i;
ANALYZE many;
CREATE TEMP TABLE serial AS SELECT explain.linear_model(many) AS model FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
ALTER TABLE many SET (parallel_workers = 3);
EXPLAIN (COSTS OFF) SELECT explain.linear_model(many) FROM many;
SELECT explain.model_digest(explain.linear_model(many)) = (SELECT explain.model_digest(model) FROM serial) AS same FROM many;
DROP TABLE many;

-- errors
SELECT explain.linear_model('{a,b}', '{1,2,3}');
SELECT explain.linear_model('{a,b}', '{{1,2},{3,4}}');
SELECT explain.linear_model('{a,b}', '{{1,2},{3,4}}', intercepts => '{1}');
SELECT explain.linear_model('{a,b}', '{{1,2},{3,4}}', intercepts => '{1,2}', outputs => '{x}');
SELECT explain.linear_model('{a}', '{1}', link => 'softmax');
SELECT explain.linear_model('{a}', '{1}', link => 'sofmax');
SELECT explain.linear_model(r) FROM (SELECT 1 AS coefficient) r;
SELECT explain.linear_model(r) FROM (VALUES ('a', 1)) AS v (x, y), LATERAL (SELECT ROW(x, y) AS r) s;
SELECT explain.linear_model(r) FROM (SELECT 'a' AS feature, 1 AS coefficient, 2 AS coefficient) r;
SELECT explain.linear_model(r) FROM (SELECT 'a' AS feature, '1' AS coefficient) r;
SELECT explain.linear_model(r) FROM (SELECT '{a}'::text[] AS feature, 1 AS coefficient) r;
SELECT explain.linear_model(r) FROM (SELECT now() AS feature, 1 AS coefficient) r;
SELECT explain.linear_model(r) FROM (VALUES ('a', NULL::float8)) AS r (feature, coefficient);
SELECT explain.linear_model(r) FROM (VALUES ('a', 'NaN'::float8)) AS r (feature, coefficient);
SELECT explain.linear_model(r) FROM (VALUES ('a', 1), ('a', 2)) AS r (feature, coefficient);
SELECT explain.linear_model(r) FROM (VALUES (NULL, 1), ('const', 2), ('a', 3)) AS r (feature, coefficient);
SELECT explain.linear_model(r) FROM (VALUES ('a', NULL, 1), ('a', 'x', 2)) AS r (feature, level, coefficient);
SELECT explain.linear_model(r) FROM (VALUES ('a', 1, 'y'), ('b', 2, NULL)) AS r (feature, coefficient, output);
SELECT explain.linear_model(r) FROM (VALUES ('a', 1, 5, 5)) AS r (feature, coefficient, low, high);
SELECT explain.linear_model(r) FROM (VALUES ('a', 1, 'slope')) AS r (feature, coefficient, kind);
SELECT explain.linear_model(r) FROM (VALUES ('a', 1, 'level')) AS r (feature, coefficient, kind);
SELECT explain.linear_model(r) FROM (VALUES (NULL, 1, 'x')) AS r (feature, coefficient, level);
SELECT explain.linear_model(r) FROM (VALUES (NULL, 1)) AS r (feature, coefficient);
SELECT explain.linear_model(r) FROM (VALUES ('', 1)) AS r (feature, coefficient);
SELECT explain.linear_model(r) FROM (VALUES ('%s"; DROP', 1)) AS r (feature, coefficient);
SELECT explain.linear_model_step(NULL, ROW(1));
SELECT explain.linear_model_merge('\x', '\x');
SELECT explain.linear_model_final('\x4558524301');
SELECT explain.linear_model_final('\x4558524300');
\set VERBOSITY sqlstate
SELECT explain.linear_model('{a,b}', '{1,NULL}');
SELECT explain.linear_model('{a,NULL}', '{1,2}');
SELECT explain.linear_model('{a,b}', '{1,NaN}');
SELECT explain.linear_model('{a,b}', '{1,Infinity}');
SELECT explain.linear_model('{a,b}', '{1,2}', 'NaN'::float8);
SELECT explain.linear_model('{a,a}', '{1,2}');
SELECT explain.linear_model('{a,""}', '{1,2}');
SELECT explain.linear_model('{}', '{}');
SELECT explain.linear_model('{{a,b}}', '{1,2}');
SELECT explain.linear_model(ARRAY['a'], ARRAY[[[1::float8]]]);
SELECT explain.linear_model(ARRAY[repeat('x', 2000)], '{1}');
SELECT explain.linear_model(array_agg('f' || i), array_agg(1::float8)) FROM generate_series(1, 70000) i;
