/*
 * test_gradient_network.c
 *		Gradients of networks: autograd's, differences of predictions, noise, and
 *		the rules for ReLU units by hand.
 */
#include <float.h>

#include "golden_mlp.h"
#include "gradient.h"
#include "linear_test.h"

#define P 10

static golden_table
table(const char *folder, const char *name)
{
	char		path[256];

	snprintf(path, sizeof(path), "test/data/explanations/%s/%s.csv", folder, name);
	return plain_csv(path);
}

static ex_gradient_call
call_of(const ex_model *model, const double *x)
{
	ex_gradient_call call = {
		.x = x,
		.stat = ex_get(model, EX_BACKGROUND_STAT, NULL),
		.level_count = ex_get(model, EX_BACKGROUND_LEVEL, NULL),
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

static double
number(ex_compiled *compiled, const ex_gradient_call *call, const double *x)
{
	double		raw[8];

	predict(compiled, x, 1, raw);
	if (call->space == EX_RESPONSE)
		ex_response(compiled->model, raw, raw);
	return raw[call->output];
}

static double
difference(ex_compiled *compiled, const ex_gradient_call *call, uint32_t f, double h)
{
	double		x[16];
	double		high;

	memcpy(x, call->x, compiled->model->n_features * sizeof(double));
	x[f] = call->x[f] + h;
	high = number(compiled, call, x);
	x[f] = call->x[f] - h;
	return (high - number(compiled, call, x)) / (2 * h);
}

static void
test_golden(const char *folder)
{
	golden_table background = table(folder, "background");
	golden_table rows = table(folder, "rows");
	golden_table expected = table(folder, "gradient");
	ex_compiled *compiled = compile(golden_mlp(host, folder, &background));
	double		worst = 0;

	for (size_t i = 0; i < rows.rows; i++)
	{
		ex_gradient_call call = call_of(compiled->model, rows.value + i * P);
		double		value[P];

		gradient(compiled, &call, value);
		for (int f = 0; f < P; f++)
			worst = fmax(worst, fabs(value[f] - expected.value[i * P + f]));
	}
	ok(rows.rows == 50 && expected.rows == 50 && worst <= 1e-12, "%s: 50 rows (%g)", folder, worst);
}

/* Scaled columns, dummies, an indicator; two units of tanh; three classes. */
#define MIXED(link) \
	"{'family':'network','features':['a',{'name':'m','missing':'native'},{'name':'c','levels':['x','y','z']}," \
	"{'name':'f','kind':'boolean'}],'outputs':['p','q','r'],'link':'" link "','columns':[{'feature':'a','center':1,'scale':4}," \
	"{'feature':'m','missing':0.25},{'feature':'m','indicator':true},{'feature':'c','level':'y'}," \
	"{'feature':'c','level':'z'},{'feature':'f'}],'layers':[{'kind':'dense','units':2,'weights':" \
	"[[0.7,-0.4,0.3,1.1,-0.6,0.5],[-0.2,0.9,0.8,-0.3,0.4,-1]],'bias':[0.1,-0.2]},{'kind':'tanh'}," \
	"{'kind':'dense','units':3,'weights':[[1,-2],[0.5,0.5],[-1,0.3]],'bias':[0,0.1,0.2]}]}"

static void
test_mixed(const char *document, const char *link)
{
	ex_compiled *compiled = compile(model_of(document));
	double		x[] = {2.5, -0.5, 2, 0};

	for (int variant = 0; variant < 6; variant++)
	{
		ex_gradient_call call = call_of(compiled->model, x);
		double		other[4];
		double		value[4];

		call.output = variant % 3;
		call.space = variant < 3 ? EX_RAW : EX_RESPONSE;
		is_status(host, gradient(compiled, &call, value), EX_OK, "%s, output %u, space %d", link, call.output, call.space);
		for (uint32_t f = 0; f < 2; f++)
			is_near(value[f], difference(compiled, &call, f, 1e-5), 1e-9, "feature %u", f);
		memcpy(other, x, sizeof(x));
		other[2] = 0;
		is_near(value[2], number(compiled, &call, x) - number(compiled, &call, other), 1e-15, "level minus first level");
		other[2] = 2;
		other[3] = 1;
		is_near(value[3], number(compiled, &call, other) - number(compiled, &call, x), 1e-15, "true minus false");
	}
	x[1] = NAN;
	{
		ex_gradient_call call = call_of(compiled->model, x);
		double		value[4];

		is_status(host, gradient(compiled, &call, value), EX_OK, "a missing value");
		ok(isnan(value[1]) && !isnan(value[0]), "has no derivative");
	}
}

/* Samples go through many rows at once, the gradient through one. */
static void
test_smooth(const char *folder)
{
	golden_table background = table(folder, "background");
	golden_table rows = table(folder, "rows");
	ex_compiled *compiled = compile(golden_mlp(host, folder, &background));
	ex_gradient_call call = call_of(compiled->model, rows.value);
	double		plain[P];
	double		value[2][P];
	double		std_error[2][P];

	call.method = EX_GRADIENT_SMOOTH;
	for (int i = 0; i < 2; i++)
	{
		ex_gradient_result result = {.value = value[i],.std_error = std_error[i]};

		call.samples = i == 0 ? 400 : 40000;
		call.seed = i;
		is_status(host, ex_gradient(compiled, host, &call, &result), EX_OK, "%s: %d samples", folder, call.samples);
	}
	for (int f = 0; f < P; f++)
	{
		double		error = hypot(std_error[0][f], std_error[1][f]);

		is_near(value[0][f], value[1][f], 4.5 * error, "%s: feature %d converges", folder, f);
		is_near(std_error[1][f] / std_error[0][f], 0.1, 0.03, "as 1 / sqrt(n)");
	}
	call.method = EX_GRADIENT;
	gradient(compiled, &call, plain);
	call.method = EX_GRADIENT_SMOOTH;
	call.noise = 1e-9;
	call.samples = 3;
	gradient(compiled, &call, value[0]);
	are_near(value[0], plain, P, 1e-6, "%s: little noise", folder);
}

/*
 * h = relu(W x + b), y = v h, at x = (1, 2):
 *		unit 0: active, passes 2; unit 1: active, passes -3; unit 2: not
 *		active, 5 comes from above; unit 3: at its kink, 4 comes from above
 */
#define SMALL(more) \
	"{'family':'network','features':['x','y'" more "],'layers':[{'kind':'dense','units':4,'weights':" \
	"[[1,2],[3,-1],[-1,-2],[2,-1]],'bias':[0.5,0,1,0]},{'kind':'relu'}," \
	"{'kind':'dense','units':1,'weights':[[2,-3,5,4]],'bias':[0.25]}]}"

static void
test_rules(void)
{
	ex_compiled *compiled = compile(model_of(SMALL("")));
	ex_compiled *smooth = compile(model_of(MIXED("identity")));
	const double x[] = {1, 2, 0, 0};
	double		value[4];
	ex_gradient_call call = call_of(compiled->model, x);
	const double plain[] = {2 * 1 - 3 * 3, 2 * 2 - 3 * -1};
	const double guided[] = {2 * 1, 2 * 2};
	const double deconvnet[] = {2 * 1 + 5 * -1 + 4 * 2, 2 * 2 + 5 * -2 + 4 * -1};

	gradient(compiled, &call, value);
	are_near(value, plain, 2, 0, "gradient: 0 at the kink");
	call.method = EX_GRADIENT_GUIDED_BACKPROP;
	is_status(host, gradient(compiled, &call, value), EX_OK, "guided backpropagation");
	are_near(value, guided, 2, 0, "active units pass back what is positive");
	call.method = EX_GRADIENT_DECONVNET;
	is_status(host, gradient(compiled, &call, value), EX_OK, "deconvnet");
	are_near(value, deconvnet, 2, 0, "all units do");
	call.method = EX_GRADIENT_X_INPUT;
	gradient(compiled, &call, value);
	is_double(value[1], 2 * plain[1], "gradient times input");

	call.space = EX_RESPONSE;
	call.method = EX_GRADIENT_GUIDED_BACKPROP;
	is_status(host, gradient(compiled, &call, value), EX_UNSUPPORTED, "not in response space");
	is_text(host->error.message, "method \"guided_backprop\" explains raw predictions only", "message");
	call = call_of(smooth->model, x);
	call.method = EX_GRADIENT_DECONVNET;
	is_status(host, gradient(smooth, &call, value), EX_UNSUPPORTED, "nor without ReLU");
	is_text(host->error.message, "network has no ReLU units", "message");
	ok(host->error.hint[0] != '\0', "with a hint");
}

/* Against differences, a window wider than the network is straight. */
static void
test_windows(void)
{
	golden_table background = table("mlp_relu", "background");
	golden_table rows = table("mlp_relu", "rows");
	ex_compiled *compiled = compile(golden_mlp(host, "mlp_relu", &background));
	ex_gradient_call call = call_of(compiled->model, rows.value);
	double		value[P];
	double		step[P];
	ex_gradient_result result = {.value = value,.step = step};

	call.method = EX_GRADIENT_FINITE_DIFFERENCE;
	is_status(host, ex_gradient(compiled, host, &call, &result), EX_OK, "finite differences");
	for (uint32_t f = 0; f < P; f++)
		is_near(value[f], difference(compiled, &call, f, step[f] / 2), 1e-13, "feature %u", f);
}

static void
test_flat(void)
{
	ex_compiled *compiled = compile(model_of(
		"{'family':'network','features':['a','b'],'columns':[{'feature':'a'},{'feature':'b','bin':[0,1]}],"
		"'layers':[{'kind':'dense','units':1,'weights':[[1,2]],'bias':[0]}]}"));
	const double x[] = {1, 2};
	double		value[2];
	ex_gradient_call call = call_of(compiled->model, x);

	is_status(host, gradient(compiled, &call, value), EX_UNSUPPORTED, "a feature in bins");
	is_text(host->error.message, "derivative of feature \"b\" is zero almost everywhere", "message");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_golden("mlp_relu");
	test_golden("mlp_tanh");
	test_mixed(MIXED("identity"), "identity");
	test_mixed(MIXED("logit"), "logit");
	test_mixed(MIXED("softmax"), "softmax");
	test_smooth("mlp_tanh");
	test_smooth("mlp_relu");
	test_rules();
	test_windows();
	test_flat();
	ex_arena_free(&arena);
	return unit_done();
}
