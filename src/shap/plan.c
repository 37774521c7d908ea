/*
 * plan.c
 *		Options of the Shapley functions: which method, of what, against what.
 */
#include "shap/plan.h"

#include "lib/stringinfo.h"

static char *
method_list(const ex_family *family)
{
	StringInfoData list;

	initStringInfo(&list);
	appendStringInfoString(&list, "'auto'");
	for (int i = 0; i < family->n_shap_methods; i++)
		appendStringInfo(&list, ", '%s'", family->shap_methods[i].name);
	return list.data;
}

static const ex_shap_method *
named_method(const ModelEntry *entry, const char *name)
{
	const ex_family *family = entry->compiled->family;

	for (int i = 0; i < family->n_shap_methods; i++)
		if (strcmp(family->shap_methods[i].name, name) == 0)
			return &family->shap_methods[i];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown method \"%s\" for a model of family \"%s\"", name, family->name),
			 errhint("The methods of this family are %s.", method_list(family))));
}

/*
 * 'auto': the first of the family's methods that can run.  A reference row
 * asks for a method that uses one.  When none can run, the reason that the
 * last one gave is the most useful: it says what to attach.
 */
static const ex_shap_method *
auto_method(const ModelEntry *entry, ex_host *host, ex_space space, const ex_background *background)
{
	const ex_family *family = entry->compiled->family;
	ex_status	status = EX_OK;

	for (int i = 0; i < family->n_shap_methods; i++)
	{
		const ex_shap_method *method = &family->shap_methods[i];

		if (method->only_by_name || (!background->own && !method->needs_background))
			continue;
		status = method->check(entry->compiled, host, space, background);
		if (status == EX_OK && method->check_auto != NULL)
			status = method->check_auto(entry->compiled, host, background);
		if (status == EX_OK)
			return method;
	}
	if (status == EX_OK)
		status = ex_fail(host, EX_UNSUPPORTED, "models of family \"%s\" have no exact Shapley values",
						 family->name);
	host_pg_check(host, status);
	pg_unreachable();
}

void
shap_plan_method(CallSite *site, FunctionCallInfo fcinfo, int argno, ShapPlan *plan)
{
	const ModelEntry *entry = site->entry;
	const ex_background *background = &plan->call.background;
	char	   *name = label_is(fcinfo, argno, "auto") ? NULL : label_arg(fcinfo, argno);

	if (name == NULL)
	{
		plan->method = auto_method(entry, site->host, plan->call.space, background);
		return;
	}
	plan->method = named_method(entry, name);
	if (!background->own && !plan->method->needs_background)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" uses no reference row", name),
				 errhint("Leave out reference, or choose another method.")));
	EX_PG(site->host, plan->method->check(entry->compiled, site->host, plan->call.space, background));
}

/* reference => row stands in for the model's background. */
static void
plan_background(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, int argno,
				ex_background *background)
{
	if (argno < 0 || PG_ARGISNULL(argno))
	{
		*background = site->entry->background;
		return;
	}
	memset(background, 0, sizeof(*background));
	background->row = input_read(site->reader, site->entry, kind, PG_GETARG_DATUM(argno), 1)->x;
	background->n = 1;
}

void
shap_plan_versus(CallSite *site, FunctionCallInfo fcinfo, const ShapArgs *args, ShapPlan *plan)
{
	plan->difference = args->versus >= 0 && !PG_ARGISNULL(args->versus);
	if (!plan->difference)
		return;
	plan->versus = call_site_output(site, fcinfo, args->versus);
	if (PG_ARGISNULL(args->output))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("versus needs an output to compare with"),
				 errhint("Name both: output => ..., versus => ....")));
	if (plan->call.space != EX_RAW)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a difference of two outputs is explained in raw space only"),
				 errhint("Leave out space, or write space => 'raw'.")));
}

void
shap_plan(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, const ShapArgs *args, ShapPlan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->call.outputs = call_site_outputs(site, fcinfo, args->output);
	plan->call.space = call_site_space(site, fcinfo, args->space);
	plan_background(site, fcinfo, kind, args->reference, &plan->call.background);
	shap_plan_versus(site, fcinfo, args, plan);
	shap_plan_method(site, fcinfo, args->method, plan);
}

ex_shap_call
shap_versus_call(const ShapPlan *plan)
{
	ex_shap_call call = plan->call;

	call.outputs = (ex_outputs) {plan->versus, 1};
	return call;
}

void
shap_check_interactions(const ShapPlan *plan)
{
	if (plan->method->interactions == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("method \"%s\" has no interactions", plan->method->name)));
}
