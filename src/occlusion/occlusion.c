/*
 * occlusion.c
 *		occlusion(model, input) and occlusion_array(model, input).
 */
#include "baseline.h"

#include <math.h>

#include "kernel/occlusion.h"
#include "predict/predict.h"
#include "rows/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

/* Argument numbers; -1 where a function lacks one. */
typedef struct OcclusionArgs
{
	int			output;
	int			space;
	int			baseline;
	int			groups;
	int			window;			/* height, width, stride height and width, per
								 * channel */
	int			reference;
} OcclusionArgs;

/* What is put out, and what takes its place. */
typedef struct OcclusionPlan
{
	ex_shap_call call;
	bool		windowed;
	ex_windows	windows;
	bool		grouped;		/* groups were given */
	ex_feature_groups groups;	/* without windows: every feature is in a part */
} OcclusionPlan;

/*
 * Arguments
 */

/* A size or stride: null if it was left out. */
static bool
size_arg(FunctionCallInfo fcinfo, int argno, const char *name, uint32 *size)
{
	if (PG_ARGISNULL(argno))
		return false;
	if (PG_GETARG_INT32(argno) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be at least 1, not %d", name, PG_GETARG_INT32(argno))));
	*size = (uint32) PG_GETARG_INT32(argno);
	return true;
}

static void
plan_image(const ex_model *model, ex_windows *windows)
{
	const uint32 *shape = ex_get(model, EX_IMAGE_SHAPE, NULL);

	if (shape == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("windows need a model of images"),
				 errhint("Put out features together with groups => '{\"group\": [\"feature\", ...]}'.")));
	windows->image = (ex_shape) {shape[0], shape[1], shape[2]};
}

/*
 * Windows, if a height or a width was given: the other one is the same, and
 * windows move by one pixel, unless the arguments say otherwise.
 */
static void
plan_windows(CallSite *site, FunctionCallInfo fcinfo, int argno, OcclusionPlan *plan)
{
	ex_windows *windows = &plan->windows;
	bool		high = size_arg(fcinfo, argno, "window_height", &windows->height);
	bool		wide = size_arg(fcinfo, argno + 1, "window_width", &windows->width);

	windows->stride_height = windows->stride_width = 1;
	plan->windowed = high || wide;
	if (!plan->windowed && !(PG_ARGISNULL(argno + 2) && PG_ARGISNULL(argno + 3)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("strides need a window"),
				 errhint("Give its size with window_height and window_width.")));
	if (!plan->windowed)
		return;
	if (!high)
		windows->height = windows->width;
	if (!wide)
		windows->width = windows->height;
	size_arg(fcinfo, argno + 2, "stride_height", &windows->stride_height);
	size_arg(fcinfo, argno + 3, "stride_width", &windows->stride_width);
	windows->per_channel = !PG_ARGISNULL(argno + 4) && PG_GETARG_BOOL(argno + 4);
	plan_image(site->entry->model, windows);
	ex_windows_init(windows);
}

static void
plan_groups(CallSite *site, FunctionCallInfo fcinfo, int argno, OcclusionPlan *plan)
{
	const ex_model *model = site->entry->model;
	Jsonb	   *document;
	char	   *text;
	char	   *utf8;

	if (argno < 0 || PG_ARGISNULL(argno))
	{
		if (!plan->windowed)
			EX_PG(site->host, ex_no_groups(site->host, model, &plan->groups));
		return;
	}
	if (plan->windowed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("groups and windows exclude each other")));
	plan->grouped = true;
	document = PG_GETARG_JSONB_P(argno);
	text = JsonbToCString(NULL, &document->root, VARSIZE(document));
	utf8 = host_pg_to_utf8(text, (int) strlen(text));
	EX_PG(site->host, ex_read_groups(site->host, model, utf8, strlen(utf8), &plan->groups));
}

/* The row, or rows, whose values take the place of what is put out. */
static void
plan_baseline(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, const OcclusionArgs *args,
			  ex_background *background)
{
	ex_baseline baseline;
	double	   *row;

	if (baseline_is_background(site, fcinfo, args->baseline, args->reference))
	{
		*background = site->entry->background;
		return;
	}
	row = call_site_doubles(site, site->entry->model->n_features);
	baseline_arg(site, fcinfo, kind, args->baseline, args->reference, &baseline);
	EX_PG(site->host, ex_baseline_row(site->host, site->entry->model, &baseline, row));
	background->row = row;
	background->n = 1;
}

static void
plan_occlusion(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, const OcclusionArgs *args,
			   OcclusionPlan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->call.x = site->row->x;
	plan->call.outputs = call_site_outputs(site, fcinfo, args->output);
	plan->call.space = call_site_space(site, fcinfo, args->space);
	plan_windows(site, fcinfo, args->window, plan);
	plan_groups(site, fcinfo, args->groups, plan);
	plan_baseline(site, fcinfo, kind, args, &plan->call.background);
}

/*
 * Running
 */

/* value[outputs * p] */
static double *
run_windows(CallSite *site, OcclusionPlan *plan)
{
	ex_compiled *compiled = site->entry->compiled;
	uint64		p = site->entry->model->n_features;
	uint32		count = plan->call.outputs.count;
	uint32		n = ex_windows_init(&plan->windows);
	double	   *window = call_site_doubles(site, (uint64) count * n);
	double	   *pixel = call_site_doubles(site, count * p);

	EX_PG(site->host, ex_occlude(compiled, site->host, &plan->call, n, ex_keep_outside,
								 &plan->windows, window));
	for (uint32 k = 0; k < count; k++)
		EX_PG(site->host, ex_windows_to_pixels(site->host, &plan->windows, window + (uint64) k * n,
											   pixel + k * p));
	return pixel;
}

/* value[outputs * parts] */
static double *
run_groups(CallSite *site, const OcclusionPlan *plan)
{
	ex_group_parts parts = {&plan->groups, site->entry->model->n_features};
	double	   *value = call_site_doubles(site, (uint64) plan->call.outputs.count * plan->groups.n);

	EX_PG(site->host, ex_occlude(site->entry->compiled, site->host, &plan->call, plan->groups.n,
								 ex_keep_other_groups, &parts, value));
	return value;
}

/*
 * occlusion(model, input, output, space, baseline, groups, window_height,
 * window_width, stride_height, stride_width, per_channel, top_k, direction,
 * rest, reference)
 */
static Datum
occlusion(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const OcclusionArgs args = {
		.output = 2, .space = 3, .baseline = 4, .groups = 5, .window = 6, .reference = 14
	};
	RowWriter	writer;
	RowSelection selection;
	CallSite   *site;
	OcclusionPlan plan;
	Prediction	both;
	uint64		width;
	double	   *value;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	row_selection_args(fcinfo, 11, 12, 13, &selection);
	site = call_site_input(fcinfo, source, kind);
	plan_occlusion(site, fcinfo, kind, &args, &plan);
	value = plan.windowed ? run_windows(site, &plan) : run_groups(site, &plan);
	width = plan.windowed ? site->entry->model->n_features : plan.groups.n;
	both = predict_row(site);
	for (uint32 i = 0; i < plan.call.outputs.count; i++)
	{
		Attribution a = {
			.entry = site->entry,
			.row = site->row,
			.groups = plan.grouped ? &plan.groups : NULL,
			.value = value + i * width,
			.base_value = NAN,
			.method = "occlusion"
		};

		explained_output(site, plan.call.space, both, plan.call.outputs.first + i, &a);
		attribution_rows(&writer, &a, &selection);
	}
	return (Datum) 0;
}

INPUT_OVERLOADS(occlusion);

/*
 * occlusion_array(model, input, output, space, baseline, window_height,
 * window_width, stride_height, stride_width, per_channel, reference)
 */
static Datum
occlusion_array(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const OcclusionArgs args = {
		.output = 2, .space = 3, .baseline = 4, .groups = -1, .window = 5, .reference = 10
	};
	CallSite   *site;
	OcclusionPlan plan;
	int			dims[1];

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	call_site_output(site, fcinfo, args.output);
	plan_occlusion(site, fcinfo, kind, &args, &plan);
	dims[0] = (int) site->entry->model->n_features;
	return float8_array(plan.windowed ? run_windows(site, &plan) : run_groups(site, &plan), 1, dims);
}

INPUT_OVERLOADS(occlusion_array);
