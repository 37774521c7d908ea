/*
 * Networks forward and backward: layer by layer against the definition,
 * gradients against central differences, rules against sums and hand
 * calculation, and every path against every other.
 */
#include "network_internal.h"
#include "random_net.h"

enum
{
	N_NETS = 150,
	N_ROWS = 11,				/* enough for the batch path */
	MAX_INPUT = 1000
};

static void
random_row(double *z, size_t n)
{
	for (size_t i = 0; i < n; i++)
		z[i] = random_number();
}

static size_t
output_size(const net *n)
{
	return ex_shape_size(n->node[n->n - 1].shape);
}

static void
check(ex_status status, const char *what)
{
	if (status != EX_OK)
		bail_out(what);
}

/* ----------------------------------------------------------------
 * Random networks
 * ---------------------------------------------------------------- */

/* Layers one by one, against the definition. */
static bool
values_agree(const net *n, const ex_network_work *work)
{
	for (uint32_t l = 0; l < n->n; l++)
	{
		const node *layer = &n->node[l];
		const double *got = ex_network_value(work, l);

		for (size_t i = 0; i < ex_shape_size(layer->shape); i++)
			if (!(fabs(got[i] - layer->value[i]) <= 1e-12 * (1 + fabs(layer->value[i]))))
			{
				printf("# layer %u (kind %d), element %zu: %.17g, not %.17g\n", l, layer->kind, i,
					   got[i], layer->value[i]);
				return false;
			}
	}
	return true;
}

static double
weighted_output(net *n, const double *z, const double *seed)
{
	double		sum = 0;

	evaluate(n, z);
	for (size_t k = 0; k < output_size(n); k++)
		sum += seed[k] * n->node[n->n - 1].value[k];
	return sum;
}

/*
 * Central differences of the definition (not of the engine): with step h they
 * are off by h^2 and by rounding / h.  Kinks within h of a random row are
 * passed over by two steps that must agree.
 */
static bool
gradient_agrees(net *n, const double *row, const double *seed, const double *dz)
{
	size_t		size = ex_shape_size(n->node[0].shape);
	double		z[MAX_INPUT];

	memcpy(z, row, size * sizeof(double));
	for (size_t i = 0; i < size; i++)
	{
		double		slope[2];

		for (int which = 0; which < 2; which++)
		{
			double		h = which == 0 ? 1e-5 : 3e-6;

			z[i] = row[i] + h;
			slope[which] = weighted_output(n, z, seed);
			z[i] = row[i] - h;
			slope[which] = (slope[which] - weighted_output(n, z, seed)) / (2 * h);
			z[i] = row[i];
		}
		if (fabs(slope[0] - slope[1]) > 1e-6 * (1 + fabs(slope[0])))
			continue;
		if (!(fabs(dz[i] - slope[0]) <= 3e-6 * (1 + fabs(slope[0]))))
		{
			printf("# input %zu: %.12g, not %.12g\n", i, dz[i], slope[0]);
			return false;
		}
	}
	return true;
}

/* All that a forward and backward pass leaves behind, as one array. */
static double *
everything(const net *n, const ex_network_work *work, uint32_t rows, size_t *size)
{
	double	   *all;

	*size = 0;
	for (uint32_t l = 0; l < n->n; l++)
		*size += 2 * rows * ex_shape_size(n->node[l].shape);
	all = get_numbers(*size);
	for (uint32_t l = 0; l < n->n; l++)
	{
		size_t		count = rows * ex_shape_size(n->node[l].shape);

		memcpy(all, ex_network_value(work, l), count * sizeof(double));
		memcpy(all + count, ex_network_gradient(work, l), count * sizeof(double));
		all += 2 * count;
	}
	return all - *size;
}

static void
run_rows(const net *n, ex_compiled *compiled, const double *z, uint32_t rows, const double *seed,
		 double *dz, double **all, size_t *size)
{
	ex_network_work *work = work_of(compiled, rows);

	check(ex_network_forward(compiled->state, host, work, z, rows), "forward");
	check(ex_network_backward(compiled->state, host, work, NULL, EX_RULE_GRADIENT, seed, dz),
		  "backward");
	if (all != NULL)
		*all = everything(n, work, rows, size);
}

static bool
has_kind(const net *n, ex_layer_kind kind)
{
	for (uint32_t l = 1; l < n->n; l++)
		if (n->node[l].kind == kind)
			return true;
	return false;
}

/*
 * DeepLIFT: contributions of all rows to all outputs sum to the difference of
 * the outputs, however close the reference is.
 */
static double
rescale_error(const net *n, ex_compiled *compiled, const double *z, double distance, bool one)
{
	size_t		size = ex_shape_size(n->node[0].shape);
	size_t		outputs = output_size(n);
	uint32_t	n_references = one ? 1 : N_ROWS;
	ex_network_work *work = work_of(compiled, N_ROWS);
	ex_network_work *reference = work_of(compiled, n_references);
	double	   *z0 = get_numbers(N_ROWS * size);
	double	   *dz = get_numbers(N_ROWS * size);
	double	   *seed = get_numbers(N_ROWS * outputs);
	double		worst = 0;

	random_row(z0, n_references * size);
	for (size_t i = 0; i < n_references * size; i++)
		z0[i] = random_below(4) == 0 ? z[i] : z[i] + distance * z0[i];
	random_row(seed, N_ROWS * outputs);
	check(ex_network_forward(compiled->state, host, work, z, N_ROWS), "forward");
	check(ex_network_forward(compiled->state, host, reference, z0, n_references), "reference");
	check(ex_network_backward(compiled->state, host, work, reference, EX_RULE_RESCALE, seed, dz),
		  "rescale");
	for (size_t row = 0; row < N_ROWS; row++)
	{
		const double *y = ex_network_value(work, n->n - 1) + row * outputs;
		const double *y0 = ex_network_value(reference, n->n - 1) + (one ? 0 : row * outputs);
		double		sum = 0;
		double		scale = 1;
		double		difference = 0;

		for (size_t i = 0; i < size; i++)
		{
			double		part = dz[row * size + i] * (z[row * size + i] - z0[(one ? 0 : row * size) + i]);

			sum += part;
			scale += fabs(part);
		}
		for (size_t k = 0; k < outputs; k++)
		{
			difference += seed[row * outputs + k] * (y[k] - y0[k]);
			scale += fabs(y[k]);
		}
		worst = fmax(worst, fabs(sum - difference) / scale);
	}
	return worst;
}

static int	kinds_seen[EX_N_LAYER_KINDS];

static void
test_net(net n, int number)
{
	size_t		size = ex_shape_size(n.node[0].shape);
	size_t		outputs = output_size(&n);
	ex_compiled *compiled = compiled_of(&n);
	ex_compiled *portable;
	double	   *z = get_numbers(N_ROWS * size);
	double	   *seed = get_numbers(N_ROWS * outputs);
	double	   *dz = get_numbers(N_ROWS * size);
	double	   *one = get_numbers(size);
	double	   *all;
	double	   *other;
	size_t		n_all;
	ex_network_work *work = work_of(compiled, 1);
	bool		same = true;

	for (uint32_t l = 0; l < n.n; l++)
		kinds_seen[n.node[l].kind]++;
	ex_matrix_use(EX_PROCESSOR_PORTABLE);
	portable = compile(compiled->model);
	ex_matrix_use(EX_PROCESSOR_BEST);
	random_row(z, N_ROWS * size);
	random_row(seed, N_ROWS * outputs);

	check(ex_network_forward(compiled->state, host, work, z, 1), "forward");
	evaluate(&n, z);
	ok(values_agree(&n, work), "network %d: %u layers by the definition", number, n.n);
	check(ex_network_backward(compiled->state, host, work, NULL, EX_RULE_GRADIENT, seed, one),
		  "backward");
	ok(gradient_agrees(&n, z, seed, one), "network %d: gradient by central differences", number);

	run_rows(&n, compiled, z, 1, seed, one, &all, &n_all);
	ex_matrix_use(EX_PROCESSOR_PORTABLE);
	run_rows(&n, portable, z, 1, seed, dz, &other, &n_all);
	ex_matrix_use(EX_PROCESSOR_BEST);
	is_same(all, other, n_all * sizeof(double), "network %d: the same bits on every processor",
			number);

	run_rows(&n, compiled, z, N_ROWS, seed, dz, &all, &n_all);
	for (size_t row = 0; row < N_ROWS; row++)
	{
		run_rows(&n, compiled, z + row * size, 1, seed + row * outputs, one, NULL, NULL);
		for (size_t i = 0; i < size; i++)
			same &= one[i] == dz[row * size + i];
	}
	ok(same, "network %d: without a BLAS a batch equals its rows", number);

	if (has_kind(&n, EX_LAYER_SOFTMAX))
		return;
	for (int d = 0; d < 4; d++)
	{
		double		distance = pow(10, -4 * d);
		double		error = rescale_error(&n, compiled, z, distance, d % 2 == 1);

		ok(error <= 1e-13, "network %d: DeepLIFT sums up to %.1e at distance %g", number, error,
		   distance);
	}
}

static void
test_random_net(int number)
{
	test_net(random_net(3 + random_below(12), number % 2 == 0), number);
}

/* A network whose matrices are kept as float32, as the model stores them. */
static void
test_wide_net(void)
{
	net			n = new_net(shape_of(130, 1, 1));

	random_weights(add_dense(&n, 131, NULL), 0.1);
	add_activation(&n, EX_LAYER_RELU);
	random_weights(add_dense(&n, 3, NULL), 0.1);
	ok(!((ex_network_state *) compiled_of(&n)->state)->narrow, "float64 weights are kept as float64");
	round_weights(&n);
	ok(((ex_network_state *) compiled_of(&n)->state)->narrow, "many float32 weights are kept as float32");
	test_net(n, N_NETS);
}

/* ----------------------------------------------------------------
 * Rules, by hand
 * ---------------------------------------------------------------- */

/*
 * y = -2 relu(h1) + 3 relu(h2) + relu(h3), h1 = x1 + x2, h2 = x1 - x2 - 4,
 * h3 = 2 x1 - x2, at x = (1, -0.5): h = (0.5, -2.5, 2.5).  Before the ReLUs
 *		gradient		r [h > 0]			(-2, 0, 1)
 *		guided			r [h > 0] [r > 0]	( 0, 0, 1)
 *		deconvnet		r [r > 0]			( 0, 3, 1)
 * and W^T of them is what comes out.
 */
static void
test_rules(void)
{
	static const double hidden[] = {1, 1, 1, -1, 2, -1, 0, -4, 0};
	static const double out[] = {-2, 3, 1, 0.25};
	static const double z[] = {1, -0.5};
	static const double one = 1;
	static const double expected[][2] = {{0, -3}, {2, -1}, {5, -4}};
	net			n = new_net(shape_of(2, 1, 1));
	ex_compiled *compiled;
	ex_network_work *work;
	double		dz[2];

	add_dense(&n, 3, hidden);
	add_activation(&n, EX_LAYER_RELU);
	add_dense(&n, 1, out);
	compiled = compiled_of(&n);
	work = work_of(compiled, 1);
	check(ex_network_forward(compiled->state, host, work, z, 1), "forward");
	is_double(*ex_network_value(work, 3), 1.75, "a network of three ReLU");
	for (int rule = EX_RULE_GRADIENT; rule <= EX_RULE_DECONVNET; rule++)
	{
		check(ex_network_backward(compiled->state, host, work, NULL, (ex_backward_rule) rule,
								  &one, dz), "rule");
		is_same(dz, expected[rule], sizeof(dz), "rule %d by hand", rule);
		check(ex_network_relevance_raw(compiled, host, z, 1, rule, &one, dz), "rule");
		is_same(dz, expected[rule], sizeof(dz), "... and through the family's table");
	}
}

/*
 * y = max(x1, x2) in one window.  From the reference (0, 2) to (3, 1) the
 * output gains 1, due to x1, which has changed by 3.  From (3, 1) to (0, 2) it
 * loses 1, due to x1 again, the winner for the reference.
 */
static void
test_cross_maximum(void)
{
	static const double row[][2] = {{3, 1}, {0, 2}};
	static const double one = 1;
	static const double identity[] = {1, 0};
	net			n = new_net(shape_of(1, 1, 2));
	ex_compiled *compiled;
	double		dz[2];

	add_node(&n, EX_LAYER_GLOBAL_MAX_POOL, shape_of(1, 1, 1));
	add_dense(&n, 1, identity);
	compiled = compiled_of(&n);
	for (int direction = 0; direction < 2; direction++)
	{
		ex_network_work *work = work_of(compiled, 1);
		ex_network_work *reference = work_of(compiled, 1);

		check(ex_network_forward(compiled->state, host, work, row[direction], 1), "forward");
		check(ex_network_forward(compiled->state, host, reference, row[!direction], 1), "forward");
		check(ex_network_backward(compiled->state, host, work, reference, EX_RULE_RESCALE, &one,
								  dz), "rescale");
		is_near(dz[0], 1.0 / 3, 1e-16, "cross-maximum: the winner of the larger output");
		is_double(dz[1], 0, "... and nobody else");
	}
}

/* Equal numbers under a maximum: the first gets the gradient. */
static void
test_ties(void)
{
	static const double z[] = {1, 5, 5, 2};
	static const double one = 1;
	static const double identity[] = {1, 0};
	static const double expected[] = {0, 1, 0, 0};
	net			n = new_net(shape_of(1, 2, 2));
	ex_compiled *compiled;
	double		dz[4];

	add_node(&n, EX_LAYER_GLOBAL_MAX_POOL, shape_of(1, 1, 1));
	add_dense(&n, 1, identity);
	compiled = compiled_of(&n);
	check(ex_network_gradient_raw(compiled, host, z, 1, &one, dz), "gradient");
	is_same(dz, expected, sizeof(dz), "of equal numbers the first is the maximum");
}

/* ----------------------------------------------------------------
 * Functions of one number, far out
 * ---------------------------------------------------------------- */

static ex_compiled *
function_net(ex_layer_kind kind, double number)
{
	static const double identity[] = {1, 0};
	net			n = new_net(shape_of(1, 1, 1));

	add_activation(&n, kind)->number = number;
	add_dense(&n, 1, identity);
	return compiled_of(&n);
}

typedef struct function_case
{
	ex_layer_kind kind;
	double		number;
	double		x;
	double		value;
	double		slope;
} function_case;

/* values and slopes by mpmath, 40 digits */
static const function_case function_cases[] = {
	{EX_LAYER_RELU, 0, 0, 0, 0},
	{EX_LAYER_RELU, 0, -0.0, 0, 0},
	{EX_LAYER_RELU, 0, 1e-300, 1e-300, 1},
	{EX_LAYER_RELU, 0, -1e300, 0, 0},
	{EX_LAYER_LEAKY_RELU, 0.125, 0, 0, 0.125},
	{EX_LAYER_LEAKY_RELU, 0.125, -8, -1, 0.125},
	{EX_LAYER_ELU, 2, -1e-10, -1.9999999999e-10, 1.9999999998},
	{EX_LAYER_ELU, 2, -800, -2, 0},
	{EX_LAYER_SIGMOID, 0, -700, 9.8596765437597708e-305, 9.8596765437597708e-305},
	{EX_LAYER_SIGMOID, 0, 40, 1, 4.2483542552915889e-18},
	{EX_LAYER_SIGMOID, 0, 1000, 1, 0},
	{EX_LAYER_TANH, 0, 20, 1, 1.6993417021166355e-17},
	{EX_LAYER_TANH, 0, -1e-9, -1e-9, 1},
	{EX_LAYER_SOFTPLUS, 0, -700, 9.8596765437597708e-305, 9.8596765437597708e-305},
	{EX_LAYER_SOFTPLUS, 0, 1e300, 1e300, 1},
	{EX_LAYER_GELU, 0, -10, -7.6198530241605261e-23, -7.6184000964648141e-22},
	{EX_LAYER_GELU, 0, -1e300, 0, 0},
	{EX_LAYER_GELU, 0, 1e300, 1e300, 1},
	{EX_LAYER_GELU, 0, 0, 0, 0.5},
	{EX_LAYER_SQUARE, 0, -3, 9, -6}
};

static void
test_functions(void)
{
	static const double one = 1;

	for (size_t i = 0; i < sizeof(function_cases) / sizeof(function_cases[0]); i++)
	{
		const function_case *f = &function_cases[i];
		ex_compiled *compiled = function_net(f->kind, f->number);
		double		y;
		double		slope;

		check(ex_network_predict_raw(compiled, host, &f->x, 1, &y), "predict");
		check(ex_network_gradient_raw(compiled, host, &f->x, 1, &one, &slope), "gradient");
		is_near(y, f->value, 2e-14 * fabs(f->value), "%s(%g)", ex_layer_kind_names[f->kind], f->x);
		is_near(slope, f->slope, 2e-14 * fabs(f->slope), "... and its slope");
	}
}

/* Multipliers from close up, against long double. */
static long double
exactly(ex_layer_kind kind, double number, long double a)
{
	switch (kind)
	{
		case EX_LAYER_ELU:
			return a > 0 ? a : number * expm1l(a);
		case EX_LAYER_GELU:
			return a * erfcl(-a * sqrtl(0.5L)) / 2;
		case EX_LAYER_SIGMOID:
			return 1 / (1 + expl(-a));
		case EX_LAYER_TANH:
			return tanhl(a);
		case EX_LAYER_SOFTPLUS:
			return log1pl(expl(a));
		case EX_LAYER_RELU:
			return a > 0 ? a : 0;
		default:
			return a * a;
	}
}

static void
test_multipliers(void)
{
	static const ex_layer_kind kinds[] = {EX_LAYER_ELU, EX_LAYER_GELU, EX_LAYER_SIGMOID,
	EX_LAYER_TANH, EX_LAYER_SOFTPLUS, EX_LAYER_RELU, EX_LAYER_SQUARE};
	static const double one = 1;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
	{
		ex_compiled *compiled = function_net(kinds[k], kinds[k] == EX_LAYER_ELU ? 0.5 : 0);
		double		worst = 0;

		for (int i = 0; i < 400; i++)
		{
			double		a = 6 * random_number();
			double		b = i % 4 == 0 ? 6 * random_number() : a + random_number() * pow(10, -1 - i % 5);
			ex_network_work *work = work_of(compiled, 1);
			ex_network_work *reference = work_of(compiled, 1);
			long double exact = (exactly(kinds[k], 0.5, a) - exactly(kinds[k], 0.5, b)) /
				((long double) a - b);
			double		multiplier;

			check(ex_network_forward(compiled->state, host, work, &a, 1), "forward");
			check(ex_network_forward(compiled->state, host, reference, &b, 1), "forward");
			check(ex_network_backward(compiled->state, host, work, reference, EX_RULE_RESCALE,
									  &one, &multiplier), "rescale");
			/* the long double loses some digits, too */
			worst = fmax(worst, fabs((double) (multiplier - exact)) - 1e-17 / fabs(a - b));
		}
		ok(worst <= 2e-12, "multipliers of %s are off by %.1e at most", ex_layer_kind_names[kinds[k]],
		   worst);
	}
}

/* ----------------------------------------------------------------
 * The input: columns, scaling, missing values
 * ---------------------------------------------------------------- */

/*
 * Features n (numeric; missing counts as 7), c (two levels), b (boolean); columns
 * (n - 2) / 4, [c = 0], [c = 1], n again, [n is missing], b; a square layer on
 * top, then a sum with weights 1 .. 6.
 */
static ex_compiled *
columns_net(void)
{
	static const char *const levels[] = {"x", "y"};
	static const ex_feature features[] = {
		{.name = "n",.name_length = 1,.missing = EX_MISSING_NATIVE},
		{.name = "c",.name_length = 1,.kind = EX_CATEGORICAL,.n_levels = 2,.levels = levels},
		{.name = "b",.name_length = 1,.kind = EX_BOOLEAN}
	};
	static const ex_network_column columns[] = {
		{{0, EX_COLUMN_VALUE, 0, 0, 0, 7}, 2, 4},
		{{1, EX_COLUMN_LEVEL_IS, 0, 0, 0, NAN}, 0, 1},
		{{1, EX_COLUMN_LEVEL_IS, 1, 0, 0, NAN}, 0.5, 1},
		{{0, EX_COLUMN_VALUE, 0, 0, 0, 7}, 0, 1},
		{{0, EX_COLUMN_ISNULL, 0, 0, 0, 1}, 0, 1},
		{{2, EX_COLUMN_VALUE, 0, 0, 0, NAN}, 0, 1}
	};
	static const double weight[] = {1, 2, 3, 4, 5, 6, 0};
	ex_builder	builder;
	ex_new_layer layer = {.kind = EX_LAYER_SQUARE};
	ex_model   *model;

	ex_builder_init(&builder, host, EX_NETWORK);
	for (int f = 0; f < 3; f++)
		check(ex_put_feature(&builder, &features[f]), "feature");
	check(ex_network_put_input(&builder, columns, 6), "input");
	check(ex_network_put_layer(&builder, &layer), "square");
	layer = (ex_new_layer) {.kind = EX_LAYER_DENSE,.shape = {1, 1, 1},.weight = weight,.n_weights = 7};
	check(ex_network_put_layer(&builder, &layer), "dense");
	check(ex_network_finish(&builder), "finish");
	check(ex_build(&builder, &model), "build");
	return compile(model);
}

static void
test_columns(void)
{
	static const double x[][3] = {{4, 1, 1}, {NAN, 0, 0}};
	static const double z[] = {0.5, 0, 0.5, 4, 0, 1, 1.25, 1, -0.5, 7, 1, 0};
	static const double y[] = {0.25 + 3 * 0.25 + 4 * 16 + 6, 1.5625 + 2 + 0.75 + 4 * 49 + 5};
	/* 1 * 2 z0 / 4 + 4 * 2 z3; other features have none, nor has a missing value */
	static const double gradient[] = {0.25 + 32, 0, 0, 0, 0, 0};
	static const double seed[] = {1, 1};
	static const double missing[] = {1, 0, NAN};
	ex_compiled *compiled = columns_net();
	double		got[12];

	check(ex_network_encode(compiled->state, host, x[0], 2, got), "encode");
	is_same(got, z, sizeof(z), "columns of features, scaled");
	check(ex_network_predict_raw(compiled, host, x[0], 2, got), "predict");
	is_same(got, y, sizeof(y), "predictions from them");
	check(ex_network_gradient_raw(compiled, host, x[0], 2, seed, got), "gradient");
	is_same(got, gradient, sizeof(gradient), "and derivatives by numeric features");
	is_status(host, ex_network_predict_raw(compiled, host, missing, 1, got), EX_RANGE,
			  "a missing boolean without policy");
	ok(strstr(host->error.detail, "\"b\"") != NULL, "... is named: %s", host->error.detail);
	is_status(host, ex_network_predict_raw(compiled, host, (double[]) {INFINITY, 0, 0}, 1, got),
			  EX_RANGE, "infinity");
	ok(strstr(host->error.detail, "\"n\"") != NULL, "... is named: %s", host->error.detail);
}

/* ----------------------------------------------------------------
 * What can go wrong
 * ---------------------------------------------------------------- */

static void
test_refusals(void)
{
	static const double weight[] = {1, 1, 0};
	static const double one = 1;
	static const double z[] = {0.5, 0.25};
	net			n = new_net(shape_of(2, 1, 1));
	ex_compiled *compiled;
	ex_network_work *work;
	double		dz[2];

	add_activation(&n, EX_LAYER_LEAKY_RELU)->number = 0.1;
	add_activation(&n, EX_LAYER_SOFTMAX);
	add_dense(&n, 1, weight);
	compiled = compiled_of(&n);
	work = work_of(compiled, 1);
	check(ex_network_forward(compiled->state, host, work, z, 1), "forward");
	for (int rule = EX_RULE_GUIDED; rule <= EX_RULE_RESCALE; rule++)
	{
		is_status(host, ex_network_backward(compiled->state, host, work, work,
											(ex_backward_rule) rule, &one, dz),
				  EX_UNSUPPORTED, "rule %d does not suit the network: %s", rule, host->error.message);
		ok(host->error.hint[0] != '\0', "... and a hint says what does");
	}
}

static void
test_overflow(void)
{
	static const double weight[] = {1e200, 0};
	static const double one = 1;
	net			n = new_net(shape_of(1, 1, 1));
	ex_compiled *compiled;
	double		x = 1e150;
	double		y;

	add_dense(&n, 1, weight);
	compiled = compiled_of(&n);
	is_status(host, ex_network_predict_raw(compiled, host, &x, 1, &y), EX_RANGE, "overflow");
	n = new_net(shape_of(1, 1, 1));
	add_dense(&n, 1, weight);
	add_dense(&n, 1, weight);
	compiled = compiled_of(&n);
	x = 0;
	is_status(host, ex_network_predict_raw(compiled, host, &x, 1, &y), EX_OK, "a steep network at 0");
	is_status(host, ex_network_gradient_raw(compiled, host, &x, 1, &one, &y), EX_RANGE,
			  "... has a gradient out of range");
}

static int	n_polls;
static int	stop_at;

static bool
poll_service(ex_host *self)
{
	(void) self;
	return n_polls++ == stop_at;
}

/* Two dense layers of 600: 256 rows are 1e8 multiplications, forward. */
static void
test_cancel(void)
{
	enum
	{
		WIDTH = 600
	};
	net			n = new_net(shape_of(WIDTH, 1, 1));
	ex_compiled *compiled;
	double	   *x = get_numbers(EX_NETWORK_TILE * WIDTH);
	double	   *y = get_numbers(EX_NETWORK_TILE * WIDTH);

	random_weights(add_dense(&n, WIDTH, NULL), 0.1);
	random_weights(add_dense(&n, 1, NULL), 0.1);
	compiled = compiled_of(&n);
	random_row(x, EX_NETWORK_TILE * WIDTH);
	host->poll = poll_service;
	stop_at = -1;
	n_polls = 0;
	check(ex_network_predict_raw(compiled, host, x, EX_NETWORK_TILE, y), "predict");
	ok(n_polls >= 4, "%d polls in 10^8 multiplications", n_polls);
	for (stop_at = 0; stop_at < 3; stop_at++)
	{
		n_polls = 0;
		is_status(host, ex_network_predict_raw(compiled, host, x, EX_NETWORK_TILE, y),
				  EX_CANCELLED, "stops at poll %d", stop_at);
	}
	host->poll = NULL;
	is_status(host, ex_network_predict_raw(compiled, host, x, 3, y), EX_OK, "and goes on afterwards");
}

/* Every allocation of a compilation and a run may fail. */
static void
test_memory(void)
{
	net			n = random_net(8, false);
	const ex_model *model = model_of(&n);
	double	   *x = get_numbers(N_ROWS * model->n_features);
	double	   *seed = get_numbers(N_ROWS * model->n_outputs);
	int			failures = 0;
	ex_status	status;

	do
	{
		ex_arena	small;
		ex_host    *own = ex_arena_init(&small);
		ex_compiled *compiled;
		double	   *gradient = get_numbers(N_ROWS * model->n_features);

		small.fail_after = failures;
		status = ex_compile(own, model, (size_t) 64 << 20, &compiled);
		for (size_t rows = 1; status == EX_OK && rows <= N_ROWS; rows += N_ROWS - 1)
			status = ex_network_gradient_raw(compiled, own, x, rows, seed, gradient);
		failures += status != EX_OK;
		ex_arena_free(&small);
	} while (status == EX_MEMORY);
	is_status(host, status, EX_OK, "runs with enough memory");
	ok(failures > 10, "and reports %d ways of having too little", failures);
}

/* Pieces of predict_raw, with and without room for a workspace that stays. */
static void
test_tiles(void)
{
	enum
	{
		ROWS = 600
	};
	net			n = new_net(shape_of(3, 1, 1));
	ex_compiled *compiled;
	double		x[ROWS * 3];
	double		many[ROWS];
	double		one;
	bool		same = true;

	random_weights(add_dense(&n, 5, NULL), 1);
	add_activation(&n, EX_LAYER_RELU);
	random_weights(add_dense(&n, 1, NULL), 1);
	compiled = compiled_of(&n);
	random_row(x, ROWS * 3);
	for (int limit = 0; limit < 2; limit++)
	{
		compiled->table_limit = limit == 0 ? 0 : (size_t) 64 << 20;
		check(ex_network_predict_raw(compiled, host, x, ROWS, many), "predict");
		for (size_t i = 0; i < ROWS; i++)
		{
			check(ex_network_predict_raw(compiled, host, x + 3 * i, 1, &one), "predict");
			same &= one == many[i];
		}
		ok(same, "600 rows at once, tables %s", limit == 0 ? "not allowed" : "allowed");
		ok((compiled->table_bytes > 0) == (limit == 1), "... and accounted for");
	}
	is_int(ex_network_tile(compiled->state), EX_NETWORK_TILE, "rows of a small network in a tile");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	for (int i = 0; i < N_NETS; i++)
		test_random_net(i);
	test_wide_net();
	for (int kind = 0; kind < EX_N_LAYER_KINDS; kind++)
		ok(kinds_seen[kind] >= 10, "%s: %d times", ex_layer_kind_names[kind], kinds_seen[kind]);
	test_rules();
	test_cross_maximum();
	test_ties();
	test_functions();
	test_multipliers();
	test_columns();
	test_refusals();
	test_overflow();
	test_cancel();
	test_memory();
	test_tiles();
	ex_arena_free(&arena);
	return unit_done();
}
