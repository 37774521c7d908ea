/*
 * xgboost.c
 *		explain.xgboost_model: models from XGBoost's JSON and UBJSON files.
 */
#include "import/import.h"
#include "kernel/xgboost.h"
#include "model/model_arg.h"

PG_FUNCTION_INFO_V1(explain_xgboost_model_bytes);
PG_FUNCTION_INFO_V1(explain_xgboost_model_text);

static void
tell(const ex_xgboost_note *note)
{
	if (note->stopped_early)
		ereport(NOTICE,
				(errmsg("using %u of %u boosting rounds: the file says that training stopped early there",
						note->iterations_used, note->iterations),
				 errhint("Write iterations => %u to use all.", note->iterations)));
}

static Datum
xgboost_model(FunctionCallInfo fcinfo, ex_span file)
{
	ex_host    *host = host_pg_here();
	int			iterations = import_iterations(fcinfo);
	ex_xgboost_note note = {0};
	ex_json_format format;
	ex_builder	builder;
	ex_model   *model;

	EX_PG(host, ex_xgboost_format(host, file.data, file.size, &format));
	EX_PG(host, ex_xgboost_read(host, format, file.data, file.size, iterations, &builder, &note));
	EX_PG(host, ex_build(&builder, &model));
	tell(&note);
	return model_datum(model);
}

/* xgboost_model(file bytea, iterations) */
Datum
explain_xgboost_model_bytes(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return xgboost_model(fcinfo, import_bytes(fcinfo));
}

/* xgboost_model(file text, iterations) */
Datum
explain_xgboost_model_text(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return xgboost_model(fcinfo, import_text(fcinfo));
}
