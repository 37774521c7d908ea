/*
 * describe.c
 *		What the functions that show a model as rows share.
 */
#include "describe/describe.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/array.h"

static bool
begin(FunctionCallInfo fcinfo, ModelSource source, int required, Description *d)
{
	memset(d, 0, sizeof(*d));
	rows_begin(fcinfo, &d->row);
	for (int i = 0; i < required; i++)
		if (PG_ARGISNULL(i))
			return false;
	d->site = call_site_model(fcinfo, source);
	d->model = d->site->entry->model;
	d->outer = MemoryContextSwitchTo(d->row.context);
	return true;
}

bool
describe_begin(FunctionCallInfo fcinfo, ModelSource source, Description *d)
{
	return begin(fcinfo, source, PG_NARGS(), d);
}

bool
describe_begin_model(FunctionCallInfo fcinfo, ModelSource source, Description *d)
{
	return begin(fcinfo, source, 1, d);
}

Datum
describe_end(Description *d)
{
	if (d->site != NULL)
		MemoryContextSwitchTo(d->outer);
	return (Datum) 0;
}

/* What shows the parts of a model of each family. */
static const char *
listed_by(const ex_model *model)
{
	switch (model->family)
	{
		case EX_LINEAR:
			return "the coefficients of linear models are listed by explain.coefficients";
		case EX_TREE:
			return "the nodes of trees are listed by explain.tree_nodes";
		default:
			return "the weights of networks are listed by explain.network_weights";
	}
}

static void
require_family(const ex_model *model, ex_family_id family, const char *what, const char *these)
{
	if (model->family == family)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("models of family \"%s\" have no %s", ex_family_by_id(model->family)->name, what),
			 errhint("%s have; %s.", these, listed_by(model))));
}

void
require_linear(const ex_model *model, const char *what, ex_linear_view *view)
{
	require_family(model, EX_LINEAR, what, "Linear models");
	ex_linear_open(model, view);
}

void
require_tree(const ex_model *model, const char *what, ex_tree_view *view)
{
	require_family(model, EX_TREE, what, "Tree models");
	ex_tree_open(model, view);
}

void
require_network(const ex_model *model, const char *what, ex_network_view *view)
{
	require_family(model, EX_NETWORK, what, "Networks");
	ex_network_open(model, view);
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
