/*
 * describe.c
 *		What the functions that show a model as rows share.
 */
#include "describe/describe.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/array.h"

bool
describe_begin(FunctionCallInfo fcinfo, ModelSource source, Description *d)
{
	memset(d, 0, sizeof(*d));
	rows_begin(fcinfo, &d->row);
	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return false;
	d->site = call_site_model(fcinfo, source);
	d->model = d->site->entry->model;
	d->outer = MemoryContextSwitchTo(d->row.context);
	return true;
}

Datum
describe_end(Description *d)
{
	if (d->site != NULL)
		MemoryContextSwitchTo(d->outer);
	return (Datum) 0;
}

static void
wrong_family(const ex_model *model, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("models of family \"%s\" have no %s", ex_family_by_id(model->family)->name, what),
			 errhint("%s", hint)));
}

void
require_linear(const ex_model *model, const char *what, ex_linear_view *view)
{
	if (model->family != EX_LINEAR)
		wrong_family(model, what, "Linear models have; the nodes of trees are listed by explain.tree_nodes.");
	ex_linear_open(model, view);
}

void
require_tree(const ex_model *model, const char *what, ex_tree_view *view)
{
	if (model->family != EX_TREE)
		wrong_family(model, what, "Tree models have; the coefficients of linear models are listed by explain.coefficients.");
	ex_tree_open(model, view);
}

char *
model_name_text(const ex_model *model, ex_section_id names, uint32 i)
{
	uint32		length;
	const char *name = ex_get_name(model, names, i, &length);

	return host_pg_from_utf8(name, (int) length);
}

void
row_feature(RowWriter *row, const ex_model *model, uint32 feature)
{
	row_text(row, model_name_text(model, EX_FEATURE_NAME_START, feature));
}

void
row_output(RowWriter *row, const ex_model *model, uint32 output)
{
	row_text(row, model_name_text(model, EX_OUTPUT_NAME_START, output));
}

char *
level_text(const ex_model *model, uint32 feature, uint32 level)
{
	char		code[12];
	uint32		length;
	const char *name = ex_level_name(model, feature, level, code, &length);

	return host_pg_from_utf8(name, (int) length);
}

void
row_level(RowWriter *row, const ex_model *model, uint32 feature, uint32 level)
{
	row_text(row, level_text(model, feature, level));
}

const char *
feature_kind_name(ex_feature_kind kind)
{
	static const char *const names[] = {
		[EX_NUMERIC] = "numeric",[EX_BOOLEAN] = "boolean",[EX_CATEGORICAL] = "categorical"
	};

	return names[kind];
}

const char *
missing_policy_name(ex_missing_policy policy)
{
	static const char *const names[] = {
		[EX_MISSING_ERROR] = "error",[EX_MISSING_NATIVE] = "native",[EX_MISSING_IMPUTE] = "impute"
	};

	return names[policy];
}

const char *
unknown_policy_name(ex_unknown_policy policy)
{
	static const char *const names[] = {
		[EX_UNKNOWN_ERROR] = "error",[EX_UNKNOWN_OTHER] = "other",[EX_UNKNOWN_MISSING] = "missing"
	};

	return names[policy];
}

const char *
column_kind_name(ex_column_kind kind)
{
	static const char *const names[] = {
		[EX_COLUMN_VALUE] = "value",[EX_COLUMN_LEVEL_IS] = "level",
		[EX_COLUMN_BIN] = "bin",[EX_COLUMN_ISNULL] = "missing"
	};

	return names[kind];
}

char *
column_words(const ex_model *model, const ex_column *column)
{
	char	   *name = model_name_text(model, EX_FEATURE_NAME_START, column->feature);
	char		low[32] = "";
	char		high[32] = "";

	switch (column->kind)
	{
		case EX_COLUMN_LEVEL_IS:
			return psprintf("%s = %s", name, level_text(model, column->feature, column->level));
		case EX_COLUMN_BIN:
			if (!isinf(column->low))
				double_to_shortest_decimal_buf(column->low, low);
			if (!isinf(column->high))
				double_to_shortest_decimal_buf(column->high, high);
			return psprintf("%s%s%s%s%s", low, low[0] ? " < " : "", name, high[0] ? " <= " : "", high);
		case EX_COLUMN_ISNULL:
			return psprintf("%s is null", name);
		default:
			return name;
	}
}

Datum
float8_array_datum(const double *value, uint32 n)
{
	Datum	   *element = palloc(n * sizeof(Datum) + 1);

	for (uint32 i = 0; i < n; i++)
		element[i] = Float8GetDatum(value[i]);
	return PointerGetDatum(construct_array(element, (int) n, FLOAT8OID, sizeof(double),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
