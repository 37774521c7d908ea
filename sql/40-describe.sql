--
-- A model as rows
--

-- @overloads model
CREATE FUNCTION explain.model_summary(@model@)
	RETURNS jsonb
	AS 'MODULE_PATHNAME', 'explain_model_summary_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.model_summary(@model_type@) IS
'What a person wants to know of a model: family, size, features, outputs, link, number of trees or coefficients, and which exact Shapley methods can run on it. Always short: at most 20 features and outputs are named';
-- @end

-- @overloads model
CREATE FUNCTION explain.model_features(@model@,
	OUT feature_number int4, OUT feature text, OUT kind text, OUT level_count int4,
	OUT missing text, OUT imputed text, OUT unknown text,
	OUT mean float8, OUT sd float8, OUT min_value float8, OUT max_value float8, OUT missing_share float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_model_features_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 100 ROWS 30;
COMMENT ON FUNCTION explain.model_features(@model_type@) IS
'Features of a model, in the order of arrays. feature_number: subscript in arrays; kind: numeric, boolean, categorical; missing: what a missing value means (error, native: the model''s own rule, impute: the value imputed); unknown: what a level that is not listed means (error, other: in no set, missing). mean, sd, min_value, max_value, missing_share: of all rows that the background was drawn from, null without one';
-- @end

-- @overloads model
CREATE FUNCTION explain.model_levels(@model@,
	OUT feature_number int4, OUT feature text, OUT level_number int4, OUT level text, OUT background_count float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_model_levels_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 100 ROWS 50;
COMMENT ON FUNCTION explain.model_levels(@model_type@) IS
'Levels of the categorical features of a model. level_number, from 0, stands for the level in arrays; background_count: in how many of all rows that the background was drawn from, null without one';
-- @end

-- @overloads model
CREATE FUNCTION explain.model_outputs(@model@,
	OUT output_number int4, OUT output text, OUT link text, OUT link_param float8, OUT base float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_model_outputs_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 100 ROWS 2;
COMMENT ON FUNCTION explain.model_outputs(@model_type@) IS
'Outputs (classes or targets) of a model. base: intercept of a linear model, base value of a tree ensemble, on the raw scale';
-- @end

-- @overloads model
CREATE FUNCTION explain.coefficients(@model@,
	OUT output text, OUT feature text, OUT level text, OUT low float8, OUT high float8,
	OUT coefficient float8, OUT standard_error float8, OUT kind text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_coefficients_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 100 ROWS 30;
COMMENT ON FUNCTION explain.coefficients(@model_type@) IS
'Coefficients of a linear model, one row each, as aggregate explain.linear_model takes them. level: the coefficient is that of a category; low, high: of the bin low < x <= high, null where it is open; kind: intercept, value, level, bin, missing';
-- @end

-- @overloads model
CREATE FUNCTION explain.tree_nodes(@model@,
	OUT tree int4, OUT node int4, OUT parent int4, OUT depth int4, OUT is_leaf boolean,
	OUT feature text, OUT op text, OUT threshold float8, OUT levels text[], OUT coded boolean,
	OUT left_child int4, OUT right_child int4, OUT missing_child int4, OUT value float8[],
	OUT cover float8, OUT gain float8, OUT condition text, OUT output text, OUT weight float8,
	OUT zero_missing boolean, OUT linear_constant float8, OUT linear_features text[],
	OUT linear_coefficients float8[])
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_tree_nodes_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION explain.tree_nodes(@model_type@) IS
'Nodes of a tree ensemble, one row each, as aggregate explain.tree_model takes them. Trees and nodes are numbered from 0, the root is node 0; coded: levels are codes without names; left_child is where the test holds, missing_child where missing values go; value of a leaf, one number or one for each output; condition: what holds for the rows that come from the parent, in words; output that the tree feeds (null: all); weight of the tree';
-- @end

-- @overloads model input
CREATE FUNCTION explain.decision_path(@model@, @input@,
	OUT tree int4, OUT step int4, OUT node int4, OUT feature text, OUT feature_value text,
	OUT condition text, OUT went text, OUT cover float8, OUT output text, OUT value float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_decision_path_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000 ROWS 500;
COMMENT ON FUNCTION explain.decision_path(@model_type@, @input_type@) IS
'The way of one row through the trees of an ensemble: a row for each test, with the condition that held, in words, and one for the leaf (for each output, where leaves have several values), whose value is what the tree adds to the raw prediction: base plus the sum of the values is the prediction';
-- @end

-- @overloads model
CREATE FUNCTION explain.split_importance(@model@,
	OUT rank int4, OUT feature text, OUT splits int4, OUT gain float8, OUT cover float8,
	OUT split_share float8, OUT gain_share float8, OUT cover_share float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_split_importance_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000 ROWS 30;
COMMENT ON FUNCTION explain.split_importance(@model_type@) IS
'Split-based importance of the features of a tree ensemble: number of splits, sum of their gains (null where the model has none) and of their covers, and the share of each in its total. Ranked by gain, or cover, or splits, whichever of these there is first';
-- @end

-- @overloads model
CREATE FUNCTION explain.model_structure(@model@,
	OUT element text, OUT kind text, OUT tree int4, OUT id text, OUT label text,
	OUT source text, OUT target text, OUT x float8, OUT y float8, OUT weight float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_model_structure_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION explain.model_structure(@model_type@) IS
'A model as a graph that can be drawn: element node or edge. Nodes have coordinates: in a tree (kinds split, leaf) x is the rank of leaves from left to right and y the depth, each tree in its own coordinates; in a linear model features stand at x = 0, outputs at x = 1. Edges name source and target. weight: cover of nodes and edges of trees, coefficient of edges and intercept of outputs in linear models';
-- @end

-- @overloads model
CREATE FUNCTION explain.model_parameters(@model@,
	OUT layer text, OUT row_number int4, OUT row_name text, OUT column_number int4, OUT column_name text,
	OUT value float8, OUT scaled float8, OUT magnitude_rank int4)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_model_parameters_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000 ROWS 300;
COMMENT ON FUNCTION explain.model_parameters(@model_type@) IS
'Parameters of a model as cells of heat maps. Linear models have one layer, coefficients: outputs by columns. Trees have layers splits, gain and cover: features by depth. scaled: value divided by the largest magnitude of its layer, -1..1, for colour; magnitude_rank: 1 = largest magnitude of the layer';
-- @end
