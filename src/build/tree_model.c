/*
 * tree_model.c
 *		explain.tree_model: from the rows of a node table.
 */
#include "build/table_state.h"
#include "kernel/tree_rows.h"
#include "model/model_arg.h"

PG_FUNCTION_INFO_V1(explain_tree_model_step);
PG_FUNCTION_INFO_V1(explain_tree_model_merge);
PG_FUNCTION_INFO_V1(explain_tree_model_final);

Datum
explain_tree_model_step(PG_FUNCTION_ARGS)
{
	return table_state_step(fcinfo, &ex_node_table);
}

Datum
explain_tree_model_merge(PG_FUNCTION_ARGS)
{
	return table_state_merge(fcinfo, &ex_node_table);
}

Datum
explain_tree_model_final(PG_FUNCTION_ARGS)
{
	ex_span		rows = table_state_rows(fcinfo);
	ex_host    *host = host_pg_here();
	ex_builder	builder;
	ex_model   *model;

	EX_PG(host, ex_tree_from_rows(host, rows.data, rows.size, &builder));
	EX_PG(host, ex_build(&builder, &model));
	PG_RETURN_MODEL(model);
}
