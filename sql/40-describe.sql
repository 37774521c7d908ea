--
-- A model as rows
--

-- @overloads model
CREATE FUNCTION explain.model_summary(@model@)
	RETURNS jsonb
	AS 'MODULE_PATHNAME', 'explain_model_summary_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.model_summary(@model_type@) IS
'What a person wants to know of a model: family, size, features, outputs, link, number of trees, coefficients, layers, and which methods of Shapley values can run on it as it is (shap_methods; other explanations need none of them). Always short: at most 20 features and outputs are named';
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
'Outputs (classes or targets) of a model. base: intercept of a linear model, base value of a tree ensemble, on the raw scale; null for networks, whose biases are in explain.network_weights';
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
CREATE FUNCTION explain.model_structure(@model@, detail explain.label DEFAULT 'auto',
	OUT element text, OUT kind text, OUT tree int4, OUT id text, OUT label text,
	OUT source text, OUT target text, OUT x float8, OUT y float8, OUT weight float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_model_structure_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION explain.model_structure(@model_type@, explain.label) IS
'A model as a graph that can be drawn: element node or edge. Nodes have coordinates: in a tree (kinds split, leaf) x is the rank of leaves from left to right and y the depth, each tree in its own coordinates; in a linear model features stand at x = 0, outputs at x = 1. Edges name source and target. weight: cover of nodes and edges of trees, coefficient of edges and intercept of outputs in linear models. Networks are drawn from left to right, as detail says: units of a multilayer perceptron (kinds input, dense, output; weight of an edge is the weight, of a node the bias; the activation is in the label), layers (kinds as in explain.layers, and output; x: layers on the longest way from the input; weight of a node is the number of its parameters, of an edge the numbers that flow), or auto: units where there are up to 200, else layers';
-- @end

-- @overloads model
CREATE FUNCTION explain.model_parameters(@model@, only_layer explain.label DEFAULT NULL,
	OUT layer text, OUT row_number int4, OUT row_name text, OUT column_number int4, OUT column_name text,
	OUT value float8, OUT scaled float8, OUT magnitude_rank int4)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_model_parameters_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000 ROWS 300;
COMMENT ON FUNCTION explain.model_parameters(@model_type@, explain.label) IS
'Parameters of a model as cells of heat maps. Linear models have one layer, coefficients: outputs by columns. Trees have layers splits, gain and cover: features by depth. Networks have one for each layer with weights: units by inputs, channels by input channel[y,x] of the kernel, and the bias last; gamma, beta, mean, variance by channels; scale, shift by units. only_layer: the name of the only one to show, null for all; one layer at a time is held in memory. scaled: value divided by the largest magnitude of its layer, -1..1, for colour; magnitude_rank: 1 = largest magnitude of the layer';
-- @end

-- @overloads model
CREATE FUNCTION explain.layers(@model@,
	OUT layer_number int4, OUT layer text, OUT kind text, OUT sources text, OUT depth int4,
	OUT channels int4, OUT height int4, OUT width int4, OUT units int4, OUT parameter_count int4,
	OUT kernel text, OUT stride text, OUT padding text, OUT dilation text, OUT group_count int4,
	OUT number float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_layers_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 100 ROWS 20;
COMMENT ON FUNCTION explain.layers(@model_type@) IS
'Layers of a network, one row each; layer 0 is the input. sources: names of the layers that it reads; depth: layers on the longest way from the input; channels, height, width: shape of its output (a vector has height and width 1), units: their product; parameter_count: weights with biases; kernel, stride, padding, dilation: height x width of convolutions and pooling (padding top,left,bottom,right where sides differ); number: slope of leaky_relu, alpha of elu, epsilon of batch_norm. The link is that of explain.model_outputs';
-- @end

-- @overloads model
CREATE FUNCTION explain.network_weights(@model@,
	OUT layer int4, OUT layer_name text, OUT kind text, OUT sources int4[], OUT unit int4, OUT unit_name text,
	OUT input text, OUT input_name text, OUT weight float8, OUT kernel_y int4, OUT kernel_x int4,
	OUT level text, OUT low float8, OUT high float8, OUT center float8, OUT scale float8,
	OUT missing_value float8, OUT kernel int4[], OUT stride int4[], OUT padding int4[], OUT dilation int4[],
	OUT group_count int4, OUT counts_padding boolean, OUT number float8, OUT shape int4[], OUT link text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'explain_network_weights_@overload@'
	LANGUAGE C @volatility@ PARALLEL SAFE COST 1000 ROWS 10000;
COMMENT ON FUNCTION explain.network_weights(@model_type@) IS
'Weights of a network, one row each, as aggregate explain.network_model takes them (which says what the columns mean); layers without weights have one row. Rows of layer 0 are the columns of the input, or the channels of an image: unit is the column''s number, input its feature. What describes a layer is in its first row only. unit_name, input_name: in words, for people';
-- @end
