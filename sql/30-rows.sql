--
-- Row contracts
--

CREATE TYPE explain.attribution AS (
	output text,
	rank int4,
	feature text,
	feature_value text,
	feature_num float8,
	feature_scaled float8,
	attribution float8,
	base_value float8,
	prediction float8,
	prediction_response float8,
	std_error float8,
	ci_low float8,
	ci_high float8,
	residual float8,
	space text,
	method text,
	kind text
);
COMMENT ON TYPE explain.attribution IS
'One row per output and feature: the row contract of every local explanation';
COMMENT ON COLUMN explain.attribution.output IS 'Output (class or target) that is explained; "a - b" for the difference of two';
COMMENT ON COLUMN explain.attribution.rank IS '1 = largest absolute attribution';
COMMENT ON COLUMN explain.attribution.feature IS 'Name of the feature, or of the group of features; null in the row that sums up the rest';
COMMENT ON COLUMN explain.attribution.feature_value IS 'The feature''s value as text, independent of settings; null where it was missing; in the rows of kind group and rest the number of features';
COMMENT ON COLUMN explain.attribution.feature_num IS 'The value of a numeric or boolean feature as a number';
COMMENT ON COLUMN explain.attribution.feature_scaled IS 'The value within the feature''s range in the background, 0..1, for colour; null without a background';
COMMENT ON COLUMN explain.attribution.attribution IS 'Contribution of the feature, in units of the space explained';
COMMENT ON COLUMN explain.attribution.base_value IS 'Value that the attributions start from; null for methods without one';
COMMENT ON COLUMN explain.attribution.prediction IS 'Prediction for the row, in the space explained';
COMMENT ON COLUMN explain.attribution.prediction_response IS 'Prediction for the row in response space';
COMMENT ON COLUMN explain.attribution.std_error IS 'Standard error from sampling; 0 where the method enumerates everything';
COMMENT ON COLUMN explain.attribution.ci_low IS 'Lower end of the 95 % interval of the sampling; equal to attribution for exact methods';
COMMENT ON COLUMN explain.attribution.ci_high IS 'Upper end of the 95 % interval of the sampling; equal to attribution for exact methods';
COMMENT ON COLUMN explain.attribution.residual IS 'prediction - base_value - sum of all attributions: what additivity misses';
COMMENT ON COLUMN explain.attribution.space IS 'raw or response';
COMMENT ON COLUMN explain.attribution.method IS 'Method that was used';
COMMENT ON COLUMN explain.attribution.kind IS 'feature, group: several features explained together, or rest: the sum of those not shown';

CREATE TYPE explain.interaction AS (
	output text,
	rank int4,
	feature text,
	other_feature text,
	feature_value text,
	other_value text,
	attribution float8,
	base_value float8,
	prediction float8,
	prediction_response float8,
	space text,
	method text,
	kind text
);
COMMENT ON TYPE explain.interaction IS
'One row per output and ordered pair of features: half of the pair''s Shapley interaction index, main effects where both are the same, so that the rows of a feature sum to its attribution';
COMMENT ON COLUMN explain.interaction.output IS 'Output (class or target) that is explained';
COMMENT ON COLUMN explain.interaction.rank IS '1 = largest absolute attribution';
COMMENT ON COLUMN explain.interaction.feature IS 'First feature of the pair';
COMMENT ON COLUMN explain.interaction.other_feature IS 'Second feature; the same as the first in rows of kind main';
COMMENT ON COLUMN explain.interaction.feature_value IS 'Value of the first feature as text';
COMMENT ON COLUMN explain.interaction.other_value IS 'Value of the second feature as text';
COMMENT ON COLUMN explain.interaction.attribution IS 'Half of the interaction of the pair, or the main effect';
COMMENT ON COLUMN explain.interaction.base_value IS 'Value that the attributions start from';
COMMENT ON COLUMN explain.interaction.prediction IS 'Prediction for the row, in the space explained';
COMMENT ON COLUMN explain.interaction.prediction_response IS 'Prediction for the row in response space';
COMMENT ON COLUMN explain.interaction.space IS 'raw or response';
COMMENT ON COLUMN explain.interaction.method IS 'Method that was used';
COMMENT ON COLUMN explain.interaction.kind IS 'main or interaction';
