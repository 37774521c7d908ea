/*
 * test_network_rows.c
 *		From rows of weights to networks: small tables written by hand, whose
 *		models are compared with what the builder makes and with predictions
 *		worked out on paper; random networks made twice, by the builder and from
 *		shuffled rows; tables with mistakes; damaged rows.
 */
#include "family.h"
#include "host_malloc.h"
#include "model_align.h"
#include "model_edit.h"
#include "network.h"
#include "network_graph.h"
#include "parameters.h"
#include "random.h"
#include "unit.h"
#include "weight_rows.h"

/* ----------------------------------------------------------------
 * Tables as text: "layer=1 unit=a kernel={3,3} weight=0.5", a row each
 * ---------------------------------------------------------------- */

#define MOST_NUMBERS 8

static const ex_field_spec *
column_of(const char *name, size_t length, int *at)
{
	for (*at = 0; *at < ex_weight_table.n_fields; (*at)++)
	{
		const ex_field_spec *spec = &ex_weight_table.field[*at];

		if (strlen(spec->name) == length && memcmp(spec->name, name, length) == 0)
			return spec;
	}
	printf("Bail out! no column %.*s\n", (int) length, name);
	exit(1);
}

static void
read_value(ex_host *host, const ex_field_spec *spec, const char *value, size_t length, ex_field *field)
{
	if (value[0] == '{' && (spec->types & EX_FIELD_NUMBERS))
	{
		double	   *number;
		char	   *next = (char *) value + 1;

		if (EX_ALLOC(host, MOST_NUMBERS, &number) != EX_OK)
			abort();
		field->type = EX_FIELD_NUMBERS;
		field->numbers = number;
		for (; *next != '}'; next += *next == ',')
			number[field->count++] = strtod(next, &next);
	}
	else if (spec->types & EX_FIELD_NUMBER)
	{
		field->type = EX_FIELD_NUMBER;
		field->number = strtod(value, NULL);
	}
	else
	{
		field->type = EX_FIELD_TEXT;
		field->text = (ex_string) {value, (uint32_t) length};
	}
}

static void
read_line(ex_host *host, const char *line, ex_field *fields)
{
	memset(fields, 0, EX_TABLE_MAX_FIELDS * sizeof(ex_field));
	while (*line != '\0')
	{
		size_t		name = strcspn(line, "=");
		const char *value = line + name + 1;
		size_t		length = strcspn(value, " ");
		int			at;
		const ex_field_spec *spec = column_of(line, name, &at);

		read_value(host, spec, value, length, &fields[at]);
		line = value + length + (value[length] == ' ');
	}
}

/* A table of lines that end with a newline each. */
static void
put_lines(ex_host *host, const char *lines, ex_buffer *rows)
{
	while (*lines != '\0')
	{
		size_t		length = strcspn(lines, "\n");
		char	   *line;
		ex_field	fields[EX_TABLE_MAX_FIELDS];

		if (EX_ALLOC(host, length + 1, &line) != EX_OK)
			abort();
		memcpy(line, lines, length);
		read_line(host, line, fields);
		if (ex_rows_put(host, rows, &ex_weight_table, fields) != EX_OK)
			abort();
		lines += length + 1;
	}
}

static ex_status
model_of(ex_host *host, const char *lines, ex_model **model)
{
	ex_buffer	rows = {0};
	ex_builder	builder;

	EX_TRY(ex_rows_begin(host, &rows, &ex_weight_table));
	put_lines(host, lines, &rows);
	EX_TRY(ex_network_from_rows(host, rows.data, rows.size, &builder));
	return ex_build(&builder, model);
}

static bool
same_model(ex_host *host, const char *lines, const ex_model *expected, const char *name)
{
	ex_model   *model;

	return is_status(host, model_of(host, lines, &model), EX_OK, "%s", name) &&
		is_same(model->digest, expected->digest, sizeof(model->digest), "the same model");
}

static double
response(ex_host *host, const ex_model *model, const double *x, uint32_t output)
{
	ex_compiled *compiled;
	double	   *raw;

	if (ex_compile(host, model, 0, &compiled) != EX_OK || EX_ALLOC(host, model->n_outputs, &raw) != EX_OK ||
		compiled->family->predict_raw(compiled, host, x, 1, raw) != EX_OK)
		return NAN;
	ex_response(model, raw, raw);
	return raw[output];
}

static bool
is_output(const ex_model *model, uint32_t k, const char *expected)
{
	uint32_t	length;
	const char *name = ex_get_name(model, EX_OUTPUT_NAME_START, k, &length);

	return ok(length == strlen(expected) && memcmp(name, expected, length) == 0, "output %u is called %s", k, expected);
}

/* ----------------------------------------------------------------
 * Perceptrons
 * ---------------------------------------------------------------- */

#define PERCEPTRON \
	"layer=1 unit=1 input=age weight=0.5 activation=relu\n" \
	"layer=1 unit=1 input=income weight=-2\n" \
	"layer=1 unit=1 weight=1\n" \
	"layer=1 unit=2 input=age weight=-1\n" \
	"layer=1 unit=2 input=income weight=3\n" \
	"layer=1 unit=2 input=(bias) weight=0.25\n" \
	"layer=2 unit=1 input=1 weight=4\n" \
	"layer=2 unit=1 input=2 weight=-0.5\n" \
	"layer=2 unit=1 weight=0.125\n"

static void
put_names(ex_builder *builder, const char *const *name, int n)
{
	for (int i = 0; i < n; i++)
	{
		ex_feature	feature = {.name = name[i], .name_length = strlen(name[i])};

		if (ex_put_feature(builder, &feature) != EX_OK)
			abort();
	}
}

static void
put(ex_builder *builder, ex_layer_kind kind, uint32_t channels, const double *weight, size_t n)
{
	ex_new_layer layer = {.kind = kind, .shape = {channels, 1, 1}, .weight = weight, .n_weights = n};

	is_status(builder->host, ex_network_put_layer(builder, &layer), EX_OK, "a layer");
}

static ex_model *
perceptron(ex_host *host)
{
	static const char *const names[] = {"age", "income"};
	static const double first[] = {0.5, -2, -1, 3, 1, 0.25};
	static const double second[] = {4, -0.5, 0.125};
	ex_builder	builder;
	ex_model   *model;

	ex_builder_init(&builder, host, EX_NETWORK);
	put_names(&builder, names, 2);
	if (ex_network_put_plain_input(&builder) != EX_OK)
		abort();
	put(&builder, EX_LAYER_DENSE, 2, first, 6);
	put(&builder, EX_LAYER_RELU, 0, NULL, 0);
	put(&builder, EX_LAYER_DENSE, 1, second, 3);
	if (ex_network_finish(&builder) != EX_OK || ex_build(&builder, &model) != EX_OK)
		abort();
	return model;
}

static void
test_perceptron(void)
{
	static const double x[] = {4, 0.5};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model = perceptron(host);

	/* units: 2 - 1 + 1 = 2; -4 + 1.5 + 0.25 < 0 */
	is_double(response(host, model, x, 0), 4 * 2 + 0.125, "prediction on paper");
	same_model(host, PERCEPTRON, model, "rows of weights");
	same_model(host,
			   "layer=2 unit=1 input=2 weight=-0.5\n"
			   "layer=1 unit=2 weight=0.25\n"
			   "layer=1 unit=1 weight=1\n"
			   "layer=2 unit=1 input=1 weight=4\n"
			   "layer=1 unit=2 input=income weight=3\n"
			   "layer=1 unit=2 input=age weight=-1\n"
			   "layer=1 unit=1 input=age weight=0.5\n"
			   "layer=2 unit=1 weight=0.125\n"
			   "layer=1 activation=relu kind=dense\n"
			   "layer=1 unit=1 input=income weight=-2\n", model, "another order, the activation in a row of its own");
	same_model(host,
			   "layer=0 unit=0 input=age weight=0.5\n"
			   "layer=0 unit=0 input=income weight=-2\n"
			   "layer=0 unit=0 weight=1\n"
			   "layer=0 unit=1 input=age weight=-1\n"
			   "layer=0 unit=1 input=income weight=3\n"
			   "layer=0 unit=1 weight=0.25\n"
			   "layer=1 kind=relu\n"
			   "layer=2 unit=0 input=1 weight=4 activation=identity\n"
			   "layer=2 unit=0 input=2 weight=-0.5\n"
			   "layer=2 unit=0 weight=0.125\n", model, "counted from 0, inputs from 1, the activation as a layer");
	same_model(host,
			   "layer=0 kind=input unit=1 input=age\n"
			   "layer=0 kind=input unit=2 input=income center=0\n"
			   "layer=1 unit=11 input=1 weight=0.5 activation=relu\n"
			   "layer=1 unit=11 input=2 weight=-2\n"
			   "layer=1 unit=11 weight=1\n"
			   "layer=1 unit=12 input=1 weight=-1\n"
			   "layer=1 unit=12 input=2 weight=3\n"
			   "layer=1 unit=12 weight=0.25\n"
			   "layer=2 unit=1 input=11 weight=4 sources={1}\n"
			   "layer=2 unit=1 input=12 weight=-0.5\n"
			   "layer=2 unit=1 weight=0.125 link=identity\n", model, "with rows of the input, units numbered on");
	ex_arena_free(&arena);
}

static void
test_names(void)
{
	static const double x[] = {1, 2};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;

	if (!is_status(host, model_of(host,
								  "layer=1 unit=young input=10 weight=1 activation=tanh\n"
								  "layer=1 unit=young input=9 weight=2\n"
								  "layer=1 unit=old input=10 weight=-1\n"
								  "layer=1 unit=old input=9 weight=0.5\n"
								  "layer=2 unit=yes input=young weight=1 activation=softmax\n"
								  "layer=2 unit=yes input=old weight=2\n"
								  "layer=2 unit=no input=young weight=-1\n"
								  "layer=2 unit=no input=old weight=0\n", &model), EX_OK, "units with names"))
		return;
	is_output(model, 0, "no");
	is_output(model, 1, "yes");
	is_int(model->link, EX_LINK_SOFTMAX, "a last softmax is the link");
	/* features are 9, 10 */
	{
		double		young = tanh(2 * x[0] + x[1]);
		double		old = tanh(0.5 * x[0] - x[1]);
		double		yes = young + 2 * old;
		double		no = -young;

		is_near(response(host, model, x, 1), 1 / (1 + exp(no - yes)), 1e-15, "probability on paper");
	}
	if (is_status(host, model_of(host, "layer=1 unit=7 input=a weight=1 activation=logistic\n"
								 "layer=1 unit=8 input=a weight=2\n", &model), EX_OK, "numbers as names of outputs"))
	{
		is_output(model, 0, "7");
		is_int(model->link, EX_LINK_LOGIT, "a last sigmoid is the link");
	}
	if (is_status(host, model_of(host, "layer=1 unit=1 input=a weight=1 activation=sigmoid link=log\n", &model),
				  EX_OK, "a link of its own"))
		is_double(response(host, model, (double[]) {0}, 0), exp(0.5), "comes behind a last sigmoid");
	if (is_status(host, model_of(host, "layer=1 unit=1 input=a weight=1 activation=sigmoid link=identity\n", &model),
				  EX_OK, "no link"))
		is_int(model->link, EX_LINK_IDENTITY, "leaves the sigmoid in the network");
	ex_arena_free(&arena);
}

static void
test_columns(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	ex_feature	feature;

	if (!is_status(host, model_of(host,
								  "layer=0 kind=input unit=1 input=weight center=70 scale=10 missing_value=75\n"
								  "layer=0 kind=indicator unit=2 input=weight\n"
								  "layer=0 kind=input unit=3 input=colour level=red\n"
								  "layer=0 kind=input unit=4 input=colour level=blue\n"
								  "layer=0 kind=input unit=5 input=age low=18 high=65\n"
								  "layer=1 unit=1 input=1 weight=1\n"
								  "layer=1 unit=1 input=2 weight=100\n"
								  "layer=1 unit=1 input=3 weight=1000\n"
								  "layer=1 unit=1 input=4 weight=10000\n"
								  "layer=1 unit=1 input=5 weight=100000\n", &model), EX_OK, "columns of features"))
		return;
	is_int(model->n_features, 3, "of three features");
	ex_get_feature(model, 1, &feature);
	is_int(feature.kind, EX_CATEGORICAL, "one with levels");
	is_double(response(host, model, (double[]) {18, 0, 90}, 0), 10000 + 2, "blue, 90");
	is_double(response(host, model, (double[]) {65, 1, NAN}, 0), 100000 + 1000 + 100 + 0.5, "adult, red, no weight");
	is_double(response(host, model, (double[]) {66, -1, 70}, 0), 0, "none of them");
	ex_arena_free(&arena);
}

static void
test_image(void)
{
	static const double x[] = {1, 2, 3, 4, 10, 20, 30, 40};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	uint32_t	length;

	/* a 1x1 kernel that adds the channels, then the mean of the pixels */
	if (!is_status(host, model_of(host,
								  "layer=0 kind=image unit=1 input=red shape={2,2} scale=2\n"
								  "layer=0 kind=image unit=2 input=blue center=10\n"
								  "layer=0 kind=image unit=2 kernel_y=1 kernel_x=0 center=0 scale=5\n"
								  "layer=1 kind=conv2d unit=1 input=1 kernel_y=0 kernel_x=0 weight=1 activation=relu\n"
								  "layer=1 unit=1 input=2 kernel_y=0 kernel_x=0 weight=1\n"
								  "layer=2 kind=global_average_pool\n"
								  "layer=3 kind=flatten\n", &model), EX_OK, "an image"))
		return;
	is_int(model->n_features, 8, "of eight pixels");
	is_int(memcmp(ex_get_name(model, EX_FEATURE_NAME_START, 6, &length), "blue[1,0]", 9), 0, "with names");
	is_double(response(host, model, x, 0), (0.5 + 1 + 1.5 + 2 + 0 + 10 + 6 + 30) / 4, "mean on paper");
	if (is_status(host, model_of(host,
								 "layer=0 kind=image unit=1 input=grey shape={1,2} missing_value=7\n"
								 "layer=0 kind=image unit=1 kernel_y=0 kernel_x=1 missing_value=9\n"
								 "layer=1 kind=global_max_pool\n", &model), EX_OK, "an image with holes"))
	{
		is_double(response(host, model, (double[]) {NAN, 1}, 0), 7, "one pixel is missing");
		is_double(response(host, model, (double[]) {NAN, NAN}, 0), 9, "both are");
	}
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * Mistakes
 * ---------------------------------------------------------------- */

static void
test_mistakes(void)
{
	static const struct
	{
		const char *lines;
		ex_status	status;
		const char *message;
	}			mistakes[] = {
		{"", EX_INVALID, "no rows"},
		{"layer=1 unit=1 input=a weight=nan\n", EX_RANGE, "unit 1 of layer 1 has a weight that is not a finite number"},
		{"layer=1 unit=1 input=a weight=inf\n", EX_RANGE, "not a finite number"},
		{"layer=1 unit=1 input=a\n", EX_NULL, "unit 1 of layer 1 has a weight that is null"},
		{"layer=1 input=a weight=1\n", EX_NULL, "without a unit"},
		{"unit=1 input=a weight=1\n", EX_NULL, "layer of a weight must not be null"},
		{"layer=1.5 unit=1 input=a weight=1\n", EX_INVALID, "whole number"},
		{"layer=nan unit=1 input=a weight=1\n", EX_INVALID, "whole number"},
		{"layer=1 unit=1 weight=1\n", EX_INVALID, "names no features"},
		{"layer=1 kind=relu\n", EX_INVALID, "names no features"},
		{"layer=0 kind=input input=a\n", EX_INVALID, "no layer behind the input"},
		{PERCEPTRON "layer=4 unit=1 input=1 weight=1\n", EX_INVALID, "layer 3 has no rows"},
		{PERCEPTRON "layer=90000 kind=relu\n", EX_LIMIT, "more than 10000 layers"},
		{PERCEPTRON "layer=1 unit=4 input=age weight=1\n", EX_INVALID, "units of layer 1 have a gap: there is no 3"},
		{PERCEPTRON "layer=1 unit=3 input=age weight=1\n", EX_INVALID, "unit 3 of layer 1 lacks weights"},
		{PERCEPTRON "layer=1 unit=1 input=height weight=1\n", EX_INVALID, "unit 2 of layer 1 lacks weights"},
		{PERCEPTRON "layer=1 unit=1 input=age weight=0.5\n", EX_INVALID, "two weights for the same input"},
		{PERCEPTRON "layer=1 unit=1 weight=0.5\n", EX_INVALID, "unit 1 of layer 1 has two biases"},
		{PERCEPTRON "layer=2 unit=1 input=3 weight=1\n", EX_INVALID, "layer 2 has weights for 3 inputs, but reads 2"},
		{PERCEPTRON "layer=1 activation=tanh\n", EX_INVALID, "rows of layer 1 have different values in \"activation\""},
		{PERCEPTRON "layer=1 kind=conv2d\nlayer=1 kind=dense\n", EX_INVALID, "different values in \"kind\""},
		{PERCEPTRON "layer=2 kind=input\n", EX_INVALID, "not the lowest layer"},
		{PERCEPTRON "layer=2 kind=dens\n", EX_INVALID, "layer 2 has an unknown kind \"dens\""},
		{PERCEPTRON "layer=2 activation=max_pool\n", EX_INVALID, "unknown activation \"max_pool\""},
		{PERCEPTRON "layer=2 sources={3}\n", EX_INVALID, "source that is no layer before it"},
		{PERCEPTRON "layer=2 sources={}\n", EX_INVALID, "must have a source"},
		{PERCEPTRON "layer=2 sources={1,1}\n", EX_INVALID, "must have one source"},
		{PERCEPTRON "layer=2 link=cubic\n", EX_INVALID, "cubic"},
		{PERCEPTRON "layer=1 link=log\nlayer=2 link=logit\n", EX_INVALID, "layers have different values in \"link\""},
		{PERCEPTRON "layer=3 kind=relu unit=1 weight=1\n", EX_INVALID, "layer 3 has weights"},
		{PERCEPTRON "layer=3 kind=batch_norm\n", EX_INVALID, "layer 3 has no weights"},
		{PERCEPTRON "layer=3 kind=affine input=scal weight=1\n", EX_INVALID, "unknown parameter"},
		{PERCEPTRON "layer=3 kind=affine input=scale weight=1\n", EX_INVALID, "layer 3 lacks \"shift\""},
		{PERCEPTRON "layer=3 kind=reshape shape={1,2}\n", EX_DIMENSION, "shape of 3 numbers"},
		{PERCEPTRON "layer=3 kind=reshape shape={1,0,1}\n", EX_INVALID, "shape of layer 3"},
		{PERCEPTRON "layer=3 kind=max_pool kernel={1,1,1}\n", EX_DIMENSION, "kernel of layer 3"},
		{PERCEPTRON "layer=3 kind=max_pool kernel=0\n", EX_INVALID, "kernel of layer 3"},
		{"layer=1 unit=1 input=a weight=1\nlayer=1 unit=2 input=a weight=1\nlayer=1 unit=2 weight=1\n", EX_INVALID,
		"unit 1 of layer 1 has no bias, but others"},
		{"layer=0 kind=input input=a unit=1\nlayer=0 kind=input input=b unit=3\nlayer=1 kind=relu\n", EX_INVALID, "gap"},
		{"layer=0 kind=input input=a\nlayer=0 kind=input input=a level=b\nlayer=1 kind=relu\n", EX_INVALID, "twice"},
		{"layer=0 kind=input input=a low=2 high=1\nlayer=1 kind=relu\n", EX_INVALID, "empty bin"},
		{"layer=0 kind=input input=a low=2 level=x\nlayer=1 kind=relu\n", EX_INVALID, "not several"},
		{"layer=0 kind=input input=a weight=1\nlayer=1 kind=relu\n", EX_INVALID, "has a weight"},
		{"layer=0 kind=input\nlayer=1 kind=relu\n", EX_NULL, "without a feature"},
		{"layer=0 kind=image input=red\nlayer=1 kind=relu\n", EX_DIMENSION, "height and width"},
		{"layer=0 kind=image input=red shape={2,2}\nlayer=0 kind=image unit=green kernel_y=0 kernel_x=0\n"
		"layer=1 kind=relu\n", EX_INVALID, "channel that no row names"},
		{"layer=0 kind=image input=red shape={2,2}\nlayer=0 kind=image unit=red kernel_y=2 kernel_x=0\n"
		"layer=1 kind=relu\n", EX_INVALID, "kernel_y of layer 0 must be a whole number from 0 to 1"},
		{"layer=0 kind=image input=red shape={2,2}\nlayer=1 kind=conv2d unit=1 input=1 weight=1\n", EX_NULL, "kernel_y"},
		{"layer=0 kind=image input=red shape={2,2}\nlayer=1 kind=conv2d unit=1 input=1 weight=1 kernel_y=0 kernel_x=1\n",
		EX_INVALID, "lacks weights"},
		{"layer=0 kind=image input=red shape={2,2}\nlayer=1 kind=conv2d unit=1 input=1 weight=1 kernel_y=0 kernel_x=3"
		" kernel=2\n", EX_INVALID, "outside of its kernel"},
	};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		if (is_status(host, model_of(host, mistakes[i].lines, &model), mistakes[i].status, "mistake %zu: %s", i,
					  mistakes[i].message))
			ok(strstr(host->error.message, mistakes[i].message) != NULL, "it is told: %s", host->error.message);
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * Random networks, built and from rows
 * ---------------------------------------------------------------- */

/* A network under construction in two forms. */
typedef struct twin
{
	ex_host    *host;
	ex_builder	builder;
	ex_buffer	line;			/* of all rows, each with its newline */
	uint32_t	n;				/* layers */
	ex_shape	shape[32];
} twin;

static double
random_weight(void)
{
	return (double) (random_below(2001)) / 1000 - 1;	/* no float32 */
}

static double *
random_weights(ex_host *host, size_t n)
{
	double	   *weight;

	if (EX_ALLOC(host, n, &weight) != EX_OK)
		abort();
	for (size_t i = 0; i < n; i++)
		weight[i] = random_weight();
	return weight;
}

#define ROW(twin, ...) \
	do { \
		if (ex_appendf((twin)->host, &(twin)->line, __VA_ARGS__) != EX_OK) \
			abort(); \
	} while (0)

static void
put_twin(twin *t, const ex_new_layer *layer)
{
	if (!is_status(t->host, ex_network_put_layer(&t->builder, layer), EX_OK, "layer %u, %s", t->n + 1,
				   ex_layer_kind_names[layer->kind]))
		abort();
	t->shape[++t->n] = ex_network_last_shape(&t->builder);
}

static void
twin_dense(twin *t, uint32_t source, uint32_t units)
{
	uint32_t	inputs = (uint32_t) ex_shape_size(t->shape[source]);
	double	   *weight = random_weights(t->host, (size_t) units * (inputs + 1));
	ex_new_layer layer = {
		.kind = EX_LAYER_DENSE, .n_inputs = 1, .input = &source, .shape = {units, 1, 1},
		.weight = weight, .n_weights = (size_t) units * (inputs + 1)
	};

	put_twin(t, &layer);
	for (uint32_t u = 0; u < units; u++)
	{
		for (uint32_t i = 0; i < inputs; i++)
			ROW(t, "layer=%u sources={%u} unit=%u input=%u weight=%.17g\n", t->n, source, u, i + 1,
				weight[u * inputs + i]);
		ROW(t, "layer=%u unit=%u weight=%.17g\n", t->n, u, weight[units * inputs + u]);
	}
}

static void
twin_conv(twin *t, uint32_t units, uint32_t groups)
{
	ex_shape	from = t->shape[t->n];
	uint32_t	h = 1 + random_below(3);
	uint32_t	w = 1 + random_below(3);
	uint32_t	inputs = from.channels / groups;
	size_t		n = (size_t) units * (inputs * h * w + 1);
	double	   *weight = random_weights(t->host, n);
	ex_new_layer layer = {
		.kind = EX_LAYER_CONV2D, .shape = {units, 1, 1}, .name = "conv",
		.weight = weight, .n_weights = n, .setting = {
			[EX_KERNEL_H] = (int32_t) h,[EX_KERNEL_W] = (int32_t) w,[EX_STRIDE_H] = 1,[EX_STRIDE_W] = 2,
			[EX_PAD_TOP] = 1,[EX_PAD_LEFT] = 2,[EX_PAD_BOTTOM] = 0,[EX_PAD_RIGHT] = 1,
			[EX_DILATION_H] = 2,[EX_DILATION_W] = 1,[EX_GROUPS] = (int32_t) groups
		}
	};

	put_twin(t, &layer);
	ROW(t, "layer=%u kind=conv2d stride={1,2} padding={1,2,0,1} dilation={2,1} group_count=%u layer_name=conv\n", t->n, groups);
	for (uint32_t u = 0; u < units; u++)
	{
		uint32_t	first = u / (units / groups) * inputs;

		for (uint32_t i = 0; i < inputs * h * w; i++)
			ROW(t, "layer=%u unit=%u input=%u kernel_y=%u kernel_x=%u weight=%.17g\n", t->n, u + 1,
				first + i / (h * w), i / w % h, i % w, weight[u * inputs * h * w + i]);
		ROW(t, "layer=%u unit=%u input=(bias) weight=%.17g\n", t->n, u + 1, weight[(size_t) units * inputs * h * w + u]);
	}
}

static void
twin_scale(twin *t, ex_layer_kind kind, uint32_t units)
{
	int			n_words;
	const char *const *word = ex_unit_parameters((int) kind, &n_words);
	double	   *weight = random_weights(t->host, units * (size_t) n_words);
	ex_new_layer layer = {.kind = kind, .number = kind == EX_LAYER_BATCH_NORM ? 0.001 : 0, .weight = weight, .n_weights = units * (size_t) n_words};

	for (uint32_t u = 0; kind == EX_LAYER_BATCH_NORM && u < units; u++)
		weight[3 * units + u] = 0.5 + u;
	put_twin(t, &layer);
	ROW(t, "layer=%u kind=%s%s\n", t->n, ex_layer_kind_names[kind], kind == EX_LAYER_BATCH_NORM ? " number=0.001" : "");
	for (uint32_t u = 0; u < units; u++)
		for (int p = 0; p < n_words; p++)
			ROW(t, "layer=%u unit=%u input=%s weight=%.17g\n", t->n, u, word[p], weight[(uint32_t) p * units + u]);
}

/* A layer without weights; text: its settings in rows. */
static void
twin_plain(twin *t, ex_new_layer layer, const char *text)
{
	put_twin(t, &layer);
	ROW(t, "layer=%u kind=%s%s\n", t->n, ex_layer_kind_names[layer.kind], text);
}

static void
begin_twin(twin *t, ex_host *host, ex_shape image)
{
	static const char *const channels[] = {"red", "green", "blue", "alpha"};
	static const char *const names[] = {"a", "b", "c"};

	memset(t, 0, sizeof(*t));
	t->host = host;
	ex_builder_init(&t->builder, host, EX_NETWORK);
	if (image.height == 0)
	{
		put_names(&t->builder, names, 3);
		if (ex_network_put_plain_input(&t->builder) != EX_OK)
			abort();
		for (int i = 0; i < 3; i++)
			ROW(t, "layer=0 kind=input input=%s\n", names[i]);
		t->shape[0] = (ex_shape) {3, 1, 1};
		return;
	}
	if (ex_network_put_image(&t->builder, channels, image) != EX_OK)
		abort();
	for (uint32_t c = 0; c < image.channels; c++)
		ROW(t, "layer=0 kind=image unit=%u input=%s shape={%u,%u}\n", c + 1, channels[c], image.height, image.width);
	t->shape[0] = image;
}

/* Both forms make the same model; rows in any order, in two states that are merged. */
static void
end_twin(twin *t, const char *name)
{
	ex_host    *host = t->host;
	ex_model   *model;
	ex_model   *again;
	ex_builder	builder;
	ex_buffer	rows[2] = {{0}, {0}};
	const char **line;
	uint32_t   *order;
	uint32_t	n = 0;
	size_t		count;

	if (!is_status(host, ex_network_finish(&t->builder), EX_OK, "%s is finished", name) ||
		!is_status(host, ex_build(&t->builder, &model), EX_OK, "%s is built", name) ||
		EX_ALLOC(host, t->line.size, &line) != EX_OK || EX_ALLOC(host, t->line.size, &order) != EX_OK ||
		ex_rows_begin(host, &rows[0], &ex_weight_table) != EX_OK ||
		ex_rows_begin(host, &rows[1], &ex_weight_table) != EX_OK)
		return;
	for (char *at = t->line.data, *end = at + t->line.size; at < end; at++)
	{
		line[n++] = at;
		at = memchr(at, '\n', (size_t) (end - at));
		*at = '\0';
	}
	random_order(order, n);
	for (uint32_t i = 0; i < n; i++)
	{
		ex_field	fields[EX_TABLE_MAX_FIELDS];

		read_line(host, line[order[i]], fields);
		if (ex_rows_put(host, &rows[random_below(2)], &ex_weight_table, fields) != EX_OK)
			abort();
	}
	is_status(host, ex_rows_check(host, &ex_weight_table, rows[1].data, rows[1].size, &count), EX_OK, "its rows");
	is_status(host, ex_rows_merge(host, &rows[0], rows[1].data, rows[1].size), EX_OK, "are merged");
	if (!is_status(host, ex_network_from_rows(host, rows[0].data, rows[0].size, &builder), EX_OK, "and read") ||
		!is_status(host, ex_build(&builder, &again), EX_OK, "and make a model") ||
		!is_int(again->size, model->size, "of the same size"))
		return;
	is_same(again, model, model->size, "and the same bytes");
	if (is_status(host, ex_align_features(host, again, model, &builder), EX_OK, "it is aligned with itself") &&
		is_status(host, ex_edit_outputs_of(&builder, model), EX_OK, "with its own outputs") &&
		is_status(host, ex_build(&builder, &again), EX_OK, "and built"))
		is_same(again->digest, model->digest, sizeof(model->digest), "to be what it was");
}

static void
test_twin_vector(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	twin		t;
	uint32_t	joined[2];

	begin_twin(&t, host, (ex_shape) {0});
	twin_dense(&t, 0, 1 + random_below(4));
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_LEAKY_RELU, .number = 0.25}, " number=0.25");
	twin_scale(&t, EX_LAYER_BATCH_NORM, t.shape[t.n].channels);
	joined[0] = t.n;
	twin_scale(&t, EX_LAYER_AFFINE, 1);
	joined[1] = t.n;
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_ADD, .n_inputs = 2, .input = joined}, joined[0] == 3 ? " sources={3,4}" : "");
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_MULTIPLY, .n_inputs = 2, .input = (uint32_t[]) {5, 3}}, " sources={5,3}");
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_CONCAT, .n_inputs = 2, .input = (uint32_t[]) {6, 0}}, " sources={6,0}");
	twin_dense(&t, 7, 5);
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_ELU, .number = 1}, "");
	twin_dense(&t, 9, 1 + random_below(3));
	end_twin(&t, "a network of vectors");
	ex_arena_free(&arena);
}

static void
test_twin_image(uint32_t channels, uint32_t groups)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	twin		t;
	ex_shape	shape;

	begin_twin(&t, host, (ex_shape) {channels, 9, 11});
	twin_conv(&t, 2 * channels, groups);
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_RELU}, "");
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_MAX_POOL, .setting = {2, 2, 2, 2}}, " kernel=2 stride={2,2}");
	twin_scale(&t, EX_LAYER_BATCH_NORM, 2 * channels);
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_AVERAGE_POOL, .setting = {
								[EX_KERNEL_H] = 2,[EX_KERNEL_W] = 2,[EX_STRIDE_H] = 2,[EX_STRIDE_W] = 2,[EX_PAD_TOP] = 1,[EX_PAD_LEFT] = 1,
									[EX_PAD_BOTTOM] = 1,[EX_PAD_RIGHT] = 1,[EX_FLAGS] = EX_POOL_COUNTS_PADDING
								}}, " kernel={2,2} padding=1 counts_padding=1");
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_PERMUTE, .setting = {1, 2, 0}}, " shape={1,2,0}");
	shape = t.shape[t.n];
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_RESHAPE, .shape = {(uint32_t) ex_shape_size(shape), 1, 1}}, "");
	twin_dense(&t, t.n, 3);
	twin_plain(&t, (ex_new_layer) {.kind = EX_LAYER_SOFTMAX}, "");
	end_twin(&t, "a network of images");
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * Damage
 * ---------------------------------------------------------------- */

static void
test_damage(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_buffer	rows = {0};
	int			accepted = 0;

	if (ex_rows_begin(host, &rows, &ex_weight_table) != EX_OK)
		abort();
	put_lines(host, "layer=0 kind=input unit=1 input=a level=b\n" PERCEPTRON, &rows);
	for (size_t i = 0; i < 2 * rows.size; i++)
	{
		ex_arena	inner;
		size_t		size = i < rows.size ? i : rows.size;
		char	   *copy = malloc(size + 1);
		ex_builder	builder;
		ex_model   *model;

		memcpy(copy, rows.data, size);
		if (i >= rows.size)
			copy[i - rows.size] ^= (char) (1 + random_below(255));
		ex_arena_init(&inner);
		if (ex_network_from_rows(&inner.host, copy, size, &builder) == EX_OK &&
			ex_build(&builder, &model) == EX_OK)
			accepted++;
		ex_arena_free(&inner);
		free(copy);
	}
	ok(true, "%zu damaged tables are answered, %d of them by a model", 2 * rows.size, accepted);
	ex_arena_free(&arena);
}

static void
test_memory(void)
{
	ex_arena	arena;
	ex_host    *host;
	ex_model   *model;
	ex_status	status = EX_MEMORY;
	ex_buffer	rows = {0};
	ex_arena	first;
	int			failures = 0;

	host = ex_arena_init(&first);
	if (ex_rows_begin(host, &rows, &ex_weight_table) != EX_OK)
		abort();
	put_lines(host, PERCEPTRON, &rows);
	while (status == EX_MEMORY && failures < 10000)
	{
		ex_builder	builder;

		host = ex_arena_init(&arena);
		arena.fail_after = failures++;
		status = ex_network_from_rows(host, rows.data, rows.size, &builder);
		if (status == EX_OK)
			status = ex_build(&builder, &model);
		ex_arena_free(&arena);
	}
	is_int(status, EX_OK, "without memory at any of %d places there is an error, not a crash", failures - 1);
	ex_arena_free(&first);
}

/* ----------------------------------------------------------------
 * Cells of heat maps, and the graph
 * ---------------------------------------------------------------- */

static void
test_parameters(void)
{
	static const double expected[] = {0.5, -2, 1, -1, 3, 0.25};
	static const uint32_t rank[] = {5, 2, 3, 4, 1, 6};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_network_view view;
	ex_parameter_layer layer;
	uint32_t   *ranks;
	bool		right = true;

	ex_network_open(perceptron(host), &view);
	is_status(host, ex_network_parameters(host, &view, 1, &layer), EX_OK, "cells of a dense layer");
	is_int((int64_t) layer.n_cells, 6, "with biases");
	for (uint32_t i = 0; i < 6; i++)
		right &= layer.cell[i].row == i / 3 && layer.cell[i].column == i % 3 && layer.cell[i].value == expected[i] &&
			layer.cell[i].scaled == expected[i] / 3;
	ok(right, "units by inputs, the bias last, scaled by the largest");
	for (uint32_t i = 0; i < 6; i++)
		is_int(layer.cell[i].rank, rank[i], "rank of cell %u", i);
	is_status(host, ex_network_parameters(host, &view, 2, &layer), EX_OK, "an activation");
	is_int((int64_t) layer.n_cells, 0, "has none");
	is_status(host, ex_network_ranks(host, &view, &ranks), EX_OK, "depths of layers");
	is_int(ranks[3], 3, "one after the other");
	ok(ex_is_perceptron(&view), "a multilayer perceptron");
	is_int((int64_t) ex_perceptron_units(&view), 5, "of five units");
	is_int(ex_unit_origin(&view, 2), 1, "an activation's units are those of the layer before");
	ok(ex_units_are_outputs(&view, 3) && !ex_units_are_outputs(&view, 2), "the last layer's are the outputs");
	ex_arena_free(&arena);
}

int
main(void)
{
	test_perceptron();
	test_names();
	test_columns();
	test_image();
	test_mistakes();
	for (int i = 0; i < 10; i++)
	{
		test_twin_vector();
		test_twin_image(2, 1);
		test_twin_image(4, 2);
	}
	test_twin_image(1, 1);
	test_damage();
	test_memory();
	test_parameters();
	return unit_done();
}
