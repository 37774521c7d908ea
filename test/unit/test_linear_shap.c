/*
 * test_linear_shap.c
 *		Shapley values of linear models: golden data, brute force over all
 *		coalitions, closed forms, axioms, and where the expectations come from.
 */
#include <float.h>

#include "linear_test.h"

#define MAX_P 10

static const ex_shap_method *
linear_method(const ex_compiled *compiled)
{
	return &compiled->family->shap_methods[0];
}

static ex_shap_call
call_of(const ex_model *model, const double *x, ex_space space)
{
	ex_shap_call call = {.x = x,.outputs = {0, model->n_outputs},.space = space};

	ex_own_background(model, &call.background);
	return call;
}

/* ---------------------------------------------------------------- golden */

/* Number after "key": in a small JSON file. */
static double
note(const char *path, const char *key)
{
	size_t		size;
	char	   *text = golden_file(host, path, &size);
	char		quoted[64];

	snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
	return strtod(strstr(text, quoted) + strlen(quoted), NULL);
}

/* The model of a folder of golden explanations. */
static ex_model *
golden_model(const char *folder, uint32_t p, const char *link)
{
	char		path[256];
	char		document[4096];
	size_t		size;
	char	   *text;
	char	   *coefficients;
	size_t		used;

	snprintf(path, sizeof(path), "test/data/explanations/%s/model.json", folder);
	text = golden_file(host, path, &size);
	coefficients = strchr(text, '[');
	used = (size_t) snprintf(document, sizeof(document), "{'family':'linear','link':'%s','features':[", link);
	for (uint32_t i = 0; i < p; i++)
		used += (size_t) snprintf(document + used, sizeof(document) - used, "%s'c%u'", i > 0 ? "," : "", i);
	snprintf(document + used, sizeof(document) - used, "],'coefficients':%.*s,'intercept':%.17g}",
			 (int) (strchr(coefficients, ']') + 1 - coefficients), coefficients, note(path, "intercept"));
	return model_of(document);
}

static void
test_golden(const char *folder, const char *link, const char *shap_file, const char *prediction_file,
			const char *expected_value)
{
	char		path[5][256];
	golden_table rows;
	golden_table background;
	golden_table shap;
	golden_table prediction;
	ex_model   *model;
	ex_compiled *compiled;
	double		phi[MAX_P];
	double		base;
	double		matrix[MAX_P * MAX_P];

	snprintf(path[0], sizeof(path[0]), "test/data/explanations/%s/rows.csv", folder);
	snprintf(path[1], sizeof(path[1]), "test/data/explanations/%s/background.csv", folder);
	snprintf(path[2], sizeof(path[2]), "test/data/explanations/%s/%s", folder, shap_file);
	snprintf(path[3], sizeof(path[3]), "test/data/explanations/%s/%s", folder, prediction_file);
	snprintf(path[4], sizeof(path[4]), "test/data/explanations/%s/notes.json", folder);
	rows = plain_csv(path[0]);
	background = plain_csv(path[1]);
	shap = plain_csv(path[2]);
	prediction = plain_csv(path[3]);
	model = with_rows(golden_model(folder, (uint32_t) rows.columns, link), background.value,
					  (uint32_t) background.rows, NULL);
	compiled = compile(model);
	for (size_t i = 0; i < rows.rows; i++)
	{
		const double *x = rows.value + i * rows.columns;
		ex_shap_call call = call_of(model, x, EX_RAW);
		double		scale = sum_of_terms(model, 0, x);
		double		raw;
		double		sum = 0;

		linear_method(compiled)->values(compiled, host, &call, phi, &base);
		are_near(phi, shap.value + i * shap.columns, rows.columns, 1e-14 * scale, "%s, row %zu: values", folder, i + 1);
		predict(compiled, x, 1, &raw);
		is_near(raw, prediction.value[i], 1e-14 * scale, "%s, row %zu: prediction", folder, i + 1);
		for (size_t j = 0; j < rows.columns; j++)
			sum += phi[j];
		is_near(sum + base, raw, 1e-14 * scale, "%s, row %zu: they add up", folder, i + 1);
		linear_method(compiled)->interactions(compiled, host, &call, matrix, &base);
		for (size_t j = 0; j < rows.columns; j++)
			matrix[j * rows.columns + j] -= phi[j];
		for (size_t j = 0; j < rows.columns * rows.columns; j++)
			sum = fmax(j > 0 ? sum : 0, fabs(matrix[j]));
		is_double(sum, 0, "%s, row %zu: only main effects", folder, i + 1);
	}
	is_near(base, note(path[4], expected_value), 1e-13 * fabs(base), "%s: expected value", folder);
}

/* Probability space: the base value is the mean probability, and nothing else is offered. */
static void
test_golden_probability(void)
{
	golden_table background = plain_csv("test/data/explanations/logistic/background.csv");
	ex_model   *model = with_rows(golden_model("logistic", 8, "logit"), background.value,
								  (uint32_t) background.rows, NULL);
	ex_compiled *compiled = compile(model);
	ex_shap_call call = call_of(model, NULL, EX_RESPONSE);
	double		base;

	linear_method(compiled)->base(compiled, host, &call, &base);
	is_near(base, note("test/data/explanations/logistic/notes.json", "expected_value_probability"), 1e-15,
			"logistic: mean probability");
	is_status(host, linear_method(compiled)->check(compiled, host, EX_RESPONSE, &call.background), EX_UNSUPPORTED,
			  "logistic: no closed form in response space");
	is_text(host->error.hint, "Use space => 'raw', or method => 'exact' where at most 20 features vary.", "the hint says what works");
	is_status(host, linear_method(compiled)->check(compiled, host, EX_RAW, &call.background), EX_OK, "raw space runs");
	call.background.n = 0;
	is_status(host, linear_method(compiled)->check(compiled, host, EX_RAW, &call.background), EX_INVALID,
			  "not without a background");
	ok(strstr(host->error.hint, "with_background") != NULL, "the hint says how to get one");
}

/* ---------------------------------------------------------------- brute force */

/* Mean response (or raw prediction) over the background, features of the coalition from x. */
static double
coalition_value(ex_compiled *compiled, const ex_shap_call *call, uint32_t output, uint32_t coalition)
{
	uint32_t	p = compiled->model->n_features;
	uint32_t	n_outputs = compiled->model->n_outputs;
	double		row[MAX_P];
	double		raw[4];
	long double sum = 0;
	long double total = 0;

	for (uint32_t i = 0; i < call->background.n; i++)
	{
		double		weight = call->background.weight != NULL ? call->background.weight[i] : 1;

		for (uint32_t f = 0; f < p; f++)
			row[f] = coalition >> f & 1 ? call->x[f] : call->background.row[(size_t) i * p + f];
		predict(compiled, row, 1, raw);
		if (call->space == EX_RESPONSE)
			ex_response(compiled->model, raw, raw);
		sum += (long double) weight * raw[output % n_outputs];
		total += weight;
	}
	return (double) (sum / total);
}

static double
coalition_weight(uint32_t size, uint32_t players)
{
	return exp(lgamma(size + 1.0) + lgamma(players - size) - lgamma(players + 1.0));
}

/* phi[p] and matrix[p * p] by their definitions over all 2^p coalitions. */
static void
brute_force(ex_compiled *compiled, const ex_shap_call *call, uint32_t output, double *phi, double *matrix)
{
	uint32_t	p = compiled->model->n_features;
	double	   *v = host->alloc(host, sizeof(double) << p);

	for (uint32_t s = 0; s < 1u << p; s++)
		v[s] = coalition_value(compiled, call, output, s);
	for (uint32_t i = 0; i < p; i++)
	{
		phi[i] = 0;
		for (uint32_t s = 0; s < 1u << p; s++)
			if (!(s >> i & 1))
				phi[i] += coalition_weight((uint32_t) __builtin_popcount(s), p) * (v[s | 1u << i] - v[s]);
	}
	for (uint32_t i = 0; i < p; i++)
	{
		matrix[i * p + i] = phi[i];
		for (uint32_t j = 0; j < p; j++)
		{
			uint32_t	both = 1u << i | 1u << j;
			double		half = 0;

			for (uint32_t s = 0; i != j && s < 1u << p; s++)
				if (!(s & both))
					half += 0.5 * coalition_weight((uint32_t) __builtin_popcount(s), p - 1) *
						(v[s | both] - v[s | 1u << i] - v[s | 1u << j] + v[s]);
			matrix[i * p + i] -= half;
			if (i != j)
				matrix[i * p + j] = half;
		}
	}
}

/* Two outputs; values, levels, bins, an indicator, a feature that nothing uses. */
static const char *const rich_document =
	"{'family':'linear','link':'%s','features':['a',{'name':'m','missing':'native'},"
	"{'name':'c','levels':['x','y','z'],'unknown':'other'},{'name':'f','kind':'boolean'},'unused','b'],"
	"'outputs':['p','q'],'intercept':[0.3,-1],'columns':["
	"{'feature':'a','coefficient':[0.7,-0.4]},%s"
	"{'feature':'m','missing':0.25,'coefficient':[1.1,0.2]},{'feature':'m','indicator':true,'coefficient':[-0.6,0.9]},"
	"{'feature':'c','level':'x','coefficient':[0.4,-1.2]},{'feature':'c','level':'z','coefficient':[-0.9,0.8]},"
	"{'feature':'f','coefficient':[0.33,0.66]},{'feature':'b','coefficient':[-0.2,0.5]}]}";

#define RICH_P 6
#define RICH_BIN "{'feature':'a','bin':[0,1.5],'coefficient':[0.5,0.1]},"

static void
random_row(double *x)
{
	x[0] = 3 * random_unit() - 1;
	x[1] = random_below(4) == 0 ? NAN : 2 * random_unit() - 1;
	x[2] = (int) random_below(4) - 1;
	x[3] = random_below(2);
	x[4] = random_unit();
	x[5] = 4 * random_unit() - 2;
}

/* bins: with them the sample decides, without them the statistics */
static ex_model *
rich_model(const char *link, bool bins, uint32_t n, bool weighted)
{
	char		document[2048];
	double	   *row = host->alloc(host, n * RICH_P * sizeof(double));
	double	   *weight = host->alloc(host, n * sizeof(double));

	snprintf(document, sizeof(document), rich_document, link, bins ? RICH_BIN : "");
	for (uint32_t i = 0; i < n; i++)
	{
		random_row(row + i * RICH_P);
		weight[i] = 1 + random_below(5);
	}
	return with_rows(model_of(document), row, n, weighted ? weight : NULL);
}

static void
check_against_brute_force(const ex_model *model, ex_space space, const char *name)
{
	ex_compiled *compiled = compile(model);
	double		x[RICH_P];
	double		phi[2 * RICH_P];
	double		matrix[2 * RICH_P * RICH_P];
	double		base[2];
	double		base_alone[2];
	ex_shap_call call = call_of(model, x, space);

	for (int i = 0; i < 5; i++)
	{
		random_row(x);
		is_status(host, linear_method(compiled)->values(compiled, host, &call, phi, base), EX_OK, "%s: values", name);
		linear_method(compiled)->base(compiled, host, &call, base_alone);
		is_same(base_alone, base, sizeof(base), "%s: base alone is the same", name);
		for (uint32_t k = 0; k < 2; k++)
		{
			double		expected[RICH_P];
			double		expected_matrix[RICH_P * RICH_P];
			double		sums[RICH_P] = {0};
			double		scale = fabs(coalition_value(compiled, &call, k, 0)) + 5;

			brute_force(compiled, &call, k, expected, expected_matrix);
			are_near(phi + k * RICH_P, expected, RICH_P, 2e-15 * scale, "%s: output %u as by brute force", name, k);
			is_near(base[k], coalition_value(compiled, &call, k, 0), 2e-15 * scale, "%s: base %u", name, k);
			is_double(phi[k * RICH_P + 4], 0, "%s: a feature without columns has 0", name);
			if (k == 0)
				linear_method(compiled)->interactions(compiled, host, &call, matrix, base_alone);
			are_near(matrix + k * RICH_P * RICH_P, expected_matrix, RICH_P * RICH_P, 4e-15 * scale,
					 "%s: interactions of output %u as by brute force", name, k);
			for (int j = 0; j < RICH_P * RICH_P; j++)
				sums[j / RICH_P] += matrix[k * RICH_P * RICH_P + j];
			are_near(sums, phi + k * RICH_P, RICH_P, 4e-15 * scale, "%s: their rows sum to the values", name);
		}
	}
}

/* One output of several gives the same bits as all together. */
static void
test_output_choice(void)
{
	ex_model   *model = rich_model("log", true, 7, true);
	ex_compiled *compiled = compile(model);
	double		x[RICH_P];
	double		all[2 * RICH_P];
	double		one[RICH_P];
	double		base[2];
	double		one_base;

	random_row(x);
	for (int space = EX_RAW; space <= EX_RESPONSE; space++)
	{
		ex_shap_call call = call_of(model, x, (ex_space) space);

		linear_method(compiled)->values(compiled, host, &call, all, base);
		call.outputs = (ex_outputs) {1, 1};
		linear_method(compiled)->values(compiled, host, &call, one, &one_base);
		is_same(one, all + RICH_P, sizeof(one), "second output alone: values");
		is_double(one_base, base[1], "second output alone: base");
	}
}

/* ---------------------------------------------------------------- expectations */

/*
 * Statistics of all rows that differ from the sample: they decide as long as
 * they can, and the base value goes with them.
 */
static void
test_sources(void)
{
	static const char *const document =
		"{'family':'linear','features':[{'name':'x','missing':'native'},{'name':'c','levels':['p','q'],"
		"'missing':'native'}],'intercept':2,'columns':["
		"{'feature':'x','missing':0.5,'coefficient':3},{'feature':'x','indicator':true,'coefficient':5},"
		"%s{'feature':'c','level':'q','coefficient':7}],"
		"'background':{'count':100,'statistics':[{'n':80,'mean':1.25,'sd':1,'min':0,'max':9,'missing':0.2},"
		"{'n':50,'missing':0.5,'levels':[20,30]}],'rows':[[4,0],[null,1],[1,1],[2,null]]}}";
	char		text[2048];
	ex_model   *model;
	ex_compiled *compiled;
	double		x[] = {2, 1};
	ex_shap_call call;
	double		phi[2];
	double		base;

	snprintf(text, sizeof(text), document, "");
	model = model_of(text);
	compiled = compile(model);
	call = call_of(model, x, EX_RAW);
	linear_method(compiled)->values(compiled, host, &call, phi, &base);
	/* E x = 0.8 * 1.25 + 0.2 * 0.5 = 1.1, E indicator = 0.2, E q = 0.5 * 30 / 50 = 0.3 */
	is_near(base, 2 + 3 * 1.1 + 5 * 0.2 + 7 * 0.3, 1e-14, "statistics of all rows: base");
	is_near(phi[0], 3 * (2 - 1.1) - 5 * 0.2, 1e-14, "statistics of all rows: number");
	is_near(phi[1], 7 * (1 - 0.3), 1e-14, "statistics of all rows: category");

	snprintf(text, sizeof(text), document, "{'feature':'x','bin':[1,3],'coefficient':11},");
	model = model_of(text);
	compiled = compile(model);
	call = call_of(model, x, EX_RAW);
	linear_method(compiled)->values(compiled, host, &call, phi, &base);
	/* from the four rows: E x = 7.5 / 4, E indicator = 1/4, E bin = 1/4, E q = 2/4 */
	is_near(base, 2 + 3 * 1.875 + 5 * 0.25 + 11 * 0.25 + 7 * 0.5, 1e-14, "a bin: the sample decides");
	is_near(phi[0], 3 * (2 - 1.875) - 5 * 0.25 + 11 * 0.75, 1e-14, "a bin: also for other columns");

	call.background = (ex_background) {.row = (double[]) {1, 0},.n = 1};
	linear_method(compiled)->values(compiled, host, &call, phi, &base);
	is_double(base, 2 + 3, "a reference row: base is its prediction");
	is_double(phi[0], 3 + 11, "a reference row: difference of the number");
	is_double(phi[1], 7, "a reference row: difference of the category");
	call.background.row = x;
	linear_method(compiled)->values(compiled, host, &call, phi, &base);
	is_double(fabs(phi[0]) + fabs(phi[1]), 0, "the row as its own reference: nothing to explain");
}

/* A row of the plain path with a missing value takes the general one. */
static void
test_missing_value(void)
{
	ex_model   *model = model_of(
		"{'family':'linear','features':[{'name':'a','missing':'native'},{'name':'b','missing':{'impute':4}},'c'],"
		"'coefficients':{'a':2,'b':3,'c':5},'background':{'rows':[[1,1,1],[null,3,2]]}}");
	ex_compiled *compiled = compile(model);
	double		x[] = {NAN, NAN, 7};
	ex_shap_call call = call_of(model, x, EX_RAW);
	double		phi[3];
	double		base;

	is_status(host, linear_method(compiled)->values(compiled, host, &call, phi, &base), EX_OK, "missing values");
	is_near(phi[0], 2 * (0 - 0.5), 1e-15, "native: 0 against the mean with the missing one as 0");
	is_near(phi[1], 3 * (4 - 2), 1e-15, "imputed");
	x[2] = NAN;
	is_status(host, linear_method(compiled)->values(compiled, host, &call, phi, &base), EX_RANGE,
			  "a missing value that is not allowed");
	x[2] = INFINITY;
	is_status(host, linear_method(compiled)->values(compiled, host, &call, phi, &base), EX_RANGE, "infinity");
	is_text(host->error.detail, "Feature \"c\" is infinite.", "is blamed");
}

/* ---------------------------------------------------------------- log response */

/* A log model of p features with contribution `each` of x, 0 of the background. */
static ex_compiled *
equal_model(uint32_t p, double each, double intercept, double *x)
{
	ex_builder	builder;
	ex_column  *column = host->alloc(host, p * sizeof(ex_column));
	double	   *w = host->alloc(host, p * sizeof(double));
	double	   *zero = host->alloc(host, p * sizeof(double));
	ex_model   *model = NULL;

	ex_builder_init(&builder, host, EX_LINEAR);
	builder.n_outputs = 1;
	builder.link = EX_LINK_LOG;
	for (uint32_t f = 0; f < p; f++)
	{
		char		name[16];
		ex_feature	feature = {.name = name};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "f%u", f);
		ex_put_feature(&builder, &feature);
		column[f] = (ex_column) {.feature = f,.missing = NAN};
		w[f] = each;
		x[f] = 1;
		zero[f] = 0;
	}
	ex_default_output_names(&builder);
	ex_linear_put(&builder, &(ex_linear_design) {p, column, w, &intercept, NULL, NULL});
	ex_put_background(&builder, zero, 1, NULL);
	if (ex_build(&builder, &model) != EX_OK)
	{
		printf("Bail out! %s\n", host->error.message);
		exit(2);
	}
	return compile(model);
}

/* Equal players share equally: phi = (v(all) - v(none)) / p, for any number of them. */
static void
check_equal(uint32_t p, double each, double intercept)
{
	double	   *x = host->alloc(host, p * sizeof(double));
	double	   *phi = host->alloc(host, p * sizeof(double));
	ex_compiled *compiled = equal_model(p, each, intercept, x);
	ex_shap_call call = call_of(compiled->model, x, EX_RESPONSE);
	double		base = NAN;
	double		expected = (double) ((expl((long double) intercept + (long double) p * each) - expl(intercept)) / p);
	double		worst = 0;

	is_status(host, linear_method(compiled)->values(compiled, host, &call, phi, &base), EX_OK,
			  "%u equal players of %g, intercept %g", p, each, intercept);
	for (uint32_t f = 0; f < p; f++)
		worst = fmax(worst, fabs(phi[f] / expected - 1));
	ok(worst <= 1e-12, "share equally, to %.1e", worst);
	is_near(base, exp(intercept), 1e-15 * exp(intercept), "base");
}

static void
test_log_response(void)
{
	double	   *x = host->alloc(host, 3000 * sizeof(double));
	double	   *phi = host->alloc(host, 3000 * sizeof(double));
	double		base;
	ex_compiled *compiled;
	ex_shap_call call;

	check_equal(1, 0.5, 0);
	check_equal(2, -0.5, 1);
	check_equal(31, 0.2, -1);
	check_equal(128, 0.01, 3);
	check_equal(600, -0.01, 3);
	/* far beyond the range of exp on the way, not in the result */
	check_equal(50, 30, -1200);
	check_equal(300, -5, 600);

	compiled = equal_model(20, 50, 0, x);
	call = call_of(compiled->model, x, EX_RESPONSE);
	is_status(host, linear_method(compiled)->values(compiled, host, &call, phi, &base), EX_RANGE,
			  "values that float8 cannot hold");
	compiled = equal_model(2049, 0.001, 0, x);
	call = call_of(compiled->model, x, EX_RESPONSE);
	is_status(host, linear_method(compiled)->values(compiled, host, &call, phi, &base), EX_LIMIT, "too many features");
	is_status(host, linear_method(compiled)->check(compiled, host, EX_RESPONSE, &call.background), EX_LIMIT,
			  "which the check says beforehand");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_golden("linear", "identity", "shap.csv", "prediction.csv", "expected_value");
	test_golden("logistic", "logit", "shap_margin.csv", "prediction_margin.csv", "expected_value_margin");
	test_golden_probability();
	check_against_brute_force(rich_model("identity", true, 9, false), EX_RAW, "raw");
	check_against_brute_force(rich_model("logit", false, 9, true), EX_RAW, "raw, from statistics");
	check_against_brute_force(rich_model("identity", true, 1, true), EX_RESPONSE, "identity");
	check_against_brute_force(rich_model("log", true, 1, false), EX_RESPONSE, "log, one row");
	check_against_brute_force(rich_model("log", true, 12, true), EX_RESPONSE, "log");
	test_output_choice();
	test_sources();
	test_missing_value();
	test_log_response();
	ex_arena_free(&arena);
	return unit_done();
}
