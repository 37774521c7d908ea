--
-- attribution_summary and importance: attributions of many rows
--
CREATE TABLE explained (id int, part int, phi float8[]);
INSERT INTO explained
	SELECT i, i % 5, ARRAY[i % 7 - 3, 0.1, CASE WHEN i % 2 = 0 THEN -0.25 ELSE 0.25 END, 0, i / 100.0]
	FROM generate_series(1, 200) AS i;
CREATE VIEW long AS
	SELECT f AS feature, phi[f] AS x FROM explained, generate_series(1, 5) AS f;

-- against plain SQL
SELECT rank, i.feature, mean_abs::numeric(10, 6), share::numeric(10, 6), std_error::numeric(10, 6), mean::numeric(10, 6),
	sd::numeric(10, 6), min, max, positive_share::numeric(10, 6), sign_consistency::numeric(10, 6), n
FROM explain.importance(ARRAY['a', 'b', 'c', 'd', 'e'], (SELECT explain.attribution_summary(phi) FROM explained)) AS i;
SELECT i.feature, abs(i.mean_abs - avg(abs(x))) < 1e-14 AS mean_abs, abs(i.mean - avg(x)) < 1e-14 AS mean,
	abs(i.sd - stddev_samp(x)) < 1e-13 AS sd, abs(i.std_error - stddev_samp(abs(x)) / sqrt(count(*))) < 1e-14 AS std_error,
	i.min = min(x) AS min, i.max = max(x) AS max, i.n = count(*) AS n
FROM explain.importance(ARRAY['1', '2', '3', '4', '5'], (SELECT explain.attribution_summary(phi) FROM explained)) AS i
JOIN long ON long.feature = i.feature::int
GROUP BY i.feature, i.mean_abs, i.mean, i.sd, i.std_error, i.min, i.max, i.n ORDER BY i.feature;

-- with a model's names, by value and through its own attributions
CREATE TABLE m AS SELECT explain.linear_model(ARRAY['income', 'age'], ARRAY[2, -1]) AS model;
SELECT rank, feature, mean_abs, mean, sign_consistency, n
FROM explain.importance((SELECT model FROM m), (SELECT explain.attribution_summary(ARRAY[i, -2 * i]) FROM generate_series(1, 3) AS i));
SELECT * FROM explain.importance((SELECT model FROM m), (SELECT explain.attribution_summary(phi) FROM explained));
SELECT * FROM explain.importance(ARRAY['a', 'b'], (SELECT explain.attribution_summary(phi) FROM explained));
SELECT * FROM explain.importance(ARRAY['a', 'b', NULL, 'd', 'e'], (SELECT explain.attribution_summary(phi) FROM explained));
SELECT count(*) AS none FROM explain.importance((SELECT model FROM m), NULL);
SELECT count(*) AS none FROM explain.importance(NULL::explain.model, (SELECT explain.attribution_summary(phi) FROM explained));
SELECT count(*) AS none FROM explain.importance(NULL::text[], (SELECT explain.attribution_summary(phi) FROM explained));

-- one row, zeros, ties, huge values
SELECT rank, feature, mean_abs, std_error, sd, positive_share, share
FROM explain.importance(ARRAY['x', 'y'], (SELECT explain.attribution_summary(ARRAY[1, -3])));
SELECT rank, feature, mean_abs, std_error, sd, positive_share, sign_consistency, share
FROM explain.importance(ARRAY['x', 'y'], (SELECT explain.attribution_summary(ARRAY[0, -0.0]) FROM generate_series(1, 3)));
SELECT feature, mean_abs, mean, share
FROM explain.importance(ARRAY['x', 'y'], (SELECT explain.attribution_summary(ARRAY[1.5e308, 5e-324]) FROM generate_series(1, 3)));

-- nulls and no rows
SELECT explain.attribution_summary(phi) FROM explained WHERE false;
SELECT explain.attribution_summary(NULL::float8[]) FROM explained;
SELECT explain.attribution_summary(a) FROM (VALUES (ARRAY[1.0, 2.0]::float8[]), (NULL), ('[5:6]={3,4}')) AS t(a);
SELECT explain.attribution_summary_merge(NULL);


-- null elements are skipped, and each feature counts its own values
CREATE VIEW sparse AS
	SELECT id, ARRAY[CASE WHEN id % 3 > 0 THEN phi[1] END, NULL, phi[5]] AS phi FROM explained;
SELECT explain.attribution_summary(ARRAY[1, NULL]::float8[]);
SELECT rank, feature, mean_abs::numeric(10, 6), share::numeric(10, 6), std_error::numeric(10, 6), mean::numeric(10, 6), min, max, n
FROM explain.importance(ARRAY['a', 'b', 'c'], (SELECT explain.attribution_summary(phi) FROM sparse));
SELECT avg(abs(phi[1]))::numeric(10, 6) AS a, avg(abs(phi[3]))::numeric(10, 6) AS c, count(phi[1]), count(phi[3]) FROM sparse;
SELECT count(DISTINCT state) AS states
FROM generate_series(1, 100) AS trial,
LATERAL (SELECT explain.attribution_summary_merge(s)::text AS state
	FROM (SELECT explain.attribution_summary(phi) AS s FROM sparse
		GROUP BY (hashint8(id + trial * 7919) & 65535) % (1 + trial % 64)) AS part) AS merged;
SELECT explain.attribution_summary_merge(s) FROM
	(VALUES ('attribution_summary 1 1 2 - - - 0 0 0 0 - - - 0 0 0 0'), ('attribution_summary 2 1 2 0 1 - - - 0 0 0 0')) AS t(t),
	LATERAL (SELECT t::explain.attribution_summary_state AS s) AS u;
SELECT 'attribution_summary 2 1 1 1 - - - 0 0 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 2 1 1 2 - - - 0 0 0 0'::explain.attribution_summary_state;

-- what is refused
SELECT explain.attribution_summary(ARRAY[1, 'NaN']::float8[]);
SELECT explain.attribution_summary('{}'::float8[]);
SELECT explain.attribution_summary('{{1,2},{3,4}}'::float8[]);
SELECT explain.attribution_summary(a) FROM (VALUES (ARRAY[1.0, 2.0]::float8[]), (ARRAY[3.0])) AS t(a);
\set VERBOSITY sqlstate
SELECT explain.attribution_summary(ARRAY[1, 'NaN']::float8[]);
SELECT explain.attribution_summary(ARRAY[1, '-Infinity']::float8[]);
SELECT explain.attribution_summary('{}'::float8[]);
SELECT explain.attribution_summary('{{1,2},{3,4}}'::float8[]);
SELECT explain.attribution_summary('{{1,2},{3}}');
SELECT explain.attribution_summary(a) FROM (VALUES (ARRAY[1.0, 2.0]::float8[]), (ARRAY[3.0])) AS t(a);
SELECT explain.attribution_summary(array_fill(0::float8, ARRAY[65536]));
SELECT explain.attribution_summary_accum(NULL, ARRAY[1.0]);
SELECT explain.attribution_summary_merge(s) FROM
	(VALUES ('attribution_summary 1 1 1 - - - 0 0 0 0'), ('attribution_summary 1 1 2 - - - 0 0 0 0 - - - 0 0 0 0')) AS t(t),
	LATERAL (SELECT t::explain.attribution_summary_state AS s) AS u;
SELECT * FROM explain.importance(ARRAY['x'], (SELECT explain.attribution_summary(ARRAY[x]) FROM (VALUES (1.7e308), (-1.7e308)) AS t(x)));
\set VERBOSITY default
SELECT length(explain.attribution_summary(array_fill(1::float8, ARRAY[65535]))::text) > 65535 AS widest;

-- the state: merging, and the same bits for 500 random partitions
SELECT explain.attribution_summary(a) FROM (VALUES (ARRAY[1.5, -2]::float8[]), (ARRAY[-0.5, 0])) AS t(a);
SELECT count(DISTINCT state) AS states, count(*) AS partitions
FROM generate_series(1, 500) AS trial,
LATERAL (SELECT explain.attribution_summary_merge(s)::text AS state
	FROM (SELECT explain.attribution_summary(phi) AS s
		FROM (SELECT id, ARRAY[exp(id), 0.1 * id, -1e-30 / id] AS phi FROM explained WHERE id <= 60
			ORDER BY hashint8(id * 1000 + trial)) AS shuffled
		GROUP BY (hashint8(id + trial * 7919) & 65535) % (1 + trial % 64)) AS part) AS merged;
CREATE TABLE stored AS SELECT part, explain.attribution_summary(phi || phi || phi || phi) AS summary FROM explained GROUP BY part;
SET extra_float_digits = -15;
SELECT explain.attribution_summary_merge(summary)::text = (SELECT explain.attribution_summary(phi || phi || phi || phi) FROM explained)::text AS merged,
	explain.attribution_summary_merge(summary::text::explain.attribution_summary_state)::text = explain.attribution_summary_merge(summary)::text AS through_text
FROM stored;
RESET extra_float_digits;

-- corrupt states
\set VERBOSITY sqlstate
SELECT ''::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 1 - - - 0 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 1 - - - 0 0 0 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 0 1 - - - 0 0 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 1000000 - - - 0 0 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 60000 - - - 0 0 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 1 - - - 1 0 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 1 - - - 0 NaN 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 1 - - - 0 0x10 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 1 - - - 0 1e999 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 1 - - - 0 0 1 1'::explain.attribution_summary_state;
SELECT 'attribution_summary 1 1 1 0:99999999 - - 0 0 0 0'::explain.attribution_summary_state;
SELECT 'attribution_summary 9 1 1 - - - 0 0 0 0'::explain.attribution_summary_state;
\set VERBOSITY default
SELECT 'attribution_summary 1 1 1 - - - 1 0 0 0'::explain.attribution_summary_state;

-- DISTINCT, ORDER BY, FILTER, GROUPING SETS, windows
SELECT explain.attribution_summary(DISTINCT a)::text = explain.attribution_summary(a ORDER BY b) FILTER (WHERE b = 1)::text AS same
FROM (VALUES (ARRAY[1.0, 2.0]::float8[], 1), (ARRAY[1.0, 2.0], 2), (ARRAY[0.0, -1.0], 1)) AS t(a, b);
SELECT part, (SELECT feature || ' ' || mean_abs::numeric(10, 4) FROM explain.importance(ARRAY['a', 'b', 'c', 'd', 'e'], s) WHERE rank = 1) AS first
FROM (SELECT part, explain.attribution_summary(phi) AS s FROM explained WHERE part < 3 GROUP BY GROUPING SETS ((part), ())) AS g ORDER BY part;
SELECT id, (SELECT string_agg(feature || ' ' || mean_abs::numeric(8, 3), ', ' ORDER BY rank) FROM explain.importance(ARRAY['a', 'b', 'c', 'd', 'e'], s) WHERE rank < 3) AS moving
FROM (SELECT id, explain.attribution_summary(phi) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM explained WHERE id <= 4) AS w ORDER BY id;

-- arrays that come short, compressed, out of line, or expanded
CREATE TABLE wide (phi float8[]);
INSERT INTO wide SELECT array_agg(i % 3 ORDER BY i) FROM generate_series(1, 3000) AS i;
ALTER TABLE wide ALTER phi SET STORAGE external;
INSERT INTO wide SELECT array_agg(i % 3 ORDER BY i) FROM generate_series(1, 3000) AS i;
SELECT mean_abs, n FROM explain.importance(array_fill('f'::text, ARRAY[3000]), (SELECT explain.attribution_summary(phi) FROM wide)) LIMIT 2;
DO $$
DECLARE
	a float8[] := ARRAY[1, 2];
	s explain.attribution_summary_state;
BEGIN
	a[3] := -7;
	SELECT explain.attribution_summary(a) INTO s;
	RAISE NOTICE '%', s;
END
$$;

-- parallel: a partial aggregate, the same bits
ALTER TABLE explained SET (parallel_workers = 3);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
EXPLAIN (COSTS OFF) SELECT explain.attribution_summary(phi) FROM explained;
SELECT explain.attribution_summary(phi) AS parallel FROM explained \gset
SELECT part, explain.attribution_summary(phi) AS s INTO grouped FROM explained GROUP BY part;
SET max_parallel_workers_per_gather = 0;
SELECT explain.attribution_summary(phi)::text = :'parallel' AS equal,
	explain.attribution_summary(phi)::text = (SELECT explain.attribution_summary_merge(s)::text FROM grouped) AS grouped FROM explained;
RESET ALL;

DROP VIEW long, sparse;
DROP TABLE explained, m, stored, wide, grouped;
