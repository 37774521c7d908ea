--
-- background: a sample of rows and statistics of all of them
--
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE TABLE customer (id int, part int, age int, income float8, city text, member boolean, colour colour, joined date);
INSERT INTO customer
	SELECT i, i % 5, 20 + i % 50, CASE WHEN i % 10 <> 0 THEN (i * 37 % 1000) / 8.0 END,
		CASE WHEN i % 7 <> 0 THEN 'c' || i % 12 END, i % 3 = 0, (ARRAY['red', 'green'])[1 + i % 2]::colour,
		'2020-01-01'::date + i
	FROM generate_series(1, 2000) AS i;

-- statistics are of all rows; a date is no feature
SELECT feature, type, n, n_values, missing_share, mean::numeric(12, 6), sd::numeric(12, 6), min, max, n_levels
FROM explain.background_statistics((SELECT explain.background(c, 10) FROM customer AS c));
SELECT s.mean = avg(income) AS mean, abs(s.sd - stddev_samp(income)) < 1e-12 AS sd, s.min = min(income) AS min,
	s.max = max(income) AS max, s.n_values = count(income) AS n
FROM customer, explain.background_statistics((SELECT explain.background(c) FROM customer AS c)) AS s
WHERE feature = 'income' GROUP BY s.mean, s.sd, s.min, s.max, s.n_values;
SELECT l.level, l.n, l.n = count(*) AS counted
FROM explain.background_levels((SELECT explain.background(c) FROM customer AS c)) AS l JOIN customer ON city = level
WHERE feature = 'city' GROUP BY l.level, l.n ORDER BY l.n DESC, l.level COLLATE "C" LIMIT 4;
SELECT feature, level, n, share FROM explain.background_levels((SELECT explain.background(c) FROM customer AS c))
WHERE feature IN ('member', 'colour') ORDER BY feature, level;

-- the sample: different rows, weighted by how often they occur in all rows
CREATE TABLE repeated AS SELECT i % 40 AS a, (i % 40) % 3 = 0 AS b FROM generate_series(0, 999) AS i WHERE i % 41 > i % 7;
SELECT count(*) AS rows, sum(weight) AS weight, bool_and(weight = n) AS exact
FROM explain.background_rows((SELECT explain.background(r, 15) FROM repeated AS r)) AS s
JOIN (SELECT a, count(*) AS n FROM repeated GROUP BY a) AS all_rows ON s.feature = 'a' AND s.feature_value = a::text;
SELECT count(*) AS rows, sum(weight) = (SELECT count(*) FROM repeated) AS all_rows
FROM explain.background_rows((SELECT explain.background(r, 100) FROM repeated AS r)) WHERE feature = 'a';
SELECT count(DISTINCT background_row) AS rows FROM explain.background_rows((SELECT explain.background(c) FROM customer AS c));
SELECT background_row, weight, feature, feature_value FROM explain.background_rows((SELECT explain.background(c, 1) FROM customer AS c));
-- each seed draws other rows; 0 is the default
SELECT count(DISTINCT v) AS samples FROM generate_series(1, 20) AS seed,
LATERAL (SELECT string_agg(feature_value, ',') AS v FROM explain.background_rows((SELECT explain.background(r, 5, seed) FROM repeated AS r)) WHERE feature = 'a') AS s;
SELECT explain.background(r, 5, 0)::text = explain.background(r, 5)::text AS seed, explain.background(r, 100, 0)::text = explain.background(r)::text AS size FROM repeated AS r;

-- one answer for every form of the same rows, any order, any partition
SELECT explain.background(to_jsonb(r), 10)::text = explain.background(r, 10)::text AS jsonb,
	explain.background(r, 10 ORDER BY a)::text = explain.background(r, 10 ORDER BY b, a DESC)::text AS ordered,
	(SELECT explain.background(x, 10)::text FROM (SELECT b, a FROM repeated) AS x) = explain.background(r, 10)::text AS columns
FROM repeated AS r;
SELECT count(DISTINCT state) AS states, count(*) AS partitions
FROM generate_series(1, 500) AS trial,
LATERAL (SELECT explain.background_merge(s)::text AS state
	FROM (SELECT explain.background(c, 6, 3) AS s
		FROM (SELECT age, income, city, member FROM customer WHERE id <= 60 ORDER BY hashint8(id * 1000 + trial)) AS c
		GROUP BY (hashint8(c.age + trial * 7919) & 65535) % (1 + trial % 32)) AS part) AS merged;
CREATE TABLE stored AS SELECT part, explain.background(c, 20, 1) AS sample FROM customer AS c GROUP BY part;
SET extra_float_digits = -15;
SET DateStyle = 'German';
SELECT explain.background_merge(sample)::text = (SELECT explain.background(c, 20, 1) FROM customer AS c)::text AS merged,
	explain.background_merge(sample::text::explain.background_sample)::text = explain.background_merge(sample)::text AS through_text
FROM stored;
RESET extra_float_digits;
RESET DateStyle;

-- arrays: positions, null and NaN are missing
SELECT * FROM explain.background_statistics((SELECT explain.background(a) FROM
	(VALUES (ARRAY[1, 2.5]::float8[]), (ARRAY[NULL, 3.5]), (ARRAY['NaN', 4.5]), ('[3:4]={5,-0.0}')) AS t(a)));
SELECT * FROM explain.background_rows((SELECT explain.background(a) FROM
	(VALUES (ARRAY[0, 1]::float8[]), (ARRAY[-0.0, 1])) AS t(a)));

-- level counts end at 1000 different values, with the first fraction, or not at all
SELECT feature, n_levels FROM explain.background_statistics((SELECT explain.background(t) FROM
	(SELECT i % 1000 AS thousand, i AS more, 't' || i % 1000 AS texts, 't' || i AS more_texts, i / 2.0 AS halves, i * 1e15 AS large
	FROM generate_series(1, 1001) AS i) AS t));
-- text longer than a level's name can be
SELECT length(feature_value), right(feature_value, 2) FROM explain.background_rows((SELECT explain.background(t) FROM
	(SELECT repeat('ä', 5000) AS a) AS t));
-- names and texts with quotes, backslashes, spaces and letters
SELECT feature, feature_value FROM explain.background_rows((SELECT explain.background(t)::text::explain.background_sample FROM
	(SELECT '"\ "' AS "a ""b\", 'größer, ''x''' AS "ü") AS t));
SELECT explain.background(t) FROM (SELECT '' AS empty, NULL::int AS missing) AS t;

-- no rows, null rows, columns that are no features
SELECT explain.background(c) FROM customer AS c WHERE false;
SELECT explain.background(NULL::customer), explain.background(NULL::float8[]), explain.background(NULL::jsonb, 5, 6) FROM customer;
SELECT explain.background(r) FROM (SELECT now() - now() AS t, ARRAY[1] AS a) AS r;
SELECT explain.background(j) FROM (VALUES ('{"a": 1, "b": {"c": 1}, "d": null}'::jsonb), ('{"a": 2, "e": "x"}')) AS t(j);

-- what is refused
SELECT explain.background(r) FROM (SELECT 1 AS a, 2 AS a) AS r;
SELECT explain.background(r, 0) FROM repeated AS r;
SELECT explain.background(r, a) FROM repeated AS r WHERE a > 0;
SELECT explain.background(r, 10, NULL) FROM repeated AS r;
SELECT explain.background(r) FROM (VALUES ('Infinity'::float8)) AS r(amount);
SELECT explain.background(j) FROM (VALUES ('{"a": 1}'::jsonb), ('{"a": "1"}')) AS t(j);
SELECT explain.background(j) FROM (VALUES ('{"a": true}'::jsonb), ('{"a": 1}')) AS t(j);
SELECT explain.background('[1]'::jsonb);
SELECT explain.background(a) FROM (VALUES (ARRAY[1, 2]::float8[]), (ARRAY[3])) AS t(a);
SELECT explain.background_merge(s) FROM (SELECT explain.background(r, 5) AS s FROM repeated AS r UNION ALL SELECT explain.background(r, 6) FROM repeated AS r) AS u;
SELECT explain.background_merge(s) FROM (SELECT explain.background(r, 5) AS s FROM repeated AS r UNION ALL SELECT explain.background(ARRAY[1.0]::float8[], 5)) AS u;
\set VERBOSITY sqlstate
SELECT explain.background(r) FROM (SELECT 1 AS a, 2 AS a) AS r;
SELECT explain.background(r, -1) FROM repeated AS r;
SELECT explain.background(r, 1000001) FROM repeated AS r;
SELECT explain.background(r, a) FROM repeated AS r WHERE a > 0;
SELECT explain.background(r, NULL) FROM repeated AS r;
SELECT explain.background(a) FROM (VALUES (ARRAY['Infinity'::float8])) AS t(a);
SELECT explain.background(j) FROM (VALUES ('{"a": 1e400}'::jsonb)) AS t(j);
SELECT explain.background(j) FROM (VALUES ('{"a": 1}'::jsonb), ('{"a": "1"}')) AS t(j);
SELECT explain.background(jsonb_build_object(repeat('x', 1025), 1));
SELECT explain.background('1'::jsonb);
SELECT explain.background('{}'::float8[]);
SELECT explain.background('{{1}}'::float8[]);
SELECT explain.background(a) FROM (VALUES (ARRAY[1, 2]::float8[]), (ARRAY[3])) AS t(a);
SELECT explain.background_accum(NULL, ARRAY[1.0]::float8[]);
SELECT explain.background_combine(NULL, NULL);

-- corrupt samples
SELECT ''::explain.background_sample;
SELECT 'background_sample 1 10 0 2 0 1 "a" 1 2 0:3 0:5 1 2 1 2 1 1 2 1 2 1 1 1'::explain.background_sample;
SELECT 'background_sample 1 10 0 2 0 1 "a" 1 2 0:3 0:5 1 2 1 2 1 1 2 1 2 1 1 1 2 3'::explain.background_sample;
SELECT 'background_sample 1 10 0 2 0 1 "a" 1 2 0:3 0:5 1 2 1 2 1 1 2 1 2 1 1 1 1'::explain.background_sample;
SELECT 'background_sample 1 10 0 2 0 1 "a" 1 2 0:3 0:5 1 2 1 2 1 1 1 1 2 1 1 1 2'::explain.background_sample;
SELECT 'background_sample 1 10 0 2 0 1 "a" 1 2 0:3 0:5 1 2 1 2 1 1 2 1 1 1 1'::explain.background_sample;
SELECT 'background_sample 1 0 0 2 0 1 "a" 1 2 0:3 0:5 1 2 1 2 1 1 2 1 2 1 1 1 2'::explain.background_sample;
SELECT 'background_sample 1 10 0 2 0 2 "a" 0 1 0 "a" 0 1 0 1 2 NaN NaN'::explain.background_sample;
SELECT 'background_sample 1 10 0 1 0 1 "a 0 1 0 1 1 NaN'::explain.background_sample;
SELECT 'background_sample 1 10 0 1 0 1 "t" 3 1 1 1 "x" 1 1 1 1'::explain.background_sample;
SELECT 'background_sample 1 10 0 1 0 4000000000 "a" 0 1 0 1 1 NaN'::explain.background_sample;
SELECT 'background_sample 1 10 0 1 0 1 "a" 0 1 0 900000 1 NaN'::explain.background_sample;
SELECT 'background_sample 7 10 0 1 0 1 "a" 0 1 0 1 1 NaN'::explain.background_sample;
\set VERBOSITY default
SELECT 'background_sample 1 10 0 2 0 1 "a" 1 2 0:3 0:5 1 2 1 2 1 1 2 1 2 1 1 1 2'::explain.background_sample;
SELECT 'background_sample 1 10 0 1 0 1 "a" 0 1 0 1 1 5'::explain.background_sample;

-- DISTINCT, FILTER, GROUPING SETS, windows
SELECT explain.background(DISTINCT r)::text = (SELECT explain.background(d)::text FROM (SELECT DISTINCT a, b FROM repeated) AS d) AS is_distinct,
	explain.background(r) FILTER (WHERE b)::text = (SELECT explain.background(d)::text FROM repeated AS d WHERE b) AS filtered FROM repeated AS r;
SELECT b, (SELECT string_agg(n || ' ' || mean::numeric(8, 4), ' ') FROM explain.background_statistics(s) WHERE feature = 'a')
FROM (SELECT b, explain.background(r) AS s FROM repeated AS r GROUP BY GROUPING SETS ((b), ())) AS g ORDER BY b;
SELECT a, (SELECT n || ' ' || min || ' ' || max FROM explain.background_statistics(running) WHERE feature = 'a') AS running,
	(SELECT n || ' ' || min || ' ' || max FROM explain.background_statistics(moving) WHERE feature = 'a') AS moving
FROM (SELECT a, explain.background(r) OVER (ORDER BY a) AS running,
	explain.background(r) OVER (ORDER BY a ROWS 1 PRECEDING) AS moving FROM (SELECT DISTINCT a, b FROM repeated) AS r) AS w
WHERE a < 4 ORDER BY a;

-- rows of a table that has changed, and of another table with the same columns
ALTER TABLE repeated ADD COLUMN gone int, ADD COLUMN c int DEFAULT 7;
ALTER TABLE repeated DROP COLUMN gone;
SELECT feature, n_values, mean::numeric(8, 4) FROM explain.background_statistics((SELECT explain.background(r) FROM repeated AS r));
CREATE DOMAIN positive AS float8 CHECK (VALUE > 0);
SELECT feature, type, mean FROM explain.background_statistics((SELECT explain.background(t) FROM
	(SELECT 5::positive AS a, 'x'::varchar(5) AS b, 'y'::char(3) AS c, 'z'::name AS d, 2::int2 AS e, 3::int8 AS f, 4.5::float4 AS g, 6.25::numeric AS h) AS t));

-- parallel: a partial aggregate, the same bits
ALTER TABLE customer SET (parallel_workers = 3);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
EXPLAIN (COSTS OFF) SELECT explain.background(c, 50) FROM customer AS c;
SELECT md5(explain.background(c, 50)::text) AS parallel, md5(explain.background(to_jsonb(c), 50)::text) AS jsonb FROM customer AS c \gset
SET max_parallel_workers_per_gather = 0;
SELECT md5(explain.background(c, 50)::text) = :'parallel' AS equal, md5(explain.background(to_jsonb(c), 50)::text) = :'jsonb' AS jsonb FROM customer AS c;
RESET ALL;

--
-- with_background
--
CREATE TABLE m AS SELECT explain.linear_model(ARRAY['income', 'age'], ARRAY[2, -1], 10) AS model;
-- means of all rows, not of the sample
SELECT explain.base_value((SELECT explain.with_background(model, (SELECT explain.background(c, 3) FROM customer AS c WHERE income IS NOT NULL)) FROM m))
	- (SELECT 10 + 2 * avg(income) - avg(age) FROM customer WHERE income IS NOT NULL) AS difference;
SELECT explain.with_background(model, ARRAY[[100, 30], [200, 50]]::float8[]) FROM m;
SELECT explain.base_value((SELECT explain.with_background(model, ARRAY[[100, 30], [200, 50]]::float8[]) FROM m));
SELECT explain.model_digest(explain.with_background(model,
		(SELECT explain.background(a) FROM (VALUES (ARRAY[100, 30]::float8[]), (ARRAY[200, 50])) AS t(a))))
	= explain.model_digest(explain.with_background(model, ARRAY[[100, 30], [200, 50]]::float8[])) AS same FROM m;
SELECT explain.with_background(model, NULL::float8[]), explain.with_background(NULL, ARRAY[[1, 2]]::float8[]) FROM m;
-- a second background takes the place of the first
SELECT explain.model_digest(explain.with_background(explain.with_background(model, ARRAY[[1, 2]]::float8[]), ARRAY[[3, 4]]::float8[]))
	= explain.model_digest(explain.with_background(model, ARRAY[[3, 4]]::float8[])) AS replaced FROM m;

-- what is refused
SELECT explain.with_background(model, (SELECT explain.background(r) FROM (SELECT 1 AS income, 2 AS "Age") AS r)) FROM m;
SELECT explain.with_background(model, (SELECT explain.background(c) FROM customer AS c)) FROM m;
SELECT explain.with_background(model, (SELECT explain.background(r) FROM (SELECT 'x' AS income, 2 AS age) AS r)) FROM m;
\set VERBOSITY sqlstate
SELECT explain.with_background(model, (SELECT explain.background(r) FROM (SELECT 1 AS income) AS r)) FROM m;
SELECT explain.with_background(model, (SELECT explain.background(c, 1) FROM customer AS c)) FROM m;
SELECT explain.with_background(model, (SELECT explain.background(r) FROM (SELECT 'x' AS income, 2 AS age) AS r)) FROM m;
SELECT explain.with_background(model, (SELECT explain.background(ARRAY[1, 2, 3]::float8[]))) FROM m;
SELECT explain.with_background(model, '{}'::float8[]) FROM m;
SELECT explain.with_background(model, ARRAY[1, 2]::float8[]) FROM m;
SELECT explain.with_background(model, ARRAY[[1, 2, 3]]::float8[]) FROM m;
SELECT explain.with_background(model, ARRAY[[1, NULL]]::float8[]) FROM m;
SELECT explain.with_background(model, ARRAY[[1, 'Infinity']]::float8[]) FROM m;
\set VERBOSITY default

-- levels, missing values and unknown levels follow the model's rules
CREATE TABLE l AS SELECT '{"family": "linear",
	"features": [{"name": "city", "levels": ["c1", "c2", "c3"], "unknown": "other", "missing": {"impute": "c3"}},
		{"name": "income", "missing": {"impute": 1000}}, {"name": "member", "kind": "boolean"}],
	"outputs": ["y"], "link": "identity", "intercept": 0,
	"coefficients": {"city": {"c1": 1, "c3": 100}, "income": 1, "member": 10000}}'::explain.model AS model;
SELECT explain.base_value((SELECT explain.with_background(model, (SELECT explain.background(c, 7) FROM customer AS c)) FROM l))
	- avg(CASE WHEN city = 'c1' THEN 1 WHEN city = 'c3' OR city IS NULL THEN 100 ELSE 0 END + coalesce(income, 1000)
		+ 10000 * member::int) AS difference FROM customer;
SELECT key, value FROM l, jsonb_each((explain.with_background(model, (SELECT explain.background(r) FROM
	(VALUES ('c1', 5.0, true), ('c1', NULL, true), ('elsewhere', 2, false), (NULL, 2, false)) AS r(city, income, member)))::jsonb) -> 'background');
-- more levels than are counted: those of the sample's rows, in proportion
SELECT n, jsonb_path_query_array(background, '$.statistics[0].n') AS in_statistics, (SELECT sum(c::float8) FROM jsonb_path_query(background, '$.statistics[0].levels[*]') AS c) AS in_levels
FROM (SELECT 3000 AS n, explain.with_background(format('{"family": "linear", "features": [{"name": "t", "levels": %s}], "outputs": ["y"], "intercept": 0, "coefficients": {"t": {"t7": 5}}}',
		(SELECT jsonb_agg('t' || i) FROM generate_series(1, 1500) AS i))::explain.model,
	(SELECT explain.background(r, 50) FROM (SELECT 't' || 1 + i % 1500 AS t FROM generate_series(1, 3000) AS i) AS r))::jsonb -> 'background' AS background) AS b;
SELECT jsonb_path_query_array(explain.with_background(model,
	ARRAY[[0, 5, 1], [0, NULL, 1], [7, 2, 0], [NULL, 2, 0]]::float8[])::jsonb, '$.background.statistics[*].*') AS positions FROM l;
SELECT explain.with_background(model, (SELECT explain.background(r) FROM (VALUES ('c1', 5.0, 2)) AS r(city, income, member))) FROM l;
SELECT explain.with_background((model::jsonb #- '{features,0,unknown}')::explain.model,
	(SELECT explain.background(r) FROM (VALUES ('c1', 5.0, true), ('elsewhere', 2, false)) AS r(city, income, member))) FROM l;
-- numbers that name levels
SELECT explain.base_value(explain.with_background('{"family": "linear", "features": [{"name": "class", "levels": ["1", "2", "3"]}],
	"outputs": ["y"], "intercept": 0, "coefficients": {"class": {"2": 10, "3": 100}}}',
	(SELECT explain.background(r, 1) FROM (VALUES (1), (3), (3), (2)) AS r(class))));

DROP TABLE customer, repeated, stored, m, l;
DROP TYPE colour;
DROP DOMAIN positive;
