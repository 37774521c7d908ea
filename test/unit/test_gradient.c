/*
 * test_gradient.c
 *		Gradients of linear models and trees: against golden data, differences of
 *		predictions and closed forms; noise against its theory; refusals.
 */
#include <float.h>

#include "gradient.h"
#include "kernel/random.h"
#include "linear_test.h"

/* Two outputs, every kind of feature and column. */
#define RICH(link, more) \
	"{'family':'linear','link':'" link "','features':['a',{'name':'m','missing':'native'}," \
	"{'name':'c','levels':['x','y','z'],'unknown':'other'},{'name':'f','kind':'boolean'},'unused','b']," \
	"'outputs':['p','q'],'intercept':[0.3,-1],'columns':[" \
	"{'feature':'a','coefficient':[0.7,-0.4]}," \
	"{'feature':'m','missing':0.25,'coefficient':[1.1,0.2]},{'feature':'m','indicator':true,'coefficient':[-0.6,0.9]}," \
	"{'feature':'c','level':'x','coefficient':[0.4,-1.2]},{'feature':'c','level':'z','coefficient':[-0.9,0.8]}," \
	"{'feature':'f','coefficient':[0.33,0.66]},{'feature':'b','coefficient':[-0.2,0.5]}" more "]}"

enum
{
	A, M, C, F, UNUSED, B, P
};

/* Rows of the background: y is the most frequent level. */
static const double rows[] = {
	1, 2, 1, 0, 5, -1,
	2, 0, 1, 1, 5, 3,
	-1, NAN, 0, 1, 5, 0.5,
	4, 1, 2, 0, 5, 2.5
};

static ex_gradient_call
call_of(const ex_model *model, const double *x)
{
	uint32_t	n;
	ex_gradient_call call = {
		.x = x,
		.stat = ex_get(model, EX_BACKGROUND_STAT, NULL),
		.level_count = ex_get(model, EX_BACKGROUND_LEVEL, &n),
		.samples = 50,
		.noise = 0.1,
		.window_sd = 1
	};

	return call;
}

static ex_status
gradient(ex_compiled *compiled, const ex_gradient_call *call, double *value)
{
	ex_gradient_result result = {.value = value};

	return ex_gradient(compiled, host, call, &result);
}

/* The explained number itself. */
static double
number(ex_compiled *compiled, const ex_gradient_call *call, const double *x)
{
	double		raw[8];

	predict(compiled, x, 1, raw);
	if (call->space == EX_RESPONSE)
		ex_response(compiled->model, raw, raw);
	return raw[call->output];
}

/* Central difference with one step of Richardson's extrapolation: error O(h^4). */
static double
slope(ex_compiled *compiled, const ex_gradient_call *call, uint32_t f)
{
	double		x[16];
	double		difference[2];

	memcpy(x, call->x, compiled->model->n_features * sizeof(double));
	for (int i = 0; i < 2; i++)
	{
		double		h = i == 0 ? 1e-2 : 5e-3;

		x[f] = call->x[f] + h;
		difference[i] = number(compiled, call, x);
		x[f] = call->x[f] - h;
		difference[i] = (difference[i] - number(compiled, call, x)) / (2 * h);
	}
	return (4 * difference[1] - difference[0]) / 3;
}

static ex_model *
golden_model(const char *folder, const char *link)
{
	char		path[128];
	char		document[2048];
	size_t		size;
	char	   *text;
	char	   *coefficient;

	snprintf(path, sizeof(path), "test/data/explanations/%s/model.json", folder);
	text = golden_file(host, path, &size);
	coefficient = strchr(strstr(text, "\"coef\""), '[');
	size = (size_t) snprintf(document, sizeof(document), "{'family':'linear','link':'%s','features':[", link);
	for (size_t i = 0; i <= golden_count(coefficient, strchr(coefficient, ']'), ','); i++)
		size += (size_t) snprintf(document + size, sizeof(document) - size, "%s'c%zu'", i > 0 ? "," : "", i);
	snprintf(document + size, sizeof(document) - size, "],'coefficients':%.*s,'intercept':%.17g}",
			 (int) (strchr(coefficient, ']') + 1 - coefficient), coefficient,
			 strtod(strchr(strstr(text, "\"intercept\""), ':') + 1, NULL));
	return model_of(document);
}

static void
test_golden(const char *folder, const char *link, const char *file, ex_space space)
{
	ex_compiled *compiled = compile(golden_model(folder, link));
	char		path[128];
	golden_table x;
	golden_table expected;
	double		worst = 0;

	snprintf(path, sizeof(path), "test/data/explanations/%s/rows.csv", folder);
	x = plain_csv(path);
	snprintf(path, sizeof(path), "test/data/explanations/%s/%s.csv", folder, file);
	expected = plain_csv(path);
	for (size_t i = 0; i < x.rows; i++)
	{
		ex_gradient_call call = call_of(compiled->model, x.value + i * x.columns);
		double		value[16];

		call.space = space;
		gradient(compiled, &call, value);
		for (size_t f = 0; f < x.columns; f++)
			worst = fmax(worst, fabs(value[f] - expected.value[i * x.columns + f]));
	}
	ok(x.rows == expected.rows && x.rows >= 40 && worst <= 1e-12, "%s: %zu golden rows (%g)", folder, x.rows, worst);
}

/* Every link in both spaces against differences of predictions. */
static void
test_differences(const char *document, const char *name)
{
	ex_compiled *compiled = compile(model_of(document));
	const double x[] = {0.7, -0.3, 2, 1, 5, 1.25};

	for (int variant = 0; variant < 4; variant++)
	{
		ex_gradient_call call = call_of(compiled->model, x);
		double		value[P];
		double		other[P];

		call.output = variant & 1;
		call.space = variant & 2 ? EX_RESPONSE : EX_RAW;
		is_status(host, gradient(compiled, &call, value), EX_OK, "%s", name);
		for (uint32_t f = 0; f < P; f++)
			if (f != C && f != F)
				is_near(value[f], slope(compiled, &call, f), 1e-9, "%s, output %u, space %d: feature %u",
						name, call.output, call.space, f);
		memcpy(other, x, sizeof(x));
		other[F] = 0;
		is_near(value[F], number(compiled, &call, x) - number(compiled, &call, other), 1e-15,
				"%s: boolean, true minus false", name);
		other[F] = 1;
		other[C] = 0;
		is_near(value[C], number(compiled, &call, x) - number(compiled, &call, other), 1e-15,
				"%s: level minus first level", name);
	}
}

static void
test_kinds(void)
{
	ex_model   *model = model_of(RICH("logit", ""));
	ex_compiled *plain = compile(model);
	ex_compiled *known = compile(with_rows(model, rows, 4, NULL));
	double		x[] = {0.7, -0.3, 2, 0, 5, 1.25};
	const double reference[] = {0, 0, 0, 0, 0, 0};
	const bool	missing[] = {false, false, false, true, false, true};
	double		value[P];
	double		level[P];
	ex_gradient_result result = {.value = value, .level = level};
	ex_gradient_call call = call_of(known->model, x);

	ex_gradient(known, host, &call, &result);
	is_double(level[C], 1, "most frequent level of the background");
	is_near(value[C], -0.9, 1e-15, "against a level without a coefficient");
	is_double(level[F], 0, "booleans are compared with false");
	is_near(value[F], 0.33, 1e-15, "true minus false where it is false");
	ok(isnan(level[A]), "numbers are compared with nothing");

	call.reference = reference;
	ex_gradient(known, host, &call, &result);
	is_double(level[C], 0, "level of the reference row");
	is_near(value[C], -1.3, 1e-15, "against it");
	x[C] = 0;
	ex_gradient(known, host, &call, &result);
	is_double(value[C], 0, "a level against itself");
	x[C] = -1;
	ex_gradient(known, host, &call, &result);
	is_near(value[C], -0.4, 1e-15, "an unlisted level");

	call = call_of(model, x);
	call.missing = missing;
	x[M] = NAN;
	ex_gradient(plain, host, &call, &result);
	ok(isnan(value[M]) && isnan(value[F]) && isnan(value[B]), "what is missing has no derivative");
	is_double(level[C], 0, "first level without background");
	is_double(value[UNUSED], 0, "a feature without columns");
	ok(isnan(level[F]), "what is missing is compared with nothing");

	x[M] = 2;
	x[C] = 2;
	call.missing = NULL;
	call.method = EX_GRADIENT_X_INPUT;
	ex_gradient(plain, host, &call, &result);
	is_near(value[A], 0.49, 1e-15, "gradient times input: a number");
	is_near(value[C], -1.3, 1e-15, "a level");
	is_double(value[F], 0, "false");
	x[F] = 1;
	ex_gradient(plain, host, &call, &result);
	is_near(value[F], 0.33, 1e-15, "true");
}

static void
test_smooth_linear(void)
{
	ex_compiled *compiled = compile(with_rows(model_of(RICH("logit", "")), rows, 4, NULL));
	const double x[] = {0.7, -0.3, 2, 0, 5, 1.25};
	double		plain[P];
	double		value[P];
	double		std_error[P];
	ex_gradient_result result = {.value = value, .std_error = std_error};
	ex_gradient_call call = call_of(compiled->model, x);

	gradient(compiled, &call, plain);
	call.method = EX_GRADIENT_SMOOTH;
	is_status(host, ex_gradient(compiled, host, &call, &result), EX_OK, "smooth");
	for (uint32_t f = 0; f < P; f++)
	{
		if (f == C || f == F)
			is_near(value[f], plain[f], 1e-15, "a difference in a linear model, feature %u", f);
		else
			is_double(value[f], plain[f], "smooth gradient of a linear model, feature %u", f);
		ok(std_error[f] <= (f == C || f == F ? 1e-15 : 0), "its standard error is 0");
	}
	call.method = EX_GRADIENT_SMOOTH_SQUARED;
	ex_gradient(compiled, host, &call, &result);
	is_double(value[A], plain[A] * plain[A], "squared");
	call.method = EX_GRADIENT_SMOOTH_VARIANCE;
	ex_gradient(compiled, host, &call, &result);
	is_double(value[A], 0, "variance");
	is_double(std_error[A], 0, "its standard error");
}

/*
 * exp(w x + b) under normal noise is lognormal: g = w exp(w x + b + w s e) has
 * the mean g0 exp(t / 2) with t = (w s)^2, the variance g0^2 (exp(2 t) -
 * exp(t)), and the square has the mean g0^2 exp(2 t).
 */
static void
test_smooth_theory(void)
{
	ex_compiled *compiled = compile(model_of(
											 "{'family':'linear','link':'log','features':['x','y'],'coefficients':[0.5,0],'intercept':0.25}"));
	const double x[] = {0.75, 1};
	const double sigma[] = {0.6, 0};
	const double g0 = 0.5 * exp(0.5 * 0.75 + 0.25);
	const double t = 0.3 * 0.3;
	const double theory[] = {g0 * exp(t / 2), g0 * g0 * exp(2 * t), g0 * g0 * (exp(2 * t) - exp(t))};
	double		value[2];
	double		std_error[2];
	double		again[2];
	ex_gradient_result result = {.value = value, .std_error = std_error};
	ex_gradient_call call = call_of(compiled->model, x);

	call.space = EX_RESPONSE;
	call.sigma = sigma;
	for (int i = 0; i < 3; i++)
	{
		const char *name = ex_gradient_method_names[EX_GRADIENT_SMOOTH + i];
		double		first;
		double		mean = 0;
		double		squares = 0;

		call.method = EX_GRADIENT_SMOOTH + i;
		call.samples = 100000;
		call.seed = 1;
		is_status(host, ex_gradient(compiled, host, &call, &result), EX_OK, "%s", name);
		is_near(value[0], theory[i], 4 * std_error[0], "%s of a lognormal slope", name);
		ok(std_error[0] < 0.02 * theory[i], "%s: standard error %g", name, std_error[0]);
		first = value[0];
		gradient(compiled, &call, again);
		is_same(again, value, sizeof(value), "%s: the same again", name);
		call.seed = 2;
		gradient(compiled, &call, again);
		ok(again[0] != first, "%s: another seed", name);

		/* is the standard error that of the answers of many seeds? */
		call.samples = 400;
		for (call.seed = 0; call.seed < 500; call.seed++)
		{
			ex_gradient(compiled, host, &call, &result);
			mean += value[0] / 500;
			squares += value[0] * value[0] / 500;
			again[0] = call.seed == 0 ? std_error[0] : again[0] + std_error[0];
		}
		is_near(sqrt(squares - mean * mean) / (again[0] / 500), 1, 0.15, "%s: spread over seeds", name);
	}
}

static void
test_smooth_degenerate(void)
{
	ex_compiled *compiled = compile(with_rows(model_of(RICH("logit", "")), rows, 4, NULL));
	const double x[] = {0.7, -0.3, 2, 0, 5, 1.25};
	const double none[P] = {0};
	double		plain[P];
	double		value[P];
	double		std_error[P];
	ex_gradient_result result = {.value = value, .std_error = std_error};
	ex_gradient_call call = call_of(compiled->model, x);

	call.space = EX_RESPONSE;
	gradient(compiled, &call, plain);
	call.method = EX_GRADIENT_SMOOTH;
	call.samples = 1;
	call.stat = NULL;
	is_status(host, ex_gradient(compiled, host, &call, &result), EX_OK, "one sample");
	is_same(value, plain, sizeof(plain), "is the gradient");
	call.samples = 20;
	call.noise = 0;
	is_status(host, ex_gradient(compiled, host, &call, &result), EX_OK, "no noise");
	is_same(value, plain, sizeof(plain), "is the gradient");
	call.noise = 1;
	call.sigma = none;
	is_status(host, ex_gradient(compiled, host, &call, &result), EX_OK, "no sigma");
	is_same(value, plain, sizeof(plain), "is the gradient");
	is_double(std_error[A], 0, "without standard error");
	call.method = EX_GRADIENT_SMOOTH_SQUARED;
	gradient(compiled, &call, value);
	is_double(value[A], plain[A] * plain[A], "its square");
	call.method = EX_GRADIENT_SMOOTH_VARIANCE;
	gradient(compiled, &call, value);
	is_double(value[A], 0, "no variance");

	/* two samples by hand: streams 0 and 1, numbers of numeric features in order */
	call = call_of(compiled->model, x);
	call.space = EX_RESPONSE;
	call.method = EX_GRADIENT_SMOOTH;
	call.samples = 2;
	{
		ex_random	random;
		double		sum = 0;

		ex_random_init(&random, 0, compiled->model->digest, "smooth");
		for (int s = 0; s < 2; s++)
		{
			double		noisy[P];
			ex_gradient_call at = call;

			memcpy(noisy, x, sizeof(x));
			ex_random_stream(&random, s);
			for (int f = 0; f < P; f++)
				if (f != C && f != F)
					noisy[f] += 0.1 * call.stat[f * EX_N_STATS + EX_STAT_SD] * ex_random_normal(&random);
			at.x = noisy;
			at.method = EX_GRADIENT;
			gradient(compiled, &at, plain);
			sum += plain[A];
		}
		gradient(compiled, &call, value);
		is_near(value[A], sum / 2, 1e-16, "two samples");
		is_double(call.stat[UNUSED * EX_N_STATS + EX_STAT_SD], 0, "a constant feature");
		ok(isfinite(value[UNUSED]), "is not perturbed");
	}
}

static void
test_windows(void)
{
	ex_compiled *linear = compile(with_rows(model_of(RICH("identity", ",{'feature':'b','bin':[1,2],'coefficient':[3,3]}")),
											rows, 4, NULL));
	ex_compiled *tree = compile(with_rows(model_of(
												   "{'family':'tree','features':['a',{'name':'c','levels':['x','y']}],'trees':[{"
												   "'feature':['a',null,'c',null,null],'threshold':[1,null,null,null,null],'levels':[null,null,['x'],null,null],"
												   "'left_child':[1,null,3,null,null],'right_child':[2,null,4,null,null],'value':[null,2,null,5,7]}]}"),
										  (const double[]) {0, 0, 4, 1, 2, 1}, 3, NULL));
	const double x[] = {0.7, -0.3, 2, 1, 5, 1.25};
	const double at[] = {1.5, 0};
	double		value[P];
	double		step[P];
	ex_gradient_result result = {.value = value, .step = step};
	ex_gradient_call call = call_of(linear->model, x);

	call.method = EX_GRADIENT_FINITE_DIFFERENCE;
	is_status(host, ex_gradient(linear, host, &call, &result), EX_OK, "windows of a linear model");
	is_near(value[A], 0.7, 1e-14, "its coefficient");
	is_near(step[A], call.stat[A * EX_N_STATS + EX_STAT_SD], 1e-15, "one standard deviation wide");
	is_near(value[F], 0.33, 1e-15, "booleans as always");
	ok(isnan(value[UNUSED]) && isnan(step[UNUSED]), "no window without spread");
	/* sd of b is 1.887: -0.2 throughout, the bin (1, 2] at neither end */
	is_near(value[B], -0.2, 1e-14, "across a bin");
	call.window_sd = 0.5;
	ex_gradient(linear, host, &call, &result);
	is_near(step[A], call.stat[A * EX_N_STATS + EX_STAT_SD] / 2, 1e-15, "half of it");
	is_near(value[B], -0.2 + 3 / step[B], 1e-13, "one end in the bin");

	call = call_of(tree->model, at);
	call.method = EX_GRADIENT_FINITE_DIFFERENCE;
	is_status(host, ex_gradient(tree, host, &call, &result), EX_OK, "windows of a tree");
	is_near(step[0], 2, 1e-15, "one standard deviation");
	is_near(value[0], (5 - 2) / 2.0, 1e-15, "rises by 3 within 2");
	is_near(value[1], 5 - 7, 1e-15, "level x against y, the more frequent one");
}

static void
refused(ex_compiled *compiled, const ex_gradient_call *call, ex_status status, const char *message)
{
	double		value[P];

	is_status(host, gradient(compiled, call, value), status, "refused: %s", message);
	is_text(host->error.message, message, "message");
}

#define REFUSED(field, bad, status, message) \
	do { \
		ex_gradient_call bad_call = call; \
		bad_call.field = bad; \
		refused(compiled, &bad_call, status, message); \
	} while (0)

static void
test_options(void)
{
	ex_compiled *compiled = compile(with_rows(model_of(RICH("logit", "")), rows, 4, NULL));
	double		x[] = {0.7, -0.3, 2, 1, 5, 1.25};
	const double negative[] = {0, 0, 0, -1, 0, 0};
	const double nan[] = {0, NAN, 0, 0, 0, 0};
	ex_gradient_call call = call_of(compiled->model, x);

	REFUSED(samples, 0, EX_INVALID, "samples must be at least 1, not 0");
	REFUSED(samples, INT32_MIN, EX_INVALID, "samples must be at least 1, not -2147483648");
	REFUSED(samples, EX_MAX_SAMPLES + 1, EX_LIMIT, "samples must not exceed 10000000");
	REFUSED(noise, -0.5, EX_INVALID, "noise must be a finite number not below 0, not -0.5");
	REFUSED(noise, NAN, EX_INVALID, "noise must be a finite number not below 0, not nan");
	REFUSED(noise, INFINITY, EX_INVALID, "noise must be a finite number not below 0, not inf");
	REFUSED(sigma, negative, EX_INVALID, "sigma 4 must be a finite number not below 0, not -1");
	REFUSED(sigma, nan, EX_INVALID, "sigma 2 must be a finite number not below 0, not nan");
	REFUSED(window_sd, 0, EX_INVALID, "window_sd must be between 1e-06 and 1e+06, not 0");
	REFUSED(window_sd, 5e-324, EX_INVALID, "window_sd must be between 1e-06 and 1e+06, not 4.94066e-324");
	REFUSED(window_sd, 1e300, EX_INVALID, "window_sd must be between 1e-06 and 1e+06, not 1e+300");
	REFUSED(window_sd, NAN, EX_INVALID, "window_sd must be between 1e-06 and 1e+06, not nan");
	REFUSED(method, EX_GRADIENT_GUIDED_BACKPROP, EX_UNSUPPORTED, "method \"guided_backprop\" is for networks with ReLU units");
	REFUSED(method, EX_GRADIENT_DECONVNET, EX_UNSUPPORTED, "method \"deconvnet\" is for networks with ReLU units");
	call.method = EX_GRADIENT_SMOOTH_VARIANCE;
	REFUSED(samples, 1, EX_INVALID, "method \"smooth_variance\" needs at least 2 samples");
	call.method = EX_GRADIENT_SMOOTH;
	REFUSED(stat, NULL, EX_INVALID, "model has no background to take standard deviations from");
	call.method = EX_GRADIENT_FINITE_DIFFERENCE;
	REFUSED(stat, NULL, EX_INVALID, "model has no background to take standard deviations from");
	x[A] = 1e30;
	REFUSED(window_sd, 1, EX_INVALID, "window of feature \"a\" is too narrow");
	x[A] = INFINITY;
	REFUSED(method, EX_GRADIENT, EX_RANGE, "feature \"a\" is infinite");
}

static void
test_models(void)
{
	ex_compiled *bins = compile(model_of(RICH("logit", ",{'feature':'unused','bin':[1,2],'coefficient':[3,3]}")));
	ex_compiled *both = compile(model_of(RICH("logit", ",{'feature':'b','bin':[1,2],'coefficient':[3,3]}")));
	ex_compiled *step = compile(model_of(RICH("step", "")));
	ex_compiled *log = compile(model_of("{'family':'linear','link':'log','features':['x','y'],'coefficients':[1,0]}"));
	ex_compiled *tree = compile(model_of(
										 "{'family':'tree','features':['a'],'trees':[{'feature':['a',null,null],'threshold':[1,null,null],"
										 "'left_child':[1,null,null],'right_child':[2,null,null],'value':[null,2,3]}]}"));
	const double x[] = {0.7, -0.3, 2, 1, 1.5, 1.25};
	const double large[] = {709.9, 1};
	const double larger[] = {1e300, 1};
	double		value[P];
	ex_gradient_call call = call_of(bins->model, x);

	refused(bins, &call, EX_UNSUPPORTED, "derivative of feature \"unused\" is zero almost everywhere");
	is_status(host, gradient(both, &call, value), EX_OK, "bins beside the value");
	is_near(value[B], -0.2, 1e-15, "slope of the value");
	is_status(host, gradient(step, &call, value), EX_OK, "step, raw");
	call.space = EX_RESPONSE;
	refused(step, &call, EX_UNSUPPORTED, "link \"step\" has no derivative");
	call.x = large;
	refused(log, &call, EX_RANGE, "derivative of feature \"x\" is out of range");
	call.x = larger;
	refused(log, &call, EX_RANGE, "derivative of feature \"x\" is out of range");
	call.space = EX_RAW;
	refused(tree, &call, EX_UNSUPPORTED, "derivatives of a model of family \"tree\" are zero almost everywhere");
	is_text(host->error.hint, "Use method => 'finite_difference', or explain the row with explain.shap_values.", "hint");
}

static void
test_methods(void)
{
	ex_gradient_method method;

	for (int i = 0; i < EX_N_GRADIENT_METHODS; i++)
	{
		const char *name = ex_gradient_method_names[i];

		ok(ex_find_gradient_method(host, name, strlen(name), &method) == EX_OK && method == (ex_gradient_method) i,
		   "method %s", name);
	}
	is_status(host, ex_find_gradient_method(host, "smoothie", 8, &method), EX_INVALID, "unknown method");
	is_text(host->error.hint, "Valid methods are gradient, gradient_x_input, smooth, smooth_squared, smooth_variance, "
			"finite_difference, guided_backprop, deconvnet.", "lists the methods");
}

static void
test_total(void)
{
	ex_compiled *compiled = compile(with_rows(model_of(RICH("identity", "")), rows, 4, NULL));
	const double x[] = {0.7, NAN, 2, 1, 1.5, 1.25};
	const double *sd = (const double *) ex_get(compiled->model, EX_BACKGROUND_STAT, NULL) + EX_STAT_SD;
	ex_total_derivative total;
	double		value[P];
	ex_gradient_call call = call_of(compiled->model, x);

	gradient(compiled, &call, value);
	is_status(host, ex_sum_derivatives(host, compiled->model, call.stat, value, &total), EX_OK, "total derivative");
	is_near(total.total, 0.7 - 0.2, 1e-15, "sum over numeric features that are there");
	is_near(total.standardised, 0.7 * sd[A * EX_N_STATS] - 0.2 * sd[B * EX_N_STATS], 1e-15, "in standard deviations");
	is_int(total.n, 3, "features in the sum");
	ex_sum_derivatives(host, compiled->model, NULL, value, &total);
	ok(isnan(total.standardised), "not without statistics");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_golden("linear", "identity", "gradient", EX_RAW);
	test_golden("logistic", "logit", "gradient_probability", EX_RESPONSE);
	test_differences(RICH("identity", ""), "identity");
	test_differences(RICH("logit", ""), "logit");
	test_differences(RICH("log", ""), "log");
	test_differences(RICH("probit", ""), "probit");
	test_differences(RICH("cloglog", ""), "cloglog");
	test_differences(RICH("softmax", ""), "softmax");
	test_differences(RICH("ovr", ""), "ovr");
	test_kinds();
	test_smooth_linear();
	test_smooth_theory();
	test_smooth_degenerate();
	test_windows();
	test_options();
	test_models();
	test_methods();
	test_total();
	ex_arena_free(&arena);
	return unit_done();
}
