--
-- Changed copies of models
--
CREATE TEMP TABLE m AS
SELECT explain.linear_model(r) AS linear, NULL::explain.model AS tree FROM (VALUES
	(NULL, NULL, 1), ('age', NULL, 0.5), ('home', 'owner', -2), ('home', 'rent', 4)) AS r (feature, level, coefficient);
UPDATE m SET tree = (SELECT explain.tree_model(r) FROM (VALUES
	(0, 0, 'age', 40, NULL, 1, 2, 2, NULL, 10), (0, 1, NULL, NULL, NULL, NULL, NULL, NULL, 1, 4), (0, 2, NULL, NULL, NULL, NULL, NULL, NULL, 2, 6),
	(1, 0, 'home', NULL, '{2,0}'::int[], 1, 2, NULL, NULL, 10), (1, 1, NULL, NULL, NULL, NULL, NULL, NULL, 4, 5), (1, 2, NULL, NULL, NULL, NULL, NULL, NULL, 8, 5))
	AS r (tree, node, feature, threshold, levels, left_child, right_child, missing_child, value, cover));

-- a copy, not the model itself; what it was is left alone
SELECT explain.with_link(linear, 'logit') OPERATOR(explain.<>) linear AS other,
	explain.with_link(explain.with_link(linear, 'logit'), 'identity') OPERATOR(explain.=) linear AS back FROM m;
-- strict, but for options
SELECT explain.with_link(NULL, 'logit'), explain.with_link(linear, NULL), explain.with_base(tree, NULL),
	explain.with_outputs(tree, NULL), explain.with_missing(tree, 'age', NULL), explain.with_levels(NULL, 'home', '{a}') FROM m;

-- link and its parameter
SELECT link, explain.predict(explain.with_link(linear, link), '{2,1}'::float8[]) AS response FROM m,
	unnest(ARRAY['identity', 'logit', 'log', 'probit', 'cloglog', 'inverse']::explain.link[]) AS link;
SELECT abs(explain.predict(explain.with_link(linear, 'logit', 2), '{2,1}'::float8[]) - 1 / (1 + exp(-2 * 6.0))) < 1e-15 AS slope,
	abs(explain.predict(explain.with_link(tree, 'isolation', 2), '{50,1}'::float8[]) + 2 ^ (-10 / 2.0)) < 1e-15 AS normalised FROM m;

-- base, weights and mean of trees
SELECT explain.predict(tree, '{50,0}'::float8[]) AS sum,
	explain.predict(explain.with_base(tree, '{100}'), '{50,0}'::float8[]) AS base,
	explain.predict(explain.with_tree_weights(tree, '{0.5,-1}'), '{50,0}'::float8[]) AS weighted,
	explain.predict(explain.with_aggregation(tree, 'mean'), '{50,0}'::float8[]) AS mean,
	explain.predict(explain.with_aggregation(explain.with_tree_weights(tree, '{1,3}'), 'mean'), '{50,0}'::float8[]) AS weighted_mean
FROM m;

-- names
SELECT f.feature, o.output, explain.predict(named, '{"Age": 50, "Housing": "2"}'::jsonb, output => 'risk')
FROM (SELECT explain.with_outputs(explain.with_features(tree, '{Age,Housing}'), '{risk}') AS named FROM m) s,
	explain.model_features(named) f, explain.model_outputs(named) o;
-- levels: names for codes, and levels that the model does not mention
SELECT explain.predict(named, '{"age": 50, "home": "owner"}'::jsonb) AS owner,
	explain.predict(named, '{"age": 50, "home": "parents"}'::jsonb) AS parents,
	explain.predict(named, '{"age": 50, "home": "2"}'::jsonb) AS unknown
FROM (SELECT explain.with_levels(tree, 'home', '{other,rent,owner,parents}') AS named FROM m) s;
SELECT l.* FROM (SELECT explain.with_levels(tree, 'home', '{other,rent,owner,parents}') AS named FROM m) s, explain.model_levels(named) l;
SELECT feature, level_number, level FROM m, explain.model_levels(explain.with_levels(linear, 'home', '{Owner,Rent,Parents}'));

-- missing values
CREATE TEMP TABLE applicant (age float8, home text);
INSERT INTO applicant VALUES (50, 'rent'), (NULL, 'rent'), (50, NULL);
CREATE FUNCTION pg_temp.outcome(model explain.model, a applicant) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN explain.predict(model, a);
EXCEPTION WHEN data_exception THEN
	RETURN SQLSTATE;
END
$$;
SELECT a.*, pg_temp.outcome(linear, a) AS linear, pg_temp.outcome(tree, a) AS tree,
	pg_temp.outcome(explain.with_missing(linear, 'age', 'native'), a) AS native,
	pg_temp.outcome(explain.with_missing(linear, 'home', 'error'), a) AS error,
	pg_temp.outcome(explain.with_missing(linear, 'age', 'impute', 30), a) AS number,
	pg_temp.outcome(explain.with_missing(linear, 'home', 'impute', level => 'owner'), a) AS level,
	pg_temp.outcome(explain.with_missing(tree, 'age', 'impute', number => 30), a) AS tree_number,
	pg_temp.outcome(explain.with_missing(tree, 'home', 'impute', level => '2'), a) AS tree_level,
	pg_temp.outcome(explain.with_missing(tree, 'home', 'native'), a) AS tree_native
FROM m, applicant a;
-- many features at once, from a table
SELECT missing, imputed FROM m, LATERAL (SELECT explain.with_imputation(linear, array_agg(f), array_agg(v)) AS imputing
	FROM (VALUES ('age', 30.5)) AS v (f, v)) s, explain.model_features(imputing) WHERE feature = 'age';
SELECT explain.with_missing(linear, 'age', 'impute', 30.5) OPERATOR(explain.=) explain.with_imputation(linear, '{age}', '{30.5}') AS same,
	explain.with_missing(explain.with_missing(linear, 'age', 'impute', 30), 'age', 'error') OPERATOR(explain.=) linear AS back FROM m;
-- levels that the model does not list
SELECT policy, pg_temp.outcome(explain.with_unknown(linear, 'home', policy), ROW(2, 'castle')::applicant) AS linear,
	pg_temp.outcome(explain.with_unknown(explain.with_missing(tree, 'home', 'native'), 'home', policy), ROW(2, '7')::applicant) AS tree
FROM m, unnest(ARRAY['error', 'other', 'missing']) AS policy;

-- preprocessing: a model of scaled and one-hot columns in the user's own columns
SELECT f.feature, f.kind, f.missing, f.imputed FROM (
	SELECT explain.with_preprocessing(explain.linear_model('{z,home_rent}', '{2,3}', 1), '{
		"features": ["age", {"name": "home", "kind": "categorical", "levels": ["owner", "rent"], "unknown": "other"}],
		"inputs": [{"feature": "age", "impute": 40, "center": 30, "scale": 10}, {"feature": "home", "level": "rent"}]}') AS folded) s,
	explain.model_features(folded) f;
SELECT explain.predict(folded, r) FROM (
	SELECT explain.with_preprocessing(explain.linear_model('{z,home_rent}', '{2,3}', 1), '{
		"features": ["age", {"name": "home", "kind": "categorical", "levels": ["owner", "rent"], "unknown": "other"}],
		"inputs": [{"feature": "age", "impute": 40, "center": 30, "scale": 10}, {"feature": "home", "level": "rent"}]}') AS folded) s,
	(VALUES (50, 'rent'), (30, 'owner'), (NULL, 'castle')) AS r (age, home);

-- features and outputs of another model: arrays can be compared, rows be turned back
CREATE TEMP TABLE wide AS SELECT explain.with_missing(explain.linear_model(r), 'age', 'native') AS model FROM (VALUES
	('age', NULL, 1), ('assets', NULL, 1), ('home', 'castle', 1), ('home', 'owner', 1), ('home', 'rent', 1)) AS r (feature, level, coefficient);
SELECT feature_number, feature, level_count, missing FROM m, wide, explain.model_features(explain.with_features_of(linear, model));
SELECT r.*, explain.predict(linear, r) AS before, explain.predict(explain.with_features_of(linear, model), r) AS after
FROM m, wide, (VALUES (2, 0, 'rent'), (2, 1, 'owner'), (2, 2, 'castle'), (2, 2, NULL)) AS r (age, assets, home);
SELECT explain.with_features_of(explain.with_features_of(linear, turned), linear) OPERATOR(explain.=) linear AS back
FROM m, (SELECT '{"family": "linear", "features": [{"name": "home", "kind": "categorical", "levels": ["rent", "owner"]}, "age"],
	"coefficients": {"age": 1}}'::explain.model AS turned) t;
CREATE TEMP TABLE known AS
SELECT explain.with_link(explain.with_outputs(explain.with_base(explain.with_aggregation(
	explain.with_levels(tree, 'home', '{other,rent,owner,castle}'), 'mean'), '{0.5}'), '{bad}'), 'logit') AS model FROM m;
SELECT explain.with_outputs_of(explain.with_features_of(explain.tree_model(r), model), model) OPERATOR(explain.=) model AS same
FROM known, explain.tree_nodes(model) r GROUP BY model;
SELECT explain.predict(explain.with_features_of(k.model, w.model), '{"age": 50, "home": "owner", "assets": 1}'::jsonb) =
	explain.predict(k.model, '{"age": 50, "home": "owner"}'::jsonb) AS same
FROM known k, (SELECT explain.linear_model(r) AS model FROM (VALUES ('assets', NULL, 1), ('age', NULL, 1),
	('home', 'castle', 1), ('home', 'owner', 1), ('home', 'rent', 1), ('home', 'a', 1), ('home', 'other', 1)) AS r (feature, level, coefficient)) w;

-- errors
SELECT explain.with_link(linear, 'softmax') FROM m;
SELECT explain.with_link(linear, 'logit', 0) FROM m;
SELECT explain.with_link(linear, 'log', 2) FROM m;
SELECT explain.with_base(linear, '{1}') FROM m;
SELECT explain.with_base(tree, '{1,2}') FROM m;
SELECT explain.with_tree_weights(tree, '{1}') FROM m;
SELECT explain.with_aggregation(explain.with_tree_weights(tree, '{1,-1}'), 'mean') FROM m;
SELECT explain.with_aggregation(tree, 'median') FROM m;
SELECT explain.with_aggregation(linear, 'mean') FROM m;
SELECT explain.with_outputs(tree, '{a,b}') FROM m;
SELECT explain.with_features(tree, '{a}') FROM m;
SELECT explain.with_features(tree, '{a,a}') FROM m;
SELECT explain.with_levels(tree, 'age', '{a,b}') FROM m;
SELECT explain.with_levels(tree, 'house', '{a,b}') FROM m;
SELECT explain.with_levels(tree, 'home', '{a,b}') FROM m;
SELECT explain.with_levels(tree, 'home', '{a,b,a}') FROM m;
SELECT explain.with_missing(tree, 'age', 'guess') FROM m;
SELECT explain.with_missing(tree, 'age', 'impute') FROM m;
SELECT explain.with_missing(tree, 'age', 'impute', 1, 'a') FROM m;
SELECT explain.with_missing(tree, 'age', 'native', 1) FROM m;
SELECT explain.with_missing(linear, 'home', 'impute', level => 'castle') FROM m;
SELECT explain.with_missing(linear, 'home', 'impute', 2) FROM m;
SELECT explain.with_missing(linear, 'age', 'impute', level => 'old') FROM m;
SELECT explain.with_missing(linear, 'age', 'impute', 'NaN') FROM m;
SELECT explain.with_imputation(linear, '{age}', '{1,2}') FROM m;
SELECT explain.with_unknown(linear, 'age', 'other') FROM m;
SELECT explain.with_unknown(linear, 'home', 'ignore') FROM m;
SELECT explain.with_unknown(tree, 'home', 'missing') FROM m;
SELECT explain.with_features_of(model, linear) FROM m, wide;
SELECT explain.with_features_of(linear, explain.linear_model('{age,home}', '{1,2}')) FROM m;
SELECT explain.with_outputs_of(linear, explain.linear_model('{a}', '{{1},{2}}', intercepts => '{1,2}')) FROM m;
SELECT explain.with_preprocessing(linear, '{"features": ["age"]}') FROM m;
\set VERBOSITY sqlstate
SELECT explain.with_base(tree, '{NaN}') FROM m;
SELECT explain.with_base(tree, '{NULL}') FROM m;
SELECT explain.with_base(tree, '{{1}}') FROM m;
SELECT explain.with_outputs(tree, '{NULL}') FROM m;
SELECT explain.with_outputs(tree, '{""}') FROM m;
SELECT explain.with_tree_weights(tree, '{1,Infinity}') FROM m;
SELECT explain.with_preprocessing(linear, '[]') FROM m;
