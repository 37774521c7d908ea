/*
 * test_network_model.c
 *		The container of networks: building, validation of damaged bytes, JSON,
 *		preprocessing, and predictions of scikit-learn's MLPs through it.
 */
#include "unit.h"

#include <float.h>
#include <stdlib.h>

#include "golden.h"
#include "host_malloc.h"
#include "model_edit.h"
#include "model_internal.h"
#include "network_model.h"

static ex_arena arena;
static ex_host *host;

/* ' stands for " */
static const char *
quoted(const char *text)
{
	size_t		size = strlen(text) + 1;
	char	   *copy = host->alloc(host, size);

	memcpy(copy, text, size);
	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	return copy;
}

static ex_status
from_json(const char *text, ex_model **model)
{
	const char *document = quoted(text);

	return ex_model_from_json(host, document, strlen(document), model);
}

static ex_model *
read_model(const char *text)
{
	ex_model   *model = NULL;

	if (!is_status(host, from_json(text, &model), EX_OK, "read: %.60s", text))
		exit(unit_done());
	return model;
}

static const char *
written(const ex_model *model)
{
	ex_buffer	out = {0};

	if (ex_model_to_json(host, model, &out) != EX_OK || ex_append(host, &out, "", 1) != EX_OK)
		return host->error.message;
	return out.data;
}

static bool
same_model(const ex_model *a, const ex_model *b)
{
	return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* Out as JSON and as wire form, and in again: the same model. */
static void
round_trip(const ex_model *model, const char *name)
{
	const char *text = written(model);
	ex_buffer	wire = {0};
	ex_model   *again;

	if (is_status(host, ex_model_from_json(host, text, strlen(text), &again), EX_OK, "%s: its JSON is read", name))
		ok(same_model(model, again), "%s: the same model from its JSON", name);
	else
		printf("# %s\n", text);
	is_status(host, ex_wire_write(host, model, &wire), EX_OK, "%s: wire form", name);
	if (is_status(host, ex_wire_read(host, wire.data, wire.size, &again), EX_OK, "%s: its wire form is read", name))
		ok(same_model(model, again), "%s: the same model from its wire form", name);
}

static const double *
raw_of(const ex_model *model, const double *x)
{
	ex_compiled *compiled;
	double	   *raw = host->alloc(host, model->n_outputs * sizeof(double));

	if (!is_status(host, ex_compile(host, model, 1 << 20, &compiled), EX_OK, "compiles") ||
		!is_status(host, compiled->family->predict_raw(compiled, host, x, 1, raw), EX_OK, "predicts"))
		exit(unit_done());
	return raw;
}

/* ----------------------------------------------------------------
 * Documents
 * ---------------------------------------------------------------- */

/* A network with every kind of column; age and income are scaled. */
static const char *const columns_document =
"{'family':'network','features':['age',{'name':'income','missing':'native'},{'name':'sex','levels':['f','m']},"
"{'name':'region','levels':3,'unknown':'other','missing':{'impute':1}},{'name':'member','kind':'boolean'}],"
"'outputs':['bad'],'columns':["
"{'feature':'sex','level':'m'},{'feature':'age','center':40.5,'scale':12.25},"
"{'feature':'age','bin':['-Infinity',25]},{'feature':'income','missing':1000,'scale':2000},"
"{'feature':'income','indicator':true},{'feature':'income','center':3},{'feature':'region','level':'2','scale':0.5},"
"{'feature':'member'}],"
"'layers':[{'kind':'dense','units':2,'weights':[0.1,-0.2,0.3,0.4,0.5,-0.6,0.7,0.8,1.1,1.2,-1.3,1.4,1.5,1.6,1.7,1.8],"
"'activation':'tanh'},{'kind':'dense','weights':[[1.5,-2.5]],'bias':[0.25],'activation':'sigmoid'}]}";

/* An image of 2 channels through every kind of layer. */
static const char *const image_document =
"{'family':'network','image':{'channels':['red','blue'],'height':4,'width':5,'center':[0.5,0.25],'scale':255},"
"'precision':'float32','layers':["
"{'kind':'conv2d','name':'c','channels':4,'kernel':[3,2],'padding':[1,0,1,1],'groups':2,'weights':["
"0.1,0.2,0.3,0.4,0.5,0.6,-0.1,0.2,-0.3,0.4,-0.5,0.6,0.7,0.8,0.9,1,1.1,1.2,1,2,3,4,5,6],'bias':[0,0.1,0.2,0.3]},"
"{'kind':'batch_norm','mean':[0,0.1,0.2,0.3],'variance':[1,2,3,4],'gamma':[1,1,2,2],'activation':'relu'},"
"{'kind':'max_pool','kernel':2,'stride':1,'name':'m'},"
"{'kind':'average_pool','kernel':[2,3],'stride':[1,1],'padding':1,'counts_padding':true,'dilation':[1,1],'inputs':'c','name':'a'},"
"{'kind':'global_max_pool','inputs':'a','name':'gm'},{'kind':'global_average_pool','inputs':['m'],'name':'ga'},"
"{'kind':'add','inputs':['m','ga','gm'],'name':'s'},{'kind':'multiply','inputs':['s','gm'],'activation':'leaky_relu'},"
"{'kind':'permute','axes':[0,2,1],'activation':'elu'},{'kind':'affine','scale':[1,2,3,4],'shift':0.5,'activation':'gelu'},"
"{'kind':'softmax','activation':'softplus'},{'kind':'reshape','shape':[2,6,4],'activation':'square'},"
"{'kind':'flatten','name':'f'},{'kind':'concat','inputs':['f','ga'],'activation':'tanh'},"
"{'kind':'affine','scale':0.5},{'kind':'leaky_relu','slope':0.125},{'kind':'elu','alpha':2},{'kind':'sigmoid'},"
"{'kind':'dense','units':3,'weights':[0.5,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
"0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
"0.25,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]},"
"{'kind':'softmax'}]}";

static void
test_documents(void)
{
	ex_model   *columns = read_model(columns_document);
	ex_model   *image = read_model(image_document);
	ex_network_view view;
	ex_model   *again;

	is_int(columns->link, EX_LINK_LOGIT, "a last sigmoid is the link");
	is_int(columns->n_outputs, 1, "one output");
	ex_network_open(columns, &view);
	is_int(view.n_layers, 4, "input, dense, tanh, dense");
	ok(view.weight != NULL && view.weight_f32 == NULL, "weights of 53 bits are float64");
	round_trip(columns, "columns");

	is_int(image->link, EX_LINK_SOFTMAX, "a last softmax is the link");
	is_int(image->n_outputs, 3, "three outputs");
	is_int(image->n_features, 40, "pixels are features");
	ok(ex_find_feature(image, "blue[3,4]", 9) == 39, "named channel[y,x]");
	ex_network_open(image, &view);
	ok(view.weight_f32 != NULL && view.weight == NULL, "weights rounded to float32 are stored so");
	ok(view.is_image && view.input.channels == 2 && view.input.height == 4 && view.input.width == 5, "shape of the image");
	is_double(view.center[19], 0.5, "a center per channel, the first");
	is_double(view.center[20], 0.25, "a center per channel, the second");
	round_trip(image, "image");
	ok(strstr(written(image), "features") == NULL, "pixels are not listed");

	is_status(host, from_json("{'family':'network','features':['x'],'link':'identity',"
							  "'layers':[{'kind':'dense','weights':[[2]],'activation':'sigmoid'}]}", &again), EX_OK,
			  "with a link of its own");
	ex_network_open(again, &view);
	is_int(view.n_layers, 3, "a last sigmoid stays a layer");
	round_trip(again, "last sigmoid");
	again = read_model("{'family':'network','features':['x'],'layers':[{'kind':'softmax'}]}");
	is_int(again->link, EX_LINK_IDENTITY, "a softmax of one is no link");
	again = read_model("{'family':'network','features':['x','y'],'outputs':['a','b'],'layers':[{'kind':'relu'}]}");
	round_trip(again, "no weights");
}

/* The same network in other words. */
static void
test_spellings(void)
{
	static const char *const same[][2] = {
		{"{'family':'network','features':['a','b'],'layers':[{'kind':'dense','units':2,'weights':[1,2,3,4]},{'kind':'relu'}]}",
		"{'family':'network','features':['a','b'],'outputs':2,'precision':'float64','layers':["
		"{'kind':'dense','weights':[[1,2],[3,4]],'bias':[0,0],'inputs':['input'],'activation':'relu'}]}"},
		{"{'family':'network','features':['a','b'],'layers':[{'kind':'dense','weights':[[1,2],[3,4]]},"
			"{'kind':'relu'},{'kind':'add','inputs':['relu_2','input']}]}",
		"{'family':'network','features':['a','b'],'layers':[{'kind':'dense','weights':[[1,2],[3,4]],'activation':'relu'},"
		"{'kind':'add','inputs':[1,0],'name':'add_3'}]}"},
		{"{'family':'network','features':['a','b'],'columns':[{'feature':0},{'feature':1,'center':0,'scale':1}],"
			"'layers':[{'kind':'square'}]}",
		"{'family':'network','features':['a','b'],'layers':[{'kind':'square'}]}"},
		{"{'family':'network','image':{'channels':['g'],'height':3,'width':3},'layers':["
			"{'kind':'conv2d','kernel':3,'padding':'same','channels':1,'weights':[1,2,3,4,5,6,7,8,9]}]}",
			"{'family':'network','features':['g[0,0]','g[0,1]','g[0,2]','g[1,0]','g[1,1]','g[1,2]','g[2,0]','g[2,1]','g[2,2]'],"
			"'image':{'channels':['g'],'height':3,'width':3},'layers':["
			"{'kind':'conv2d','kernel':[3,3],'stride':[1,1],'padding':[1,1],'dilation':1,'groups':1,"
		"'weights':[[[[1,2,3],[4,5,6],[7,8,9]]]]}]}"},
		{"{'family':'network','image':{'channels':['g'],'height':4,'width':5},'layers':["
			"{'kind':'max_pool','kernel':3,'stride':2,'padding':'same'}]}",
			"{'family':'network','image':{'channels':['g'],'height':4,'width':5},'layers':["
		"{'kind':'max_pool','kernel':3,'stride':2,'padding':[0,1,1,1]}]}"},
		{"{'family':'network','features':['a'],'precision':'float32','layers':[{'kind':'affine','scale':0.1}]}",
		"{'family':'network','features':['a'],'layers':[{'kind':'affine','scale':0.100000001490116119384765625,'shift':0}]}"},
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
	{
		ex_model   *a = read_model(same[i][0]);
		ex_model   *b = read_model(same[i][1]);

		if (!ok(same_model(a, b), "spelling %zu: the same model", i))
			printf("# %s\n# %s\n", written(a), written(b));
	}
}

/* ----------------------------------------------------------------
 * Building
 * ---------------------------------------------------------------- */

static void
start(ex_builder *builder, int n_features)
{
	ex_builder_init(builder, host, EX_NETWORK);
	for (int i = 0; i < n_features; i++)
	{
		char		name[12];
		ex_feature	feature = {.name = name, .name_length = (size_t) snprintf(name, sizeof(name), "x%d", i)};

		(void) ex_put_feature(builder, &feature);
	}
}

static void
test_build(void)
{
	const double weight[] = {1, 2, 3, 4, 5, 6, 0.5, -0.5};
	const ex_new_layer dense = {.kind = EX_LAYER_DENSE, .name = "hidden", .shape = {2, 1, 1}, .weight = weight, .n_weights = 8};
	const ex_new_layer softmax = {.kind = EX_LAYER_SOFTMAX};
	const double x[] = {1, -1, 2};
	ex_builder	builder;
	ex_model   *model;
	ex_network_view view;
	ex_layer	layer;
	uint32_t	length;
	const double *raw;

	start(&builder, 3);
	is_status(host, ex_network_put_plain_input(&builder), EX_OK, "input");
	is_status(host, ex_network_put_layer(&builder, &dense), EX_OK, "dense");
	is_int(ex_network_last_shape(&builder).channels, 2, "shape of the layer put last");
	is_status(host, ex_network_put_layer(&builder, &softmax), EX_OK, "softmax");
	is_status(host, ex_network_finish(&builder), EX_OK, "finish");
	if (!is_status(host, ex_build(&builder, &model), EX_OK, "build"))
		return;
	is_int(model->link, EX_LINK_SOFTMAX, "softmax became the link");
	is_int(model->n_outputs, 2, "outputs are counted");
	ok(ex_find_output(model, "1", 1) == 1, "and named");
	ex_network_open(model, &view);
	is_int(view.n_layers, 2, "two layers are left");
	ex_network_layer(&view, 1, &layer);
	ok(layer.kind == EX_LAYER_DENSE && layer.n_inputs == 1 && layer.input[0] == 0 && layer.n_weights == 8, "the layer");
	ok(memcmp(ex_network_layer_name(&view, 1, &length), "hidden", 6) == 0 && length == 6, "its name");
	ok(view.weight_f32 != NULL, "small integers are float32");
	raw = raw_of(model, x);
	is_double(raw[0], 1 - 2 + 6 + 0.5, "output 0");
	is_double(raw[1], 4 - 5 + 12 - 0.5, "output 1");
	round_trip(model, "built");
}

/* float32 exactly where nothing is lost. */
static void
test_precision(void)
{
	static const struct
	{
		double		weight;
		bool		single;
	}			cases[] = {{0.5, true}, {0.1, false}, {(double) 0.1f, true}, {1e-45, false}, {0x1p-149, true},
	{FLT_MAX, true}, {1e39, false}, {-0.0, true}, {1 + DBL_EPSILON, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const double weight[] = {cases[i].weight, 1};
		const ex_new_layer layer = {.kind = EX_LAYER_AFFINE, .weight = weight, .n_weights = 2};
		ex_builder	builder;
		ex_model   *model;
		ex_network_view view;

		start(&builder, 1);
		if (ex_network_put_plain_input(&builder) != EX_OK || ex_network_put_layer(&builder, &layer) != EX_OK ||
			ex_network_finish(&builder) != EX_OK ||
			!is_status(host, ex_build(&builder, &model), EX_OK, "weight %g", weight[0]))
			continue;
		ex_network_open(model, &view);
		ok((view.weight_f32 != NULL) == cases[i].single, "weight %a is stored as float%d", weight[0],
		   cases[i].single ? 32 : 64);
		ok(ex_network_weight(&view, 0) == weight[0] && !(weight[0] == 0 && signbit(ex_network_weight(&view, 0))),
		   "weight %a stays the same, zero without a sign", weight[0]);
		round_trip(model, "precision");
	}
}

/* ----------------------------------------------------------------
 * Shapes
 * ---------------------------------------------------------------- */

typedef struct shape_case
{
	ex_layer_kind kind;
	int			n_inputs;
	ex_shape	input[3];
	ex_shape	given;
	int32_t		setting[EX_N_SETTINGS];
	ex_status	status;
	ex_shape	shape;
	uint64_t	weights;
} shape_case;

#define WINDOW(kh, kw, sh, sw, pt, pl, pb, pr, dh, dw) {kh, kw, sh, sw, pt, pl, pb, pr, dh, dw, 1}
#define POOL(k, s, p) {k, k, s, s, p, p, p, p, 1, 1}

static const shape_case shape_cases[] = {
	{EX_LAYER_DENSE, 1, {{2, 3, 4}}, {5, 0, 0}, {0}, EX_OK, {5, 1, 1}, 125},
	{EX_LAYER_DENSE, 1, {{2, 3, 4}}, {0, 0, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_DENSE, 1, {{2, 3, 4}}, {5, 0, 0}, {1}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_DENSE, 2, {{2, 1, 1}, {2, 1, 1}}, {5, 0, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_DENSE, 1, {{1, 1, 1}}, {UINT32_MAX, 0, 0}, {0}, EX_LIMIT, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{1, 8, 8}}, {4, 0, 0}, WINDOW(3, 3, 1, 1, 0, 0, 0, 0, 1, 1), EX_OK, {4, 6, 6}, 40},
	{EX_LAYER_CONV2D, 1, {{1, 8, 8}}, {4, 0, 0}, WINDOW(3, 3, 2, 3, 1, 1, 1, 1, 1, 1), EX_OK, {4, 4, 3}, 40},
	{EX_LAYER_CONV2D, 1, {{1, 8, 9}}, {4, 0, 0}, WINDOW(3, 3, 1, 1, 0, 0, 0, 0, 2, 3), EX_OK, {4, 4, 3}, 40},
	{EX_LAYER_CONV2D, 1, {{1, 8, 8}}, {4, 0, 0}, WINDOW(9, 3, 1, 1, 0, 0, 0, 0, 1, 1), EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{1, 8, 8}}, {4, 0, 0}, WINDOW(3, 3, 1, 1, 0, 0, 0, 0, INT32_MAX, 1), EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{1, 8, 8}}, {4, 0, 0}, WINDOW(3, 3, 0, 1, 0, 0, 0, 0, 1, 1), EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{1, 8, 8}}, {4, 0, 0}, WINDOW(3, 3, 1, 1, -1, 0, 0, 0, 1, 1), EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{1, 8, 8}}, {4, 0, 0}, WINDOW(0, 3, 1, 1, 0, 0, 0, 0, 1, 1), EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{1, 8, 8}}, {4, 0, 0}, WINDOW(INT32_MAX, INT32_MAX, 1, 1, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, 1, 1),
	EX_LIMIT, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{4, 2, 2}}, {6, 0, 0}, {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 2}, EX_OK, {6, 2, 2}, 18},
	{EX_LAYER_CONV2D, 1, {{4, 2, 2}}, {5, 0, 0}, {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 2}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{3, 2, 2}}, {6, 0, 0}, {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 2}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{4, 2, 2}}, {6, 0, 0}, {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_CONV2D, 1, {{4, 2, 2}}, {6, 0, 0}, {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_MAX_POOL, 1, {{3, 8, 8}}, {0, 0, 0}, POOL(2, 2, 0), EX_OK, {3, 4, 4}, 0},
	{EX_LAYER_MAX_POOL, 1, {{3, 7, 7}}, {0, 0, 0}, POOL(2, 2, 0), EX_OK, {3, 3, 3}, 0},
	{EX_LAYER_MAX_POOL, 1, {{3, 4, 4}}, {0, 0, 0}, POOL(3, 1, 1), EX_OK, {3, 4, 4}, 0},
	{EX_LAYER_MAX_POOL, 1, {{3, 4, 4}}, {0, 0, 0}, POOL(2, 1, 2), EX_INVALID, {0, 0, 0}, 0},
	/* windows of two taps, two apart, around one pixel: none covers it */
	{EX_LAYER_MAX_POOL, 1, {{1, 1, 1}}, {0, 0, 0}, {2, 1, 1, 1, 1, 0, 1, 0, 2, 1}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_MAX_POOL, 1, {{1, 2, 1}}, {0, 0, 0}, {2, 1, 1, 1, 1, 0, 1, 0, 2, 1}, EX_OK, {1, 2, 1}, 0},
	{EX_LAYER_MAX_POOL, 1, {{3, 8, 8}}, {0, 0, 0}, {2, 2, 2, 2, 0, 0, 0, 0, 1, 1, 0, 1}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_AVERAGE_POOL, 1, {{3, 8, 8}}, {0, 0, 0}, {2, 2, 2, 2, 0, 0, 0, 0, 1, 1, 0, 1}, EX_OK, {3, 4, 4}, 0},
	{EX_LAYER_AVERAGE_POOL, 1, {{3, 8, 8}}, {0, 0, 0}, {2, 2, 2, 2, 0, 0, 0, 0, 1, 1, 0, 2}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_AVERAGE_POOL, 1, {{3, 8, 8}}, {0, 0, 0}, {2, 2, 2, 2, 0, 0, 0, 0, 1, 1, 1, 0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_GLOBAL_MAX_POOL, 1, {{3, 8, 8}}, {0, 0, 0}, {0}, EX_OK, {3, 1, 1}, 0},
	{EX_LAYER_BATCH_NORM, 1, {{3, 8, 8}}, {0, 0, 0}, {0}, EX_OK, {3, 8, 8}, 12},
	{EX_LAYER_RESHAPE, 1, {{3, 8, 8}}, {192, 1, 1}, {0}, EX_OK, {192, 1, 1}, 0},
	{EX_LAYER_RESHAPE, 1, {{3, 8, 8}}, {193, 1, 1}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_RESHAPE, 1, {{3, 8, 8}}, {UINT32_MAX, UINT32_MAX, UINT32_MAX}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_RESHAPE, 1, {{1, 1, 1}}, {1, 1, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_PERMUTE, 1, {{2, 3, 4}}, {0, 0, 0}, {2, 0, 1}, EX_OK, {4, 2, 3}, 0},
	{EX_LAYER_PERMUTE, 1, {{2, 3, 4}}, {0, 0, 0}, {2, 0, 0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_PERMUTE, 1, {{2, 3, 4}}, {0, 0, 0}, {2, 0, 3}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_PERMUTE, 1, {{2, 3, 4}}, {0, 0, 0}, {2, 0, -1}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_CONCAT, 2, {{2, 3, 4}, {5, 3, 4}}, {0, 0, 0}, {0}, EX_OK, {7, 3, 4}, 0},
	{EX_LAYER_CONCAT, 2, {{2, 3, 4}, {5, 4, 3}}, {0, 0, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_ADD, 2, {{2, 3, 4}, {2, 3, 4}}, {0, 0, 0}, {0}, EX_OK, {2, 3, 4}, 0},
	{EX_LAYER_ADD, 3, {{2, 1, 1}, {2, 3, 4}, {2, 1, 1}}, {0, 0, 0}, {0}, EX_OK, {2, 3, 4}, 0},
	{EX_LAYER_ADD, 1, {{2, 3, 4}}, {0, 0, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_MULTIPLY, 2, {{2, 3, 4}, {3, 1, 1}}, {0, 0, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_MULTIPLY, 2, {{2, 3, 4}, {2, 4, 3}}, {0, 0, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_RELU, 1, {{2, 3, 4}}, {0, 0, 0}, {0}, EX_OK, {2, 3, 4}, 0},
	{EX_LAYER_RELU, 0, {{2, 3, 4}}, {0, 0, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_LAYER_IS_INPUT, 1, {{2, 3, 4}}, {0, 0, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
	{EX_N_LAYER_KINDS, 1, {{2, 3, 4}}, {0, 0, 0}, {0}, EX_INVALID, {0, 0, 0}, 0},
};

static void
test_shapes(void)
{
	for (size_t i = 0; i < sizeof(shape_cases) / sizeof(shape_cases[0]); i++)
	{
		const shape_case *c = &shape_cases[i];
		const ex_layer layer = {
			.kind = c->kind, .n_inputs = (uint32_t) c->n_inputs, .shape = c->given, .setting = c->setting
		};
		ex_shape	shape = {0, 0, 0};

		if (!is_status(host, ex_network_infer_shape(host, &layer, c->input, "layer", &shape), c->status,
					   "shape %zu: status", i) || c->status != EX_OK)
			continue;
		ok(shape.channels == c->shape.channels && shape.height == c->shape.height && shape.width == c->shape.width,
		   "shape %zu: (%u, %u, %u)", i, shape.channels, shape.height, shape.width);
		ok(ex_network_weight_count_ok(&layer, c->input, c->weights), "shape %zu: number of weights", i);
		ok(!ex_network_weight_count_ok(&layer, c->input, c->weights + 1), "shape %zu: and no other", i);
	}
}

/* Where a kernel slides is what a loop over all positions says. */
static void
test_windows_by_hand(void)
{
	int			wrong = 0;

	for (int code = 0; code < 4 * 3 * 3 * 3 * 2 * 4; code++)
	{
		int			rest = code;
		int			size = 1 + rest % 4;
		int			kernel = 1 + (rest /= 4) % 3;
		int			stride = 1 + (rest /= 3) % 3;
		int			before = (rest /= 3) % 3;
		int			dilation = 1 + (rest /= 3) % 2;
		int			after = (rest /= 2) % 4;
		const int32_t setting[EX_N_SETTINGS] = {kernel, 1, stride, 1, before, 0, after, 0, dilation, 1};
		const ex_layer layer = {.kind = EX_LAYER_MAX_POOL, .n_inputs = 1, .setting = setting};
		const ex_shape input = {1, (uint32_t) size, 1};
		ex_shape	shape;
		uint32_t	n = 0;
		bool		empty = false;
		ex_status	status;

		for (int at = -before; at + dilation * (kernel - 1) < size + after; at += stride, n++)
		{
			bool		covers = false;

			for (int k = 0; k < kernel; k++)
				covers |= at + k * dilation >= 0 && at + k * dilation < size;
			empty |= !covers;
		}
		status = ex_network_infer_shape(host, &layer, &input, "layer", &shape);
		wrong += (status == EX_OK) != (n > 0 && !empty) || (status == EX_OK && shape.height != n);
	}
	is_int(wrong, 0, "pooling windows, all small cases");
}

/* ----------------------------------------------------------------
 * Damage
 * ---------------------------------------------------------------- */

static ex_model *
copy_model(const ex_model *model)
{
	ex_model   *copy = host->alloc(host, model->size);

	memcpy(copy, model, model->size);
	return copy;
}

static char *
section_of(ex_model *model, ex_section_id id)
{
	return (char *) ex_get(model, id, NULL);
}

/* Signed as it is, so that structure alone decides. */
static ex_status
check_damaged(ex_model *model)
{
	ex_sign(host, model, model->digest);
	return ex_validate(host, model, model->size);
}

typedef struct damage
{
	ex_section_id id;
	uint32_t	index;
	double		value;
	ex_status	status;
	const char *message;
} damage;

/* On the network of columns_document: input, dense_1, tanh_2, dense_3. */
static const damage vector_damage[] = {
	{EX_COLUMN_FEATURE, 0, 5, EX_INVALID, "column 1 has feature 6, but there are 5"},
	{EX_COLUMN_FEATURE, 1, 2, EX_INVALID, "column of feature \"sex\" takes the value of a categorical feature: it needs a level"},
	{EX_COLUMN_KIND, 1, 9, EX_INVALID, "column of feature \"age\" has an unknown kind"},
	{EX_COLUMN_LEVEL, 0, 2, EX_INVALID, "column of feature \"sex\" has a level that does not exist"},
	{EX_COLUMN_HIGH, 2, -INFINITY, EX_INVALID, "column of feature \"age\" has an empty bin"},
	{EX_COLUMN_MISSING, 1, 1, EX_INVALID, "column of feature \"age\" has a value for missing ones that contradicts the feature's policy"},
	{EX_COLUMN_MISSING, 3, NAN, EX_INVALID, "column of feature \"income\" has a value for missing ones that contradicts the feature's policy"},
	{EX_COLUMN_CENTER, 1, NAN, EX_INVALID, "column of feature \"age\" has a center that is out of range"},
	{EX_COLUMN_CENTER, 1, -0.0, EX_INVALID, "invalid model: a NaN is not in its canonical form, or a zero is negative"},
	{EX_COLUMN_SCALE, 1, 0, EX_INVALID, "column of feature \"age\" has a scale that is 0 or out of range"},
	{EX_COLUMN_SCALE, 1, INFINITY, EX_INVALID, "column of feature \"age\" has a scale that is 0 or out of range"},
	{EX_LAYER_KIND, 0, EX_LAYER_RELU, EX_INVALID, "invalid network: its first layer is not an input"},
	{EX_LAYER_KIND, 1, EX_LAYER_IS_INPUT, EX_INVALID, "layer \"dense_1\" has an unknown kind"},
	{EX_LAYER_KIND, 2, EX_N_LAYER_KINDS, EX_INVALID, "layer \"tanh_2\" has an unknown kind"},
	{EX_LAYER_KIND, 2, 255, EX_INVALID, "layer \"tanh_2\" has an unknown kind"},
	{EX_LAYER_KIND, 2, EX_LAYER_DENSE, EX_INVALID, "layer \"tanh_2\" has the wrong number of weights, 0"},
	{EX_LAYER_KIND, 2, EX_LAYER_ADD, EX_INVALID, "layer \"tanh_2\" needs two inputs or more"},
	{EX_LAYER_NAME_TEXT, 0, 'I', EX_INVALID, "invalid network: its first layer is not called \"input\""},
	{EX_LAYER_NAME_TEXT, 5, 0xff, EX_ENCODING, "name of layer 2 is not valid UTF-8"},
	{EX_LAYER_NAME_TEXT, 24, '1', EX_INVALID, "layer \"dense_1\" appears twice"},
	{EX_LAYER_NAME_START, 1, 0, EX_INVALID, "name of layer 1 is empty"},
	{EX_LAYER_NAME_START, 4, 4, EX_INVALID, "invalid model: names do not fill their section"},
	{EX_LAYER_INPUT_START, 0, 1, EX_INVALID, "invalid network: lists do not fill their section"},
	{EX_LAYER_INPUT_START, 2, 4, EX_INVALID, "invalid network: lists are not in order"},
	{EX_LAYER_INPUT_START, 1, 1, EX_INVALID, "invalid network: its first layer is not an input"},
	{EX_LAYER_INPUT_START, 2, 0, EX_INVALID, "layer \"dense_1\" has no input"},
	{EX_LAYER_INPUT, 0, 1, EX_INVALID, "layer \"dense_1\" reads layer 1, which does not come before it"},
	{EX_LAYER_INPUT, 1, 3, EX_INVALID, "layer \"tanh_2\" reads layer 3, which does not come before it"},
	{EX_LAYER_INPUT, 1, 4294967295.0, EX_INVALID, "layer \"tanh_2\" reads layer 4294967295, which does not come before it"},
	{EX_LAYER_INPUT, 2, 1, EX_INVALID, "layer \"tanh_2\" is not used by any other layer"},
	{EX_LAYER_SHAPE, 0, 7, EX_INVALID, "invalid network: its first layer does not have the shape of the input"},
	{EX_LAYER_SHAPE, 3, 3, EX_INVALID, "layer \"dense_1\" has the wrong number of weights, 18"},
	{EX_LAYER_SHAPE, 3, 0, EX_INVALID, "layer \"dense_1\" has no units"},
	{EX_LAYER_SHAPE, 3, 4294967295.0, EX_LIMIT, "network is too large: output of layer \"dense_1\" has shape (4294967295, 1, 1)"},
	{EX_LAYER_SHAPE, 4, 2, EX_INVALID, "layer \"dense_1\" has shape (2, 2, 1), but its inputs give (2, 1, 1)"},
	{EX_LAYER_SHAPE, 6, 3, EX_INVALID, "layer \"tanh_2\" has shape (3, 1, 1), but its inputs give (2, 1, 1)"},
	{EX_LAYER_SETTING, 0, 1, EX_INVALID, "the input has a setting that its kind does not use"},
	{EX_LAYER_SETTING, 12, 1, EX_INVALID, "layer \"dense_1\" has a setting that its kind does not use"},
	{EX_LAYER_NUMBER, 2, 1, EX_INVALID, "layer \"tanh_2\" has a number that its kind does not use"},
	{EX_LAYER_NUMBER, 2, NAN, EX_INVALID, "layer \"tanh_2\" has a number that its kind does not use"},
	{EX_LAYER_WEIGHT_START, 0, 1, EX_INVALID, "invalid network: lists do not fill their section"},
	{EX_LAYER_WEIGHT_START, 4, 20, EX_INVALID, "invalid network: lists do not fill their section"},
	{EX_LAYER_WEIGHT_START, 2, 19, EX_INVALID, "invalid network: lists are not in order"},
	{EX_LAYER_WEIGHT_START, 1, 1, EX_INVALID, "invalid network: its first layer is not an input"},
	{EX_LAYER_WEIGHT, 3, NAN, EX_RANGE, "weight 4 of layer \"dense_1\" is not a finite number"},
	{EX_LAYER_WEIGHT, 20, INFINITY, EX_RANGE, "weight 3 of layer \"dense_3\" is not a finite number"},
	{EX_LAYER_WEIGHT, 3, -0.0, EX_INVALID, "invalid model: a NaN is not in its canonical form, or a zero is negative"},
};

/* On the network of image_document: input, c, batch_norm_2, relu_3, m, a, gm, ga, ... */
static const damage image_damage[] = {
	{EX_COLUMN_FEATURE, 3, 4, EX_INVALID, "invalid network: a pixel of the image is not the value of its feature"},
	{EX_IMAGE_SHAPE, 0, 1, EX_INVALID, "invalid network: the shape of the image does not go with the number of features"},
	{EX_IMAGE_SHAPE, 0, 0, EX_INVALID, "the input has an output without numbers"},
	{EX_IMAGE_SHAPE, 0, 4294967295.0, EX_LIMIT, "network is too large: output of the input has shape (4294967295, 4, 5)"},
	{EX_CHANNEL_NAME_TEXT, 0, 0xc0, EX_ENCODING, "name of channel 1 is not valid UTF-8"},
	{EX_CHANNEL_NAME_START, 1, 9, EX_INVALID, "invalid model: names are not in order"},
	{EX_FEATURE_KIND, 7, EX_BOOLEAN, EX_INVALID, "column of feature \"red[1,2]\" is a pixel of an image, but the feature is not numeric"},
	{EX_LAYER_SETTING, EX_N_SETTINGS + EX_STRIDE_H, 0, EX_INVALID, "stride of layer \"c\" must be 1 or more"},
	{EX_LAYER_SETTING, EX_N_SETTINGS + EX_GROUPS, 3, EX_INVALID, "groups of layer \"c\", 3, do not divide its 2 input and 4 output channels"},
	{EX_LAYER_SETTING, EX_N_SETTINGS + EX_STRIDE_W, EX_MAX_WINDOW_SETTING + 1.0, EX_LIMIT, "window of layer \"c\" is too large"},
	{EX_LAYER_SETTING, EX_N_SETTINGS + EX_KERNEL_H, 100, EX_INVALID, "kernel of layer \"c\", 100 x 2, is larger than its padded input, 4 x 5"},
	{EX_LAYER_SETTING, EX_N_SETTINGS + EX_PAD_TOP, 2147483647, EX_LIMIT, NULL},
	{EX_LAYER_SETTING, 4 * EX_N_SETTINGS + EX_PAD_LEFT, 9, EX_INVALID, "layer \"m\" has windows that cover nothing but padding"},
	{EX_LAYER_NUMBER, 2, -1, EX_INVALID, "epsilon of layer \"batch_norm_2\" must be a number, 0 or more"},
	{EX_LAYER_WEIGHT_F32, 28 + 12 + 1, -3, EX_INVALID, "variance of channel 2 of layer \"batch_norm_2\" must be positive"},
	{EX_LAYER_WEIGHT_F32, 2, NAN, EX_RANGE, "weight 3 of layer \"c\" is not a finite number"},
	{EX_LAYER_WEIGHT_F32, 2, -0.0, EX_INVALID, "invalid model: a NaN is not in its canonical form, or a zero is negative"},
};

static void
set_element(ex_model *model, const damage *damage)
{
	char	   *section = section_of(model, damage->id);
	uint32_t	whole = damage->value < 0 ? (uint32_t) (int32_t) damage->value : (uint32_t) damage->value;
	float		single = (float) damage->value;

	switch (ex_section_types[damage->id])
	{
		case EX_U8:
			section[damage->index] = (char) whole;
			break;
		case EX_F64:
			memcpy(section + 8 * damage->index, &damage->value, 8);
			break;
		case EX_F32:
			memcpy(section + 4 * damage->index, &single, 4);
			break;
		default:
			memcpy(section + 4 * damage->index, &whole, 4);
	}
}

static void
test_damage(const ex_model *model, const damage *damage, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
	{
		ex_model   *copy = copy_model(model);

		set_element(copy, &damage[i]);
		is_status(host, check_damaged(copy), damage[i].status, "%s: damage %zu", name, i);
		if (damage[i].message != NULL)
			is_text(host->error.message, damage[i].message, "%s: damage %zu is named", name, i);
	}
}

/*
 * Any byte, changed in several ways: refused, or a model that predicts and
 * comes back from its own text.
 */
static void
test_bytes(const ex_model *model, const char *name)
{
	static const uint8_t mask[] = {0x01, 0x80, 0xff, 0x10};
	size_t		directory = offsetof(ex_model, section);
	size_t		content = directory + model->n_sections * sizeof(ex_section);
	int			accepted = 0;
	int			wrong = 0;

	for (size_t i = offsetof(ex_model, magic); i < model->size; i++)
		for (size_t m = 0; m < sizeof(mask); m++)
		{
			ex_arena	own;
			ex_host    *inner = ex_arena_init(&own);
			ex_model   *copy = inner->alloc(inner, model->size);
			ex_model   *again;
			ex_compiled *compiled;
			ex_buffer	text = {0};
			double		x[64] = {0};
			double		raw[64];

			memcpy(copy, model, model->size);
			((uint8_t *) copy)[i] ^= mask[m];
			/* signing follows the directory, which must be sound */
			if (i >= content || (i < directory && copy->n_sections == model->n_sections))
				ex_sign(inner, copy, copy->digest);
			if (ex_validate(inner, copy, model->size) == EX_OK)
			{
				accepted++;
				wrong += ex_model_to_json(inner, copy, &text) != EX_OK ||
					ex_model_from_json(inner, text.data, text.size, &again) != EX_OK || !same_model(copy, again);
				wrong += ex_compile(inner, copy, 1 << 20, &compiled) != EX_OK;
				(void) compiled->family->predict_raw(compiled, inner, x, 1, raw);
			}
			ex_arena_free(&own);
		}
	printf("# %s: %d of %zu changes give another valid model\n", name, accepted, model->size * sizeof(mask));
	is_int(wrong, 0, "%s: every changed byte is refused or makes a sound model", name);
}

/* Without one section, or with one element more in it. */
static void
test_sections(const ex_model *model, const char *name)
{
	static const char zero[16];

	for (uint32_t i = 0; i < model->n_sections; i++)
	{
		ex_section_id id = (ex_section_id) model->section[i].id;
		ex_builder	builder;
		ex_model   *built;

		if (id < EX_COLUMN_FEATURE)
			continue;
		(void) ex_builder_open(&builder, host, model);
		ex_drop(&builder, id);
		ok(ex_build(&builder, &built) == EX_INVALID, "%s: without section %d", name, id);
		(void) ex_builder_open(&builder, host, model);
		(void) ex_put(&builder, id, zero, 1);
		ok(ex_build(&builder, &built) == EX_INVALID, "%s: section %d with an element more", name, id);
	}
}

/* Forms that mean the same and are not the one that finish makes. */
static void
test_canonical(const ex_model *model)
{
	ex_builder	builder;
	ex_model   *built;
	uint32_t	n;
	const float *single;

	(void) ex_builder_open(&builder, host, model);
	single = ex_get(model, EX_LAYER_WEIGHT_F32, &n);
	ex_drop(&builder, EX_LAYER_WEIGHT_F32);
	for (uint32_t i = 0; i < n; i++)
		(void) ex_put_f64(&builder, EX_LAYER_WEIGHT, single[i]);
	is_status(host, ex_build(&builder, &built), EX_INVALID, "float32 weights as float64");
	is_text(host->error.message, "invalid network: its weights are float32 numbers, but stored as float64", "are named");
	(void) ex_put(&builder, EX_LAYER_WEIGHT_F32, single, n);
	is_status(host, ex_build(&builder, &built), EX_INVALID, "weights twice");

	(void) ex_builder_open(&builder, host, model);
	builder.aggregation = EX_MEAN;
	is_status(host, ex_build(&builder, &built), EX_INVALID, "an average");
	(void) ex_builder_open(&builder, host, model);
	ex_drop(&builder, EX_IMAGE_SHAPE);
	is_status(host, ex_build(&builder, &built), EX_INVALID, "channels without an image");
	(void) ex_builder_open(&builder, host, model);
	(void) ex_put_f64(&builder, EX_INTERCEPT, 1);
	is_status(host, ex_build(&builder, &built), EX_INVALID, "a section of another family");
}

/* ----------------------------------------------------------------
 * Preprocessing
 * ---------------------------------------------------------------- */

#define MORE 8					/* rows of each case */

/* The encoded network on encoded columns against the folded one on features. */
static void
test_fold(const char *name, const char *inputs, const char *layers, const double *rows, uint32_t n, uint32_t p,
		  double tolerance)
{
	char		document[4096];
	ex_json		json;
	ex_json_value root;
	ex_builder	builder;
	ex_encoding encoding;
	ex_model   *folded;
	ex_model   *encoded;
	ex_compiled *plain;
	size_t		used;
	const char *text;

	snprintf(document, sizeof(document), "{'family':'network',%s,%s}", inputs, layers);
	folded = read_model(document);
	round_trip(folded, name);

	/* the same columns by fold.h's own arithmetic */
	text = quoted(document);
	(void) ex_json_open(&json, host, EX_FORMAT_JSON, text, strlen(text), &root);
	ex_builder_init(&builder, host, EX_NETWORK);
	is_status(host, ex_encoding_read(&builder, &json, ex_json_get(&json, root, "features"),
									 ex_json_get(&json, root, "inputs"), &encoding), EX_OK, "%s: encoding", name);
	used = (size_t) snprintf(document, sizeof(document), "{'family':'network','features':[");
	for (uint32_t c = 0; c < encoding.n_columns; c++)
		used += (size_t) snprintf(document + used, sizeof(document) - used, "%s{'name':'%u','missing':'native'}",
								  c > 0 ? "," : "", c);
	snprintf(document + used, sizeof(document) - used, "],%s}", layers);
	encoded = read_model(document);
	is_status(host, ex_compile(host, encoded, 1 << 20, &plain), EX_OK, "%s: encoded", name);
	for (uint32_t i = 0; i < n; i++)
	{
		const double *x = rows + (size_t) i * p;
		double		z[32];
		const double *expected;
		const double *got;

		for (uint32_t c = 0; c < encoding.n_columns; c++)
			z[c] = ex_encode(&encoding.column[c], x[encoding.column[c].feature]);
		expected = raw_of(encoded, z);
		got = raw_of(folded, x);
		for (uint32_t k = 0; k < folded->n_outputs; k++)
			is_near(got[k], expected[k], tolerance * (1 + fabs(expected[k])), "%s: row %u, output %u", name, i, k);
	}
}

static void
test_folding(void)
{
	static const char *const features =
	"'features':['a',{'name':'b','missing':'native'},{'name':'c','levels':['u','v','w'],'missing':'native','unknown':'other'},"
	"{'name':'d','kind':'boolean'}],";
	static const double rows[][4] = {
		{1.5, 2, 0, 1}, {-3, NAN, 2, 0}, {0.1, -7.25, NAN, 1}, {1e6, 0, -1, 0}, {2, 3, 1, 1}, {10, 10, 2, 0}
	};
	char		inputs[2048];

#define FOLD(name, list, layers, tolerance) \
	do { \
		snprintf(inputs, sizeof(inputs), "%s'inputs':[%s]", features, list); \
		test_fold(name, inputs, layers, rows[0], 6, 4, tolerance); \
	} while (0)

	FOLD("scaling", "{'feature':'a','center':0.3,'scale':1.7},{'feature':'b','impute':1.25,'center':2,'scale':3},"
		 "{'feature':'d','center':0.5,'scale':-0.5}",
		 "'layers':[{'kind':'dense','units':2,'weights':[0.1,0.2,0.3,0.4,0.5,0.6],'activation':'tanh'}]", 0);
	FOLD("levels", "{'feature':'c','level':'u','center':0.3,'scale':0.46},{'feature':'c','level':'w','impute':'w'},"
		 "{'feature':'b','indicator':true,'center':0.1},{'feature':'b','bin':[0,5],'scale':2},{'feature':'b'}",
		 "'layers':[{'kind':'dense','units':2,'weights':[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1],'activation':'relu'}]", 0);
	FOLD("bin numbers", "{'feature':'a','edges':[0,1,2],'center':1.5,'scale':0.5},{'feature':'b','edges':[-5,2.5]},"
		 "{'feature':'b','edges':[0,2],'impute':1},{'feature':'a'}",
		 "'layers':[{'kind':'dense','units':2,'name':'preprocessing','weights':[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8],"
		 "'activation':'sigmoid'},{'kind':'square','name':'s'},{'kind':'add','inputs':['preprocessing','s']}]", 1e-14);

	/* columns of columns: what the encoded network makes of its own inputs is folded too */
	FOLD("columns of inputs", "{'feature':'a','center':0.3,'scale':1.7},{'feature':'b','center':1,'scale':-2},"
		 "{'feature':'c','level':'v','center':0.25},{'feature':'d'},{'feature':'b','indicator':true}",
		 "'columns':[{'feature':0,'center':3,'scale':0.1},{'feature':0,'bin':[-1,1],'center':0.5,'scale':2},"
		 "{'feature':1,'bin':[-2,3]},{'feature':1,'indicator':true},{'feature':1,'missing':7,'center':2,'scale':4},"
		 "{'feature':2,'bin':[0,0.8]},{'feature':2,'center':1},{'feature':3,'bin':[0.5,3],'scale':3},{'feature':4,'indicator':true},"
		 "{'feature':4,'scale':5},{'feature':0,'bin':[5,6]}],"
		 "'layers':[{'kind':'dense','units':1,'weights':[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1,1.1]}]", 1e-14);

	/* an image of encoded columns */
	FOLD("image of features", "{'feature':'a'},{'feature':'b','impute':0},{'feature':'d'},{'feature':'c','level':'w'}",
		 "'layers':[{'kind':'reshape','shape':[1,2,2]},{'kind':'conv2d','kernel':[2,1],'weights':[[[[1],[2]]]]}]", 0);
}

/* An image whose pixels are scaled stays an image; one of other features becomes a reshape. */
static void
test_image_preprocessing(void)
{
	static const char *const image =
	"{'family':'network','image':{'channels':['g'],'height':1,'width':2},"
	"'layers':[{'kind':'conv2d','kernel':[1,2],'weights':[[[[0.1,0.3]]]]}]}";
	const char *same = quoted("{'features':['p','q'],'inputs':[{'feature':0,'scale':255},{'feature':1,'scale':255}]}");
	const char *other = quoted("{'features':['p','q'],'inputs':[{'feature':1},{'feature':0}]}");
	const char *constant = quoted("{'features':['p','q'],'inputs':[{'feature':1},{'feature':0,'indicator':true}]}");
	const double x[] = {100, 3};
	ex_model   *encoded = read_model(image);
	ex_model   *folded;
	ex_network_view view;

	is_status(host, ex_model_preprocess(host, encoded, same, strlen(same), &folded), EX_OK, "scaled pixels");
	ex_network_open(folded, &view);
	ok(view.is_image && view.scale[1] == 255, "stay an image");
	is_double(raw_of(folded, x)[0], 0.1 * (100.0 / 255) + 0.3 * (3.0 / 255), "of scaled pixels");
	round_trip(folded, "scaled image");
	is_status(host, ex_model_preprocess(host, encoded, other, strlen(other), &folded), EX_OK, "other features");
	ex_network_open(folded, &view);
	ok(!view.is_image && view.n_layers == 3, "are no image");
	is_double(raw_of(folded, x)[0], 0.1 * 3 + 0.3 * 100.0, "but the network's");
	round_trip(folded, "image of other features");
	is_status(host, ex_model_preprocess(host, encoded, constant, strlen(constant), &folded), EX_OK, "a constant pixel");
	is_near(raw_of(folded, x)[0], 0.1 * 3, 1e-16, "is 0");

	folded = read_model("{'family':'network','features':['p','q'],'inputs':[{'feature':'p','center':10,'scale':2},{'feature':'q'}],"
						"'image':{'channels':['g'],'height':1,'width':2,'scale':5},'layers':[{'kind':'affine','scale':[1,1]}]}");
	ex_network_open(folded, &view);
	ok(view.is_image, "an image over inputs in one document");
	is_double(raw_of(folded, x)[0], (100.0 - 10) / 10, "scaled twice");
	is_double(raw_of(folded, x)[1], 3.0 / 5, "scaled once");
	round_trip(folded, "image over inputs");
}

/* ----------------------------------------------------------------
 * Edits
 * ---------------------------------------------------------------- */

static void
test_edits(void)
{
	ex_model   *model = read_model("{'family':'network','features':['a','b'],'columns':[{'feature':'b','center':5,'scale':2},"
								   "{'feature':'a'}],'layers':[{'kind':'dense','weights':[[1,10]]}]}");
	ex_model   *other = read_model("{'family':'network','features':[{'name':'b','missing':{'impute':7}},'z','a'],"
								   "'layers':[{'kind':'square'}]}");
	ex_model   *image = read_model("{'family':'network','image':{'channels':['g'],'height':1,'width':2},'layers':[{'kind':'square'}]}");
	ex_model   *turned = read_model("{'family':'network','features':['g[0,1]','g[0,0]'],'layers':[{'kind':'square'}]}");
	const double missing[] = {1, NAN};
	const double elsewhere[] = {9, 100, 1};
	ex_builder	builder;
	ex_model   *edited;

	(void) ex_builder_open(&builder, host, model);
	is_status(host, ex_edit_imputation(&builder, 1, 9), EX_OK, "impute");
	is_status(host, ex_build(&builder, &edited), EX_OK, "impute: a model");
	is_double(raw_of(edited, missing)[0], 12, "a missing value counts as 9");
	round_trip(edited, "imputed");
	(void) ex_builder_open(&builder, host, edited);
	is_status(host, ex_edit_missing(&builder, 1, "native"), EX_OK, "native");
	is_status(host, ex_build(&builder, &edited), EX_OK, "native: a model");
	is_double(raw_of(edited, missing)[0], 10, "a missing value adds nothing");
	round_trip(edited, "native");
	(void) ex_builder_open(&builder, host, edited);
	is_status(host, ex_edit_missing(&builder, 1, "error"), EX_OK, "error");
	is_status(host, ex_build(&builder, &edited), EX_OK, "error: a model");
	ok(same_model(edited, model), "back where it began");

	is_status(host, ex_align_features(host, model, other, &builder), EX_OK, "over other features");
	is_status(host, ex_build(&builder, &edited), EX_OK, "over other features: a model");
	is_double(raw_of(edited, elsewhere)[0], 2 + 10, "the same columns");
	is_status(host, ex_align_features(host, image, turned, &builder), EX_UNSUPPORTED, "pixels in another order");
	is_status(host, ex_align_features(host, image, image, &builder), EX_OK, "pixels in their order");
	is_status(host, ex_build(&builder, &edited), EX_OK, "an image again");
	ok(same_model(edited, image), "and the same one");

	/* pixels that are treated in another way are listed */
	(void) ex_builder_open(&builder, host, image);
	(void) ex_edit_imputation(&builder, 1, 9);
	is_status(host, ex_build(&builder, &edited), EX_OK, "a pixel that is imputed");
	ok(strstr(written(edited), "\"features\"") != NULL, "is listed");
	round_trip(edited, "image with features");
}

/* ----------------------------------------------------------------
 * scikit-learn
 * ---------------------------------------------------------------- */

/* A CSV of numbers without row ids; returns the rows. */
static double *
read_csv(const char *path, size_t *n_columns, size_t *n_rows)
{
	size_t		size;
	char	   *at = golden_file(host, path, &size);
	char	   *end = at + size;
	char	   *line_end = memchr(at, '\n', size);
	double	   *value;

	*n_columns = golden_count(at, line_end, ',') + 1;
	*n_rows = golden_count(line_end + 1, end, '\n');
	value = host->alloc(host, *n_columns * *n_rows * sizeof(double));
	at = line_end + 1;
	for (size_t i = 0; i < *n_columns * *n_rows; i++)
	{
		value[i] = strtod(at, &at);
		at++;
	}
	return value;
}

/* Layer l of {"coefs": [[input][output]], "intercepts"} in the project's words: [output][input]. */
static void
put_sklearn_layer(ex_json *json, ex_json_value coefs, ex_json_value intercepts, const char *activation,
				  ex_buffer *out)
{
	size_t		n_inputs = ex_json_count(json, coefs);
	double	  **row = host->alloc(host, n_inputs * sizeof(double *));
	double	   *bias;
	size_t		n_outputs;
	ex_json_cursor cursor;
	ex_json_value value;

	ex_json_begin(json, coefs, &cursor);
	for (size_t i = 0; ex_json_next(json, &cursor, &value); i++)
		(void) ex_json_doubles(json, value, "coefs", &row[i], &n_outputs);
	(void) ex_json_doubles(json, intercepts, "intercepts", &bias, &n_outputs);
	(void) ex_append_text(host, out, "{\"kind\":\"dense\",\"weights\":[");
	for (size_t o = 0; o < n_outputs; o++)
	{
		(void) ex_append_text(host, out, o > 0 ? ",[" : "[");
		for (size_t i = 0; i < n_inputs; i++)
		{
			(void) ex_append_text(host, out, i > 0 ? "," : "");
			(void) ex_json_put_double(host, out, row[i][o]);
		}
		(void) ex_append_text(host, out, "]");
	}
	(void) ex_append_text(host, out, "],\"bias\":");
	(void) ex_json_put_doubles(host, out, bias, n_outputs);
	if (activation != NULL)
		(void) ex_appendf(host, out, ",\"activation\":\"%s\"", activation);
	(void) ex_append_text(host, out, "}");
}

static ex_model *
read_sklearn(const char *path, const char *activation, size_t n_features)
{
	size_t		size;
	const char *text = golden_file(host, path, &size);
	ex_json		json;
	ex_json_value root;
	ex_json_cursor coefs;
	ex_json_cursor intercepts;
	ex_json_value coef;
	ex_json_value intercept;
	ex_buffer	out = {0};
	ex_model   *model = NULL;
	size_t		n_layers;

	(void) ex_json_open(&json, host, EX_FORMAT_JSON, text, size, &root);
	n_layers = ex_json_count(&json, ex_json_get(&json, root, "coefs"));
	ex_json_begin(&json, ex_json_get(&json, root, "coefs"), &coefs);
	ex_json_begin(&json, ex_json_get(&json, root, "intercepts"), &intercepts);
	(void) ex_append_text(host, &out, "{\"family\":\"network\",\"features\":[");
	for (size_t i = 0; i < n_features; i++)
		(void) ex_appendf(host, &out, "%s\"c%zu\"", i > 0 ? "," : "", i);
	(void) ex_append_text(host, &out, "],\"layers\":[");
	for (size_t l = 0; ex_json_next(&json, &coefs, &coef) && ex_json_next(&json, &intercepts, &intercept); l++)
	{
		(void) ex_append_text(host, &out, l > 0 ? "," : "");
		put_sklearn_layer(&json, coef, intercept, l + 1 < n_layers ? activation : NULL, &out);
	}
	(void) ex_append_text(host, &out, "]}");
	is_status(host, ex_model_from_json(host, out.data, out.size, &model), EX_OK, "%s is read", path);
	return model;
}

static void
test_sklearn(const char *folder, const char *activation)
{
	char		path[128];
	size_t		n_features;
	size_t		n_rows;
	size_t		n_outputs;
	double	   *row;
	double	   *prediction;
	ex_model   *model;
	ex_compiled *compiled;
	double		worst = 0;

	snprintf(path, sizeof(path), "test/data/explanations/%s/rows.csv", folder);
	row = read_csv(path, &n_features, &n_rows);
	snprintf(path, sizeof(path), "test/data/explanations/%s/prediction.csv", folder);
	prediction = read_csv(path, &n_outputs, &n_rows);
	snprintf(path, sizeof(path), "test/data/explanations/%s/model.json", folder);
	model = read_sklearn(path, activation, n_features);
	if (model == NULL)
		return;
	round_trip(model, folder);
	is_status(host, ex_compile(host, model, 1 << 20, &compiled), EX_OK, "%s: ready", folder);
	for (size_t i = 0; i < n_rows; i++)
	{
		double		raw[8];

		if (!ok(compiled->family->predict_raw(compiled, host, row + i * n_features, 1, raw) == EX_OK, "%s: row %zu", folder, i))
			return;
		for (size_t k = 0; k < n_outputs; k++)
			worst = fmax(worst, fabs(raw[k] - prediction[i * n_outputs + k]) / fmax(1, fabs(raw[k])));
	}
	is_near(worst, 0, 1e-12, "%s: predictions of %zu rows are scikit-learn's", folder, n_rows);
}

/* Running out of memory anywhere is an error, and nothing worse. */
static void
test_memory(const char *document, const char *name)
{
	const char *text = quoted(document);
	ex_status	status = EX_MEMORY;
	int			wrong = 0;
	long		n = 0;

	for (; status != EX_OK && n < 100000; n++)
	{
		ex_arena	own;
		ex_host    *inner = ex_arena_init(&own);
		ex_model   *model;
		ex_buffer	out = {0};

		own.fail_after = n;
		status = ex_model_from_json(inner, text, strlen(text), &model);
		if (status == EX_OK)
			status = ex_model_to_json(inner, model, &out);
		wrong += status != EX_OK && status != EX_MEMORY;
		ex_arena_free(&own);
	}
	ok(status == EX_OK && wrong == 0, "%s: every one of %ld allocations may fail", name, n);
}

int
main(void)
{
	ex_model   *vector;
	ex_model   *image;

	host = ex_arena_init(&arena);
	test_build();
	test_precision();
	test_shapes();
	test_windows_by_hand();
	test_documents();
	test_spellings();
	vector = read_model(columns_document);
	image = read_model(image_document);
	test_damage(vector, vector_damage, sizeof(vector_damage) / sizeof(vector_damage[0]), "vector");
	test_damage(image, image_damage, sizeof(image_damage) / sizeof(image_damage[0]), "image");
	test_bytes(vector, "vector");
	test_bytes(read_model("{'family':'network','image':{'channels':['g'],'height':2,'width':2},'layers':["
						  "{'kind':'conv2d','kernel':2,'padding':1,'weights':[[[[1,2],[3,4]]]]},{'kind':'max_pool','kernel':2},"
						  "{'kind':'batch_norm','mean':[1],'variance':[2]},{'kind':'add','inputs':['max_pool_2','batch_norm_3']},"
						  "{'kind':'permute','axes':[2,0,1]},{'kind':'dense','units':2,'weights':[1,2]}]}"), "image");
	test_sections(vector, "vector");
	test_sections(image, "image");
	test_canonical(image);
	test_memory(columns_document, "vector");
	test_memory(image_document, "image");
	test_memory("{'family':'network','features':['x'],'inputs':[{'feature':'x','edges':[1,2]},{'feature':'x'}],"
				"'image':{'channels':['g'],'height':1,'width':2},'layers':[{'kind':'relu'}]}", "folded");
	test_folding();
	test_image_preprocessing();
	test_edits();
	test_sklearn("mlp_relu", "relu");
	test_sklearn("mlp_tanh", "tanh");
	ex_arena_free(&arena);
	return unit_done();
}
