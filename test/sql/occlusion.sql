--
-- Occlusion: features, groups, windows; images pixel by pixel
--
SET extra_float_digits = 0;
CREATE TABLE models (name text PRIMARY KEY, m explain.model);
INSERT INTO models VALUES
('linear', '{"family":"linear","features":["a","b","c"],"link":"logit","intercept":1,"coefficients":{"a":2,"b":-1,"c":0.5},
	"background":{"rows":[[0,0,0],[1,2,0],[2,4,3]]}}'),
('bare', '{"family":"linear","features":["a","b","c"],"intercept":1,"coefficients":{"a":2,"b":-1,"c":0.5}}'),
-- 8 where both a and b exceed 1/2
('and', '{"family":"tree","features":["a","b","c"],"trees":[
	{"feature":["a","b",null,null,null],"threshold":[0.5,0.5,null,null,null],
	 "left_child":[2,3,null,null,null],"right_child":[1,4,null,null,null],"value":[null,null,0,0,8],"cover":[4,2,2,1,1]}]}'),
('colours', '{"family":"linear","features":["size",{"name":"colour","kind":"categorical","levels":["red","green","blue"]},{"name":"new","kind":"boolean"}],
	"intercept":0,"columns":[{"feature":"size","coefficient":1},{"feature":"colour","level":"green","coefficient":10},
	{"feature":"colour","level":"blue","coefficient":100},{"feature":"new","coefficient":1000}],
	"background":{"rows":[[0,"red",false],[2,"green",true],[4,"green",true]]}}'),
('classes', '{"family":"linear","features":["a","b"],"outputs":["x","y"],"link":"softmax","intercept":[0,1],
	"coefficients":{"x":{"a":1},"y":{"b":1}},"background":{"rows":[[0,0],[1,1]]}}'),
-- 2 channels of 2 x 3 pixels, all weights different
('image', '{"family":"network","image":{"channels":["red","green"],"height":2,"width":3},
	"layers":[{"kind":"dense","weights":[[1,2,4,8,16,32,64,128,256,512,1024,2048]],"bias":[0.5]}]}');

-- the row contract: no base value, no residual
\x
SELECT e.* FROM models, explain.occlusion(m, '{3,1,2}'::float8[]) e WHERE name = 'linear' AND rank = 1;
\x
-- baselines
SELECT baseline, explain.occlusion_array(m, '{3,1,2}'::float8[], baseline => baseline::explain.label)
FROM models, unnest(ARRAY['auto', 'zero', 'mean', 'background']::text[]) WITH ORDINALITY AS t(baseline, i) WHERE name = 'linear' ORDER BY i;
SELECT explain.occlusion_array(m, '{3,1,2}'::float8[], reference => '{3,1,1}'::float8[]) AS reference,
	explain.occlusion_array(m, '{3,1,2}'::float8[], reference => '{3,1,2}'::float8[]) AS itself FROM models WHERE name = 'linear';
SELECT name, explain.occlusion_array(m, '{3,1,2}'::float8[]) FROM models WHERE name = 'bare';
SELECT round(unnest(explain.occlusion_array(m, '{3,1,2}'::float8[], space => 'response'))::numeric, 8) AS response FROM models WHERE name = 'linear';
-- the mean of a category is the most frequent level
SELECT explain.occlusion_array(m, '{3,2,1}'::float8[]), explain.occlusion_array(m, '{3,2,1}'::float8[], baseline => 'zero') AS zero,
	explain.occlusion_array(m, '{3,2,1}'::float8[], baseline => 'background') AS background FROM models WHERE name = 'colours';
SELECT feature, feature_value, attribution, prediction FROM models, explain.occlusion(m, '{"size":3,"colour":"blue","new":false}'::jsonb, reference => '{"size":3,"colour":"red","new":true}'::jsonb)
WHERE name = 'colours' ORDER BY rank;

-- trees too; each of two features is enough to lose everything, and so are both
SELECT feature, feature_value, attribution, kind FROM models, explain.occlusion(m, '{1,1,5}'::float8[]) WHERE name = 'and' ORDER BY rank;
SELECT feature, feature_value, feature_num, attribution, kind FROM models, explain.occlusion(m, '{1,1,5}'::float8[], groups => '{"both": ["b", "a"]}') WHERE name = 'and' ORDER BY rank;
SELECT feature, feature_value, attribution, kind FROM models, explain.occlusion(m, '{3,1,2}'::float8[], baseline => 'zero', groups => '{"one": ["c"], "two": ["a", "b"]}') WHERE name = 'linear' ORDER BY rank;
SELECT count(*) FROM models, explain.occlusion(m, '{3,1,2}'::float8[], groups => '{}') WHERE name = 'linear';

-- several outputs; what is shown
SELECT output, feature, round(attribution::numeric, 8) AS attribution, space FROM models, explain.occlusion(m, '{2,3}'::float8[], space => 'response') WHERE name = 'classes' ORDER BY output, rank;
SELECT rank, feature, attribution, kind FROM models, explain.occlusion(m, '{3,1,2}'::float8[], baseline => 'zero', top_k => 1) WHERE name = 'linear';
SELECT rank, feature, feature_value, attribution, kind FROM models, explain.occlusion(m, '{3,1,2}'::float8[], baseline => 'zero', top_k => 1, rest => true) WHERE name = 'linear';
SELECT rank, feature, feature_value, attribution, kind FROM models, explain.occlusion(m, '{3,1,2}'::float8[], baseline => 'zero', top_k => 1, rest => true, groups => '{"g": ["a"]}') WHERE name = 'linear';
SELECT feature, attribution FROM models, explain.occlusion(m, '{3,1,2}'::float8[], baseline => 'zero', direction => 'down') WHERE name = 'linear';

-- nulls
SELECT explain.occlusion_array(NULL::explain.model, '{1,1,1}'::float8[]), explain.occlusion_array(m, NULL::float8[]) FROM models WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, NULL::float8[]) WHERE name = 'linear';

--
-- Windows
--
-- pixel by pixel of both channels: sums of two weights
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 1) FROM models WHERE name = 'image';
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 1, per_channel => true) FROM models WHERE name = 'image';
-- two columns wide, one apart: pixels in the middle have the mean of two windows
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 2, window_width => 2, per_channel => true) FROM models WHERE name = 'image';
-- the last window is clipped
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 2, window_width => 2, stride_width => 2, per_channel => true) FROM models WHERE name = 'image';
-- larger than the image: one window
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 99) FROM models WHERE name = 'image';
-- pixels that no window covers are null
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 1, stride_height => 2, stride_width => 2, per_channel => true) FROM models WHERE name = 'image';
SELECT rank, feature, attribution, std_error, ci_low, kind FROM models, explain.occlusion(m, array_fill(1::float8, ARRAY[12]), window_height => 1, stride_height => 2, stride_width => 2, per_channel => true)
WHERE name = 'image' AND rank BETWEEN 3 AND 6 ORDER BY rank;
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 1, reference => array_fill(1::float8, ARRAY[12])) AS itself FROM models WHERE name = 'image';

-- summaries count the values that are there
SELECT feature, mean_abs, i.n FROM models, explain.importance(m, (SELECT explain.attribution_summary(explain.occlusion_array(m, array_fill(r::float8, ARRAY[12]), window_height => 1, stride_width => 2)) FROM generate_series(1, 2) r)) i
WHERE name = 'image' AND rank IN (1, 12);

-- an image pixel by pixel
SELECT s.* FROM models, explain.saliency_rows(m, explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 1, stride_width => 2, per_channel => true)) s WHERE name = 'image';
SELECT pixel_x, pixel_y, channel, value, scaled, feature FROM models, explain.saliency_rows(m, '{{{-1,0,0},{0,0,0}},{{0.5,0,0},{0,0,1e-300}}}'::float8[]) WHERE name = 'image' AND value <> 0;
SELECT DISTINCT scaled FROM models, explain.saliency_rows(m, array_fill(0::float8, ARRAY[12])) WHERE name = 'image';
SELECT abs(sum(value) - 4095) < 1e-9 AS shapley_values FROM models, explain.saliency_rows(m, explain.shap_array(m, array_fill(1::float8, ARRAY[12]), reference => array_fill(0::float8, ARRAY[12]))) WHERE name = 'image';
SELECT count(*) FROM models, explain.saliency_rows(m, NULL) WHERE name = 'image';
SELECT count(*) FROM explain.saliency_rows(NULL::explain.model, '{1}');

--
-- What is refused
--
\set VERBOSITY sqlstate
SELECT explain.occlusion_array(m, '{1,1,1}'::float8[], baseline => 'median') FROM models WHERE name = 'linear';
SELECT explain.occlusion_array(m, '{1,1,1}'::float8[], baseline => 'mean') FROM models WHERE name = 'bare';
SELECT explain.occlusion_array(m, '{1,1,1}'::float8[], baseline => 'background') FROM models WHERE name = 'bare';
SELECT explain.occlusion_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'classes';
SELECT explain.occlusion_array(m, '{1,1}'::float8[]) FROM models WHERE name = 'linear';
SELECT explain.occlusion_array(m, '{1,nan,1}'::float8[]) FROM models WHERE name = 'linear';
SELECT explain.occlusion_array(m, '{1,1,1}'::float8[], reference => '{1,inf,1}'::float8[]) FROM models WHERE name = 'linear';
SELECT explain.occlusion_array(m, '{1e308,-1e308,1}'::float8[]) FROM models WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"g": ["a", "z"]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"g": ["a"], "h": ["a"]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"g": ["a", "a"]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"g": []}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"g": "a"}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"g": [1]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '["a"]') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => 'null') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"a": ["b", "c"]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"a": ["a", "b"]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"b": ["b"], "c": ["a"]}') WHERE name = 'linear';
SELECT count(DISTINCT feature) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"b": ["b"], "g": ["a", "c"]}') WHERE name = 'linear';
SELECT explain.occlusion_array(m, '{1,1,1}'::float8[], window_height => 2) FROM models WHERE name = 'linear';
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 0) FROM models WHERE name = 'image';
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_width => -1) FROM models WHERE name = 'image';
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_width => 1, stride_width => 0) FROM models WHERE name = 'image';
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), stride_width => 1) FROM models WHERE name = 'image';
SELECT count(*) FROM models, explain.occlusion(m, array_fill(1::float8, ARRAY[12]), window_width => 1, groups => '{}') WHERE name = 'image';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], top_k => 0) WHERE name = 'linear';
SELECT count(*) FROM models, explain.saliency_rows(m, '{1,1,1}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.saliency_rows(m, '{1,1,1}') WHERE name = 'image';
SELECT count(*) FROM models, explain.saliency_rows(m, array_fill('inf'::float8, ARRAY[12])) WHERE name = 'image';
SELECT count(*) FROM models, explain.saliency_rows(m, array_fill('nan'::float8, ARRAY[12])) WHERE name = 'image';
SELECT count(*) FROM models, explain.attributions(m, explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_height => 1, stride_width => 2), array_fill(1::float8, ARRAY[12])) WHERE name = 'image';
\set VERBOSITY default
-- and in words
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"g": ["a", "z"]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"g": ["a"], "h": ["a"]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"a": ["b", "c"]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"a": ["a", "b"]}') WHERE name = 'linear';
SELECT count(*) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"b": ["b"], "c": ["a"]}') WHERE name = 'linear';
SELECT count(DISTINCT feature) FROM models, explain.occlusion(m, '{1,1,1}'::float8[], groups => '{"b": ["b"], "g": ["a", "c"]}') WHERE name = 'linear';
SELECT explain.occlusion_array(m, '{1,1,1}'::float8[], window_height => 2) FROM models WHERE name = 'linear';
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), stride_width => 1) FROM models WHERE name = 'image';
SELECT explain.occlusion_array(m, array_fill(1::float8, ARRAY[12]), window_width => -1) FROM models WHERE name = 'image';
SELECT count(*) FROM models, explain.saliency_rows(m, '{1,1,1}') WHERE name = 'linear';

DROP TABLE models;
