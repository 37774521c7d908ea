/*
 * test_deeplift.c
 *		DeepLIFT: networks worked out by hand, sums over random graphs, closed
 *		forms, averages over a background, links, refusals.
 */
#include "kernel/baseline.h"
#include "deeplift.h"
#include "model_json.h"
#include "random_net.h"

#define MAX_P 160

/* A document with ' for ". */
static ex_compiled *
compiled_json(const char *document)
{
	size_t		size = strlen(document);
	char	   *text = get_memory(size + 1, 1);
	ex_model   *model;

	for (size_t i = 0; i <= size; i++)
		text[i] = document[i] == '\'' ? '"' : document[i];
	if (ex_model_from_json(host, text, size, &model) != EX_OK)
		bail_out(document);
	return compile(model);
}

/* Attributions of x against a row; the status of the call. */
static ex_status
explain(ex_compiled *compiled, const double *x, const double *row, ex_space space, double *value, double *base)
{
	uint32_t	n_columns;
	double	   *z0;
	ex_baseline baseline = {.kind = EX_BASELINE_ROW, .row = row};
	ex_deeplift_call call = {.x = x, .outputs = {0, compiled->model->n_outputs}, .space = space};

	ex_get(compiled->model, EX_COLUMN_FEATURE, &n_columns);
	z0 = get_numbers(n_columns);
	EX_TRY(ex_baseline_columns(host, compiled->model, &baseline, z0));
	call.reference = z0;
	return ex_deeplift(compiled, host, &call, 1, value, base);
}

static void
random_numbers(double *value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		value[i] = random_number();
}

static void
predict(ex_compiled *compiled, const double *x, ex_space space, double *prediction)
{
	compiled->family->predict_raw(compiled, host, x, 1, prediction);
	if (space == EX_RESPONSE)
		ex_response(compiled->model, prediction, prediction);
}

/* ------------------------------------------------------------- by hand */

/*
 * relu(x1 + x2 - 1) from (0, 0) to (1, 1): the unit goes from -1 to 1, its
 * output from 0 to 1, so the multiplier is a half.  The gradient at the
 * reference is 0, which is what DeepLIFT was made for.
 */
static void
test_by_hand(void)
{
	static const double weight[] = {1, 1, -1};
	static const double top[] = {3, 0.25};
	static const double two[] = {1, 0, 0, 1, 0, 0};
	static const double sum[] = {1, 1, 0};
	double		x[] = {1, 1};
	double		zero[] = {0, 0};
	double		value[2];
	double		base;
	net			n = new_net(shape_of(2, 1, 1));

	add_dense(&n, 1, weight);
	add_activation(&n, EX_LAYER_RELU);
	add_dense(&n, 1, top);
	is_status(host, explain(compiled_of(&n), x, zero, EX_RAW, value, &base), EX_OK, "a unit that switches on");
	is_near(value[0], 1.5, 1e-15, "half of the weight above");
	is_near(value[1], 1.5, 1e-15, "for either input");
	is_double(base, 0.25, "from the reference's output");

	/* x1^2 + x2^2 from (1, 2) to (3, 5) */
	n = new_net(shape_of(2, 1, 1));
	add_dense(&n, 2, two);
	add_activation(&n, EX_LAYER_SQUARE);
	add_dense(&n, 1, sum);
	x[0] = 3;
	x[1] = 5;
	zero[0] = 1;
	zero[1] = 2;
	explain(compiled_of(&n), x, zero, EX_RAW, value, &base);
	is_near(value[0], 8, 1e-14, "a square: the difference of squares");
	is_near(value[1], 21, 1e-14, "and another one");
	is_near(base, 5, 1e-14, "base");
}

/* ---------------------------------------------------------- random graphs */

/* Sums of contributions, prediction by prediction. */
static void
test_random(void)
{
	double		worst = 0;
	int			explained = 0;
	int			refused = 0;

	for (int seed = 0; seed < 300; seed++)
	{
		net			n;
		ex_compiled *compiled;
		uint32_t	p;
		double		x[MAX_P];
		double		row[MAX_P];
		double		value[3 * MAX_P];
		double		base[3];
		double		f[3];
		double		f0[3];

		random_state = (uint64_t) seed;
		n = random_net(3 + (uint32_t) seed % 12, false);
		compiled = compiled_of(&n);
		p = compiled->model->n_features;
		random_numbers(x, p);
		random_numbers(row, p);
		/* some features as in the reference */
		for (uint32_t i = 0; i < p; i += 3)
			row[i] = x[i];
		if (explain(compiled, x, row, EX_RAW, value, base) != EX_OK)
		{
			refused++;
			continue;
		}
		explained++;
		predict(compiled, x, EX_RAW, f);
		predict(compiled, row, EX_RAW, f0);
		for (uint32_t k = 0; k < compiled->model->n_outputs; k++)
		{
			double		sum = 0;
			double		size = fabs(f[k]) + fabs(f0[k]);

			for (uint32_t i = 0; i < p; i++)
			{
				sum += value[k * p + i];
				size += fabs(value[k * p + i]);
				if (i % 3 == 0 && value[k * p + i] != 0)
					ok(false, "seed %d: feature %u is as in the reference", seed, i);
			}
			worst = fmax(worst, fabs(sum - (f[k] - f0[k])) / (size + 1));
			worst = fmax(worst, fabs(base[k] - f0[k]) / (size + 1));
		}
	}
	ok(explained > 150, "%d random networks, %d with softmax inside", explained, refused);
	ok(worst <= 1e-12, "they add up (%g)", worst);
}

/*
 * Where every hidden unit sees one feature, the network is a sum of functions
 * of one feature each, and its DeepLIFT attributions are the differences.
 */
static void
test_additive(void)
{
	enum
	{
		P = 4, UNITS = 3
	};
	double		weight[P * UNITS * (P + 1)] = {0};
	double		x[P];
	double		row[P];
	double		value[P];
	double		base;
	ex_compiled *compiled;
	net			n = new_net(shape_of(P, 1, 1));

	random_state = 7;
	for (int u = 0; u < P * UNITS; u++)
	{
		weight[u * P + u / UNITS] = 2 * random_number();
		weight[P * UNITS * P + u] = random_number();
	}
	add_dense(&n, P * UNITS, weight);
	add_activation(&n, EX_LAYER_GELU);
	random_weights(add_dense(&n, 1, NULL), 1);
	compiled = compiled_of(&n);
	random_numbers(x, P);
	random_numbers(row, P);
	explain(compiled, x, row, EX_RAW, value, &base);
	for (int f = 0; f < P; f++)
	{
		double		mixed[P];
		double		with;
		double		without;

		memcpy(mixed, row, sizeof(mixed));
		predict(compiled, mixed, EX_RAW, &without);
		mixed[f] = x[f];
		predict(compiled, mixed, EX_RAW, &with);
		is_near(value[f], with - without, 1e-14, "a function of feature %d alone", f);
	}
}

/* x as its own reference */
static void
test_same(void)
{
	int			wrong = 0;

	for (int seed = 0; seed < 30; seed++)
	{
		net			n;
		ex_compiled *compiled;
		double		x[MAX_P];
		double		value[3 * MAX_P];
		double		base[3];

		random_state = 1000 + (uint64_t) seed;
		n = random_net(8, false);
		compiled = compiled_of(&n);
		random_numbers(x, compiled->model->n_features);
		if (explain(compiled, x, x, EX_RAW, value, base) != EX_OK)
			continue;
		for (uint32_t i = 0; i < compiled->model->n_outputs * compiled->model->n_features; i++)
			wrong += value[i] != 0 || signbit(value[i]);
	}
	is_int(wrong, 0, "a row against itself: zeros");
}

/* ------------------------------------------------------------- linear models */

static void
test_linear(void)
{
	ex_compiled *compiled = compiled_json("{'family':'linear','features':['a','b'],'link':'logit','intercept':0.5,"
										  "'coefficients':{'a':2,'b':-1}}");
	double		x[] = {1, 3};
	double		row[] = {0.5, -1};
	double		value[2];
	double		base;
	double		f;
	double		f0;

	is_status(host, explain(compiled, x, row, EX_RAW, value, &base), EX_OK, "a linear model");
	is_double(value[0], 1, "coefficient times difference");
	is_double(value[1], -4, "and another one");
	is_double(base, 2.5, "base");

	predict(compiled, x, EX_RESPONSE, &f);
	predict(compiled, row, EX_RESPONSE, &f0);
	explain(compiled, x, row, EX_RESPONSE, value, &base);
	is_near(value[0], (f - f0) / -3, 1e-15, "response: shared out in proportion");
	is_near(value[1], (f - f0) / -3 * -4, 1e-15, "and the other one");
	is_near(base, f0, 1e-15, "base is the response there");

	/* equal margins: the derivative of the link */
	x[0] = row[0] + 1;
	x[1] = row[1] + 2;
	explain(compiled, x, row, EX_RESPONSE, value, &base);
	is_near(value[0], 2 * f0 * (1 - f0), 1e-15, "where the margins are the same");
	is_near(value[0] + value[1], 0, 1e-15, "they cancel");

	x[0] = 1e308;
	row[0] = -1e308;
	is_status(host, explain(compiled, x, row, EX_RAW, value, &base), EX_RANGE, "out of range");
}

/* Categories: columns of a feature are summed; the mean is a share of each level. */
static void
test_columns(void)
{
	static const char *const document =
	"{'family':'network','features':[{'name':'a'},{'name':'c','kind':'categorical','levels':['r','g','b']}],"
	"'columns':[{'feature':'a','center':1,'scale':2},{'feature':'c','level':'r'},{'feature':'c','level':'g'},"
	"{'feature':'c','level':'b'}],'background':{'rows':[[0,'r'],[2,'g'],[4,'g'],[1,'b']]},"
	"'layers':[{'kind':'dense','weights':[[1,2,-1,0.5],[-1,0.5,1,2]],'bias':[0.1,-0.2]},{'kind':'tanh'},"
	"{'kind':'dense','weights':[[1,-2]],'bias':[0.3]}]}";
	ex_compiled *compiled = compiled_json(document);
	double		x[] = {3, 2};
	double		z0[4];
	double		value[2];
	double		base;
	double		f;
	ex_baseline mean = {.kind = EX_BASELINE_MEAN};
	ex_deeplift_call call = {.x = x, .outputs = {0, 1}, .space = EX_RAW, .reference = z0};
	double		h[2];
	double		expected;

	is_status(host, ex_baseline_columns(host, compiled->model, &mean, z0), EX_OK, "mean of the columns");
	is_status(host, ex_deeplift(compiled, host, &call, 1, value, &base), EX_OK, "from the mean");
	h[0] = (1.75 - 1) / 2 + 2 * 0.25 - 0.5 + 0.5 * 0.25 + 0.1;
	h[1] = -(1.75 - 1) / 2 + 0.5 * 0.25 + 0.5 + 2 * 0.25 - 0.2;
	expected = tanh(h[0]) - 2 * tanh(h[1]) + 0.3;
	is_near(base, expected, 1e-15, "base: f at the shares of the levels");
	predict(compiled, x, EX_RAW, &f);
	is_near(value[0] + value[1], f - base, 1e-15, "two features, and they add up");

	/* each feature on its own, by the multipliers of two units */
	expected = 0;
	for (int u = 0; u < 2; u++)
	{
		double		a = u == 0 ? 1 + 0.5 + 0.1 : -1 + 2 - 0.2;

		expected += (u == 0 ? 1 : 2) * (tanh(a) - tanh(h[u])) / (a - h[u]) * (3 - 1.75) / 2;
	}
	is_near(value[0], expected, 1e-15, "the numeric one");
}

/* ------------------------------------------------------------- backgrounds */

#define ROWS 600				/* more than a tile */

static void
test_background(void)
{
	enum
	{
		P = 5
	};
	static double row[ROWS * P];
	static double weight[ROWS];
	double		x[2 * P];
	double		value[2 * 2 * P];
	double		base[2];
	double		expected[2 * P] = {0};
	double		expected_base[2] = {0};
	double		total = 0;
	ex_compiled *compiled;
	net			n = new_net(shape_of(P, 1, 1));
	ex_deeplift_call call = {.x = x, .outputs = {0, 2}, .space = EX_RAW};

	random_state = 3;
	random_weights(add_dense(&n, 8, NULL), 1);
	add_activation(&n, EX_LAYER_TANH);
	random_weights(add_dense(&n, 2, NULL), 1);
	compiled = compiled_of(&n);
	random_numbers(row, ROWS * P);
	random_numbers(x, 2 * P);
	for (int b = 0; b < ROWS; b++)
	{
		double		one[2 * P];
		double		one_base[2];

		weight[b] = 1 + random_below(3);
		explain(compiled, x, row + b * P, EX_RAW, one, one_base);
		for (int i = 0; i < 2 * P; i++)
			expected[i] += weight[b] * one[i];
		for (int k = 0; k < 2; k++)
			expected_base[k] += weight[b] * one_base[k];
		total += weight[b];
	}
	for (int i = 0; i < 2 * P; i++)
		expected[i] /= total;
	call.background = (ex_background) {.row = row, .weight = weight, .n = ROWS};
	is_status(host, ex_deeplift(compiled, host, &call, 2, value, base), EX_OK, "600 references, two rows");
	are_near(value, expected, 2 * P, 1e-14, "the weighted mean of single references");
	is_near(base[0], expected_base[0] / total, 1e-14, "and of their predictions");
	is_near(base[1], expected_base[1] / total, 1e-14, "for every output");

	/* the second row, the second output */
	call.x = x + P;
	call.outputs = (ex_outputs) {1, 1};
	ex_deeplift(compiled, host, &call, 1, expected, expected_base);
	is_same(value + 3 * P, expected, P * sizeof(double), "rows and outputs do not touch each other");
	is_same(base + 1, expected_base, sizeof(double), "nor their bases");
}

/* --------------------------------------------------------------- refusals */

static void
test_refusals(void)
{
	double		x[] = {1, 2};
	double		row[] = {0, 0};
	double		value[4];
	double		base[2];
	ex_compiled *tree = compiled_json("{'family':'tree','features':['a','b'],'trees':[{'feature':['a',null,null],"
									  "'threshold':[0.5,null,null],'left_child':[1,null,null],'right_child':[2,null,null],"
									  "'value':[null,0,8]}]}");
	ex_compiled *softmax = compiled_json("{'family':'linear','features':['a','b'],'outputs':['x','y'],'link':'softmax',"
										 "'intercept':[0,1],'coefficients':{'x':{'a':1},'y':{'b':1}}}");
	net			n = new_net(shape_of(2, 1, 1));

	is_status(host, ex_deeplift_check(tree, host, EX_RAW), EX_UNSUPPORTED, "trees");
	is_text(host->error.hint, "Use explain.shap_values.", "what to do instead");
	is_status(host, ex_deeplift_check(softmax, host, EX_RAW), EX_OK, "softmax in raw space");
	is_status(host, ex_deeplift_check(softmax, host, EX_RESPONSE), EX_UNSUPPORTED, "and in response space");
	add_activation(&n, EX_LAYER_SOFTMAX);
	random_weights(add_dense(&n, 2, NULL), 1);
	is_status(host, explain(compiled_of(&n), x, row, EX_RAW, value, base), EX_UNSUPPORTED, "softmax inside");
	x[0] = NAN;
	n = new_net(shape_of(2, 1, 1));
	random_weights(add_dense(&n, 2, NULL), 1);
	is_status(host, explain(compiled_of(&n), x, row, EX_RAW, value, base), EX_RANGE, "a missing value");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_by_hand();
	test_random();
	test_additive();
	test_same();
	test_linear();
	test_columns();
	test_background();
	test_refusals();
	ex_arena_free(&arena);
	return unit_done();
}
