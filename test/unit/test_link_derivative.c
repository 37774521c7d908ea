/*
 * test_link_derivative.c
 *		Derivatives of responses against values computed with 800 and 1500 digits
 *		(differences of the responses, Python's mpmath), in the middle and in
 *		both tails.
 */
#include <float.h>
#include <stdlib.h>

#include "family.h"
#include "host_malloc.h"
#include "unit.h"

static ex_arena arena;
static ex_host *host;

typedef struct reference
{
	ex_link		link;
	double		param;
	double		raw;
	double		first;
	double		second;
} reference;

static const reference references[] = {
	{EX_LINK_IDENTITY, 1.0, -7.5, 0x1.0000000000000p+0, 0x0.0p+0},
	{EX_LINK_LOGIT, 1.0, 0.0, 0x1.0000000000000p-2, 0x0.0p+0},
	{EX_LINK_LOGIT, 1.0, 1e-09, 0x1.0000000000000p-2, -0x1.12e0be826d695p-33},
	{EX_LINK_LOGIT, 1.0, 0.1, 0x1.feb8dd88468f1p-3, -0x1.983cd0ed3ed8ap-7},
	{EX_LINK_LOGIT, 1.0, -1.0, 0x1.92a946fa34394p-3, 0x1.742740ed7f1d0p-4},
	{EX_LINK_LOGIT, 1.0, 30.0, 0x1.a56e0c2ac7a09p-44, -0x1.a56e0c2ac749ep-44},
	{EX_LINK_LOGIT, 1.0, -30.0, 0x1.a56e0c2ac7a09p-44, 0x1.a56e0c2ac749ep-44},
	{EX_LINK_LOGIT, 1.0, -700.0, 0x1.14f2b0fb9307fp-1010, 0x1.14f2b0fb9307fp-1010},
	{EX_LINK_LOGIT, 1.0, 700.0, 0x1.14f2b0fb9307fp-1010, -0x1.14f2b0fb9307fp-1010},
	{EX_LINK_LOGIT, 2.5, -1.25, 0x1.9cd6e5365d5a5p-4, 0x1.d89c50e2c9af5p-3},
	{EX_LINK_LOGIT, 2.5, 3.0, 0x1.6a1199cab10d3p-10, -0x1.c415e8aaf2895p-9},
	{EX_LINK_LOGIT, 1.0, 36.5, 0x1.4466751c2bbe7p-53, -0x1.4466751c2bbe5p-53},
	{EX_LINK_LOG, 1.0, 0.0, 0x1.0000000000000p+0, 0x1.0000000000000p+0},
	{EX_LINK_LOG, 1.0, 1.0, 0x1.5bf0a8b145769p+1, 0x1.5bf0a8b145769p+1},
	{EX_LINK_LOG, 1.0, -700.0, 0x1.14f2b0fb9307fp-1010, 0x1.14f2b0fb9307fp-1010},
	{EX_LINK_LOG, 1.0, 700.0, 0x1.d945df4f8ec8ep+1009, 0x1.d945df4f8ec8ep+1009},
	{EX_LINK_PROBIT, 1.0, 0.0, 0x1.9884533d43651p-2, 0x0.0p+0},
	{EX_LINK_PROBIT, 1.0, 1.0, 0x1.ef8e58e331737p-3, -0x1.ef8e58e331737p-3},
	{EX_LINK_PROBIT, 1.0, -1.96, 0x1.debf8b151adfdp-5, 0x1.d52c5a3885db5p-4},
	{EX_LINK_PROBIT, 1.0, 8.3, 0x1.f92b2b8953849p-52, -0x1.060e64fc09b9ap-48},
	{EX_LINK_PROBIT, 1.0, -12.7, 0x1.415fcc6fa9b9ep-118, 0x1.fe2e7af143d71p-115},
	{EX_LINK_PROBIT, 1.0, -30.1, 0x1.17663cdb5d6efp-655, 0x1.06cf5e0b23e2cp-650},
	{EX_LINK_PROBIT, 1.0, 37.3, 0x1.0cd9b8ccbc772p-1005, -0x1.3960fb683ee14p-1000},
	{EX_LINK_PROBIT, 1.0, 0.001, 0x1.988445da60430p-2, -0x1.a252330cac4cdp-12},
	{EX_LINK_CLOGLOG, 1.0, 0.0, 0x1.78b56362cef38p-2, 0x0.0p+0},
	{EX_LINK_CLOGLOG, 1.0, 1e-05, 0x1.78b563627e0dap-2, -0x1.edc30ba626cebp-19},
	{EX_LINK_CLOGLOG, 1.0, 1.0, 0x1.6f5bad4f4d46ep-3, -0x1.3b9cc547dd40dp-2},
	{EX_LINK_CLOGLOG, 1.0, -1.0, 0x1.04c2054953f0fp-2, 0x1.49a92d7c19420p-3},
	{EX_LINK_CLOGLOG, 1.0, -40.0, 0x1.39792499b1a24p-58, 0x1.39792499b1a24p-58},
	{EX_LINK_CLOGLOG, 1.0, -700.0, 0x1.14f2b0fb9307fp-1010, 0x1.14f2b0fb9307fp-1010},
	{EX_LINK_CLOGLOG, 1.0, 3.0, 0x1.4676d0419b3afp-25, -0x1.856be305d4671p-21},
	{EX_LINK_CLOGLOG, 1.0, 5.0, 0x1.121904c3c81b1p-207, -0x1.3bab3968d8eeep-200},
	{EX_LINK_CLOGLOG, 1.0, 6.5, 0x1.b7e2891e76815p-951, -0x1.1d4c78419fddbp-941},
	{EX_LINK_INVERSE, 1.0, 3.0, -0x1.c71c71c71c71cp-4, 0x1.2f684bda12f68p-4},
	{EX_LINK_INVERSE, 1.0, -0.125, -0x1.0000000000000p+6, -0x1.0000000000000p+10},
	{EX_LINK_INVERSE, 1.0, 1e+100, -0x1.87e92154ef7acp-665, 0x1.56e1fc2f8f359p-996},
	{EX_LINK_INVERSE, 1.0, -1e-100, -0x1.4e718d7d7625ap+664, -0x1.7e43c8800759bp+997},
	{EX_LINK_SIGNED_SQUARE, 1.0, 3.0, 0x1.8000000000000p+2, 0x1.0000000000000p+1},
	{EX_LINK_SIGNED_SQUARE, 1.0, -1.5, 0x1.8000000000000p+1, -0x1.0000000000000p+1},
	{EX_LINK_SIGNED_SQUARE, 1.0, 1e-200, 0x1.87e92154ef7acp-664, 0x1.0000000000000p+1},
	{EX_LINK_SOFTPLUS, 1.0, 0.0, 0x1.0000000000000p-1, 0x1.0000000000000p-2},
	{EX_LINK_SOFTPLUS, 1.0, 1.0, 0x1.764d4f5d5a2bdp-1, 0x1.92a946fa34394p-3},
	{EX_LINK_SOFTPLUS, 1.0, -40.0, 0x1.39792499b1a24p-58, 0x1.39792499b1a24p-58},
	{EX_LINK_SOFTPLUS, 1.0, -700.0, 0x1.14f2b0fb9307fp-1010, 0x1.14f2b0fb9307fp-1010},
	{EX_LINK_SOFTPLUS, 1.0, 50.0, 0x1.0000000000000p+0, 0x1.d257d547e083fp-73},
	{EX_LINK_ISOLATION, 10.25, 1.5, 0x1.f48a1db5a29edp-5, -0x1.0ec9d051c50e8p-8},
	{EX_LINK_ISOLATION, 10.25, 0.0, 0x1.14fd0631ab695p-4, -0x1.2bb28f7057ee5p-8},
	{EX_LINK_ISOLATION, 10.25, 300.0, 0x1.cbf7bf3fcb72ep-34, -0x1.f1adb929d646cp-38},
	/* where float8 ends */
	{EX_LINK_LOG, 1.0, 800, INFINITY, INFINITY},
	{EX_LINK_INVERSE, 1.0, 0.0, -INFINITY, INFINITY},
	{EX_LINK_LOGIT, 1.0, DBL_MAX, 0, 0},
	{EX_LINK_LOGIT, 1.0, -DBL_MAX, 0, 0},
	{EX_LINK_PROBIT, 1.0, -DBL_MAX, 0, 0},
	{EX_LINK_CLOGLOG, 1.0, DBL_MAX, 0, 0},
	{EX_LINK_CLOGLOG, 1.0, -DBL_MAX, 0, 0},
	{EX_LINK_SOFTPLUS, 1.0, DBL_MAX, 1, 0},
	{EX_LINK_SIGNED_SQUARE, 1.0, 0, 0, 0},
};

/* Of three outputs together: first[output][m], second[output][m][l]. */
typedef struct together
{
	ex_link		link;
	double		param;
	double		raw[3];
	double		first[3][3];
	double		second[3][3][3];
} together;

static const together togethers[] = {
	{EX_LINK_SOFTMAX, 1.0, {1000.0, 1001.0, 998.5},
		{{0x1.83c6ef2e29a05p-3, -0x1.665c6c013286ep-3, -0x1.d6a832cf71979p-7},
		{-0x1.665c6c013286ep-3, 0x1.b6527a1796205p-3, -0x1.3fd838598e65dp-5},
		{-0x1.d6a832cf71979p-7, -0x1.3fd838598e65dp-5, 0x1.b582450d6acbbp-5}},
		{{{0x1.7e034c8baf2e8p-4, -0x1.6108b9c1857fep-4, -0x1.cfa92ca29aea4p-8}, {-0x1.6108b9c1857fep-4, 0x1.0fe26389093cdp-4, 0x1.449958e1f10c4p-6}, {-0x1.cfa92ca29aea4p-8, 0x1.449958e1f10c4p-6, -0x1.a15e1b7294a36p-7}},
		{{-0x1.6108b9c1857fep-4, 0x1.0fe26389093cdp-4, 0x1.449958e1f10c4p-6}, {0x1.0fe26389093cdp-4, -0x1.4c8cc7edc107fp-4, 0x1.e5532325be58ep-7}, {0x1.449958e1f10c4p-6, 0x1.e5532325be58ep-7, -0x1.1ba1753a681c6p-5}},
		{{-0x1.cfa92ca29aea4p-8, 0x1.449958e1f10c4p-6, -0x1.a15e1b7294a36p-7}, {0x1.449958e1f10c4p-6, 0x1.e5532325be58ep-7, -0x1.1ba1753a681c6p-5}, {-0x1.a15e1b7294a36p-7, -0x1.1ba1753a681c6p-5, 0x1.83f8fc170d453p-5}}}},
	{EX_LINK_SOFTMAX, 1.0, {40.0, 0.0, -300.0},
		{{0x1.39792499b1a24p-58, -0x1.39792499b1a24p-58, -0x1.65f7c32d2440bp-491},
		{-0x1.39792499b1a24p-58, 0x1.39792499b1a24p-58, -0x1.b65552eb32927p-549},
		{-0x1.65f7c32d2440bp-491, -0x1.b65552eb32927p-549, 0x1.65f7c32d2440bp-491}},
		{{{-0x1.39792499b1a24p-58, 0x1.39792499b1a24p-58, 0x1.65f7c32d2440bp-491}, {0x1.39792499b1a24p-58, -0x1.39792499b1a24p-58, 0x1.b65552eb32927p-548}, {0x1.65f7c32d2440bp-491, 0x1.b65552eb32927p-548, -0x1.65f7c32d2440bp-491}},
		{{0x1.39792499b1a24p-58, -0x1.39792499b1a24p-58, 0x1.b65552eb32927p-548}, {-0x1.39792499b1a24p-58, 0x1.39792499b1a24p-58, -0x1.b65552eb32927p-549}, {0x1.b65552eb32927p-548, -0x1.b65552eb32927p-549, -0x1.b65552eb32927p-549}},
		{{0x1.65f7c32d2440bp-491, 0x1.b65552eb32927p-548, -0x1.65f7c32d2440bp-491}, {0x1.b65552eb32927p-548, -0x1.b65552eb32927p-549, -0x1.b65552eb32927p-549}, {-0x1.65f7c32d2440bp-491, -0x1.b65552eb32927p-549, 0x1.65f7c32d2440bp-491}}}},
	{EX_LINK_SOFTMAX, 1.0, {0.25, -0.5, 0.125},
		{{0x1.f45f8889e68eep-3, -0x1.5ce7c4e54dba0p-4, -0x1.45eba6173fb1ep-3},
		{-0x1.5ce7c4e54dba0p-4, 0x1.48681827d2b6bp-3, -0x1.33e86b6a57b36p-4},
		{-0x1.45eba6173fb1ep-3, -0x1.33e86b6a57b36p-4, 0x1.dfdfdbcc6b8bap-3}},
		{{{0x1.2d9cd6f191776p-5, -0x1.a49f860fe8f67p-7, -0x1.88e9eadb2e738p-6}, {-0x1.a49f860fe8f67p-7, -0x1.a1dc3f29e2406p-5, 0x1.05821056ee3f0p-4}, {-0x1.88e9eadb2e738p-6, 0x1.05821056ee3f0p-4, -0x1.468f2b4045444p-5}},
		{{-0x1.a49f860fe8f67p-7, -0x1.a1dc3f29e2406p-5, 0x1.05821056ee3f0p-4}, {-0x1.a1dc3f29e2406p-5, 0x1.894f76295b3e2p-4, -0x1.70c2ad28d43bep-5}, {0x1.05821056ee3f0p-4, -0x1.70c2ad28d43bep-5, -0x1.3482e70a10843p-6}},
		{{-0x1.88e9eadb2e738p-6, 0x1.05821056ee3f0p-4, -0x1.468f2b4045444p-5}, {0x1.05821056ee3f0p-4, -0x1.70c2ad28d43bep-5, -0x1.3482e70a10843p-6}, {-0x1.468f2b4045444p-5, -0x1.3482e70a10843p-6, 0x1.e0d09ec54d865p-5}}}},
	{EX_LINK_OVR, 1.0, {-1000.0, -1001.0, -998.5},
		{{0x1.2242405ffbfedp-3, -0x1.604bcac0d5290p-7, -0x1.0c3d83b3eeac4p-3},
		{-0x1.604bcac0d5290p-7, 0x1.e2cb5bc1ec62ap-5, -0x1.8ab86911b7186p-5},
		{-0x1.0c3d83b3eeac4p-3, -0x1.8ab86911b7186p-5, 0x1.6eeb9df85c726p-3}},
		{{{0x1.7e090fd450741p-4, -0x1.cfb02b3b89edfp-8, -0x1.610e0d2097d53p-4}, {-0x1.cfb02b3b89edfp-8, -0x1.33fbf81961962p-7, 0x1.0dea06db93469p-6}, {-0x1.610e0d2097d53p-4, 0x1.0dea06db93469p-6, 0x1.1d938b69b3039p-4}},
		{{-0x1.cfb02b3b89edfp-8, -0x1.33fbf81961962p-7, 0x1.0dea06db93469p-6}, {-0x1.33fbf81961962p-7, 0x1.a61187edae7e0p-5, -0x1.591289e756187p-5}, {0x1.0dea06db93469p-6, -0x1.591289e756187p-5, 0x1.a43b0cf318ea6p-6}},
		{{-0x1.610e0d2097d53p-4, 0x1.0dea06db93469p-6, 0x1.1d938b69b3039p-4}, {0x1.0dea06db93469p-6, -0x1.591289e756187p-5, 0x1.a43b0cf318ea6p-6}, {0x1.1d938b69b3039p-4, 0x1.a43b0cf318ea6p-6, -0x1.86a24ea6793e2p-4}}}},
	{EX_LINK_OVR, 1.0, {-1.0, 2.0, -690.0},
		{{0x1.0c4c4e157455bp-3, -0x1.5dfaade0efe77p-6, -0x1.2f0002015b1b0p-998},
		{-0x1.0c4c4e157455bp-3, 0x1.5dfaade0efe77p-6, -0x1.f02b9ee388fa6p-997},
		{-0x1.bb0583de13dadp-999, -0x1.d928e12683cf6p-1000, 0x1.43d5cff21b43fp-996}},
		{{{0x1.01caf39e8b0fep-6, -0x1.10511595113d5p-7, -0x1.d7866809be33cp-1000}, {-0x1.10511595113d5p-7, 0x1.4a7645e4f003cp-6, 0x1.bab7973e29b03p-1001}, {-0x1.d7866809be33cp-1000, 0x1.bab7973e29b03p-1001, -0x1.2f0002015b1b0p-998}},
		{{-0x1.01caf39e8b0fep-6, 0x1.10511595113d5p-7, 0x1.53645bf1797a6p-998}, {0x1.10511595113d5p-7, -0x1.4a7645e4f003cp-6, 0x1.f79a2b0eddee9p-1001}, {0x1.53645bf1797a6p-998, 0x1.f79a2b0eddee9p-1001, -0x1.f02b9ee388fa6p-997}},
		{{-0x1.a9acc6e0b4fddp-1002, 0x1.43a6f4b6b3743p-1001, -0x1.bb0583de13dadp-999}, {0x1.43a6f4b6b3743p-1001, 0x1.bec5e9a696537p-1000, -0x1.d928e12683cf6p-1000}, {-0x1.bb0583de13dadp-999, -0x1.d928e12683cf6p-1000, 0x1.43d5cff21b43fp-996}}}},
	{EX_LINK_OVR, 2.0, {50.0, -0.5, 0.75},
		{{0x1.a806fda7d2a03p-146, -0x1.71f61eb1ba568p-4, -0x1.18a57a6983412p-4},
		{-0x1.a3d4f708ee7d5p-148, 0x1.5037592916925p-3, -0x1.2de8e66b4e8cdp-6},
		{-0x1.3f11bfe59700dp-146, -0x1.2e7893a072ce2p-4, 0x1.641fb40456e45p-4}},
		{{{-0x1.a806fda7d2a03p-145, -0x1.973dc52dc09e4p-152, -0x1.34ed20d140e2dp-152}, {-0x1.973dc52dc09e4p-152, -0x1.94f8935ec3fecp-5, 0x1.a71fbcba7b428p-6}, {-0x1.34ed20d140e2dp-152, 0x1.a71fbcba7b428p-6, 0x1.b4bf8923eab5ep-4}},
		{{0x1.a3d4f708ee7d5p-147, -0x1.c799caa66e437p-148, 0x1.e02925b8de4c4p-150}, {-0x1.c799caa66e437p-148, 0x1.7008504ef482ep-4, -0x1.47a1c3453450ap-6}, {0x1.e02925b8de4c4p-150, -0x1.47a1c3453450ap-6, 0x1.d5d6b5d57bf6fp-6}},
		{{0x1.3f11bfe59700dp-145, 0x1.e10da6f94a4d5p-148, -0x1.92eddd848e139p-150}, {0x1.e10da6f94a4d5p-148, -0x1.4b180d3f25071p-5, -0x1.7df7e5d51bc79p-8}, {-0x1.92eddd848e139p-150, -0x1.7df7e5d51bc79p-8, -0x1.151a9b4ca4d9dp-3}}}},
	{EX_LINK_CUMULATIVE_SOFTPLUS, 1.0, {-3.0, 0.0, -50.0},
		{{0x1.0000000000000p+0, 0x0.0p+0, 0x0.0p+0},
		{0x1.0000000000000p+0, 0x1.0000000000000p-1, 0x0.0p+0},
		{0x1.0000000000000p+0, 0x1.0000000000000p-1, 0x1.d257d547e083fp-73}},
		{{{0x0.0p+0, 0x0.0p+0, 0x0.0p+0}, {0x0.0p+0, 0x0.0p+0, 0x0.0p+0}, {0x0.0p+0, 0x0.0p+0, 0x0.0p+0}},
		{{0x0.0p+0, 0x0.0p+0, 0x0.0p+0}, {0x0.0p+0, 0x1.0000000000000p-2, 0x0.0p+0}, {0x0.0p+0, 0x0.0p+0, 0x0.0p+0}},
		{{0x0.0p+0, 0x0.0p+0, 0x0.0p+0}, {0x0.0p+0, 0x1.0000000000000p-2, 0x0.0p+0}, {0x0.0p+0, 0x0.0p+0, 0x1.d257d547e083fp-73}}}}
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
check(double got, double expected, double ulps, const char *what, const reference *r)
{
	if (isinf(expected))
		is_double(got, expected, "%s(%g): %s", ex_link_names[r->link], r->raw, what);
	else
		is_near(got, expected, ulps * DBL_EPSILON * fabs(expected), "%s(%g): %s within %g ulp",
				ex_link_names[r->link], r->raw, what, ulps);
}

/*
 * cloglog: exp(-exp(r)) magnifies the rounding of exp(r) by exp(r), as far as
 * 700 where the result is a double at all.
 */
static void
test_references(void)
{
	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++)
	{
		const reference *r = &references[i];
		double		ulps = r->link == EX_LINK_CLOGLOG ? 4 + exp(fmin(r->raw, 6.6)) : 4;
		double		first;
		double		second;

		is_status(host, ex_response_derivative(host, header(r->link, r->param, 1), &r->raw, 0, &first),
				  EX_OK, "%s(%g)", ex_link_names[r->link], r->raw);
		check(first, r->first, ulps, "first", r);
		ex_response_second_derivative(host, header(r->link, r->param, 1), &r->raw, 0, &second);
		check(second, r->second, ulps, "second", r);
	}
}

static void
test_together(void)
{
	for (size_t i = 0; i < sizeof(togethers) / sizeof(togethers[0]); i++)
	{
		const together *t = &togethers[i];
		ex_model   *model = header(t->link, t->param, 3);

		for (uint32_t k = 0; k < 3; k++)
		{
			double		first[3];
			double		second[3][3];

			ex_response_derivative(host, model, t->raw, k, first);
			ex_response_second_derivative(host, model, t->raw, k, &second[0][0]);
			for (int m = 0; m < 3; m++)
			{
				is_near(first[m], t->first[k][m], 8 * DBL_EPSILON * fabs(t->first[k][m]),
						"%s %zu: d%u/d%d", ex_link_names[t->link], i, k, m);
				for (int l = 0; l < 3; l++)
					is_near(second[m][l], t->second[k][m][l], 16 * DBL_EPSILON * fabs(t->second[k][m][l]),
							"%s %zu: d2%u/d%dd%d", ex_link_names[t->link], i, k, m, l);
			}
		}
	}
}

/* One of several outputs of a link that looks at each alone; a single class. */
static void
test_positions(void)
{
	const double raw[] = {-1, 0.5, 2};
	const double expected[] = {0, 0x1.a61298e1e069cp+0, 0};
	const double curved[] = {0, 0, 0, 0, 0x1.a61298e1e069cp+0, 0, 0, 0, 0};
	double		first[3];
	double		second[9];

	ex_response_derivative(host, header(EX_LINK_LOG, 1, 3), raw, 1, first);
	ex_response_second_derivative(host, header(EX_LINK_LOG, 1, 3), raw, 1, second);
	are_near(first, expected, 3, 4e-16, "log of output 1 of three");
	are_near(second, curved, 9, 4e-16, "the same, second derivative");
	ex_response_derivative(host, header(EX_LINK_SOFTMAX, 1, 1), raw, 0, first);
	is_double(first[0], 0, "softmax of one class is constant");
	ex_response_derivative(host, header(EX_LINK_OVR, 1, 1), raw, 0, first);
	is_double(first[0], 0, "one-vs-rest of one class is constant");
}

static void
test_refused(void)
{
	const ex_link links[] = {EX_LINK_STEP, EX_LINK_SORTED};

	for (int i = 0; i < 2; i++)
	{
		double		raw = 1;
		double		derivative;
		char		message[80];

		snprintf(message, sizeof(message), "link \"%s\" has no derivative", ex_link_names[links[i]]);
		is_status(host, ex_response_derivative(host, header(links[i], 1, 1), &raw, 0, &derivative),
				  EX_UNSUPPORTED, "%s is refused", ex_link_names[links[i]]);
		is_text(host->error.message, message, "message");
		is_text(host->error.hint, "Explain the model in raw space, with space => 'raw'.", "hint");
		is_status(host, ex_response_second_derivative(host, header(links[i], 1, 1), &raw, 0, &derivative),
				  EX_UNSUPPORTED, "second derivative of %s is refused", ex_link_names[links[i]]);
	}
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_references();
	test_together();
	test_positions();
	test_refused();
	ex_arena_free(&arena);
	return unit_done();
}
