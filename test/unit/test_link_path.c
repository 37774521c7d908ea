/*
 * test_link_path.c
 *		Mean derivatives of responses: against differences where they do not
 *		cancel, against derivatives where the ends are close, against composite
 *		quadrature, and far out in the tails.
 */
#include "linear_test.h"
#include "link_path.h"
#include "quadrature.h"

#define K 4

/* A linear model is only there to carry the link. */
static ex_model *
model_with(const char *link, uint32_t k)
{
	char		document[1024];
	int			used = snprintf(document, sizeof(document), "{'family':'linear','link':'%s','features':['x'],'outputs':[", link);

	for (uint32_t m = 0; m < k; m++)
		used += snprintf(document + used, sizeof(document) - (size_t) used, "%s'o%u'", m > 0 ? "," : "", m);
	used += snprintf(document + used, sizeof(document) - (size_t) used, "],'coefficients':[");
	for (uint32_t m = 0; m < k; m++)
		used += snprintf(document + used, sizeof(document) - (size_t) used, k > 1 ? "%s[1]" : "%s1", m > 0 ? "," : "");
	used += snprintf(document + used, sizeof(document) - (size_t) used, "],'intercept':");
	for (uint32_t m = 0; m < k; m++)
		used += snprintf(document + used, sizeof(document) - (size_t) used, "%s0", m > 0 ? "," : k > 1 ? "[" : "");
	snprintf(document + used, sizeof(document) - (size_t) used, k > 1 ? "]}" : "}");
	return model_of(document);
}

static double
mean_of(const ex_model *model, double from, double to)
{
	ex_link_path path;
	double		mean;

	if (ex_link_path_open(&path, host, model, EX_RESPONSE, 0) != EX_OK ||
		ex_link_path_mean(&path, host, &from, &to, &mean) != EX_OK)
		return NAN;
	return mean;
}

/* ---------------------------------------------------------------- one output */

static void
test_one(const char *link, double low, double high, double tolerance)
{
	ex_model   *model = model_with(link, 1);
	double		worst_far = 0;
	double		worst_close = 0;
	double		worst_turned = 0;

	for (int i = 0; i < 2000; i++)
	{
		double		a = low + (high - low) * random_unit();
		double		b = low + (high - low) * random_unit();
		double		near = a + 1e-9 * (random_unit() - 0.5);
		double		middle = (a + near) / 2;
		double		ga;
		double		gb;
		double		slope;

		ex_response(model, &a, &ga);
		ex_response(model, &b, &gb);
		ex_response_derivative(host, model, &middle, 0, &slope);
		worst_far = fmax(worst_far, fabs(mean_of(model, a, b) * (b - a) - (gb - ga)) / fmax(fabs(ga), fabs(gb)));
		worst_close = fmax(worst_close, fabs(mean_of(model, a, near) - slope) / fabs(slope));
		worst_turned = fmax(worst_turned, fabs(mean_of(model, a, b) - mean_of(model, b, a)));
		if (i == 0)
		{
			ex_response_derivative(host, model, &a, 0, &slope);
			is_near(mean_of(model, a, a), slope, tolerance * fabs(slope), "%s: the derivative where the ends meet", link);
		}
	}
	is_near(worst_far, 0, tolerance, "%s: 2000 differences", link);
	is_near(worst_close, 0, tolerance, "%s: 2000 pairs 1e-9 apart, against the derivative", link);
	is_double(worst_turned, 0, "%s: the same both ways", link);
}

static void
test_tails(void)
{
	is_near(mean_of(model_with("logit", 1), -600, -600 + 1e-12) / exp(-600), 1, 1e-11, "logit: relative accuracy in the lower tail");
	is_near(mean_of(model_with("logit", 1), 600, 600 + 1e-12) / exp(-600), 1, 1e-11, "logit: and in the upper one");
	is_near(mean_of(model_with("logit", 1), -1e300, 1e300), 5e-301, 1e-316, "logit: no overflow");
	is_near(mean_of(model_with("probit", 1), 8, 9) / (6.22096057427178e-16 - 1.12858840595384e-19), 1, 1e-13, "probit: upper tail");
	is_near(mean_of(model_with("softplus", 1), 1e6, 1e6 + 31), 1, 1e-15, "softplus: far up");
	is_near(mean_of(model_with("cloglog", 1), 3, 800) * 797 / exp(-exp(3)), 1, 1e-13, "cloglog: hazard that overflows");
	ok(isnan(mean_of(model_with("inverse", 1), -1, 1)), "inverse: a pole on the way");
	is_text(host->error.message, "attribution is out of range", "inverse: what it says");
	ok(isnan(mean_of(model_with("log", 1), 1, 800)), "log: overflow is an error");
	ok(isnan(mean_of(model_with("step", 1), -1, 1)), "step: refused");
	is_text(host->error.message, "link \"step\" has no derivative", "step: what it says");
}

/* ---------------------------------------------------------------- shares */

/* Composite quadrature with 4000 panels of 16 nodes. */
static void
reference_mean(const ex_model *model, const double *from, const double *to, uint32_t output, double *mean)
{
	double		node[16];
	double		weight[16];

	ex_quadrature(16, node, weight);
	memset(mean, 0, K * sizeof(double));
	for (int panel = 0; panel < 4000; panel++)
	{
		for (int i = 0; i < 16; i++)
		{
			double		t = (panel + node[i]) / 4000;
			double		raw[K];
			double		derivative[K];

			for (int m = 0; m < K; m++)
				raw[m] = (1 - t) * from[m] + t * to[m];
			ex_response_derivative(host, model, raw, output, derivative);
			for (int m = 0; m < K; m++)
				mean[m] += weight[i] / 4000 * derivative[m];
		}
	}
}

static void
test_shares(const char *link)
{
	ex_model   *model = model_with(link, K);
	double		worst = 0;
	double		worst_sum = 0;
	ex_link_path path;

	for (int i = 0; i < 60; i++)
	{
		double		width = ldexp(1, i % 12);
		double		from[K];
		double		to[K];
		double		got[K];
		double		expected[K];
		double		g0[K];
		double		g1[K];
		double		sum = 0;

		for (int m = 0; m < K; m++)
		{
			from[m] = width * (random_unit() - 0.5);
			to[m] = width * (random_unit() - 0.5);
		}
		ex_link_path_open(&path, host, model, EX_RESPONSE, (uint32_t) i % K);
		ex_link_path_mean(&path, host, from, to, got);
		reference_mean(model, from, to, (uint32_t) i % K, expected);
		ex_response(model, from, g0);
		ex_response(model, to, g1);
		for (int m = 0; m < K; m++)
		{
			worst = fmax(worst, fabs(got[m] - expected[m]));
			sum += got[m] * (to[m] - from[m]);
		}
		worst_sum = fmax(worst_sum, fabs(sum - (g1[i % K] - g0[i % K])));
	}
	is_near(worst, 0, 1e-14, "%s: 60 lines against 64000 nodes", link);
	is_near(worst_sum, 0, 1e-13, "%s: they add up to the difference", link);
}

/* Three lines meet where q_0 has its only, narrow peak: nothing of it shows at the ends. */
static void
test_narrow_peak(const char *link)
{
	ex_model   *model = model_with(link, K);
	const double from[K] = {-1000, -3000, 1000, -5000};
	const double to[K] = {-1000, 1000, -3000, -5000};
	double		mean[K];
	double		expected[K];
	ex_link_path path;

	ex_link_path_open(&path, host, model, EX_RESPONSE, 0);
	is_status(host, ex_link_path_mean(&path, host, from, to, mean), EX_OK, "%s: narrow peak", link);
	reference_mean(model, from, to, 0, expected);
	are_near(mean, expected, K, 1e-17, "%s: its area", link);
	ok(mean[0] > 1e-5, "%s: it is there", link);
}

static void
test_far_apart(void)
{
	ex_model   *model = model_with("softmax", K);
	const double from[K] = {1e9, 0, -1e9, 5};
	const double to[K] = {-1e9, 3e9, 1, 7};
	double		mean[K];
	double		sum = 0;
	ex_link_path path;

	ex_link_path_open(&path, host, model, EX_RESPONSE, 0);
	is_status(host, ex_link_path_mean(&path, host, from, to, mean), EX_OK, "softmax over a range of 1e9");
	for (int m = 0; m < K; m++)
		sum += mean[m] * (to[m] - from[m]);
	is_near(sum, -1, 1e-9, "softmax over a range of 1e9: adds up");
}

static void
test_cumulative(void)
{
	ex_model   *model = model_with("cumulative_softplus", K);
	const double from[K] = {1, -2, 3, 0};
	const double to[K] = {2, 4, 3, -9};
	double		mean[K];
	double		expected[K];
	ex_link_path path;

	ex_link_path_open(&path, host, model, EX_RESPONSE, 2);
	ex_link_path_mean(&path, host, from, to, mean);
	reference_mean(model, from, to, 2, expected);
	are_near(mean, expected, K, 1e-12, "cumulative softplus");
	is_double(mean[3], 0, "cumulative softplus: later outputs do not matter");
	ex_link_path_open(&path, host, model, EX_RAW, 2);
	ex_link_path_mean(&path, host, from, to, mean);
	are_near(mean, (double[K]) {0, 0, 1, 0}, K, 0, "raw space");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_one("identity", -9, 9, 1e-15);
	test_one("logit", -40, 40, 1e-14);
	test_one("log", -40, 40, 1e-14);
	test_one("probit", -6, 6, 4e-14);
	test_one("cloglog", -9, 3, 4e-14);
	test_one("inverse", 0.5, 9, 1e-14);
	test_one("signed_square", -9, 9, 1e-13);
	test_one("softplus", -60, 60, 1e-13);
	test_tails();
	test_shares("softmax");
	test_shares("ovr");
	test_narrow_peak("softmax");
	test_narrow_peak("ovr");
	test_far_apart();
	test_cumulative();
	ex_arena_free(&arena);
	return unit_done();
}
