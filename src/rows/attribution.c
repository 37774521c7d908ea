/*
 * attribution.c
 *		The row contract of every local method: explain.attribution.
 *
 * Column order here is that of the type in sql/30-rows.sql.
 */
#include "rows/attribution.h"

#include <math.h>

#include "call_site.h"
#include "kernel/attribution.h"
#include "kernel/sum.h"

typedef struct Ranked
{
	uint32		at;
	double		value;
} Ranked;

/* What to sort by: what is not defined comes after everything else. */
static double
magnitude(double value)
{
	return isnan(value) ? -1 : fabs(value);
}

/* Largest absolute value first; equal ones in feature order. */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *left = a;
	const Ranked *right = b;
	double		difference = magnitude(right->value) - magnitude(left->value);

	if (difference != 0)
		return difference > 0 ? 1 : -1;
	return left->at < right->at ? -1 : 1;
}

static Ranked *
rank_values(const Attribution *attribution, uint32 n)
{
	Ranked	   *ranked = palloc(n * sizeof(Ranked));

	for (uint32 i = 0; i < n; i++)
	{
		ranked[i].at = i;
		ranked[i].value = attribution->value[i];
	}
	qsort(ranked, n, sizeof(Ranked), compare_ranked);
	return ranked;
}

static bool
shows(Direction direction, double value)
{
	switch (direction)
	{
		case DIRECTION_UP:
			return value > 0;
		case DIRECTION_DOWN:
			return value < 0;
		default:
			return true;
	}
}

/* Where the value lies in the feature's range over all background rows: 0 .. 1. */
static double
scaled_value(const ModelEntry *entry, const InputRow *row, uint32 i)
{
	const double *stat = ex_get(entry->model, EX_BACKGROUND_STAT, NULL);
	const uint8 *kind = ex_get(entry->model, EX_FEATURE_KIND, NULL);

	if (stat == NULL || row->missing[i] || kind[i] == EX_CATEGORICAL)
		return NAN;
	stat += i * EX_N_STATS;
	return ex_scale_to_range(row->x[i], stat[EX_STAT_MIN], stat[EX_STAT_MAX]);
}

static double
feature_number(const ModelEntry *entry, const InputRow *row, uint32 i)
{
	const uint8 *kind = ex_get(entry->model, EX_FEATURE_KIND, NULL);

	return kind[i] == EX_CATEGORICAL || row->missing[i] ? NAN : row->x[i];
}

static double
residual(const Attribution *attribution, uint32 p)
{
	if (!attribution->additive)
		return NAN;
	return ex_residual(attribution->prediction, attribution->base_value, attribution->value, p);
}

/* Columns after the attribution; most are the same in all rows of one number. */
static void
finish_row(RowWriter *writer, const Attribution *attribution, int32 feature, const char *kind,
		   double std_error, double ci_low, double ci_high, double residual)
{
	row_float8(writer, attribution->base_value);
	row_float8(writer, attribution->prediction);
	row_float8(writer, attribution->prediction_response);
	row_float8(writer, std_error);
	row_float8(writer, ci_low);
	row_float8(writer, ci_high);
	row_float8(writer, residual);
	row_text(writer, space_name(attribution->space));
	row_text(writer, attribution->method);
	row_text(writer, kind);
	if (attribution->more != NULL)
		attribution->more(writer, attribution, feature);
	row_end(writer);
}

/* Columns that say which feature it is, and its value. */
static void
feature_columns(RowWriter *writer, const Attribution *attribution, uint32 i)
{
	const ModelEntry *entry = attribution->entry;
	const InputRow *row = attribution->row;
	uint32		length;
	const char *name = ex_get_name(entry->model, EX_FEATURE_NAME_START, i, &length);

	row_text_n(writer, name, length);
	row_text(writer, input_value_text(entry, row, i));
	row_float8(writer, feature_number(entry, row, i));
	row_float8(writer, scaled_value(entry, row, i));
}

/* The same for a group: its name and how many features it has. */
static void
group_columns(RowWriter *writer, const char *name, uint32 size)
{
	row_text_n(writer, name, (uint32) strlen(name));
	row_text(writer, psprintf("%u feature%s", size, size == 1 ? "" : "s"));
	row_null(writer);
	row_null(writer);
}

/* Row of value i: of feature i, or of part i where features are grouped. */
static void
value_row(RowWriter *writer, const Attribution *attribution, uint32 i, int rank, double residual)
{
	const ex_feature_groups *groups = attribution->groups;
	bool		grouped = groups != NULL && groups->name[i] != NULL;
	uint32		feature = groups != NULL ? groups->first[i] : i;
	bool		sampled = attribution->std_error != NULL;
	double		value = attribution->value[i];

	row_text(writer, attribution->output);
	row_int4(writer, rank);
	if (grouped)
		group_columns(writer, groups->name[i], groups->size[i]);
	else
		feature_columns(writer, attribution, feature);
	row_float8(writer, value);
	finish_row(writer, attribution, (int32) feature, grouped ? "group" : "feature",
			   sampled ? attribution->std_error[i] : isnan(value) ? NAN : 0,
			   sampled ? attribution->ci_low[i] : value,
			   sampled ? attribution->ci_high[i] : value, residual);
}

static void
rest_row(RowWriter *writer, const Attribution *attribution, double value, uint32 count,
		 int rank, double residual)
{
	bool		sampled = attribution->std_error != NULL;

	row_text(writer, attribution->output);
	row_int4(writer, rank);
	row_null(writer);
	row_text(writer, attribution->groups != NULL ? psprintf("%u others", count) :
			 psprintf("%u other feature%s", count, count == 1 ? "" : "s"));
	row_null(writer);
	row_null(writer);
	row_float8(writer, value);
	finish_row(writer, attribution, -1, "rest", sampled ? NAN : 0, sampled ? NAN : value,
			   sampled ? NAN : value, residual);
}

void
attribution_rows(RowWriter *writer, const Attribution *attribution, const RowSelection *selection)
{
	uint32		n = attribution->groups != NULL ? attribution->groups->n :
	attribution->entry->model->n_features;
	Ranked	   *ranked = rank_values(attribution, n);
	double		missed = residual(attribution, n);
	ex_sum		rest = {0};
	uint32		shown = 0;

	for (uint32 i = 0; i < n; i++)
	{
		if (shown < selection->top_k && shows(selection->direction, ranked[i].value))
			value_row(writer, attribution, ranked[i].at, (int) ++shown, missed);
		else if (!isnan(ranked[i].value))
			ex_sum_add(&rest, ranked[i].value);
	}
	if (shown < n && selection->rest)
		rest_row(writer, attribution, ex_sum_total(&rest), n - shown, (int) shown + 1, missed);
	pfree(ranked);
}

void
row_selection_args(FunctionCallInfo fcinfo, int top_k, int direction, int rest, RowSelection *selection)
{
	char	   *sign = label_arg(fcinfo, direction);

	selection->top_k = UINT32_MAX;
	if (!PG_ARGISNULL(top_k))
	{
		if (PG_GETARG_INT32(top_k) < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("top_k must be at least 1, not %d", PG_GETARG_INT32(top_k)),
					 errhint("Leave it out to get all features.")));
		selection->top_k = (uint32) PG_GETARG_INT32(top_k);
	}
	if (sign == NULL)
		selection->direction = DIRECTION_BOTH;
	else if (strcmp(sign, "up") == 0)
		selection->direction = DIRECTION_UP;
	else if (strcmp(sign, "down") == 0)
		selection->direction = DIRECTION_DOWN;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown direction \"%s\"", sign),
				 errhint("It is 'up', 'down', or null for both.")));
	selection->rest = rest >= 0 && (PG_ARGISNULL(rest) || PG_GETARG_BOOL(rest));
}
