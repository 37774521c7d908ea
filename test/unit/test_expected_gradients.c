/*
 * test_expected_gradients.c
 *		Expected gradients: unbiased, with intervals that cover what they claim
 *		to; the truth is the mean of integrated gradients over the background.
 */
#include "expected_gradients.h"
#include "integrated_gradients.h"
#include "network_test.h"
#include "student.h"

#define P 6
#define ROWS 25
#define SEEDS 600

static double background_row[ROWS * P];
static double background_weight[ROWS];

static net
small_net(ex_layer_kind unit, uint32_t outputs)
{
	net			n = new_net(shape_of(P, 1, 1));

	for (int i = 0; i < 3; i++)
	{
		node	   *layer = add_dense(&n, i < 2 ? 10 : outputs, NULL);

		for (size_t k = 0; k < layer->n_weights; k++)
			layer->weight[k] = 0.7 * random_number();
		if (i < 2)
			add_activation(&n, unit);
	}
	return n;
}

static void
random_background(void)
{
	for (int i = 0; i < ROWS; i++)
	{
		background_weight[i] = 1 + random_below(4);
		for (int f = 0; f < P; f++)
			background_row[i * P + f] = 2 * random_number();
	}
}

/* x in the middle of somewhere; the weighted background, or its first row alone. */
static ex_expected_call
call_for(const double *x, ex_space space, uint32_t n)
{
	return (ex_expected_call)
	{
		.x = x, .background =
		{
			.row = background_row, .weight = n > 1 ? background_weight : NULL, .n = n
		},
			.space = space, .samples = 100
	};
}

/* The mean of integrated gradients over the background. */
static void
exact_values(ex_compiled *compiled, const ex_expected_call *call, double *expected)
{
	double		total = 0;

	memset(expected, 0, P * sizeof(double));
	for (uint32_t i = 0; i < call->background.n; i++)
	{
		double		weight = call->background.weight != NULL ? call->background.weight[i] : 1;
		double		value[P];
		double		base;
		ex_integrated_call one = {
			.x = call->x, .baseline = {EX_BASELINE_ROW, call->background.row + i * P},
			.output = call->output, .space = call->space, .tolerance = 1e-9
		};

		if (ex_integrated_gradients(compiled, host, &one, value, &base) != EX_OK)
			bail_out("integrated gradients");
		for (int f = 0; f < P; f++)
			expected[f] += weight * value[f];
		total += weight;
	}
	for (int f = 0; f < P; f++)
		expected[f] /= total;
}

/* Over many seeds: bias in standard errors, coverage, and whether standard errors are right. */
static void
test_coverage(ex_compiled *compiled, const ex_expected_call *given, const char *name)
{
	ex_expected_call call = *given;
	double		expected[P];
	double		sum[P] = {0};
	double		square[P] = {0};
	double		claimed[P] = {0};
	double		covered = 0;
	double		worst_bias = 0;
	double		ratio = 0;

	exact_values(compiled, &call, expected);
	for (call.seed = 1; call.seed <= SEEDS; call.seed++)
	{
		double		value[4][P];
		ex_expected_result result = {value[0], value[1], value[2], value[3]};

		if (ex_expected_gradients(compiled, host, &call, &result) != EX_OK)
			bail_out("expected gradients");
		for (int f = 0; f < P; f++)
		{
			sum[f] += value[0][f] - expected[f];
			square[f] += (value[0][f] - expected[f]) * (value[0][f] - expected[f]);
			claimed[f] += value[1][f] * value[1][f];
			covered += value[2][f] <= expected[f] && expected[f] <= value[3][f];
		}
	}
	for (int f = 0; f < P; f++)
	{
		worst_bias = fmax(worst_bias, fabs(sum[f]) / sqrt(square[f]));
		ratio += claimed[f] / square[f] / P;
	}
	is_near(covered / (P * SEEDS), 0.95, 0.02, "%s: coverage of 95 %% intervals over %d seeds", name, SEEDS);
	is_near(worst_bias, 0, 3.5, "%s: no bias", name);
	is_near(ratio, 1, 0.1, "%s: variances as claimed", name);
	printf("# %s: coverage %.4f, bias %.2f standard errors, claimed / real variance %.3f\n", name,
		   covered / (P * SEEDS), worst_bias, ratio);
}

static void
test_coverages(void)
{
	const double x[P] = {1.5, -1, 0.5, 2, -2, 0.25};
	net			n = small_net(EX_LAYER_RELU, 1);
	ex_compiled *compiled = compiled_of(&n);
	ex_expected_call call = call_for(x, EX_RAW, ROWS);

	test_coverage(compiled, &call, "relu, raw");
	call.samples = 20;
	test_coverage(compiled, &call, "relu, raw, 20 samples");
	n = small_net(EX_LAYER_TANH, 3);
	add_activation(&n, EX_LAYER_SOFTMAX);
	compiled = compiled_of(&n);
	call = call_for(x, EX_RESPONSE, ROWS);
	call.output = 2;
	test_coverage(compiled, &call, "tanh, softmax");
	call = call_for(x, EX_RAW, 1);
	test_coverage(compiled, &call, "tanh, one row: only the path is sampled");
}

static void
test_base(void)
{
	const double x[P] = {1, 2, 3, 4, 5, 6};
	net			n = small_net(EX_LAYER_RELU, 2);
	ex_compiled *compiled = compiled_of(&n);
	ex_expected_call call = call_for(x, EX_RAW, ROWS);
	double		expected = 0;
	double		total = 0;
	double		base;

	call.output = 1;
	for (int i = 0; i < ROWS; i++)
	{
		double		raw[2];

		compiled->family->predict_raw(compiled, host, background_row + i * P, 1, raw);
		expected += background_weight[i] * raw[1];
		total += background_weight[i];
	}
	is_status(host, ex_expected_base(compiled, host, &call, &base), EX_OK, "base value");
	is_near(base, expected / total, 1e-14, "base value: weighted mean");
}

/* The same seed gives the same bits, another one others; the row does not enter the draws. */
static void
test_seeds(void)
{
	const double x[P] = {1, 2, 3, 4, 5, 6};
	net			n = small_net(EX_LAYER_RELU, 1);
	ex_compiled *compiled = compiled_of(&n);
	ex_expected_call call = call_for(x, EX_RAW, ROWS);
	double		value[3][P];
	ex_expected_result result = {.value = value[0]};

	ex_expected_gradients(compiled, host, &call, &result);
	result.value = value[1];
	ex_expected_gradients(compiled, host, &call, &result);
	is_same(value[0], value[1], sizeof(value[0]), "the same seed");
	call.seed = -1;
	result.value = value[2];
	ex_expected_gradients(compiled, host, &call, &result);
	ok(memcmp(value[0], value[2], sizeof(value[0])) != 0, "another seed");
	call.seed = 0;
	call.samples = 99;
	ex_expected_gradients(compiled, host, &call, &result);
	is_same(value[0], value[2], sizeof(value[0]), "an odd number is rounded up");
}

/* Without anything to sample there is no error: a row that is its own background. */
static void
test_no_variance(void)
{
	net			n = small_net(EX_LAYER_RELU, 1);
	ex_compiled *compiled = compiled_of(&n);
	ex_expected_call call = call_for(background_row, EX_RAW, 1);
	double		value[4][P];
	ex_expected_result result = {value[0], value[1], value[2], value[3]};
	const double zero[4][P] = {{0}};

	is_status(host, ex_expected_gradients(compiled, host, &call, &result), EX_OK, "row = background");
	is_same(value, zero, sizeof(value), "row = background: zeros, without error");
}

static void
test_refusals(void)
{
	double		x[P] = {1, 2, 3, 4, 5, 6};
	net			n = small_net(EX_LAYER_RELU, 1);
	ex_compiled *compiled = compiled_of(&n);
	static const int64_t bad[] = {INT64_MIN, -1, 0, 1};
	double		value[P];
	ex_expected_result result = {.value = value};
	ex_expected_call call = call_for(x, EX_RAW, ROWS);

	for (int i = 0; i < 4; i++)
	{
		call.samples = bad[i];
		is_status(host, ex_expected_gradients(compiled, host, &call, &result), EX_INVALID, "%lld samples",
				  (long long) bad[i]);
	}
	call.samples = INT32_MAX;
	is_status(host, ex_expected_gradients(compiled, host, &call, &result), EX_LIMIT, "too many samples");
	call.samples = 2;
	is_status(host, ex_expected_gradients(compiled, host, &call, &result), EX_OK, "2 samples");
	x[3] = NAN;
	is_status(host, ex_expected_gradients(compiled, host, &call, &result), EX_RANGE, "NaN in the row");
	x[3] = 0;
	call.background.n = 0;
	is_status(host, ex_expected_gradients(compiled, host, &call, &result), EX_INVALID, "no background");
}

static void
test_student(void)
{
	/* SciPy 1.10, stats.t.ppf(0.975, df) */
	static const double known[][2] = {{1, 12.706204736432095}, {12, 2.1788128296634177},
	{13, 2.1603686564610127}, {30, 2.0422724563012373}, {99, 1.9842169515086827}, {1e9, 1.9599639868961286}};

	for (int i = 0; i < 6; i++)
		is_near(ex_student_975(known[i][0]), known[i][1], 3e-6, "Student, %g degrees", known[i][0]);
	is_double(ex_student_975(2.9), ex_student_975(2), "Student, few degrees: rounded down");
	ok(isinf(ex_student_975(0.5)) && isinf(ex_student_975(NAN)), "Student, less than 1");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	random_background();
	test_coverages();
	test_base();
	test_seeds();
	test_no_variance();
	test_refusals();
	test_student();
	ex_arena_free(&arena);
	return unit_done();
}
