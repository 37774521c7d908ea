/*
 * test_integrated_gradients.c
 *		Integrated gradients against quadrature that looks for the kinks by
 *		itself, value by value (sums telescope and would show nothing): random
 *		chains, random graphs with pooling and leaky units, curved networks; the
 *		fast path of chains against the plain one; closed forms; edges.
 */
#include "integrated_gradients.h"
#include "kernel/baseline.h"
#include "network_test.h"
#include "quadrature.h"

#define MAX_P 128
#define MAX_K 8
#define NODES 16

static double node_at[NODES];
static double node_weight[NODES];

/* ----------------------------------------------------------------
 * The oracle
 * ---------------------------------------------------------------- */

/* A path in features (numeric, unscaled: the columns themselves). */
typedef struct way
{
	ex_compiled *compiled;
	uint32_t	p;
	uint32_t	k;
	const double *x0;
	const double *x;
	uint32_t	output;
	ex_space	space;
	double		sum[MAX_P];
} way;

/* Gradient of the raw predictions of every output (jacobian[K * p]), and of what is explained. */
static void
gradient_at(const way *path, double a, double *jacobian, double *gradient)
{
	double		z[MAX_P];
	double		raw[MAX_K];
	double		seed[MAX_K];

	for (uint32_t i = 0; i < path->p; i++)
		z[i] = path->x0[i] + a * (path->x[i] - path->x0[i]);
	for (uint32_t m = 0; jacobian != NULL && m < path->k; m++)
	{
		memset(seed, 0, sizeof(seed));
		seed[m] = 1;
		path->compiled->family->gradient_raw(path->compiled, host, z, 1, seed, jacobian + m * path->p);
	}
	if (gradient == NULL)
		return;
	memset(seed, 0, sizeof(seed));
	seed[path->output] = 1;
	if (path->space == EX_RESPONSE)
	{
		path->compiled->family->predict_raw(path->compiled, host, z, 1, raw);
		ex_response_derivative(host, path->compiled->model, raw, path->output, seed);
	}
	path->compiled->family->gradient_raw(path->compiled, host, z, 1, seed, gradient);
}

static bool
differs(const double *a, const double *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fabs(a[i] - b[i]) > 1e-12 * (1 + fabs(a[i])))
			return true;
	return false;
}

/* Gauss-Legendre quadrature over a cell without kinks. */
static void
add_cell(way *path, double low, double high)
{
	double		gradient[MAX_P];

	for (int i = 0; i < NODES; i++)
	{
		gradient_at(path, low + node_at[i] * (high - low), NULL, gradient);
		for (uint32_t j = 0; j < path->p; j++)
			path->sum[j] += node_weight[i] * (high - low) * gradient[j];
	}
}

/* Halve a cell until its gradient is the same at both ends and in the middle. */
static void
split_cell(way *path, double low, double high, const double *at_low, const double *at_high)
{
	double		middle = (low + high) / 2;
	double		at_middle[MAX_K * MAX_P];
	size_t		n = (size_t) path->k * path->p;

	if (high - low < 1e-13)
		return;
	gradient_at(path, middle, at_middle, NULL);
	if (differs(at_low, at_middle, n) || differs(at_middle, at_high, n))
	{
		split_cell(path, low, middle, at_low, at_middle);
		split_cell(path, middle, high, at_middle, at_high);
	}
	else
		add_cell(path, low, high);
}

/* Quadrature of a piecewise linear network with `cells` cells, those with kinks divided further. */
static void
piecewise_oracle(way *path, int cells, double *value)
{
	double		jacobian[2][MAX_K * MAX_P];
	double	   *left = jacobian[0];
	double	   *right = jacobian[1];

	memset(path->sum, 0, sizeof(path->sum));
	gradient_at(path, 1e-14, left, NULL);
	for (int i = 0; i < cells; i++)
	{
		double	   *swap = left;

		gradient_at(path, (i + 1.0) / cells - 1e-14, right, NULL);
		split_cell(path, (double) i / cells, (i + 1.0) / cells, left, right);
		left = right;
		right = swap;
	}
	for (uint32_t j = 0; j < path->p; j++)
		value[j] = path->sum[j] * (path->x[j] - path->x0[j]);
}

/* Composite quadrature of a smooth network. */
static void
smooth_oracle(way *path, int cells, double *value)
{
	memset(path->sum, 0, sizeof(path->sum));
	for (int i = 0; i < cells; i++)
		add_cell(path, (double) i / cells, (i + 1.0) / cells);
	for (uint32_t j = 0; j < path->p; j++)
		value[j] = path->sum[j] * (path->x[j] - path->x0[j]);
}

/* ----------------------------------------------------------------
 * Random networks
 * ---------------------------------------------------------------- */

static void
fill_random(node *layer, double scale)
{
	for (size_t i = 0; i < layer->n_weights; i++)
		layer->weight[i] = scale * random_number();
}

static void
add_random_dense(net *n, uint32_t outputs)
{
	double		inputs = (double) ex_shape_size(n->node[n->n - 1].shape);

	fill_random(add_dense(n, outputs, NULL), 2 / sqrt(inputs));
}

static void
add_random_conv(net *n, uint32_t channels)
{
	ex_shape	from = n->node[n->n - 1].shape;
	size_t		n_weights = (size_t) channels * from.channels * 9 + channels;
	node	   *layer = add_with_weights(n, EX_LAYER_CONV2D, shape_of(channels, from.height, from.width),
										 n_weights, NULL);
	int32_t    *s = layer->setting;

	s[EX_KERNEL_H] = s[EX_KERNEL_W] = 3;
	s[EX_STRIDE_H] = s[EX_STRIDE_W] = s[EX_DILATION_H] = s[EX_DILATION_W] = s[EX_GROUPS] = 1;
	s[EX_PAD_TOP] = s[EX_PAD_LEFT] = s[EX_PAD_BOTTOM] = s[EX_PAD_RIGHT] = 1;
	fill_random(layer, 0.7 / sqrt((double) from.channels));
}

static void
add_pool(net *n, ex_layer_kind kind)
{
	ex_shape	from = n->node[n->n - 1].shape;
	node	   *layer = add_node(n, kind, shape_of(from.channels, from.height / 2, from.width / 2));
	int32_t    *s = layer->setting;

	s[EX_KERNEL_H] = s[EX_KERNEL_W] = s[EX_STRIDE_H] = s[EX_STRIDE_W] = 2;
	s[EX_DILATION_H] = s[EX_DILATION_W] = 1;
}

static void
add_unit(net *n, ex_layer_kind kind)
{
	add_activation(n, kind)->number = kind == EX_LAYER_LEAKY_RELU ? 0.2 : kind == EX_LAYER_ELU ? 1.5 : 0;
}

/* Dense layers with units between them. */
static net
random_chain(uint32_t p, int hidden, uint32_t width, ex_layer_kind kind, uint32_t outputs)
{
	net			n = new_net(shape_of(p, 1, 1));

	for (int i = 0; i < hidden; i++)
	{
		add_random_dense(&n, width);
		add_unit(&n, kind);
	}
	add_random_dense(&n, outputs);
	return n;
}

/* Convolutions, both kinds of units and pooling, batch normalisation, a shortcut, a fork. */
static net
random_graph(uint32_t outputs)
{
	net			n = new_net(shape_of(2, 6, 6));
	node	   *join;
	node	   *norm;

	add_random_conv(&n, 3);		/* 1 */
	norm = add_with_weights(&n, EX_LAYER_BATCH_NORM, shape_of(3, 6, 6), 12, NULL);
	fill_random(norm, 1);
	for (int c = 9; c < 12; c++)
		norm->weight[c] = 0.5 + fabs(norm->weight[c]);	/* variances */
	norm->number = 1e-5;
	add_unit(&n, EX_LAYER_LEAKY_RELU);	/* 3 */
	add_random_conv(&n, 3);		/* 4 */
	join = add_node(&n, EX_LAYER_ADD, shape_of(3, 6, 6));	/* 5 = 4 + 2 */
	join->n_inputs = 2;
	join->input[0] = 4;
	join->input[1] = 2;
	add_pool(&n, EX_LAYER_MAX_POOL);	/* 6 */
	add_unit(&n, EX_LAYER_RELU);	/* 7 */
	add_node(&n, EX_LAYER_GLOBAL_MAX_POOL, shape_of(3, 1, 1));	/* 8 */
	join = add_node(&n, EX_LAYER_RESHAPE, shape_of(27, 1, 1));	/* 9, of 7 */
	join->input[0] = 7;
	join = add_node(&n, EX_LAYER_CONCAT, shape_of(30, 1, 1));	/* 10 */
	join->n_inputs = 2;
	join->input[0] = 8;
	join->input[1] = 9;
	add_random_dense(&n, 7);
	add_unit(&n, EX_LAYER_RELU);
	add_random_dense(&n, outputs);
	return n;
}

/* `last`: a sigmoid or softmax on top, which becomes the link; or none. */
static ex_compiled *
finish_net(net *n, ex_layer_kind last)
{
	if (last != EX_LAYER_IS_INPUT)
		add_activation(n, last);
	return compiled_of(n);
}

static void
random_point(double *x, uint32_t p)
{
	for (uint32_t i = 0; i < p; i++)
		x[i] = 2 * random_number();
}

static ex_integrated_call
call_for(const double *x, const double *x0, uint32_t output, ex_space space)
{
	return (ex_integrated_call)
	{
		.x = x,.baseline = {EX_BASELINE_ROW, x0},.output = output,.space = space,.tolerance = 1e-11
	};
}

static way
path_of(ex_compiled *compiled, const ex_integrated_call *call)
{
	return (way)
	{
		.compiled = compiled,.p = compiled->model->n_features,.k = compiled->model->n_outputs,
			.x0 = call->baseline.row,.x = call->x,.output = call->output,.space = call->space
	};
}

static double
largest_difference(const double *a, const double *b, size_t n)
{
	double		most = 0;

	for (size_t i = 0; i < n; i++)
		most = fabs(a[i] - b[i]) <= most ? most : fabs(a[i] - b[i]);
	return most;
}

static double
explained(ex_compiled *compiled, const double *x, uint32_t output, ex_space space)
{
	double		raw[MAX_K];

	compiled->family->predict_raw(compiled, host, x, 1, raw);
	if (space == EX_RESPONSE)
		ex_response(compiled->model, raw, raw);
	return raw[output];
}

/* ----------------------------------------------------------------
 * Piecewise linear networks
 * ---------------------------------------------------------------- */

static void
test_piecewise(ex_compiled *compiled, ex_space space, int cells, double tolerance, const char *name)
{
	uint32_t	p = compiled->model->n_features;
	double		x[MAX_P];
	double		x0[MAX_P];
	double		value[2][MAX_P];
	double		expected[MAX_P];
	double		base;
	double		sum = 0;
	ex_integrated_call call = call_for(x, x0, random_below(compiled->model->n_outputs), space);
	way			path = path_of(compiled, &call);

	random_point(x, p);
	random_point(x0, p);
	x0[p / 2] = x[p / 2];
	is_status(host, ex_integrated_gradients(compiled, host, &call, value[0], &base), EX_OK, "%s", name);
	piecewise_oracle(&path, cells, expected);
	are_near(value[0], expected, p, tolerance, "%s: every value against quadrature", name);
	is_double(value[0][p / 2], 0, "%s: what does not move gets 0", name);
	is_near(base, explained(compiled, x0, call.output, space), 1e-13, "%s: base value", name);
	for (uint32_t i = 0; i < p; i++)
		sum += value[0][i];
	is_near(base + sum, explained(compiled, x, call.output, space), 1e-12, "%s: complete", name);
	call.plain = true;
	ex_integrated_gradients(compiled, host, &call, value[1], &base);
	are_near(value[1], value[0], p, 1e-13, "%s: unit by unit as piece by piece", name);
}

static void
test_chains(void)
{
	static const ex_layer_kind last[] = {EX_LAYER_IS_INPUT, EX_LAYER_SIGMOID, EX_LAYER_SOFTMAX};
	static const ex_layer_kind unit[] = {EX_LAYER_RELU, EX_LAYER_LEAKY_RELU};

	for (int hidden = 0; hidden <= 3; hidden++)
		for (int l = 0; l < 3; l++)
		{
			net			n = random_chain(6, hidden, 9, unit[hidden % 2], l == 2 ? 4 : 1);
			char		name[64];

			snprintf(name, sizeof(name), "%d hidden layers, %s", hidden,
					 l == 0 ? "raw" : l == 1 ? "sigmoid" : "softmax");
			test_piecewise(finish_net(&n, last[l]), l == 0 ? EX_RAW : EX_RESPONSE, 500, 1e-10, name);
		}
}

/* The network of the benchmark, with as many cells as the issue asks for. */
static void
test_wide_chain(void)
{
	net			n = random_chain(30, 2, 64, EX_LAYER_RELU, 1);

	test_piecewise(finish_net(&n, EX_LAYER_SIGMOID), EX_RESPONSE, 20000, 1e-10, "30-64-64-1, sigmoid");
}

static void
test_graphs(void)
{
	for (int i = 0; i < 3; i++)
	{
		net			n = random_graph(3);
		char		name[64];

		snprintf(name, sizeof(name), "graph with pooling and shortcut %d", i);
		test_piecewise(finish_net(&n, i == 0 ? EX_LAYER_IS_INPUT : EX_LAYER_SOFTMAX),
					   i == 0 ? EX_RAW : EX_RESPONSE, 200, 1e-10, name);
	}
}

/* Many chains: the fast path against the plain one, and completeness. */
static void
test_fast_path(void)
{
	double		worst = 0;
	double		worst_sum = 0;

	for (int i = 0; i < 200; i++)
	{
		uint32_t	p = 1 + random_below(12);
		uint32_t	k = 1 + random_below(4);
		net			n = random_chain(p, (int) random_below(5), 1 + random_below(24),
									 i % 3 ? EX_LAYER_RELU : EX_LAYER_LEAKY_RELU, k);
		ex_compiled *compiled = finish_net(&n, k > 1 ? EX_LAYER_SOFTMAX : EX_LAYER_SIGMOID);
		double		x[MAX_P];
		double		x0[MAX_P];
		double		fast[MAX_P];
		double		plain[MAX_P];
		double		base;
		double		size = 1;
		double		sum;
		ex_integrated_call call = call_for(x, x0, random_below(k), i % 2 ? EX_RAW : EX_RESPONSE);

		random_point(x, p);
		random_point(x0, p);
		ex_integrated_gradients(compiled, host, &call, fast, &base);
		sum = base;
		for (uint32_t f = 0; f < p; f++)
		{
			size = fmax(size, fabs(fast[f]));
			sum += fast[f];
		}
		worst_sum = fmax(worst_sum, fabs(sum - explained(compiled, x, call.output, call.space)) / size);
		call.plain = true;
		ex_integrated_gradients(compiled, host, &call, plain, &base);
		worst = fmax(worst, largest_difference(fast, plain, p) / size);
	}
	is_near(worst, 0, 1e-13, "200 chains: unit by unit as piece by piece");
	is_near(worst_sum, 0, 1e-13, "200 chains: complete");
}

/* ----------------------------------------------------------------
 * Linear models
 * ---------------------------------------------------------------- */

static ex_compiled *
random_linear(ex_link link, uint32_t p, uint32_t k)
{
	ex_builder	builder;
	ex_column	column[MAX_P];
	double		weight[MAX_K * MAX_P];
	double		intercept[MAX_K];
	ex_model   *model;
	ex_linear_design design = {.n_columns = p,.column = column,.coefficient = weight,.intercept = intercept};

	ex_builder_init(&builder, host, EX_LINEAR);
	builder.link = link;
	builder.n_outputs = k;
	for (uint32_t f = 0; f < p; f++)
	{
		char		name[16];
		ex_feature	feature = {.name = name,.impute = NAN};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "f%u", f);
		column[f] = (ex_column) {.feature = f,.missing = NAN};
		if (ex_put_feature(&builder, &feature) != EX_OK)
			bail_out("feature");
	}
	for (uint32_t i = 0; i < k * p; i++)
		weight[i] = random_number();
	for (uint32_t m = 0; m < k; m++)
		intercept[m] = random_number();
	if (ex_default_output_names(&builder) != EX_OK || ex_linear_put(&builder, &design) != EX_OK ||
		ex_build(&builder, &model) != EX_OK)
		bail_out("linear model");
	return compile(model);
}

static void
test_linear(ex_link link, uint32_t k)
{
	ex_compiled *compiled = random_linear(link, 5, k);
	double		x[5];
	double		x0[5];
	double		value[5];
	double		expected[5];
	double		base;
	ex_integrated_call call = call_for(x, x0, k - 1, EX_RESPONSE);
	way			path = path_of(compiled, &call);

	random_point(x, 5);
	random_point(x0, 5);
	is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_OK, "linear, %s", ex_link_names[link]);
	smooth_oracle(&path, 200, expected);
	are_near(value, expected, 5, 1e-13, "linear, %s: every value against quadrature", ex_link_names[link]);
	is_near(base, explained(compiled, x0, k - 1, EX_RESPONSE), 1e-15, "linear, %s: base value", ex_link_names[link]);
}

static void
test_linear_models(void)
{
	test_linear(EX_LINK_IDENTITY, 1);
	test_linear(EX_LINK_LOGIT, 1);
	test_linear(EX_LINK_LOG, 3);
	test_linear(EX_LINK_PROBIT, 1);
	test_linear(EX_LINK_CLOGLOG, 1);
	test_linear(EX_LINK_SOFTPLUS, 1);
	test_linear(EX_LINK_SOFTMAX, 4);
	test_linear(EX_LINK_OVR, 3);
	test_linear(EX_LINK_CUMULATIVE_SOFTPLUS, 3);
}

/* ----------------------------------------------------------------
 * Curved networks
 * ---------------------------------------------------------------- */

static void
test_curved(ex_compiled *compiled, ex_space space, double tolerance, bool kinks, const char *name)
{
	uint32_t	p = compiled->model->n_features;
	double		x[MAX_P];
	double		x0[MAX_P];
	double		value[MAX_P];
	double		expected[MAX_P];
	double		base;
	double		size = 0;
	ex_integrated_call call = call_for(x, x0, 0, space);
	way			path = path_of(compiled, &call);

	random_point(x, p);
	random_point(x0, p);
	call.tolerance = tolerance;
	is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_OK, "%s", name);
	smooth_oracle(&path, kinks ? 40000 : 400, expected);
	for (uint32_t i = 0; i < p; i++)
		size = fmax(size, fabs(expected[i]));
	are_near(value, expected, p, fmax(kinks ? 1e-5 : 1e-13, 2 * tolerance) * size,
			 "%s: every value against quadrature", name);
}

/* A path so long that every unit saturates: 32 nodes would miss by far. */
static void
test_long_path(void)
{
	net			n = random_chain(5, 2, 8, EX_LAYER_TANH, 1);
	ex_compiled *compiled = finish_net(&n, EX_LAYER_SIGMOID);
	double		x[5];
	double		x0[5];
	double		value[5];
	double		expected[5];
	double		base;
	ex_integrated_call call = call_for(x, x0, 0, EX_RESPONSE);
	way			path = path_of(compiled, &call);

	for (int i = 0; i < 5; i++)
	{
		x[i] = 100 * random_number();
		x0[i] = 100 * random_number();
	}
	call.tolerance = 1e-10;
	ex_integrated_gradients(compiled, host, &call, value, &base);
	smooth_oracle(&path, 4000, expected);
	are_near(value, expected, 5, 1e-10, "long path through tanh: every value against quadrature");
}

static void
test_curved_networks(void)
{
	net			n = random_chain(5, 2, 8, EX_LAYER_TANH, 1);

	test_curved(finish_net(&n, EX_LAYER_IS_INPUT), EX_RAW, 1e-9, false, "tanh");
	n = random_chain(5, 2, 8, EX_LAYER_SIGMOID, 3);
	test_curved(finish_net(&n, EX_LAYER_SOFTMAX), EX_RESPONSE, 1e-12, false, "sigmoid under softmax");
	n = random_chain(5, 2, 8, EX_LAYER_GELU, 1);
	test_curved(finish_net(&n, EX_LAYER_SIGMOID), EX_RESPONSE, 1e-9, false, "gelu");
	n = random_chain(5, 1, 8, EX_LAYER_SQUARE, 1);
	test_curved(finish_net(&n, EX_LAYER_IS_INPUT), EX_RAW, 1e-13, false, "square");
	n = random_chain(5, 1, 8, EX_LAYER_ELU, 1);
	test_curved(finish_net(&n, EX_LAYER_IS_INPUT), EX_RAW, 1e-9, true, "elu");
	n = random_chain(5, 1, 4, EX_LAYER_SOFTMAX, 1);
	test_curved(finish_net(&n, EX_LAYER_IS_INPUT), EX_RAW, 1e-9, false, "softmax inside");
}

/* Units with a kink before and after curved ones: the first are cut, the others are found. */
static void
test_mixed_networks(void)
{
	net			n = random_chain(5, 1, 6, EX_LAYER_RELU, 5);

	add_activation(&n, EX_LAYER_TANH);
	add_random_dense(&n, 4);
	add_unit(&n, EX_LAYER_RELU);
	add_random_dense(&n, 1);
	test_curved(finish_net(&n, EX_LAYER_IS_INPUT), EX_RAW, 1e-7, true, "relu, tanh, relu");
}

/* f = x1 x2: the integral of (b + a d2) d1 is d1 (x2 + b2) / 2. */
static void
test_product(void)
{
	const double pick[2][3] = {{1, 0, 0}, {0, 1, 0}};
	const double x[2] = {3, 5};
	const double x0[2] = {-1, 2};
	ex_integrated_call call = call_for(x, x0, 0, EX_RAW);
	net			n = new_net(shape_of(2, 1, 1));
	node	   *product;
	double		value[2];
	double		base;

	add_dense(&n, 1, pick[0]);
	add_with_weights(&n, EX_LAYER_DENSE, shape_of(1, 1, 1), 3, pick[1])->input[0] = 0;
	product = add_node(&n, EX_LAYER_MULTIPLY, shape_of(1, 1, 1));
	product->n_inputs = 2;
	product->input[0] = 1;
	product->input[1] = 2;
	is_status(host, ex_integrated_gradients(finish_net(&n, EX_LAYER_IS_INPUT), host, &call, value, &base), EX_OK,
			  "product of two features");
	are_near(value, (double[2]) {4 * 7 / 2.0, 3 * 2 / 2.0}, 2, 1e-13, "product of two features: half each");
	is_double(base, -2, "product of two features: base value");
}

/* ----------------------------------------------------------------
 * Edges
 * ---------------------------------------------------------------- */

static void
test_no_path(void)
{
	net			n = random_chain(4, 2, 5, EX_LAYER_RELU, 1);
	ex_compiled *compiled = finish_net(&n, EX_LAYER_SIGMOID);
	double		x[4];
	double		value[4];
	double		base;
	ex_integrated_call call = call_for(x, x, 0, EX_RESPONSE);

	random_point(x, 4);
	for (int plain = 0; plain < 2; plain++)
	{
		call.plain = plain;
		is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_OK, "row = baseline");
		is_same(value, (double[4]) {0}, sizeof(value), "row = baseline: zeros");
		is_double(base, explained(compiled, x, 0, EX_RESPONSE), "row = baseline: base value");
	}
}

/* No bias and a baseline of 0: every unit has its kink at the very start, and never again. */
static void
test_kinks_at_start(void)
{
	net			n = random_chain(4, 2, 6, EX_LAYER_RELU, 1);
	double		x[4];
	double		zero[4] = {0};
	double		value[4];
	double		gradient[4];
	double		base;
	double		seed = 1;
	ex_compiled *compiled;

	for (uint32_t l = 1; l < n.n; l++)
		for (uint32_t o = 0; n.node[l].n_weights > 0 && o < n.node[l].shape.channels; o++)
			n.node[l].weight[n.node[l].n_weights - 1 - o] = 0;
	compiled = finish_net(&n, EX_LAYER_IS_INPUT);
	random_point(x, 4);
	compiled->family->gradient_raw(compiled, host, x, 1, &seed, gradient);
	for (int i = 0; i < 4; i++)
		gradient[i] *= x[i];
	for (int plain = 0; plain < 2; plain++)
	{
		ex_integrated_call call = call_for(x, zero, 0, EX_RAW);

		call.plain = plain;
		ex_integrated_gradients(compiled, host, &call, value, &base);
		are_near(value, gradient, 4, 1e-14, "homogeneous network: gradient times input");
	}
}

/* Two units with the same kink, and one that stays at 0 all the way. */
static void
test_shared_kink(void)
{
	const double second[6] = {1, 2, 4, 8, 16, 0.5};
	const double x[2] = {3, 0};
	const double x0[2] = {0, 0};

	for (int plain = 0; plain < 2; plain++)
	{
		/* rows of W: (1,0), (1,0), (-1,0), (-1,0), (0,1); biases -1, -1, 1, 1, 0 */
		const double weight[15] = {1, 0, 1, 0, -1, 0, -1, 0, 0, 1, -1, -1, 1, 1, 0};
		net			n = new_net(shape_of(2, 1, 1));
		ex_integrated_call call = call_for(x, x0, 0, EX_RAW);
		double		value[2];
		double		base;

		call.plain = plain;
		add_dense(&n, 5, weight);
		add_unit(&n, EX_LAYER_RELU);
		add_dense(&n, 1, second);
		is_status(host, ex_integrated_gradients(finish_net(&n, EX_LAYER_IS_INPUT), host, &call, value, &base), EX_OK,
				  "units with one kink in common");
		/* (1 + 2) * 2 on the way up, -(4 + 8) * 1 on the way down */
		are_near(value, (double[2]) {6 - 12, 0}, 2, 1e-14, "units with one kink in common: value");
	}
}

/*
 * Units that are 0 all along but for rounding, as the sum of shares of levels
 * minus 1: their signs are random, and must neither matter nor multiply.
 */
static void
test_rounding_noise(void)
{
	net			n = new_net(shape_of(8, 1, 1));
	double		x[8] = {0, 0, 0, 0, 0, 1, 0, 0};
	double		x0[8];
	double		value[2][8];
	double		base;
	double		sum = 0;
	ex_integrated_call call = call_for(x, x0, 0, EX_RAW);
	ex_compiled *compiled;
	node	   *layer = add_dense(&n, 60, NULL);

	for (int o = 0; o < 60; o++)
	{
		double		w = random_number();

		for (int i = 0; i < 8; i++)
			layer->weight[o * 8 + i] = o < 50 ? w : random_number();
		layer->weight[480 + o] = o < 50 ? -w : random_number();
	}
	add_unit(&n, EX_LAYER_RELU);
	add_random_dense(&n, 5);
	add_unit(&n, EX_LAYER_LEAKY_RELU);
	add_random_dense(&n, 1);
	for (int i = 0; i < 8; i++)
		sum += x0[i] = random_unit();
	for (int i = 0; i < 8; i++)
		x0[i] /= sum;
	compiled = finish_net(&n, EX_LAYER_IS_INPUT);
	for (int plain = 0; plain < 2; plain++)
	{
		call.plain = plain;
		is_status(host, ex_integrated_gradients(compiled, host, &call, value[plain], &base), EX_OK,
				  "units of random sign");
		sum = base;
		for (int i = 0; i < 8; i++)
			sum += value[plain][i];
		is_near(sum, explained(compiled, x, 0, EX_RAW), 1e-13, "units of random sign: complete");
	}
}

/* An image that differs from its baseline in a corner: most units do not move at all. */
static void
test_still_image(void)
{
	net			n = random_graph(2);
	ex_compiled *compiled = finish_net(&n, EX_LAYER_SOFTMAX);
	double		x[72] = {0};
	double		x0[72] = {0};
	double		value[72];
	double		expected[72];
	double		base;
	ex_integrated_call call = call_for(x, x0, 1, EX_RESPONSE);
	way			path = path_of(compiled, &call);

	for (int i = 0; i < 9; i++)
		x[i / 3 * 6 + i % 3] = 4 * random_number();
	is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_OK, "corner of an image");
	piecewise_oracle(&path, 200, expected);
	are_near(value, expected, 72, 1e-10, "corner of an image: every value against quadrature");
}

static void
test_refusals(void)
{
	net			n = random_chain(3, 1, 4, EX_LAYER_RELU, 1);
	ex_compiled *compiled = finish_net(&n, EX_LAYER_IS_INPUT);
	static const double bad_tolerance[] = {0, -1, NAN, INFINITY};
	double		x[3] = {1, 2, 3};
	double		x0[3] = {0};
	double		value[3];
	double		base;
	ex_integrated_call call = call_for(x, x0, 0, EX_RAW);

	for (int i = 0; i < 4; i++)
	{
		call.tolerance = bad_tolerance[i];
		is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_INVALID,
				  "tolerance %g", bad_tolerance[i]);
	}
	call.tolerance = 1e-9;
	x[1] = NAN;
	is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_RANGE, "NaN in the row");
	x[1] = 2;
	x0[1] = NAN;
	is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_RANGE, "NaN in the baseline");
	x0[1] = -1e308;
	x[1] = 1.7e308;
	is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_RANGE, "path that overflows");
	call.baseline = (ex_baseline) {EX_BASELINE_MEAN, NULL};
	x[1] = 2;
	is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_INVALID, "mean without background");
}

/* A tolerance beyond what quadrature can do ends in an answer or in an error, never in a loop. */
static void
test_hopeless_tolerance(void)
{
	net			n = random_chain(3, 2, 6, EX_LAYER_TANH, 1);
	ex_compiled *compiled;
	double		x[3];
	double		x0[3];
	double		value[2][3];
	double		base;
	ex_integrated_call call = call_for(x, x0, 0, EX_RAW);

	compiled = finish_net(&n, EX_LAYER_IS_INPUT);
	random_point(x, 3);
	random_point(x0, 3);
	ex_integrated_gradients(compiled, host, &call, value[0], &base);
	call.tolerance = 1e-300;
	is_status(host, ex_integrated_gradients(compiled, host, &call, value[1], &base), EX_OK, "tolerance 1e-300");
	are_near(value[1], value[0], 3, 1e-10, "tolerance 1e-300: what rounding allows");
}

static bool
never_again(ex_host *polled)
{
	(void) polled;
	return true;
}

static void
test_cancel(void)
{
	net			n = random_graph(1);
	ex_compiled *compiled = finish_net(&n, EX_LAYER_IS_INPUT);
	double		x[72];
	double		x0[72];
	double		value[72];
	double		base;
	ex_integrated_call call = call_for(x, x0, 0, EX_RAW);

	random_point(x, 72);
	random_point(x0, 72);
	host->poll = never_again;
	is_status(host, ex_integrated_gradients(compiled, host, &call, value, &base), EX_CANCELLED, "cancelled");
	host->poll = NULL;
}

int
main(void)
{
	host = ex_arena_init(&arena);
	ex_quadrature(NODES, node_at, node_weight);
	test_chains();
	test_graphs();
	test_fast_path();
	test_wide_chain();
	test_linear_models();
	test_curved_networks();
	test_long_path();
	test_mixed_networks();
	test_product();
	test_no_path();
	test_kinks_at_start();
	test_shared_kink();
	test_rounding_noise();
	test_still_image();
	test_refusals();
	test_hopeless_tolerance();
	test_cancel();
	ex_arena_free(&arena);
	return unit_done();
}
