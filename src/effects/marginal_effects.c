/*
 * marginal_effects.c
 *		Average marginal effects with standard errors: marginal_effect_array,
 *		marginal_effects.
 */
#include "call_site.h"

#include <math.h>

#include "aggregate/effect_summary.h"
#include "describe/describe.h"
#include "kernel/marginal_effects.h"
#include "rows/array.h"

/* marginal_effect_array(model, input, output) */
static Datum
marginal_effect_array(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	CallSite   *site;
	ex_effects	effects;
	uint32		output;
	double	   *table;
	int			dims[2];

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	output = call_site_output(site, fcinfo, 2);
	EX_PG(site->host, ex_effects_open(site->host, site->entry->model, &effects));
	dims[0] = (int) effects.n_effects;
	dims[1] = (int) effects.n_coefficients + 1;
	table = call_site_doubles(site, (uint64) dims[0] * dims[1]);
	EX_PG(site->host, ex_effects_of_row(site->host, &effects, site->row->x, site->row->missing,
										output, table));
	return float8_array(table, 2, dims);
}

INPUT_OVERLOADS(marginal_effect_array);

/* ---- rows ---- */

static const char *
kind_name(ex_effect_kind kind)
{
	static const char *const names[] = {
		[EX_EFFECT_SLOPE] = "slope",[EX_EFFECT_BOOLEAN] = "boolean",[EX_EFFECT_LEVEL] = "level"
	};

	return names[kind];
}

/* The value that a difference goes to, or comes from; null for a slope. */
static void
row_value(RowWriter *row, const ex_model *model, const ex_effect *effect, double value)
{
	if (effect->kind == EX_EFFECT_SLOPE)
		row_null(row);
	else if (effect->kind == EX_EFFECT_BOOLEAN)
		row_text(row, value != 0 ? "true" : "false");
	else if (value < 0)
		row_text(row, "(other)");
	else
		row_level(row, model, effect->feature, (uint32) value);
}

/* Columns of explain.marginal_effect, in the order of the type in sql/. */
static void
effect_row(RowWriter *row, const ex_model *model, const char *output, const ex_effect *effect,
		   const ex_effect_estimate *estimate)
{
	row_text(row, output);
	row_feature(row, model, effect->feature);
	row_value(row, model, effect, effect->level);
	row_value(row, model, effect, effect->reference);
	row_float8(row, estimate->effect);
	row_float8(row, estimate->std_error);
	row_float8(row, estimate->z);
	row_float8(row, estimate->p);
	row_float8(row, estimate->ci_low);
	row_float8(row, estimate->ci_high);
	row_float8(row, (double) estimate->n);
	row_text(row, kind_name(effect->kind));
	row_end(row);
}

/* marginal_effects(model, summary, output) */
static Datum
marginal_effects(FunctionCallInfo fcinfo, ModelSource source)
{
	RowWriter	writer;
	CallSite   *site;
	const char *output;
	ex_effects	effects;
	ex_effect_estimate *estimate;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	site = call_site_model(fcinfo, source);
	output = output_name(site->entry, call_site_output(site, fcinfo, 2));
	EX_PG(site->host, ex_effects_open(site->host, site->entry->model, &effects));
	EX_PG(site->host, ex_effects_estimate(site->host, &effects, effect_summary_get(PG_GETARG_DATUM(1)),
										  &estimate));
	for (uint32 i = 0; i < effects.n_effects; i++)
		effect_row(&writer, site->entry->model, output, &effects.effect[i], &estimate[i]);
	return (Datum) 0;
}

MODEL_OVERLOADS(marginal_effects);
