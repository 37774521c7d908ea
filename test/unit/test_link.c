/*
 * test_link.c
 *		Responses against values computed with 900 digits (Python's decimal), in
 *		the middle and in both tails; and the mean response over a background.
 */
#include <float.h>
#include <stdlib.h>

#include "family.h"
#include "host_malloc.h"
#include "linear.h"
#include "unit.h"

static ex_arena arena;
static ex_host *host;

typedef struct reference
{
	ex_link		link;
	double		param;
	double		raw;
	double		response;
} reference;

static const reference references[] = {
	{EX_LINK_LOGIT, 1.0, 0.0, 0x1.0000000000000p-1},
	{EX_LINK_LOGIT, 1.0, 0.1, 0x1.0cca12729afb8p-1},
	{EX_LINK_LOGIT, 1.0, -0.1, 0x1.e66bdb1aca090p-2},
	{EX_LINK_LOGIT, 1.0, 1.0, 0x1.764d4f5d5a2bdp-1},
	{EX_LINK_LOGIT, 1.0, -1.0, 0x1.136561454ba86p-2},
	{EX_LINK_LOGIT, 1.0, 30.0, 0x1.ffffffffffcb5p-1},
	{EX_LINK_LOGIT, 1.0, -30.0, 0x1.a56e0c2ac7cbfp-44},
	{EX_LINK_LOGIT, 1.0, -700.0, 0x1.14f2b0fb9307fp-1010},
	{EX_LINK_LOGIT, 1.0, -745.0, 0x0.0000000000001p-1022},
	{EX_LINK_LOGIT, 1.0, 40.0, 0x1.0000000000000p+0},
	{EX_LINK_LOGIT, 1.0, -2.5, 0x1.36b7112534847p-4},
	{EX_LINK_LOGIT, 2.5, -1.25, 0x1.58c85cdebca7bp-5},
	{EX_LINK_LOGIT, 1.0, -DBL_MAX, 0},
	{EX_LINK_LOGIT, 1.0, DBL_MAX, 1},
	{EX_LINK_LOG, 1.0, 0.0, 0x1.0000000000000p+0},
	{EX_LINK_LOG, 1.0, 1.0, 0x1.5bf0a8b145769p+1},
	{EX_LINK_LOG, 1.0, -1.0, 0x1.78b56362cef38p-2},
	{EX_LINK_LOG, 1.0, 700.0, 0x1.d945df4f8ec8ep+1009},
	{EX_LINK_LOG, 1.0, -740.0, 0x0.0000000000055p-1022},
	{EX_LINK_LOG, 1.0, 800.0, INFINITY},
	{EX_LINK_PROBIT, 1.0, 0.0, 0x1.0000000000000p-1},
	{EX_LINK_PROBIT, 1.0, 1.0, 0x1.aec4bd120d37dp-1},
	{EX_LINK_PROBIT, 1.0, -1.0, 0x1.44ed0bb7cb20bp-3},
	{EX_LINK_PROBIT, 1.0, -1.96, 0x1.9990c58859312p-6},
	{EX_LINK_PROBIT, 1.0, 2.5758293035489004, 0x1.fd70a3d70a3d7p-1},
	{EX_LINK_PROBIT, 1.0, -8.3, 0x1.e0210a5a1d835p-55},
	{EX_LINK_PROBIT, 1.0, -12.7, 0x1.926a7ab8ce730p-122},
	{EX_LINK_PROBIT, 1.0, -30.1, 0x1.28b587947b1efp-660},
	{EX_LINK_PROBIT, 1.0, -37.3, 0x1.ccf7b1aa720a0p-1011},
	{EX_LINK_PROBIT, 1.0, 6.0, 0x1.fffffff786788p-1},
	{EX_LINK_PROBIT, 1.0, 0.001, 0x1.00344a4786030p-1},
	{EX_LINK_PROBIT, 1.0, -1e300, 0},
	{EX_LINK_PROBIT, 1.0, 1e300, 1},
	{EX_LINK_CLOGLOG, 1.0, 0.0, 0x1.43a54e4e98864p-1},
	{EX_LINK_CLOGLOG, 1.0, 1.0, 0x1.de36d0f03bf57p-1},
	{EX_LINK_CLOGLOG, 1.0, -1.0, 0x1.3b2fc2398435bp-2},
	{EX_LINK_CLOGLOG, 1.0, -40.0, 0x1.39792499b1a24p-58},
	{EX_LINK_CLOGLOG, 1.0, -700.0, 0x1.14f2b0fb9307fp-1010},
	{EX_LINK_CLOGLOG, 1.0, 3.0, 0x1.ffffffefbf0e1p-1},
	{EX_LINK_CLOGLOG, 1.0, 5.0, 0x1.0000000000000p+0},
	{EX_LINK_CLOGLOG, 1.0, 1e300, 1},
	{EX_LINK_CLOGLOG, 1.0, -0.5, 0x1.d1accfe1b2a24p-2},
	{EX_LINK_INVERSE, 1.0, 3.0, 0x1.5555555555555p-2},
	{EX_LINK_INVERSE, 1.0, -0.125, -0x1.0000000000000p+3},
	{EX_LINK_INVERSE, 1.0, 0.0, INFINITY},
	{EX_LINK_SIGNED_SQUARE, 1.0, 3.0, 0x1.2000000000000p+3},
	{EX_LINK_SIGNED_SQUARE, 1.0, -1.5, -0x1.2000000000000p+1},
	{EX_LINK_SOFTPLUS, 1.0, 0.0, 0x1.62e42fefa39efp-1},
	{EX_LINK_SOFTPLUS, 1.0, 1.0, 0x1.5031eafefb049p+0},
	{EX_LINK_SOFTPLUS, 1.0, -1.0, 0x1.40c7abfbec124p-2},
	{EX_LINK_SOFTPLUS, 1.0, -40.0, 0x1.39792499b1a24p-58},
	{EX_LINK_SOFTPLUS, 1.0, -700.0, 0x1.14f2b0fb9307fp-1010},
	{EX_LINK_SOFTPLUS, 1.0, 50.0, 0x1.9000000000000p+5},
	{EX_LINK_SOFTPLUS, 1.0, 800.0, 0x1.9000000000000p+9},
	{EX_LINK_STEP, 1.0, 0.5, 1},
	{EX_LINK_STEP, 1.0, 0, 0},
	{EX_LINK_STEP, 1.0, -3, 0},
	{EX_LINK_ISOLATION, 10.25, 1.5, -0x1.ce9ca4d4b0fe8p-1},
	{EX_LINK_ISOLATION, 10.25, 0.0, -0x1.0000000000000p+0},
	{EX_LINK_IDENTITY, 1.0, -7.5, -7.5},
};

static ex_model *
header(ex_link link, double param, uint32_t n_outputs)
{
	ex_model   *model = host->alloc(host, sizeof(ex_model));

	memset(model, 0, sizeof(ex_model));
	model->link = (uint16_t) link;
	model->link_param = param;
	model->n_outputs = n_outputs;
	return model;
}

static void
test_references(void)
{
	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++)
	{
		const reference *r = &references[i];
		double		response;

		ex_response(header(r->link, r->param, 1), &r->raw, &response);
		if (isinf(r->response))
			is_double(response, r->response, "%s(%g)", ex_link_names[r->link], r->raw);
		else
			is_near(response, r->response, 3 * DBL_EPSILON * fabs(r->response),
					"%s(%g) within 3 ulp", ex_link_names[r->link], r->raw);
	}
}

/* Responses of several outputs together, also in place. */
static void
check_together(ex_link link, const double *raw, const double *expected, uint32_t n, const char *name)
{
	ex_model   *model = header(link, 1, n);
	double		response[8];
	double		sum = 0;

	ex_response(model, raw, response);
	for (uint32_t i = 0; i < n; i++)
	{
		is_near(response[i], expected[i], 4 * DBL_EPSILON * fabs(expected[i]), "%s, output %u", name, i);
		sum += response[i];
	}
	if (link != EX_LINK_CUMULATIVE_SOFTPLUS)
		is_near(sum, 1, 4 * DBL_EPSILON, "%s: sum is 1", name);
	memcpy(response + 4, raw, n * sizeof(double));
	ex_response(model, response + 4, response + 4);
	is_same(response + 4, response, n * sizeof(double), "%s: the same in place", name);
}

static void
test_together(void)
{
	const double large[] = {1000, 1001, 998.5};
	const double small[] = {-1000, -1001, -998.5};
	const double mixed[] = {-1, 2, -690};
	const double far[] = {-1e308, 1e308};
	const double quotient[] = {0x1.03ce2cba5a8d2p-2, 0x1.611cb31dbcd85p-1, 0x1.cfc368515e118p-5};
	const double tail[] = {0x1.5e1c7dc0e0d75p-3, 0x1.0198f5622d167p-4, 0x1.8845c1e382276p-1};
	const double ordinary[] = {0x1.df0efb9202799p-3, 0x1.883c411b7f61ap-1, 0x1.43d5cff21b43fp-996};
	const double certain[] = {0, 1};
	const double steps[] = {-3, 0, 1};
	const double cumulative[] = {-3, -3 + 0x1.62e42fefa39efp-1 + (double) 1e-6f,
	-3 + 0x1.62e42fefa39efp-1 + 0x1.5031eafefb049p+0 + 2 * (double) 1e-6f};

	check_together(EX_LINK_SOFTMAX, large, quotient, 3, "softmax of large values");
	check_together(EX_LINK_SOFTMAX, far, certain, 2, "softmax of far values");
	check_together(EX_LINK_OVR, small, tail, 3, "one-vs-rest where all vanish");
	check_together(EX_LINK_OVR, mixed, ordinary, 3, "one-vs-rest where one vanishes");
	check_together(EX_LINK_CUMULATIVE_SOFTPLUS, steps, cumulative, 3, "cumulative softplus");
}

static void
test_names(void)
{
	ex_link		link;

	for (int i = 0; i < EX_N_LINKS; i++)
	{
		is_status(host, ex_find_link(host, ex_link_names[i], strlen(ex_link_names[i]), &link), EX_OK,
				  "link %s is found", ex_link_names[i]);
		is_int(link, i, "link %s is itself", ex_link_names[i]);
	}
	is_status(host, ex_find_link(host, "sofmax", 6, &link), EX_INVALID, "an unknown link");
	is_text(host->error.message, "unknown link \"sofmax\"", "is named");
	ok(strstr(host->error.hint, "identity, logit, log, probit") != NULL &&
	   strstr(host->error.hint, ex_link_names[EX_N_LINKS - 1]) != NULL, "and the valid ones are listed");
	ok(ex_find_link(host, "lo", 2, &link) == EX_INVALID, "the beginning of a link is not one");
}

/* A logistic model of one feature. */
static ex_compiled *
slope(double coefficient, ex_link link)
{
	ex_builder	builder;
	ex_feature	feature = {.name = "x",.name_length = 1};
	const ex_column column = {.feature = 0,.missing = NAN};
	const double zero = 0;
	ex_model   *model;
	ex_compiled *compiled;

	ex_builder_init(&builder, host, EX_LINEAR);
	builder.n_outputs = 1;
	builder.link = link;
	ex_put_feature(&builder, &feature);
	ex_default_output_names(&builder);
	ex_linear_put(&builder, &(ex_linear_design) {1, &column, &coefficient, &zero, NULL, NULL});
	if (!is_status(host, ex_build(&builder, &model), EX_OK, "a model with one feature") ||
		!is_status(host, ex_compile(host, model, 0, &compiled), EX_OK, "compiles"))
		exit(1);
	return compiled;
}

static void
test_mean_response(void)
{
	enum {N = 200};
	double		row[N];
	double		weight[N];
	ex_background background = {.row = row,.n = N};
	const ex_outputs all = {0, 1};
	long double sum = 0;
	long double weighted = 0;
	long double total = 0;
	double		mean;

	for (int i = 0; i < N; i++)
	{
		row[i] = i * 0.05 - 4;
		weight[i] = 1 + i % 7;
		sum += 1 / (1 + expl(-2.0L * row[i]));
		weighted += weight[i] / (1 + expl(-2.0L * row[i]));
		total += weight[i];
	}
	is_status(host, ex_mean_response(slope(2, EX_LINK_LOGIT), host, all, &background, &mean), EX_OK, "mean response");
	is_near(mean, (double) (sum / N), 1e-15, "is the mean of responses, over several tiles");
	background.weight = weight;
	ex_mean_response(slope(2, EX_LINK_LOGIT), host, all, &background, &mean);
	is_near(mean, (double) (weighted / total), 1e-15, "and weighted");
	is_status(host, ex_mean_response(slope(1000, EX_LINK_LOG), host, all, &background, &mean), EX_RANGE,
			  "an infinite mean response");
	background.n = 0;
	is_status(host, ex_mean_response(slope(2, EX_LINK_LOGIT), host, all, &background, &mean), EX_INVALID,
			  "no background");
	ok(host->error.hint[0] != '\0', "with a hint");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_references();
	test_together();
	test_names();
	test_mean_response();
	ex_arena_free(&arena);
	return unit_done();
}
