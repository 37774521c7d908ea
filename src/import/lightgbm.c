/*
 * lightgbm.c
 *		explain.lightgbm_model: models from LightGBM's text files.
 */
#include "import/import.h"
#include "kernel/lightgbm.h"
#include "model/model_arg.h"

PG_FUNCTION_INFO_V1(explain_lightgbm_model_bytes);
PG_FUNCTION_INFO_V1(explain_lightgbm_model_text);

static void
tell(const ex_lightgbm_note *note)
{
	if (note->levels_unnamed)
		ereport(NOTICE,
				(errmsg("levels of categorical features are codes: the file does not say which feature its categories belong to"),
				 errhint("Name them with explain.with_levels(model, feature, levels).")));
}

static Datum
lightgbm_model(FunctionCallInfo fcinfo, ex_span file)
{
	ex_host    *host = host_pg_here();
	int			iterations = import_iterations(fcinfo);
	ex_lightgbm_note note = {0};
	ex_builder	builder;
	ex_model   *model;

	ex_builder_init(&builder, host, EX_TREE);
	EX_PG(host, ex_lightgbm_read(host, file.data, file.size, iterations, &builder, &note));
	EX_PG(host, ex_build(&builder, &model));
	tell(&note);
	return model_datum(model);
}

/* lightgbm_model(file bytea, iterations) */
Datum
explain_lightgbm_model_bytes(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return lightgbm_model(fcinfo, import_bytes(fcinfo));
}

/* lightgbm_model(file text, iterations) */
Datum
explain_lightgbm_model_text(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return lightgbm_model(fcinfo, import_text(fcinfo));
}
