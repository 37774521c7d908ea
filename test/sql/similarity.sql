--
-- model_similarity: one weighted cosine in any plan
--
CREATE TABLE prediction (id int, part int, f1 float8, f2 float8, weight float8);
INSERT INTO prediction
	SELECT i, i % 7, sin(i), sin(i) + 0.1 * cos(7 * i), i % 4 FROM generate_series(1, 1000) AS i;

-- the formula, and its ends
SELECT explain.model_similarity(f1, f2)::numeric(12, 10) AS similarity,
	abs(explain.model_similarity(f1, f2) - sum(f1 * f2) / sqrt(sum(f1 * f1) * sum(f2 * f2))) < 1e-13 AS as_defined,
	abs(explain.model_similarity(f1, f2, weight)
		- sum(weight * f1 * f2) / sqrt(sum(weight * f1 * f1) * sum(weight * f2 * f2))) < 1e-13 AS weighted
FROM prediction;
SELECT explain.model_similarity(f1, f1) AS itself, explain.model_similarity(f1, -f1) AS negated,
	explain.model_similarity(f1, 3 * f1) AS multiple, explain.model_similarity(f1, f1, weight) AS weighted
FROM prediction;
SELECT explain.model_similarity(i, j) AS orthogonal FROM (VALUES (1, 0), (0, 1)) AS t(i, j);
SELECT explain.model_similarity(i, 1) AS integers FROM generate_series(1, 3) AS i;

-- a weight of 1 is no weight, a weight of n is n rows, a weight of 0 is no say
SELECT explain.model_similarity_state(f1, f2)::text = explain.model_similarity_state(f1, f2, 1)::text AS one,
	(SELECT explain.model_similarity(f1, f2) FROM prediction, generate_series(1, weight::int))
	= explain.model_similarity(f1, f2, weight) AS repeated,
	explain.model_similarity(f1, f2) FILTER (WHERE weight > 0)
	= explain.model_similarity(f1, f2, CASE WHEN weight > 0 THEN 1 ELSE 0 END) AS none
FROM prediction;

-- magnitudes whose squares are out of range
SELECT explain.model_similarity(a, b) AS huge FROM (VALUES (1e308, 1e308), (1e308, -1e308), (-1e308, -1e308)) AS t(a, b);
SELECT explain.model_similarity(a, b) AS tiny FROM (VALUES (1e-308, 5e-324), (5e-324, 1e-308)) AS t(a, b);
SELECT explain.model_similarity(a, b, w) AS extreme FROM (VALUES (1e308, 1e-308, 1e308), (-1e308, -1e-308, 1e-308)) AS t(a, b, w);
-- terms that cancel
SELECT explain.model_similarity(a, 1) > 0 AS positive FROM (VALUES (1e16), (1), (-1e16)) AS t(a);

-- no rows, nulls, zero vectors
SELECT explain.model_similarity(f1, f2), explain.model_similarity_state(f1, f2),
	explain.model_similarity(f1, f2, weight) FROM prediction WHERE false;
SELECT explain.model_similarity(NULL, f2), explain.model_similarity(f1, f2, NULL) FROM prediction;
SELECT explain.model_similarity(a, b), explain.model_similarity(a, b, w) FROM
	(VALUES (1.0, 1.0, 1.0), (NULL, 5, 1), (7, NULL, 1), (1, -1, NULL)) AS t(a, b, w);
SELECT explain.model_similarity(0, f2) AS zero, explain.model_similarity(f1, f2, 0) AS no_weight FROM prediction;
SELECT explain.model_similarity_final(NULL), explain.model_similarity_merge(NULL);

-- what is refused
SELECT explain.model_similarity(f1, 'NaN') FROM prediction;
SELECT explain.model_similarity('-Infinity', f2) FROM prediction;
SELECT explain.model_similarity(f1, f2, -weight) FROM prediction WHERE weight > 0;
SELECT explain.model_similarity(f1, f2, 'Infinity') FROM prediction;
SELECT explain.model_similarity(f1, f2, 'NaN') FROM prediction;
\set VERBOSITY sqlstate
SELECT explain.model_similarity(f1, 'NaN') FROM prediction;
SELECT explain.model_similarity(f1, f2, -1) FROM prediction;
SELECT explain.similarity_accum(NULL, 1, 2);
SELECT explain.similarity_combine(s, s) FROM (SELECT explain.model_similarity_state(f1, f2) AS s FROM prediction) AS t;
\set VERBOSITY default

-- the state: text form, merging, and the same bits for 500 random partitions
SELECT explain.model_similarity_state(a, b) FROM (VALUES (1, 2), (3, -4)) AS t(a, b);
SELECT explain.model_similarity_state(a, b)::text = 'similarity 1 2 0:2 0:4 0:-2 0:10 0:20 0:-10' AS text_form,
	explain.model_similarity_final('similarity 1 2 0:2 0:4 0:-2 0:10 0:20 0:-10') FROM (VALUES (1, 2), (3, -4)) AS t(a, b);
SELECT explain.model_similarity_final(explain.model_similarity_merge(s)) = max(whole) AS merged
FROM (SELECT explain.model_similarity_state(f1, f2) AS s FROM prediction GROUP BY part) AS p,
	(SELECT explain.model_similarity(f1, f2) AS whole FROM prediction) AS w;
SELECT count(DISTINCT state) AS states, count(*) AS partitions
FROM generate_series(1, 500) AS trial,
LATERAL (SELECT explain.model_similarity_merge(s)::text AS state
	FROM (SELECT explain.model_similarity_state(f1, f2, weight) AS s
		FROM (SELECT * FROM prediction WHERE id <= 60 ORDER BY hashint8(id * 1000 + trial)) AS shuffled
		GROUP BY (hashint8(id + trial * 7919) & 65535) % (1 + trial % 64)) AS part) AS merged;

-- it survives tables, settings and toasting
CREATE TABLE stored AS SELECT part, explain.model_similarity_state(f1, f2, weight) AS state FROM prediction GROUP BY part;
SET extra_float_digits = -15;
SELECT explain.model_similarity_final(explain.model_similarity_merge(state))::numeric(20, 15) AS stored,
	explain.model_similarity_final(explain.model_similarity_merge(state::text::explain.similarity_state))
	= explain.model_similarity_final(explain.model_similarity_merge(state)) AS through_text FROM stored;
RESET extra_float_digits;

-- corrupt states
\set VERBOSITY sqlstate
SELECT ''::explain.similarity_state;
SELECT 'similarity'::explain.similarity_state;
SELECT 'similarity 1 2 0:2 0:4 0:-2 0:10 0:20'::explain.similarity_state;
SELECT 'similarity 1 2 0:2 0:4 0:-2 0:10 0:20 0:-10 0:1'::explain.similarity_state;
SELECT 'similarity 0 2 0:2 0:4 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'similarity 2 2 0:2 0:4 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'similarity 1 -2 0:2 0:4 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'similarity 1 0 0:2 0:4 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'similarity 1 99999999999999999999 - - - - - -'::explain.similarity_state;
SELECT 'similarity 1 2 0:2 999:4 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'similarity 1 2 0:99999999999 0:4 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'similarity 1 2 0:2,1,2,3,4,5,6 0:4 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'similarity 1 2 0:2 0: 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'similarity 1 2 0:NaN 0:4 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'background_sample 1 2'::explain.similarity_state;
\set VERBOSITY default
SELECT 'similarity 1 2 0:2 0:4 x 0:10 0:20 0:-10'::explain.similarity_state;
SELECT 'similarity 2 2 0:2 0:4 0:-2 0:10 0:20 0:-10'::explain.similarity_state;
-- made up, but well formed: an answer within bounds
SELECT explain.model_similarity_final('similarity 1 2 0:2 0:4 0:-2 0:1 0:1 0:-30000');
SELECT explain.model_similarity_final('similarity 1 2 0:2 0:4 0:-2 0:-1 0:1 0:3');

-- DISTINCT, ORDER BY, FILTER, GROUPING SETS, windows
SELECT explain.model_similarity(DISTINCT a, b) = explain.model_similarity(a, b ORDER BY b) FILTER (WHERE c = 1) AS same
FROM (VALUES (1, 2, 1), (1, 2, 2), (2, 3, 1), (-1, 5, 1)) AS t(a, b, c);
SELECT part, count(*), explain.model_similarity(f1, f2)::numeric(10, 6)
FROM prediction WHERE part < 3 GROUP BY GROUPING SETS ((part), ()) ORDER BY part;
SELECT id, explain.model_similarity(f1, f2) OVER (ORDER BY id)::numeric(8, 5) AS running,
	explain.model_similarity(f1, f2) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)::numeric(8, 5) AS moving,
	explain.model_similarity(f1, f2) OVER (ORDER BY id ROWS BETWEEN 3 FOLLOWING AND 4 FOLLOWING)::numeric(8, 5) AS ahead,
	explain.model_similarity_final(explain.model_similarity_state(f1, f2) OVER (ORDER BY id))::numeric(8, 5) AS state
FROM prediction WHERE id <= 5 ORDER BY id;

-- parallel: a partial aggregate, the same bits
ALTER TABLE prediction SET (parallel_workers = 3);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
EXPLAIN (COSTS OFF) SELECT explain.model_similarity(f1, f2, weight) FROM prediction;
SELECT explain.model_similarity_state(f1, f2, weight) AS parallel FROM prediction \gset
SET max_parallel_workers_per_gather = 0;
SELECT explain.model_similarity_state(f1, f2, weight)::text = :'parallel' AS equal FROM prediction;
RESET ALL;

-- partitionwise, and hash aggregation of many groups
CREATE TABLE divided (LIKE prediction) PARTITION BY LIST (part);
SELECT format('CREATE TABLE divided_%s PARTITION OF divided FOR VALUES IN (%s)', i, i) FROM generate_series(0, 6) AS i \gexec
INSERT INTO divided SELECT * FROM prediction;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT explain.model_similarity(f1, f2) FROM divided;
SELECT explain.model_similarity(f1, f2) = (SELECT explain.model_similarity(f1, f2) FROM prediction) AS equal FROM divided;
RESET ALL;
SET work_mem = '64kB';
SELECT count(*), count(DISTINCT similarity) FROM
	(SELECT i % 5000 AS g, explain.model_similarity(i % 5000 + 1, 1) AS similarity
	FROM generate_series(1, 20000) AS i GROUP BY i % 5000) AS g;
RESET work_mem;

DROP TABLE prediction, stored, divided;
