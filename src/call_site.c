/*
 * call_site.c
 *		What one call of an explaining function in a query keeps between rows.
 */
#include "call_site.h"

#include "access/htup_details.h"
#include "bulk/progress.h"
#include "catalog/pg_enum.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define CALLS_PER_REPORT 256

CallSite *
call_site_create(MemoryContext context)
{
	CallSite   *site = MemoryContextAllocZero(context, sizeof(CallSite));

	site->context = context;
	site->scratch = AllocSetContextCreate(context, "explain_ext call", ALLOCSET_DEFAULT_SIZES);
	site->host = MemoryContextAlloc(context, sizeof(ex_host));
	*site->host = *host_pg_create(site->scratch);
	site->ref = model_ref_create(context);
	site->reader = input_reader_create(context);
	return site;
}

CallSite *
call_site(FunctionCallInfo fcinfo)
{
	CallSite   *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
		fcinfo->flinfo->fn_extra = site = call_site_create(fcinfo->flinfo->fn_mcxt);
	/* an error may have left the host in the scratch of an output */
	site->host->context = site->scratch;
	MemoryContextReset(site->scratch);
	return site;
}

void *
call_site_begin_output(CallSite *site)
{
	return site->host->begin_scratch(site->host);
}

void
call_site_end_output(CallSite *site, void *outer)
{
	site->host->end_scratch(site->host, outer);
}

CallSite *
call_site_model(FunctionCallInfo fcinfo, ModelSource source)
{
	CallSite   *site = call_site(fcinfo);

	site->entry = model_ref_get(site->ref, source, PG_GETARG_DATUM(0));
	return site;
}

void
call_site_read(CallSite *site, InputKind kind, Datum input)
{
	site->row = input_read(site->reader, site->entry, kind, input, 0);
}

void
call_site_row(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, int argno)
{
	call_site_read(site, kind, PG_GETARG_DATUM(argno));
}

/* Called now and then only, so that it costs nothing. */
static void
report_calls(CallSite *site, FunctionCallInfo fcinfo)
{
	if (site->progress == NULL)
		site->progress = progress_begin(site->context, fcinfo->flinfo->fn_oid,
										get_fn_expr_argtype(fcinfo->flinfo, 1));
	progress_add(site->progress, CALLS_PER_REPORT);
}

CallSite *
call_site_input(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	CallSite   *site = call_site_model(fcinfo, source);

	if (++site->calls % CALLS_PER_REPORT == 0)
		report_calls(site, fcinfo);
	call_site_row(site, fcinfo, kind, 1);
	return site;
}

double *
call_site_doubles(CallSite *site, uint64 count)
{
	void	   *chunk;

	EX_PG(site->host, ex_alloc(site->host, count, sizeof(double), &chunk));
	return chunk;
}

char *
output_name(const ModelEntry *entry, uint32 output)
{
	uint32		length;
	const char *name = ex_get_name(entry->model, EX_OUTPUT_NAME_START, output, &length);

	return host_pg_from_utf8(name, (int) length);
}

static char *
output_list(const ModelEntry *entry)
{
	StringInfoData list;

	initStringInfo(&list);
	for (uint32 k = 0; k < entry->model->n_outputs; k++)
	{
		if (k == 50)
		{
			appendStringInfo(&list, " and %u more", entry->model->n_outputs - k);
			break;
		}
		appendStringInfo(&list, "%s\"%s\"", k > 0 ? ", " : "", output_name(entry, k));
	}
	return list.data;
}

char *
label_arg(FunctionCallInfo fcinfo, int argno)
{
	return PG_ARGISNULL(argno) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

bool
label_is(FunctionCallInfo fcinfo, int argno, const char *word)
{
	text	   *label = PG_ARGISNULL(argno) ? NULL : PG_GETARG_TEXT_PP(argno);

	return label != NULL && VARSIZE_ANY_EXHDR(label) == strlen(word) &&
		memcmp(VARDATA_ANY(label), word, strlen(word)) == 0;
}

static uint32
find_output(CallSite *site, FunctionCallInfo fcinfo, int argno)
{
	char	   *name = label_arg(fcinfo, argno);
	char	   *utf8 = host_pg_to_utf8(name, (int) strlen(name));
	int32		output = ex_find_output(site->entry->model, utf8, strlen(utf8));

	if (output < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model has no output \"%s\"", name),
				 errhint("Its outputs are %s.", output_list(site->entry))));
	return (uint32) output;
}

uint32
call_site_output(CallSite *site, FunctionCallInfo fcinfo, int argno)
{
	if (!PG_ARGISNULL(argno))
		return find_output(site, fcinfo, argno);
	if (site->entry->model->n_outputs > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model has several outputs"),
				 errhint("Choose one with output => ...; they are %s.", output_list(site->entry))));
	return 0;
}

ex_outputs
call_site_outputs(CallSite *site, FunctionCallInfo fcinfo, int argno)
{
	ex_outputs	outputs = {0, site->entry->model->n_outputs};

	if (!PG_ARGISNULL(argno))
	{
		outputs.first = find_output(site, fcinfo, argno);
		outputs.count = 1;
	}
	return outputs;
}

/* An enum's Datum is an OID that differs between databases; its label does not. */
ex_space
call_site_space(CallSite *site, FunctionCallInfo fcinfo, int argno)
{
	Oid			value;
	HeapTuple	tuple;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("space must not be null"),
				 errhint("It is 'raw' or 'response'.")));
	value = PG_GETARG_OID(argno);
	if (value == site->space_value)
		return site->space;
	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", value)));
	site->space = strcmp(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel), "raw") == 0 ?
		EX_RAW : EX_RESPONSE;
	site->space_value = value;
	ReleaseSysCache(tuple);
	return site->space;
}

const char *
space_name(ex_space space)
{
	return space == EX_RAW ? "raw" : "response";
}
