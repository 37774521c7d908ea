/*
 * test_occlusion.c
 *		Occlusion of features, groups and windows, against predictions made one
 *		by one.
 */
#include "linear_test.h"
#include "occlusion.h"

#define MAX_P 64

static ex_shap_call
call_of(const double *x, uint32_t outputs, ex_space space, const double *row, uint32_t n, const double *weight)
{
	ex_shap_call call = {.x = x, .outputs = {0, outputs}, .space = space};

	call.background.row = row;
	call.background.n = n;
	call.background.weight = weight;
	return call;
}

static double
prediction_of(ex_compiled *compiled, const double *x, ex_space space, uint32_t k)
{
	double		raw[8];

	predict(compiled, x, 1, raw);
	if (space == EX_RESPONSE)
		ex_response(compiled->model, raw, raw);
	return raw[k];
}

/* ---------------------------------------------------- features and groups */

#define TREE \
	"{'family':'tree','link':'logit','features':['a','b','c'],'trees':[" \
	"{'feature':['a','b','c',null,null,null,null],'threshold':[0.2,0.5,-0.5,null,null,null,null]," \
	"'left_child':[1,3,5,null,null,null,null],'right_child':[2,4,6,null,null,null,null]," \
	"'value':[null,null,null,1.5,-0.5,0.25,2]}]}"

/* f(x) - mean of f(x with the features of one part from the rows) */
static double
naive_part(ex_compiled *compiled, const ex_shap_call *call, const ex_feature_groups *groups,
		   uint32_t part, uint32_t k)
{
	uint32_t	p = compiled->model->n_features;
	double		sum = 0;
	double		total = 0;

	for (uint32_t b = 0; b < call->background.n; b++)
	{
		double		weight = call->background.weight != NULL ? call->background.weight[b] : 1;
		double		row[MAX_P];

		for (uint32_t f = 0; f < p; f++)
			row[f] = groups->part[f] == part ? call->background.row[b * p + f] : call->x[f];
		sum += weight * prediction_of(compiled, row, call->space, k);
		total += weight;
	}
	return prediction_of(compiled, call->x, call->space, k) - sum / total;
}

static void
compare_parts(ex_compiled *compiled, const ex_shap_call *call, const ex_feature_groups *groups, const char *what)
{
	ex_group_parts parts = {groups, compiled->model->n_features};
	double		value[8 * MAX_P];

	is_status(host, ex_occlude(compiled, host, call, groups->n, ex_keep_other_groups, &parts, value), EX_OK,
			  "%s: runs", what);
	for (uint32_t k = 0; k < call->outputs.count; k++)
		for (uint32_t i = 0; i < groups->n; i++)
			is_near(value[k * groups->n + i], naive_part(compiled, call, groups, i, call->outputs.first + k), 1e-15,
					"%s: output %u, part %u", what, k, i);
}

static ex_status
read_groups(const ex_model *model, const char *text, ex_feature_groups *groups)
{
	char		json[256];
	size_t		n = strlen(text);

	for (size_t i = 0; i <= n; i++)
		json[i] = text[i] == '\'' ? '"' : text[i];
	return ex_read_groups(host, model, json, n, groups);
}

static void
test_parts(void)
{
	static const double row[] = {0, 1, 0, -1, 0.25, 3, 0.5, 0.5, -2};
	static const double weight[] = {1, 4, 2};
	static const double x[] = {0.5, 0.25, -3};
	ex_model   *tree = model_of(TREE);
	ex_model   *softmax = model_of("{'family':'linear','features':['a','b','c'],'outputs':['x','y','z'],'link':'softmax',"
								   "'intercept':[0,1,2],'coefficients':{'x':{'a':1,'c':1},'y':{'b':1},'z':{'a':-1}}}");
	ex_compiled *compiled[] = {compile(tree), compile(softmax)};
	ex_feature_groups alone;
	ex_feature_groups grouped;

	ex_no_groups(host, tree, &alone);
	is_status(host, read_groups(tree, "{'both':['c','a']}", &grouped), EX_OK, "groups are read");
	is_int(grouped.n, 2, "two parts");
	is_text(grouped.name[0], "both", "the group comes first");
	is_int(grouped.size[0], 2, "with two features");
	is_int(grouped.first[0], 0, "the first of them");
	ok(grouped.name[1] == NULL && grouped.first[1] == 1, "then the feature that is in none");
	for (int i = 0; i < 2; i++)
		for (int space = EX_RAW; space <= EX_RESPONSE; space++)
		{
			ex_shap_call one = call_of(x, compiled[i]->model->n_outputs, space, row, 1, NULL);
			ex_shap_call all = call_of(x, compiled[i]->model->n_outputs, space, row, 3, weight);

			compare_parts(compiled[i], &one, &alone, "one row");
			compare_parts(compiled[i], &all, &alone, "background");
			compare_parts(compiled[i], &one, &grouped, "one row, groups");
			compare_parts(compiled[i], &all, &grouped, "background, groups");
		}
}

/* A linear model loses coefficient times difference; nothing where there is none. */
static void
test_linear(void)
{
	ex_model   *model = model_of("{'family':'linear','features':['a','b','c'],'intercept':1,"
								 "'coefficients':{'a':2,'b':-1,'c':0.1}}");
	ex_compiled *compiled = compile(model);
	double		x[] = {3, 1, 0.3};
	double		row[] = {1, 1, 0.3};
	ex_feature_groups alone;
	ex_group_parts parts = {&alone, 3};
	double		value[3];
	ex_shap_call call = call_of(x, 1, EX_RAW, row, 1, NULL);

	ex_no_groups(host, model, &alone);
	ex_occlude(compiled, host, &call, 3, ex_keep_other_groups, &parts, value);
	is_near(value[0], 4, 1e-15, "coefficient times difference");
	is_double(value[1], 0, "the baseline's own value");
	is_double(value[2], 0, "and another one");
	x[0] = 1e308;
	row[0] = -1e308;
	is_status(host, ex_occlude(compiled, host, &call, 3, ex_keep_other_groups, &parts, value), EX_RANGE, "out of range");
}

static void
refuses(const ex_model *model, const char *text, ex_status status, const char *message)
{
	ex_feature_groups groups;

	is_status(host, read_groups(model, text, &groups), status, "%s is refused", text);
	is_text(host->error.message, message, "and says why");
}

static void
test_bad_groups(void)
{
	ex_model   *model = model_of(TREE);
	ex_feature_groups groups;

	refuses(model, "{'g':['a','z']}", EX_INVALID, "group \"g\" has the unknown feature \"z\"");
	refuses(model, "{'g':['a','a']}", EX_INVALID, "group \"g\" has the feature \"a\" twice");
	refuses(model, "{'g':['a'],'h':['b','a']}", EX_INVALID, "feature \"a\" is in two groups, \"g\" and \"h\"");
	refuses(model, "{'g':[]}", EX_INVALID, "group \"g\" is empty");
	refuses(model, "{'g':'a'}", EX_INVALID, "group \"g\" must be an array of names of features");
	refuses(model, "{'g':[1]}", EX_INVALID, "group \"g\" must be an array of names of features");
	refuses(model, "{'g':[null]}", EX_INVALID, "group \"g\" must be an array of names of features");
	refuses(model, "['a']", EX_INVALID, "groups must be an object");
	refuses(model, "{'a':['a'],'b':['b'],'c':['c'],'d':[],'e':[]}", EX_INVALID, "group \"d\" is empty");
	is_status(host, read_groups(model, "{}", &groups), EX_OK, "no group at all");
	is_int(groups.n, 3, "leaves every feature on its own");
	is_status(host, read_groups(model, "{'g':['a','b','c']}", &groups), EX_OK, "one group of all");
	is_int(groups.n, 1, "is one part");
}

/* ------------------------------------------------------------------ windows */

#define CHANNELS 2
#define HEIGHT 4
#define WIDTH 5
#define PIXELS (CHANNELS * HEIGHT * WIDTH)

/* ceil((N - w) / s) + 1, as the formula says it */
static uint32_t
formula(uint32_t n, uint32_t size, uint32_t stride)
{
	if (size > n)
		size = n;
	return (uint32_t) ceil((double) (n - size) / stride) + 1;
}

/*
 * Mean over the windows that cover a pixel of f(x) - f(x with the window put
 * out): straight from the definition, window after window.
 */
static void
naive_windows(ex_compiled *compiled, const double *x, const double *baseline, const ex_windows *w, double *pixel)
{
	double		sum[PIXELS] = {0};
	int			covers[PIXELS] = {0};
	uint32_t	rows = formula(HEIGHT, w->height, w->stride_height);
	uint32_t	columns = formula(WIDTH, w->width, w->stride_width);

	for (uint32_t plane = 0; plane < (w->per_channel ? CHANNELS : 1); plane++)
		for (uint32_t r = 0; r < rows; r++)
			for (uint32_t c = 0; c < columns; c++)
			{
				double		row[PIXELS];
				bool		inside[PIXELS];
				double		lost;

				for (uint32_t i = 0; i < PIXELS; i++)
				{
					uint32_t	channel = i / (HEIGHT * WIDTH);
					uint32_t	at_y = i / WIDTH % HEIGHT;
					uint32_t	at_x = i % WIDTH;

					inside[i] = (!w->per_channel || channel == plane) &&
						at_y >= r * w->stride_height && at_y < r * w->stride_height + w->height &&
						at_x >= c * w->stride_width && at_x < c * w->stride_width + w->width;
					row[i] = inside[i] ? baseline[i] : x[i];
				}
				lost = prediction_of(compiled, x, EX_RESPONSE, 0) - prediction_of(compiled, row, EX_RESPONSE, 0);
				for (uint32_t i = 0; i < PIXELS; i++)
				{
					sum[i] += inside[i] ? lost : 0;
					covers[i] += inside[i];
				}
			}
	for (uint32_t i = 0; i < PIXELS; i++)
		pixel[i] = covers[i] > 0 ? sum[i] / covers[i] : NAN;
}

static void
test_window(ex_compiled *compiled, const double *x, ex_windows windows)
{
	static const double zero[PIXELS] = {0};
	ex_shap_call call = call_of(x, 1, EX_RESPONSE, zero, 1, NULL);
	ex_windows	asked = windows;
	double		value[PIXELS];
	double		pixel[PIXELS];
	double		expected[PIXELS];
	uint32_t	n = ex_windows_init(&windows);
	uint32_t	wrong = 0;

	is_int(n, (windows.per_channel ? CHANNELS : 1) * formula(HEIGHT, asked.height, asked.stride_height) *
		   formula(WIDTH, asked.width, asked.stride_width), "%ux%u every %ux%u: windows", asked.height, asked.width,
		   asked.stride_height, asked.stride_width);
	ex_occlude(compiled, host, &call, n, ex_keep_outside, &windows, value);
	ex_windows_to_pixels(host, &windows, value, pixel);
	naive_windows(compiled, x, zero, &asked, expected);
	for (uint32_t i = 0; i < PIXELS; i++)
		wrong += isnan(expected[i]) ? !isnan(pixel[i]) : !(fabs(pixel[i] - expected[i]) <= 1e-15);
	is_int(wrong, 0, "every pixel");
}

/* Sizes and strides that would overflow if they were added up in 32 bits. */
static void
test_huge_window(ex_compiled *compiled, const double *x)
{
	ex_windows	windows = {.image = {CHANNELS, HEIGHT, WIDTH}, .height = UINT32_MAX};

	windows.width = 2;
	windows.stride_height = windows.stride_width = UINT32_MAX;
	test_window(compiled, x, windows);
}

static void
test_windows(void)
{
	char		document[4096];
	size_t		used = (size_t) snprintf(document, sizeof(document), "{'family':'linear','link':'logit','features':[");
	double		x[PIXELS];
	ex_compiled *compiled;

	for (int i = 0; i < PIXELS; i++)
		used += (size_t) snprintf(document + used, sizeof(document) - used, "%s'p%d'", i > 0 ? "," : "", i);
	used += (size_t) snprintf(document + used, sizeof(document) - used, "],'intercept':0.5,'coefficients':[");
	for (int i = 0; i < PIXELS; i++)
	{
		used += (size_t) snprintf(document + used, sizeof(document) - used, "%s%.17g", i > 0 ? "," : "", random_unit() - 0.5);
		x[i] = i % 7 == 0 ? 0 : random_unit();
	}
	snprintf(document + used, sizeof(document) - used, "]}");
	compiled = compile(model_of(document));
	for (uint32_t size = 1; size <= 6; size++)
		for (uint32_t stride = 1; stride <= 6; stride++)
		{
			ex_windows	windows = {.image = {CHANNELS, HEIGHT, WIDTH}, .height = size};

			windows.width = 1 + (size + stride) % 5;
			windows.stride_height = stride;
			windows.stride_width = 1 + stride % 3;
			test_window(compiled, x, windows);
			windows.per_channel = true;
			test_window(compiled, x, windows);
		}
	test_huge_window(compiled, x);
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_parts();
	test_linear();
	test_bad_groups();
	test_windows();
	ex_arena_free(&arena);
	return unit_done();
}
