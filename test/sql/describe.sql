--
-- Models as rows
--
\getenv test PG_ABS_SRCDIR
\cd :test

-- a linear model with a background, a tree model with everything, one with vectors in its leaves
CREATE TEMP TABLE m AS SELECT 'linear' AS name, explain.with_link(explain.linear_model(r), 'logit') AS model FROM (VALUES
	(NULL, NULL, NULL, NULL, 1, 0.5), ('age', NULL, NULL, 30, 2, 0.25), ('age', NULL, 30, 60, -1, NULL),
	('home', 'owner', NULL, NULL, -2, NULL), ('home', 'rent', NULL, NULL, 4, 0.125), ('income', NULL, NULL, NULL, 0, NULL))
	AS r (feature, level, low, high, coefficient, standard_error);
UPDATE m SET model = explain.with_background(model, '{{20,0,100},{40,1,300}}'::float8[]);
INSERT INTO m SELECT 'tree', explain.with_base(explain.tree_model(r), '{0.5}') FROM (VALUES
	(0, 0, 'age', '<=', 40, NULL, 1, 2, 2, NULL, 8, 3, 0.5), (0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 3, NULL, NULL),
	(0, 2, 'home', 'in', NULL, '{rent,parents}'::text[], 3, 4, 4, NULL, 5, 1, NULL),
	(0, 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2, 2, NULL, NULL), (0, 4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, -4, 3, NULL, NULL),
	(1, 0, 'age', 'is null', NULL, NULL, 1, 2, NULL, NULL, 8, 7, NULL), (1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 8, 2, NULL, NULL),
	(1, 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 16, 6, NULL, NULL))
	AS r (tree, node, feature, op, threshold, levels, left_child, right_child, missing_child, value, cover, gain, weight);
INSERT INTO m SELECT 'vectors', explain.tree_model(r) FROM (VALUES
	(0, 'x', 0.1::float8, 1, 2, NULL), (1, NULL, NULL, NULL, NULL, '{1,0}'::float8[]), (2, NULL, NULL, NULL, NULL, '{0.25,0.75}'))
	AS r (node, feature, threshold, left_child, right_child, value);

SELECT name, jsonb_pretty(explain.model_summary(model) - 'digest' - 'bytes') FROM m;
SELECT name, f.* FROM m, explain.model_features(model) f;
SELECT name, l.* FROM m, explain.model_levels(model) l;
SELECT name, o.* FROM m, explain.model_outputs(model) o;
SELECT c.* FROM m, explain.coefficients(model) c WHERE name = 'linear';
\x on
SELECT n.* FROM m, explain.tree_nodes(model) n WHERE name = 'tree' AND tree = 0;
\x off
SELECT name, tree, node, op, value, condition, weight FROM m, explain.tree_nodes(model) WHERE name <> 'linear';

-- the way of a row through the trees: base and values make the raw prediction
CREATE TEMP TABLE applicant (age float8, home text);
INSERT INTO applicant VALUES (41, 'rent'), (40, 'castle'), (NULL, NULL);
SELECT a.age, a.home, p.* FROM m, applicant a, explain.decision_path(model, a) p WHERE name = 'tree';
SELECT a.*, 0.5 + sum(value) = explain.predict(model, a, space => 'raw') AS adds_up
FROM m, applicant a, explain.decision_path(model, a) WHERE name = 'tree' GROUP BY a.*, a.age, a.home, model;
SELECT p.* FROM m, explain.decision_path(model, '{1}'::float8[]) p WHERE name = 'vectors';

SELECT name, i.* FROM m, explain.split_importance(model) i WHERE name <> 'linear';
SELECT name, s.* FROM m, explain.model_structure(model) s;
SELECT name, p.* FROM m, explain.model_parameters(model) p;

-- every edge of a drawing ends at nodes that are there, and no two nodes share a place
SELECT name, count(*) FILTER (WHERE element = 'edge') AS edges,
	bool_and(element = 'node' OR EXISTS (SELECT FROM explain.model_structure(model) t WHERE t.id = s.source)
		AND EXISTS (SELECT FROM explain.model_structure(model) t WHERE t.id = s.target)) AS joined,
	count(DISTINCT (tree, x, y)) FILTER (WHERE element = 'node') = count(*) FILTER (WHERE element = 'node') AS apart
FROM m, explain.model_structure(model) s GROUP BY name ORDER BY name;

-- null in, no rows out
SELECT count(*) FROM explain.model_features(NULL::explain.model);
SELECT count(*) FROM m, explain.decision_path(model, NULL::applicant) WHERE name = 'tree';
SELECT explain.model_summary(NULL::explain.model);
-- in a select list, from a cursor
SELECT explain.model_outputs(model) FROM m WHERE name = 'vectors';
BEGIN;
DECLARE c CURSOR FOR SELECT tree, node FROM m, explain.tree_nodes(model) WHERE name = 'tree';
FETCH 2 FROM c;
CLOSE c;
COMMIT;

-- real models: every node table builds the model again, with what nodes do not say from the model itself
CREATE TEMP TABLE file (name text, content text);
\copy file FROM PROGRAM 'cd data/models && for f in xgboost/*.ubj xgboost34/*.ubj lightgbm/*.txt; do printf "%s\t%s\n" "$f" "$(base64 -w0 "$f")"; done'
SET client_min_messages = warning;
CREATE TEMP TABLE real AS SELECT name, CASE WHEN name LIKE '%.txt' THEN explain.lightgbm_model(decode(content, 'base64'))
	ELSE explain.xgboost_model(decode(content, 'base64')) END AS model FROM file;
RESET client_min_messages;
SELECT count(*) AS models, count(*) FILTER (WHERE again OPERATOR(explain.=) model) AS same FROM real,
	LATERAL (SELECT explain.with_outputs_of(explain.with_features_of(explain.tree_model(n), model), model) AS again
			 FROM explain.tree_nodes(model) n) s
WHERE (explain.model_header(model)).family = 'tree';
SELECT explain.with_outputs_of(explain.with_features_of(explain.linear_model(c), model), model) OPERATOR(explain.=) model AS same
FROM real, explain.coefficients(model) c WHERE name LIKE '%gblinear%' GROUP BY model;
-- a child has its parent's depth plus one, and a part of its cover
SELECT count(*) > 1000 AS many, bool_and(c.depth = p.depth + 1) AS deeper, bool_and(c.cover <= p.cover * 1.00001) AS smaller
FROM real, explain.tree_nodes(model) c JOIN explain.tree_nodes(model) p ON p.tree = c.tree AND p.node = c.parent
WHERE name IN ('xgboost/reg.ubj', 'lightgbm/reg_cat.txt');
-- XGBoost 1.7.4: Booster.get_score() of weight, total_gain, total_cover; it sums in float32
SELECT i.rank, feature, splits = x.weight AS splits, abs(gain / total_gain - 1) < 1e-6 AS gain, abs(cover / total_cover - 1) < 1e-6 AS cover
FROM real, explain.split_importance(model) i JOIN (VALUES
	('age', 87, 346087.75, 5603.0), ('sex', 17, 130119.046875, 3439.0), ('bmi', 85, 2545053.75, 14213.0),
	('bp', 65, 690777.5, 8517.0), ('s1', 47, 245854.28125, 3997.0), ('s2', 71, 436284.9375, 11761.0),
	('s3', 37, 342046.03125, 5227.0), ('s4', 20, 153699.3125, 2221.0), ('s5', 66, 1382305.75, 9787.0),
	('s6', 53, 335315.65625, 5852.0)) AS x (feature, weight, total_gain, total_cover) USING (feature)
WHERE name = 'xgboost/reg.ubj' ORDER BY rank;
SELECT sum(split_share)::numeric(10, 9), sum(gain_share)::numeric(10, 9), sum(cover_share)::numeric(10, 9)
FROM real, explain.split_importance(model) WHERE name = 'xgboost/reg.ubj';
SELECT bool_and(length(explain.model_summary(model)::text) < 4000) AS short FROM real;

-- errors
SELECT explain.coefficients(model) FROM m WHERE name = 'tree';
SELECT explain.tree_nodes(model) FROM m WHERE name = 'linear';
SELECT explain.split_importance(model) FROM m WHERE name = 'linear';
SELECT explain.decision_path(model, '{1,2,3}'::float8[]) FROM m WHERE name = 'linear';
SELECT explain.decision_path(model, '{1,2,3}'::float8[]) FROM m WHERE name = 'tree';
