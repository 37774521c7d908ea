/*
 * baseline.c
 *		The SQL arguments that name a baseline.
 */
#include "baseline.h"

static ex_baseline_kind
named_baseline(CallSite *site, FunctionCallInfo fcinfo, int argno)
{
	if (PG_ARGISNULL(argno) || label_is(fcinfo, argno, "auto"))
		return site->entry->background.n > 0 ? EX_BASELINE_MEAN : EX_BASELINE_ZERO;
	if (label_is(fcinfo, argno, "zero"))
		return EX_BASELINE_ZERO;
	if (!label_is(fcinfo, argno, "mean"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown baseline \"%s\"", label_arg(fcinfo, argno)),
				 errhint("It is 'auto', 'zero' or 'mean', for some methods 'background'; reference => gives a row.")));
	if (site->entry->background.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model has no background to take a mean from"),
				 errhint("Attach one with explain.with_background(model, ...), or use baseline => 'zero' or a reference row.")));
	return EX_BASELINE_MEAN;
}

void
baseline_arg(CallSite *site, FunctionCallInfo fcinfo, InputKind kind,
			 int baseline, int reference, ex_baseline *out)
{
	out->kind = named_baseline(site, fcinfo, baseline);
	out->row = NULL;
	if (!PG_ARGISNULL(reference))
	{
		out->kind = EX_BASELINE_ROW;
		out->row = input_read(site->reader, site->entry, kind, PG_GETARG_DATUM(reference), 1)->x;
	}
}

bool
baseline_is_background(CallSite *site, FunctionCallInfo fcinfo, int baseline, int reference)
{
	if (!PG_ARGISNULL(reference) || !label_is(fcinfo, baseline, "background"))
		return false;
	if (site->entry->background.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model has no background"),
				 errhint("Attach one with explain.with_background(model, ...), or use baseline => 'zero' or a reference row.")));
	return true;
}
