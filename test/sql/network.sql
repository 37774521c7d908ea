--
-- Family network: models from JSON, their input, changed copies, and what is
-- no network.  Numbers are those of the list of bad inputs.
--
CREATE TABLE networks (name text PRIMARY KEY, m explain.model);
INSERT INTO networks VALUES
('xor', '{"family":"network","features":["a","b"],"outputs":["differs"],"layers":[
	{"kind":"dense","name":"hidden","weights":[[1,1],[1,1]],"bias":[0,-1],"activation":"relu"},
	{"kind":"dense","weights":[[1,-2]]}]}'),
('classes', '{"family":"network","features":["age",{"name":"home","levels":["owner","rent"]},{"name":"income","missing":"native"}],
	"outputs":["good","bad"],"columns":[{"feature":"age","center":40,"scale":10},{"feature":"home","level":"rent"},
	{"feature":"income","center":2500,"scale":1000},{"feature":"income","indicator":true}],
	"layers":[{"kind":"dense","name":"first","units":3,"weights":[1,2,3,4,-1,0.5,0.25,0,0.5,-0.5,1,-1],"activation":"tanh"},
	{"kind":"dense","weights":[[1,-1,0.5],[-1,1,0.25]],"bias":[0.125,0]},{"kind":"softmax"}]}'),
('image', '{"family":"network","image":{"channels":["grey"],"height":2,"width":3,"scale":4},"precision":"float32","layers":[
	{"kind":"conv2d","kernel":[2,2],"weights":[[[[1,0],[0,-1]]]],"bias":[0.1]},{"kind":"relu"},{"kind":"max_pool","kernel":[1,2]},
	{"kind":"dense","weights":[[2]],"activation":"sigmoid"}]}'),
('colour', '{"family":"network","image":{"channels":["red","blue"],"height":1,"width":2,"center":[0,1]},
	"layers":[{"kind":"dense","weights":[[1,10,100,1000]]}]}');

-- predictions, by every kind of input
SELECT a, b, explain.predict(m, ARRAY[a, b]) FROM networks, (VALUES (0, 0), (0, 1), (1, 0), (1, 1)) AS v(a, b)
WHERE name = 'xor' ORDER BY a, b;
SELECT r.*, explain.predict(m, r, output => 'bad')::numeric(8,6) AS bad,
       abs(1 - (SELECT sum(response) FROM explain.predictions(m, r))) < 1e-15 AS all_of_it
FROM networks, (VALUES (40, 'owner', 2500), (55, 'rent', NULL), (23, 'rent', 900)) AS r(age, home, income)
WHERE name = 'classes';
SELECT explain.predict(m, '{"age": 40, "home": "owner", "income": 2500}'::jsonb, output => 'bad')::numeric(8,6) FROM networks WHERE name = 'classes';
SELECT explain.predict(m, '{40, 1, 2500}'::float8[], output => 'bad', space => 'raw')::numeric(8,6) FROM networks WHERE name = 'classes';

-- an image: flat, or in its shape, with or without the one channel
SELECT explain.predict(m, '{1,2,3,4,5,6}'::float8[]) = explain.predict(m, '{{1,2,3},{4,5,6}}'::float8[]) AS rows_of_pixels,
       explain.predict(m, '{1,2,3,4,5,6}'::float8[]) = explain.predict(m, '{{{1,2,3},{4,5,6}}}'::float8[]) AS channels,
       explain.predict(m, '{5,0,2,0,1,6}'::float8[], space => 'raw')
FROM networks WHERE name = 'image';
SELECT explain.predict(m, '{{{1,2}},{{3,4}}}'::float8[]) FROM networks WHERE name = 'colour';
SELECT feature_number, feature FROM networks, explain.model_features(m) WHERE name = 'colour' ORDER BY 1;
\set VERBOSITY terse
SELECT explain.predict(m, '{{1,2},{3,4},{5,6}}'::float8[]) FROM networks WHERE name = 'image';
SELECT explain.predict(m, '{{1,2},{3,4}}'::float8[]) FROM networks WHERE name = 'colour';
SELECT explain.predict(m, '{{1,2}}'::float8[]) FROM networks WHERE name = 'xor';
SELECT explain.predict(m, '{1,2,3}'::float8[]) FROM networks WHERE name = 'image';
SELECT explain.predict(m, '{1,2,3,4,5,NULL}'::float8[]) FROM networks WHERE name = 'image';
\set VERBOSITY default

-- out as JSON and in again
SELECT name, m::jsonb::explain.model OPERATOR(explain.=) m AS jsonb, m::text::explain.model OPERATOR(explain.=) m AS text FROM networks ORDER BY name;
SELECT m FROM networks WHERE name = 'image';

-- preprocessing in front of it
CREATE TABLE folded AS SELECT explain.with_preprocessing(m,
	'{"features":["x",{"name":"c","levels":["u","v"]}],"inputs":[{"feature":"x","center":1,"scale":2},{"feature":"c","level":"v"}]}') AS m
FROM networks WHERE name = 'xor';
SELECT x, c, explain.predict(m, r) FROM folded, (VALUES (1, 'u'), (1, 'v'), (3, 'v')) AS r(x, c);
SELECT m FROM folded;
-- a bin number is a sum of dummies, which a layer of its own makes
SELECT x, explain.predict(m, r) FROM (SELECT explain.with_preprocessing(m,
	'{"features":["x"],"inputs":[{"feature":"x","edges":[0,1,2]},{"feature":"x","bin":[0,1]}]}') AS m FROM networks WHERE name = 'xor') s,
	(VALUES (-1.0), (0.5), (1.5), (7.0)) AS r(x) ORDER BY x;

-- changed copies: what goes with a network, and what does not
SELECT explain.predict(explain.with_link(m, 'logit'), '{1,0}'::float8[])::numeric(8,6) AS logit FROM networks WHERE name = 'xor';
SELECT explain.predict(explain.with_link(m, 'identity'), '{40,1,2500}'::float8[], output => 'bad') =
       explain.predict(m, '{40,1,2500}'::float8[], output => 'bad', space => 'raw') AS raw FROM networks WHERE name = 'classes';
SELECT explain.predict(explain.with_outputs(m, '{no,yes}'), '{40,1,2500}'::float8[], output => 'yes')::numeric(8,6) FROM networks WHERE name = 'classes';
SELECT explain.predict(explain.with_features(m, '{p,q}'), r) FROM networks, (VALUES (0, 1)) AS r(p, q) WHERE name = 'xor';
SELECT explain.predict(explain.with_levels(m, 'home', '{mine,"not mine",other}'), r, output => 'bad')::numeric(8,6)
FROM networks, (VALUES (40, 'other', 2500)) AS r(age, home, income) WHERE name = 'classes';
SELECT explain.predict(explain.with_missing(m, 'a', 'impute', number => 1), '{NULL,0}'::float8[]) AS imputed,
       explain.predict(explain.with_missing(m, 'a', 'native'), '{NULL,1}'::float8[]) AS native,
       explain.predict(explain.with_imputation(m, '{a,b}', '{1,1}'), '{NULL,NULL}'::float8[]) AS both
FROM networks WHERE name = 'xor';
SELECT explain.predict(explain.with_unknown(m, 'home', 'other'), r, output => 'bad')::numeric(8,6)
FROM networks, (VALUES (40, 'tent', 2500)) AS r(age, home, income) WHERE name = 'classes';
SELECT explain.predict(explain.with_features_of(m, '{"family":"linear","features":["b","c","a"],"coefficients":[1,2,3]}'), '{1,99,0}'::float8[])
FROM networks WHERE name = 'xor';
SELECT explain.with_outputs_of(m, explain.with_outputs(m, '{d}')) OPERATOR(explain.=) explain.with_outputs(m, '{d}') AS same FROM networks WHERE name = 'xor';
\set VERBOSITY terse
SELECT explain.with_base(m, '{1}') FROM networks WHERE name = 'xor';
SELECT explain.with_aggregation(m, 'mean') FROM networks WHERE name = 'xor';
SELECT explain.with_tree_weights(m, '{1}') FROM networks WHERE name = 'xor';
SELECT explain.with_link(m, 'softmax') FROM networks WHERE name = 'xor';
SELECT explain.with_levels(m, 'a', '{u,v}') FROM networks WHERE name = 'xor';
SELECT explain.with_missing(m, 'income', 'error') FROM networks WHERE name = 'classes';
SELECT explain.with_features_of(i.m, x.m) FROM networks i, networks x WHERE i.name = 'image' AND x.name = 'xor';
SELECT explain.with_features_of(i.m, explain.with_features(i.m, '{"grey[0,1]","grey[0,0]","grey[0,2]","grey[1,0]","grey[1,1]","grey[1,2]"}'))
FROM networks i WHERE name = 'image';

--
-- What is no network.  Numbers: the list of bad inputs that the project keeps.
--
CREATE FUNCTION network(layers text, more text DEFAULT '"features":["a","b","c","d"]') RETURNS explain.model LANGUAGE sql AS
	$$ SELECT ('{"family":"network",' || more || ',"layers":[' || layers || ']}')::explain.model $$;
CREATE FUNCTION image(layers text) RETURNS explain.model LANGUAGE sql AS
	$$ SELECT network(layers, '"image":{"channels":["r","g"],"height":4,"width":4}') $$;
\set SHOW_CONTEXT never
\set VERBOSITY default
-- 32 zero layers
SELECT network('');
-- 64 shapes that do not chain, 3x4 then 2x5; a product that overflows
SELECT network('{"kind":"dense","weights":[[1,2,3,4],[1,2,3,4],[1,2,3,4]]},{"kind":"dense","weights":[[1,2,3,4,5],[1,2,3,4,5]]}');
SELECT network('{"kind":"dense","units":2147483647,"weights":[1]}');
SELECT network('{"kind":"dense","units":65536,"weights":[1]},{"kind":"dense","units":65536,"weights":[1]}');
SELECT network('{"kind":"dense","units":60000000,"weights":[1]},{"kind":"dense","units":60000000,"weights":[1]}');
SELECT image('{"kind":"conv2d","kernel":2147483647,"padding":2147483647,"channels":2147483647,"weights":[1]}');
SELECT network('{"kind":"relu"}', '"image":{"channels":["r"],"height":2147483647,"width":2147483647}');
SELECT network('{"kind":"relu"}', '"image":{"channels":["r"],"height":300,"width":300}');
-- unknown kinds list the valid ones
SELECT network('{"kind":"lstm"}');
SELECT network('{"kind":"dense","weights":[[1,2,3,4]],"activation":"swish"}');
\set VERBOSITY sqlstate
-- the same, by their states
SELECT network('');
SELECT network('{"kind":"dense","weights":[[1,2,3,4],[1,2,3,4],[1,2,3,4]]},{"kind":"dense","weights":[[1,2,3,4,5],[1,2,3,4,5]]}');
SELECT network('{"kind":"dense","units":2147483647,"weights":[1]}');
SELECT network('{"kind":"dense","units":65536,"weights":[1]},{"kind":"dense","units":65536,"weights":[1]}');
SELECT network('{"kind":"dense","units":60000000,"weights":[1]},{"kind":"dense","units":60000000,"weights":[1]}');
SELECT image('{"kind":"conv2d","kernel":2147483647,"padding":2147483647,"channels":2147483647,"weights":[1]}');
SELECT network('{"kind":"relu"}', '"image":{"channels":["r"],"height":2147483647,"width":2147483647}');
SELECT network('{"kind":"relu"}', '"image":{"channels":["r"],"height":300,"width":300}');
SELECT network('{"kind":"lstm"}');
SELECT network('{"kind":"dense","weights":[[1,2,3,4]],"activation":"swish"}');
SELECT image('{"kind":"conv2d","kernel":5,"channels":1,"weights":[1]}');
SELECT image('{"kind":"conv2d","kernel":1,"channels":3,"groups":2,"weights":[1,2,3]}');
SELECT image('{"kind":"max_pool","kernel":2,"padding":2}');
SELECT image('{"kind":"reshape","shape":[5,5]}');
SELECT image('{"kind":"max_pool","kernel":2,"name":"p"},{"kind":"add","inputs":["p","input"]}');
-- cycles: a layer reads what comes before it
SELECT network('{"kind":"relu","name":"a","inputs":"b"},{"kind":"relu","name":"b","inputs":"a"}');
SELECT network('{"kind":"relu","name":"a","inputs":"a"}');
SELECT network('{"kind":"relu","inputs":5}');
-- a layer that nothing reads
SELECT network('{"kind":"relu"},{"kind":"tanh","inputs":"input"}');
-- missing and unknown keys, wrong types
SELECT network('{"kind":"dense"}');
SELECT network('{"name":"a"}');
SELECT network('{"kind":"relu","slope":1}');
SELECT network('{"kind":"dense","weights":{}}');
SELECT network('{"kind":"dense","weights":null}');
SELECT network('{"kind":"dense","weights":[[1,null,3,4]]}');
SELECT network('{"kind":"relu"}', '"colour":1,"features":["a"]');
SELECT '{"family":"network","layers":[{"kind":"relu"}]}'::explain.model;
SELECT '{"family":"network","features":["a"]}'::explain.model;
-- the wrong number of weights
SELECT network('{"kind":"dense","weights":[[1,2,3]]}');
SELECT network('{"kind":"dense","units":2,"weights":[1,2,3,4,5]}');
SELECT network('{"kind":"dense","weights":[[1,2,3,4]],"bias":[1,2]}');
SELECT network('{"kind":"batch_norm","mean":[0,0,0],"variance":[1,1,1]}');
-- weights that are no numbers
SELECT network('{"kind":"dense","weights":[[1,2,3,"NaN"]]}');
SELECT network('{"kind":"dense","weights":[[1,2,3,"Infinity"]]}');
SELECT network('{"kind":"dense","weights":[[1,2,3,1e400]]}');
SELECT network('{"kind":"dense","weights":[[1,2,3,1e39]]}', '"precision":"float32","features":["a","b","c","d"]');
SELECT network('{"kind":"batch_norm","mean":[0,0,0,0],"variance":[1,1,1,-1]}');
-- columns and features
SELECT network('{"kind":"relu"}', '"features":["a",{"name":"c","levels":["u"]}]');
SELECT network('{"kind":"relu"}', '"features":["a"],"columns":[{"feature":"a","scale":0}]');
SELECT network('{"kind":"relu"}', '"features":["a"],"columns":[{"feature":"b"}]');
SELECT network('{"kind":"relu"}', '"features":["a"],"outputs":["x","y"]');
-- windows whose positions int4 would not hold
SELECT image('{"kind":"max_pool","kernel":[3,1],"stride":1,"padding":[0,0,2147483647,0],"dilation":[1073741824,1]}');
SELECT image('{"kind":"conv2d","kernel":1,"stride":[1,1073741824],"padding":[0,2147483647,0,0],"weights":[[[[1]]]]}');
-- what takes minutes can be cancelled: a layer may read another often, a window be as large as the image
INSERT INTO networks VALUES
('product', format('{"family":"network","features":["a"],"layers":[{"kind":"dense","units":1000,"weights":[1%1$s]},
	{"kind":"multiply","inputs":[1%2$s]},{"kind":"dense","units":1,"weights":[1%1$s]}]}',
	repeat(',1', 999), repeat(',1', 29999))::explain.model),
('pool', format('{"family":"network","features":["a"],"layers":[{"kind":"dense","units":360000,"weights":[1%1$s]},
	{"kind":"reshape","shape":[1,600,600]},{"kind":"average_pool","kernel":599,"stride":1,"padding":299},
	{"kind":"global_average_pool"}]}', repeat(',1', 359999))::explain.model);
SET statement_timeout = '100ms';
SELECT explain.gradient_array(m, '{1}'::float8[]) FROM networks WHERE name = 'product';
SELECT explain.predict(m, '{1}'::float8[]) FROM networks WHERE name = 'pool';
RESET statement_timeout;
-- kinks that double in number with every layer
SELECT explain.integrated_gradient_array(format('{"family":"network","features":["a"],"layers":[
	{"kind":"dense","weights":[[1],[1]],"bias":[0,-0.5],"activation":"relu"},%s{"kind":"dense","weights":[[2,-4]]}]}',
	repeat('{"kind":"dense","weights":[[2,-4],[2,-4]],"bias":[0,-0.5],"activation":"relu"},', 22))::explain.model, '{0.9}'::float8[]);
-- 4, 6 numbers that are none: nothing is made of them in silence
SELECT explain.predict(m, '{NaN,1}'::float8[]) FROM networks WHERE name = 'xor';
SELECT explain.predict(m, '{Infinity,1}'::float8[]) FROM networks WHERE name = 'xor';
SELECT explain.predict(m, '{1e308,1e308}'::float8[]) FROM networks WHERE name = 'xor';
\set VERBOSITY default
DROP FUNCTION image(text), network(text, text);
DROP TABLE networks, folded;
