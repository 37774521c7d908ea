--
-- Building models
--

CREATE FUNCTION explain.linear_model(features text[], coefficients float8[],
	intercept float8 DEFAULT 0, link explain.link DEFAULT 'identity')
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_linear_model'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.linear_model(text[], float8[], float8, explain.link) IS
'Generalised linear model with one output: response = inverse link of (intercept + sum of coefficient * feature). One coefficient for each feature, in the same order; all features are numeric';

CREATE FUNCTION explain.linear_model(features text[], coefficients float8[],
	intercepts float8[], outputs text[] DEFAULT NULL, link explain.link DEFAULT 'identity')
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_linear_model_outputs'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.linear_model(text[], float8[], float8[], text[], explain.link) IS
'Generalised linear model with several outputs: coefficients has one row for each output and one column for each feature, intercepts one number for each output. Outputs are named 0, 1, ... unless names are given';

CREATE FUNCTION explain.linear_model_step(state bytea, coefficient_row record)
	RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_linear_model_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION explain.linear_model_step(bytea, record) IS
'Transition function of aggregate explain.linear_model: takes in one row of a coefficient table';

CREATE FUNCTION explain.linear_model_merge(bytea, bytea)
	RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_linear_model_merge'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.linear_model_merge(bytea, bytea) IS
'Combine function of aggregate explain.linear_model';

CREATE FUNCTION explain.linear_model_final(state bytea)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_linear_model_final'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.linear_model_final(bytea) IS
'Final function of aggregate explain.linear_model: the model that the rows describe';

CREATE AGGREGATE explain.linear_model(coefficient_row record) (
	SFUNC = explain.linear_model_step,
	STYPE = bytea,
	SSPACE = 8192,
	COMBINEFUNC = explain.linear_model_merge,
	FINALFUNC = explain.linear_model_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.linear_model(record) IS
'Linear model from the rows of a coefficient table, matched by column name: feature and coefficient; optionally output, level (the coefficient of a category), low and high (of a bin low < x <= high), standard_error, kind (intercept, value, level, bin, missing). The intercept''s row has feature null, (Intercept), (intercept), Intercept, intercept or const. Features are ordered by name. A category that the table does not mention, and a missing one, add nothing; numbers must not be missing (explain.with_missing changes that). Link: explain.with_link';

CREATE FUNCTION explain.tree_model_step(state bytea, node_row record)
	RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_tree_model_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION explain.tree_model_step(bytea, record) IS
'Transition function of aggregate explain.tree_model: takes in one row of a node table';

CREATE FUNCTION explain.tree_model_merge(bytea, bytea)
	RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_tree_model_merge'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.tree_model_merge(bytea, bytea) IS
'Combine function of aggregate explain.tree_model';

CREATE FUNCTION explain.tree_model_final(state bytea)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_tree_model_final'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.tree_model_final(bytea) IS
'Final function of aggregate explain.tree_model: the model that the rows describe';

CREATE AGGREGATE explain.tree_model(node_row record) (
	SFUNC = explain.tree_model_step,
	STYPE = bytea,
	SSPACE = 65536,
	COMBINEFUNC = explain.tree_model_merge,
	FINALFUNC = explain.tree_model_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.tree_model(record) IS
'Tree ensemble from the rows of a node table, matched by column name: node, feature, left_child, right_child, value (of a leaf: a number, or an array with one for each output); optionally tree, op (<=, <, >, >=, in, not in, is null, is not null, leaf), threshold, levels (text[], or codes), coded, missing_child, cover, gain, output, weight, zero_missing, linear_constant, linear_features, linear_coefficients. left_child is where the test is true; a node without children is a leaf, the node that is no one''s child the root. Features are ordered by name. Base, link, mean of trees and more follow through explain.with_base, with_link, with_aggregation';

CREATE FUNCTION explain.network_model_step(state bytea, weight_row record)
	RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_network_model_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION explain.network_model_step(bytea, record) IS
'Transition function of aggregate explain.network_model: takes in one row of a weight table';

CREATE FUNCTION explain.network_model_merge(bytea, bytea)
	RETURNS bytea
	AS 'MODULE_PATHNAME', 'explain_network_model_merge'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION explain.network_model_merge(bytea, bytea) IS
'Combine function of aggregate explain.network_model';

CREATE FUNCTION explain.network_model_final(state bytea)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_network_model_final'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.network_model_final(bytea) IS
'Final function of aggregate explain.network_model: the model that the rows describe';

CREATE AGGREGATE explain.network_model(weight_row record) (
	SFUNC = explain.network_model_step,
	STYPE = bytea,
	SSPACE = 65536,
	COMBINEFUNC = explain.network_model_merge,
	FINALFUNC = explain.network_model_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE explain.network_model(record) IS
'Network from the rows of a weight table, one for each weight, matched by column name. A multilayer perceptron needs layer (numbers without gaps), unit (of the layer: a number or a name), input (a feature''s name in the layer that reads the model''s input, otherwise a unit of the layer before; null or (bias): the unit''s bias), weight, and activation in any row of a layer (relu, tanh, sigmoid or logistic, ...; a last sigmoid or softmax becomes the link). Every weight must be there, a 0 too. Other layers have kind (dense unless given; as in explain.layers, or flatten), layer_name, sources (numbers of layers read; 0: the input), kernel, stride, padding, dilation, group_count, counts_padding, number, shape, link: in any of their rows. conv2d: unit and input are channels, kernel_y and kernel_x count from 0; batch_norm: input is gamma, beta, mean or variance; affine: scale or shift. Rows of kind input in the lowest layer are the columns of the input: unit, input (the feature), level, low and high, center, scale, missing_value; kind indicator: 1 where the feature is missing; kind image: channels, with the image''s height and width in shape, center, scale. Features and units are ordered by name, numbers by size';

--
-- Changed copies
--

CREATE FUNCTION explain.with_link(model explain.model, link explain.link, param float8 DEFAULT 1)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_link'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_link(explain.model, explain.link, float8) IS
'The model with another link: response = inverse link of the raw prediction. param: slope of logit, 1 / (1 + exp(-param * raw)), or the normalisation of isolation';

CREATE FUNCTION explain.with_base(model explain.model, base float8[])
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_base'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_base(explain.model, float8[]) IS
'The tree model with other base values: the raw prediction of each output starts there (base score on the margin scale)';

CREATE FUNCTION explain.with_aggregation(model explain.model, aggregation explain.label)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_aggregation'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_aggregation(explain.model, explain.label) IS
'The tree model with its trees added up (sum: boosting) or averaged by their weights (mean: random forests)';

CREATE FUNCTION explain.with_tree_weights(model explain.model, weights float8[])
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_tree_weights'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_tree_weights(explain.model, float8[]) IS
'The tree model with other weights, one for each tree in order: leaves are multiplied by them (learning rate, dart)';

CREATE FUNCTION explain.with_outputs(model explain.model, outputs text[])
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_outputs'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_outputs(explain.model, text[]) IS
'The model with other names for its outputs (classes or targets), in order';

CREATE FUNCTION explain.with_features(model explain.model, features text[])
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_features'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_features(explain.model, text[]) IS
'The model with other names for its features, in order: records are matched to features by name';

CREATE FUNCTION explain.with_features_of(model explain.model, other explain.model)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_features_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_features_of(explain.model, explain.model) IS
'The model over the features of another one: their order, levels and meaning of missing values; features and levels are matched by name, and the other model must have them all. So that arrays of two models can be compared by position, and a model built anew from explain.tree_nodes or explain.coefficients gets back what rows do not say. A background is dropped';

CREATE FUNCTION explain.with_outputs_of(model explain.model, other explain.model)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_outputs_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_outputs_of(explain.model, explain.model) IS
'The model with the outputs'' names and the link of another one; of tree ensembles also base and aggregation: what rows of explain.tree_nodes or explain.coefficients do not say';

CREATE FUNCTION explain.with_levels(model explain.model, feature explain.label, levels text[])
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_levels'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_levels(explain.model, explain.label, text[]) IS
'The model with names for the levels of a categorical feature, in the order of their codes (from 0): a library''s file often has the codes only. More names than codes add levels that no split or coefficient mentions';

CREATE FUNCTION explain.with_missing(model explain.model, feature explain.label, policy explain.label,
	number float8 DEFAULT NULL, level text DEFAULT NULL)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_missing'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_missing(explain.model, explain.label, explain.label, float8, text) IS
'The model with another meaning of missing values (SQL null) in one feature: policy error (22004), native (the missing side of splits; adds nothing in a linear model or network), or impute with the number or level that takes their place';

CREATE FUNCTION explain.with_imputation(model explain.model, features text[], numbers float8[])
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_imputation'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_imputation(explain.model, text[], float8[]) IS
'The model with numbers that take the place of missing values, one for each of the features named: explain.with_missing for many features at once, as from SELECT array_agg(feature), array_agg(median)';

CREATE FUNCTION explain.with_unknown(model explain.model, feature explain.label, policy explain.label)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_unknown'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION explain.with_unknown(explain.model, explain.label, explain.label) IS
'The model with another meaning of levels that a categorical feature does not list: policy error (22023), other (in no set of a split, no dummy set) or missing (as a missing value)';

CREATE FUNCTION explain.with_preprocessing(model explain.model, preprocessing jsonb)
	RETURNS explain.model
	AS 'MODULE_PATHNAME', 'explain_with_preprocessing'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION explain.with_preprocessing(explain.model, jsonb) IS
'The model rewritten over original features: {"features": [...], "inputs": [...]} says how each of the model''s present features is made from an original one (scaled, imputed, one-hot, binned; doc/model-json.md). Predictions stay the same, explanations speak of the original features';
