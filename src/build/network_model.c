/*
 * network_model.c
 *		explain.network_model: from the rows of a weight table.
 */
#include "build/table_state.h"
#include "kernel/weight_rows.h"
#include "model/model_arg.h"

PG_FUNCTION_INFO_V1(explain_network_model_step);
PG_FUNCTION_INFO_V1(explain_network_model_merge);
PG_FUNCTION_INFO_V1(explain_network_model_final);

Datum
explain_network_model_step(PG_FUNCTION_ARGS)
{
	return table_state_step(fcinfo, &ex_weight_table);
}

Datum
explain_network_model_merge(PG_FUNCTION_ARGS)
{
	return table_state_merge(fcinfo, &ex_weight_table);
}

Datum
explain_network_model_final(PG_FUNCTION_ARGS)
{
	ex_span		rows = table_state_rows(fcinfo);
	ex_host    *host = host_pg_here();
	ex_builder	builder;
	ex_model   *model;

	EX_PG(host, ex_network_from_rows(host, rows.data, rows.size, &builder));
	EX_PG(host, ex_build(&builder, &model));
	PG_RETURN_MODEL(model);
}
