/*
 * test_marginal_effects.c
 *		Marginal effects: derivatives against differences in the coefficients,
 *		estimates against matrices multiplied out, and the summary's forms.
 *
 * The values themselves are compared with statsmodels and with complex steps
 * by test/oracle/test_marginal_effects.py.
 */
#include "linear_test.h"

#include "codec_test.h"
#include "linear_covariance.h"
#include "marginal_effects.h"

static const char *const links[] = {
	"identity", "logit", "log", "probit", "cloglog", "inverse", "softplus", "signed_square"
};
static const char *const shared_links[] = {"softmax", "ovr", "cumulative_softplus"};

#define N_LINKS ((int) (sizeof(links) / sizeof(links[0])))
#define N_SHARED ((int) (sizeof(shared_links) / sizeof(shared_links[0])))

enum
{
	P = 4,						/* age, income, member, region */
	MAX_TABLE = 8 * 64
};

static double
unit(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (*seed >> 11) * 0x1p-53;
}

/*
 * A model of n_outputs with a bin, an indicator and levels, whose coefficient
 * `moved` (as in the covariance) is increased by h.
 */
static ex_model *
make_model(const char *link, uint32_t n_outputs, int64_t moved, double h)
{
	static const char *const columns[] = {
		"'feature':'age'", "'feature':'income','missing':0.5", "'feature':'income','indicator':true",
		"'feature':'age','bin':['-Infinity',0.2]", "'feature':'member'",
		"'feature':'region','level':'south'", "'feature':'region','level':'west'"
	};

	/* columns in the model's order: by feature, kind */
	static const int order[] = {0, 3, 1, 2, 4, 5, 6};
	enum
	{
		C = 7
	};
	double		w[3][C + 1];
	uint64_t	seed = 5;
	char		text[4000];
	size_t		used;

	for (uint32_t k = 0; k < n_outputs; k++)
		for (int i = 0; i <= C; i++)
			w[k][i] = 0.8 * unit(&seed) - 0.3;
	w[0][C] += strcmp(link, "inverse") == 0 ? 4 : 0;
	if (moved >= 0)
	{
		int			c = (int) (moved % (C + 1));

		w[moved / (C + 1)][c == C ? C : order[c]] += h;
	}
	used = (size_t) snprintf(text, sizeof(text), "{'family':'linear','link':'%s','features':['age',"
							 "{'name':'income','missing':'native'},{'name':'member','kind':'boolean'},"
							 "{'name':'region','levels':['north','south','west']}],'outputs':[%s],'intercept':[",
							 link, n_outputs == 1 ? "'a'" : "'a','b','c'");
	for (uint32_t k = 0; k < n_outputs; k++)
		used += (size_t) snprintf(text + used, sizeof(text) - used, "%s%.17g", k > 0 ? "," : "", w[k][C]);
	used += (size_t) snprintf(text + used, sizeof(text) - used, "],'columns':[");
	for (int i = 0; i < C; i++)
	{
		used += (size_t) snprintf(text + used, sizeof(text) - used, "%s{%s,'coefficient':[", i > 0 ? "," : "", columns[i]);
		for (uint32_t k = 0; k < n_outputs; k++)
			used += (size_t) snprintf(text + used, sizeof(text) - used, "%s%.17g", k > 0 ? "," : "", w[k][i]);
		used += (size_t) snprintf(text + used, sizeof(text) - used, "]}");
	}
	snprintf(text + used, sizeof(text) - used, "]}");
	return model_of(text);
}

/* A covariance F F'. */
static double *
random_covariance(uint32_t n)
{
	double	   *f;
	double	   *v;
	uint64_t	seed = 77;

	(void) EX_ALLOC(host, (size_t) n * n, &f);
	(void) EX_ALLOC(host, (size_t) n * n, &v);
	for (uint32_t i = 0; i < n * n; i++)
		f[i] = unit(&seed) - 0.5;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < n; j++)
			for (uint32_t k = 0; k < n; k++)
				v[i * n + j] += f[i * n + k] * f[j * n + k];
	return v;
}

static ex_model *
with_covariance(const ex_model *model, const double *covariance, uint32_t n)
{
	ex_builder	builder;
	ex_model   *result = NULL;

	(void) ex_builder_open(&builder, host, model);
	if (!is_status(host, ex_edit_covariance(&builder, model, covariance, n, NULL), EX_OK, "covariance") ||
		!is_status(host, ex_build(&builder, &result), EX_OK, "a valid model"))
		exit(1);
	return result;
}

static ex_model *
fitted(const char *link, uint32_t n_outputs, int64_t moved, double h)
{
	uint32_t	n = n_outputs * 8;
	static double *covariance[4];

	if (covariance[n_outputs] == NULL)
		covariance[n_outputs] = random_covariance(n);
	if (moved < 0)
		return with_covariance(make_model(link, n_outputs, moved, h), covariance[n_outputs], n);
	else
	{
		/* many of them: without a line of output for each */
		ex_model   *model = make_model(link, n_outputs, moved, h);
		ex_builder	builder;

		(void) ex_builder_open(&builder, host, model);
		(void) ex_edit_covariance(&builder, model, covariance[n_outputs], n, NULL);
		(void) ex_build(&builder, &model);
		return model;
	}
}

static const double rows[][P] = {
	{0.3, -1.2, 1, 0}, {1.7, 0.4, 0, 2}, {-0.6, 2.5, 1, 1}, {0.2, 0, 0, -1}
};

/* Effects of a row as the derivative of nothing but themselves. */
static void
effects_at(const char *link, uint32_t n_outputs, int64_t moved, double h, const double *x, uint32_t output,
		   double *table, ex_effects *effects)
{
	ex_effects	own;

	if (effects == NULL)
		effects = &own;
	if (ex_effects_open(host, fitted(link, n_outputs, moved, h), effects) != EX_OK ||
		ex_effects_of_row(host, effects, x, NULL, output, table) != EX_OK)
	{
		printf("Bail out! %s: %s\n", link, host->error.message);
		exit(2);
	}
}

/* Derivatives by the coefficients: a central difference, extrapolated once. */
static void
test_jacobian(const char *link, uint32_t n_outputs, uint32_t output)
{
	static const double h = 1e-3;
	ex_effects	effects;
	double		table[MAX_TABLE];
	double		moved[4][MAX_TABLE];
	double		worst = 0;
	uint32_t	width;

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
	{
		effects_at(link, n_outputs, -1, 0, rows[r], output, table, &effects);
		width = 1 + effects.n_coefficients;
		for (uint32_t j = 0; j < effects.n_coefficients; j++)
		{
			for (int s = 0; s < 4; s++)
				effects_at(link, n_outputs, j, (s < 2 ? h : 2 * h) * (s % 2 ? -1 : 1), rows[r], output, moved[s], NULL);
			for (uint32_t e = 0; e < effects.n_effects; e++)
			{
				double		near = (moved[0][e * width] - moved[1][e * width]) / (2 * h);
				double		far = (moved[2][e * width] - moved[3][e * width]) / (4 * h);

				worst = fmax(worst, fabs((4 * near - far) / 3 - table[e * width + 1 + j]));
			}
		}
	}
	is_int(effects.n_effects, 5, "link %s: five effects", link);
	is_near(worst, 0, 2e-9, "link %s, output %u: derivatives by the coefficients", link, output);
}

/* Slopes against differences of the response in x. */
static void
test_slope(const char *link)
{
	static const double h = 1e-4;
	const ex_model *model = fitted(link, 1, -1, 0);
	ex_compiled *compiled = compile(model);
	double		table[MAX_TABLE];
	double		worst = 0;

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
	{
		ex_effects	effects;
		double		y[2];

		effects_at(link, 1, -1, 0, rows[r], 0, table, &effects);
		for (int s = 0; s < 2; s++)
		{
			double		x[P];

			memcpy(x, rows[r], sizeof(x));
			x[1] += s ? h : -h;
			(void) predict(compiled, x, 1, &y[s]);
			ex_response(model, &y[s], &y[s]);
		}
		worst = fmax(worst, fabs((y[1] - y[0]) / (2 * h) - table[1 + effects.n_coefficients]));
	}
	is_near(worst, 0, 1e-7, "link %s: slope of income", link);
}

static ex_effect_summary *
new_summary(const ex_effects *effects)
{
	uint32_t	width = 1 + effects->n_coefficients;
	ex_effect_summary *summary = host->alloc(host, ex_effect_summary_size(effects->n_effects, width));

	ex_effect_summary_init(summary, effects->n_effects, width);
	return summary;
}

static ex_effect_summary *
summary_of_rows(const ex_effects *effects, const bool *missing)
{
	ex_effect_summary *summary = new_summary(effects);
	double		table[MAX_TABLE];

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
	{
		(void) ex_effects_of_row(host, effects, rows[r], r == 0 ? missing : NULL, 0, table);
		is_status(host, ex_effect_summary_add(host, summary, table, effects->n_effects,
											  1 + effects->n_coefficients), EX_OK, "row %d is added", (int) r);
	}
	return summary;
}

static void
test_estimates(void)
{
	ex_effects	effects;
	ex_effect_summary *summary;
	ex_effect_estimate *estimate;
	uint32_t	n;
	static const bool missing[P] = {false, true, false, false};

	(void) ex_effects_open(host, fitted("logit", 1, -1, 0), &effects);
	n = effects.n_coefficients;
	summary = summary_of_rows(&effects, missing);
	if (!is_status(host, ex_effects_estimate(host, &effects, summary, &estimate), EX_OK, "estimates"))
		return;
	for (uint32_t e = 0; e < effects.n_effects; e++)
	{
		double		mean[64] = {0};
		double		variance = 0;
		uint32_t	count = 0;

		for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		{
			double		table[MAX_TABLE];

			(void) ex_effects_of_row(host, &effects, rows[r], r == 0 ? missing : NULL, 0, table);
			if (isnan(table[e * (n + 1)]))
				continue;
			count++;
			for (uint32_t j = 0; j <= n; j++)
				mean[j] += table[e * (n + 1) + j];
		}
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t j = 0; j < n; j++)
				variance += mean[i + 1] * mean[j + 1] * effects.view.covariance[i * n + j] / count / count;
		is_int((int64_t) estimate[e].n, e == 1 ? 3 : 4, "effect %u: rows that have the feature", e);
		is_near(estimate[e].effect, mean[0] / count, 1e-15, "effect %u: mean", e);
		is_near(estimate[e].std_error, sqrt(variance), 1e-14, "effect %u: standard error", e);
		is_double(estimate[e].z, estimate[e].effect / estimate[e].std_error, "effect %u: z", e);
		is_near(estimate[e].p, 2 * (0.5 * erfc(fabs(estimate[e].z) / sqrt(2.0))), 1e-15, "effect %u: p", e);
		is_near(estimate[e].ci_high - estimate[e].ci_low, 2 * 1.959963984540054 * estimate[e].std_error, 1e-15,
				"effect %u: interval", e);
	}
	is_int(effects.effect[1].kind, EX_EFFECT_SLOPE, "income has a slope");
	is_int(effects.effect[2].kind, EX_EFFECT_BOOLEAN, "member is a difference");
	is_int(effects.effect[3].kind, EX_EFFECT_LEVEL, "so is a region");
	is_double(effects.effect[3].reference, 0, "compared with the level that has no column");
}

static void
test_merge(void)
{
	ex_effects	effects;
	ex_effect_summary *all;
	ex_effect_summary *part[2];
	double		table[MAX_TABLE];
	uint32_t	width;
	size_t		size;

	(void) ex_effects_open(host, fitted("logit", 1, -1, 0), &effects);
	width = 1 + effects.n_coefficients;
	size = ex_effect_summary_size(effects.n_effects, width);
	all = summary_of_rows(&effects, NULL);
	part[0] = new_summary(&effects);
	part[1] = new_summary(&effects);
	for (int r = 3; r >= 0; r--)
	{
		(void) ex_effects_of_row(host, &effects, rows[r], NULL, 0, table);
		(void) ex_effect_summary_add(host, part[r % 2], table, effects.n_effects, width);
	}
	is_status(host, ex_effect_summary_merge(host, part[1], part[0]), EX_OK, "merged");
	is_same(part[1], all, size, "... into the same bytes");
	is_status(host, ex_effect_summary_validate(host, all, size), EX_OK, "which are valid");
	is_status(host, ex_effect_summary_validate(host, all, size - 8), EX_CORRUPT, "a shorter one is not");
	all->count[0] = 5;
	is_status(host, ex_effect_summary_validate(host, all, size), EX_CORRUPT, "nor is an effect of more rows than there are");
	is_status(host, ex_effect_summary_add(host, part[0], table, effects.n_effects, width - 1), EX_DIMENSION,
			  "another shape is refused");
	table[2] = INFINITY;
	is_status(host, ex_effect_summary_add(host, part[0], table, effects.n_effects, width), EX_RANGE, "infinity, too");
	table[2] = NAN;
	is_status(host, ex_effect_summary_add(host, part[0], table, effects.n_effects, width), EX_RANGE,
			  "and a derivative that is missing where the effect is there");
}

static ex_status
copy_summary(ex_codec *in, ex_codec *out)
{
	ex_effect_summary *summary;

	EX_TRY(ex_effect_summary_code(in, &summary));
	return ex_effect_summary_code(out, &summary);
}

static ex_buffer
write_summary(ex_effect_summary *summary, bool text)
{
	ex_codec	codec;

	ex_codec_write(&codec, host, "explain.marginal_effect_summary_state", text);
	(void) ex_effect_summary_code(&codec, &summary);
	return codec.out;
}

static void
test_codec(void)
{
	ex_effect_summary *summary = host->alloc(host, ex_effect_summary_size(2, 3));
	static const double table[] = {0.5, -1.25, 3e10, NAN, NAN, NAN};
	ex_buffer	text;
	ex_buffer	wire;

	ex_effect_summary_init(summary, 2, 3);
	(void) ex_effect_summary_add(host, summary, table, 2, 3);
	(void) ex_effect_summary_add(host, summary, table, 2, 3);
	text = write_summary(summary, true);
	wire = write_summary(summary, false);
	test_forms(host, copy_summary, &text, &wire, "summary");
	test_golden_forms(host, copy_summary, "marginal_effect_summary.v1");
}

static void
test_refusals(void)
{
	ex_model   *model = make_model("logit", 1, -1, 0);
	double	   *covariance = random_covariance(8);
	ex_effects	effects;
	ex_builder	builder;
	double		table[MAX_TABLE];
	double		far[P] = {1000, 0, 0, 0};

	is_status(host, ex_effects_open(host, model, &effects), EX_INVALID, "no covariance");
	(void) ex_builder_open(&builder, host, model);
	is_status(host, ex_edit_covariance(&builder, model, covariance, 7, NULL), EX_DIMENSION, "another size");
	covariance[1] += 1;
	is_status(host, ex_edit_covariance(&builder, model, covariance, 8, NULL), EX_INVALID, "not symmetric");
	covariance[1] -= 1;
	covariance[9] = -1;
	is_status(host, ex_edit_covariance(&builder, model, covariance, 8, NULL), EX_INVALID, "a negative variance");
	covariance[9] = NAN;
	is_status(host, ex_edit_covariance(&builder, model, covariance, 8, NULL), EX_RANGE, "a NaN");
	is_status(host, ex_effects_open(host, fitted("step", 1, -1, 0), &effects), EX_UNSUPPORTED, "a link without derivatives");
	(void) ex_effects_open(host, fitted("log", 1, -1, 0), &effects);
	far[0] = effects.view.coefficient[0] > 0 ? 1e5 : -1e5;
	is_status(host, ex_effects_of_row(host, &effects, far, NULL, 0, table), EX_RANGE, "a response out of range");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	for (int i = 0; i < N_LINKS; i++)
	{
		test_jacobian(links[i], 1, 0);
		test_slope(links[i]);
	}
	for (int i = 0; i < N_SHARED; i++)
		for (uint32_t output = 0; output < 3; output++)
			test_jacobian(shared_links[i], 3, output);
	test_estimates();
	test_merge();
	test_codec();
	test_refusals();
	ex_arena_free(&arena);
	return unit_done();
}
