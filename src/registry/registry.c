/*
 * registry.c
 *		explain.get_model, and what view explain.models shows of a model.
 *
 * The registry itself is an ordinary table that explain.create_registry()
 * makes (sql/50-registry.sql).
 */
#include "model/model_arg.h"

#include "funcapi.h"
#include "kernel/family.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(explain_get_model);
PG_FUNCTION_INFO_V1(explain_get_model_version);
PG_FUNCTION_INFO_V1(explain_model_header);

/* get_model(name) */
Datum
explain_get_model(PG_FUNCTION_ARGS)
{
	return model_by_name(PG_GETARG_TEXT_PP(0), 0);
}

/* get_model(name, version) */
Datum
explain_get_model_version(PG_FUNCTION_ARGS)
{
	if (PG_GETARG_INT32(1) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version must be at least 1, not %d", PG_GETARG_INT32(1))));
	return model_by_name(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1));
}

/* model_header(model): family, features, outputs, bytes; reads no more than the header */
Datum
explain_model_header(PG_FUNCTION_ARGS)
{
	struct varlena *head = PG_DETOAST_DATUM_SLICE(PG_GETARG_DATUM(0), 0, sizeof(ex_model) - VARHDRSZ);
	const ex_model *model = (const ex_model *) head;
	const ex_family *family;
	TupleDesc	tupdesc;
	Datum		values[4];
	bool		nulls[4] = {false};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (VARSIZE(head) < sizeof(ex_model) || model->magic != EX_MODEL_MAGIC ||
		(family = ex_family_by_id(model->family)) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored value is not a model")));
	values[0] = CStringGetTextDatum(family->name);
	values[1] = Int32GetDatum((int32) model->n_features);
	values[2] = Int32GetDatum((int32) model->n_outputs);
	values[3] = Int32GetDatum((int32) model->size);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}
