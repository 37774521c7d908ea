/*
 * feature.c
 *		One feature's rules for turning a given value into a number.
 */
#include "input/feature.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "kernel/tree.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

char *
feature_name(const ex_feature *feature)
{
	return host_pg_from_utf8(feature->name, (int) feature->name_length);
}

static int
compare_levels(const void *a, const void *b)
{
	const FeatureLevel *left = a;
	const FeatureLevel *right = b;
	uint32		shorter = Min(left->length, right->length);
	int			order = memcmp(left->name, right->name, shorter);

	if (order != 0)
		return order;
	return left->length < right->length ? -1 : left->length > right->length;
}

static FeatureLevel *
sorted_levels(const ex_model *model, uint32 i, uint32 n_levels, MemoryContext context)
{
	FeatureLevel *level = MemoryContextAllocHuge(context, n_levels * sizeof(FeatureLevel));

	for (uint32 code = 0; code < n_levels; code++)
	{
		char		unused[12];

		level[code].name = ex_level_name(model, i, code, unused, &level[code].length);
		level[code].code = code;
	}
	qsort(level, n_levels, sizeof(FeatureLevel), compare_levels);
	return level;
}

FeatureRule *
feature_rules(const ex_model *model, MemoryContext context)
{
	FeatureRule *rule = MemoryContextAllocZero(context, model->n_features * sizeof(FeatureRule));

	for (uint32 i = 0; i < model->n_features; i++)
	{
		ex_feature *feature = &rule[i].feature;

		ex_get_feature(model, i, feature);
		if (feature->kind == EX_CATEGORICAL && !(feature->flags & EX_FEATURE_CODED))
			rule[i].level = sorted_levels(model, i, feature->n_levels, context);
	}
	return rule;
}

void
feature_set_missing(const FeatureRule *rule, InputRow *row, uint32 i)
{
	switch (rule->feature.missing)
	{
		case EX_MISSING_ERROR:
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("feature \"%s\" is missing and the model has no rule for missing values",
							feature_name(&rule->feature)),
					 errhint("Supply a value, or build the model with an imputed value for this feature.")));
			break;
		case EX_MISSING_NATIVE:
			row->x[i] = NAN;
			break;
		case EX_MISSING_IMPUTE:
			row->x[i] = rule->feature.impute;
			break;
	}
	row->missing[i] = true;
}

/* NaN is a missing value where the model has a rule for missing values. */
static void
set_nan(const FeatureRule *rule, InputRow *row, uint32 i)
{
	if (rule->feature.missing == EX_MISSING_ERROR)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("feature \"%s\" is NaN and the model has no rule for missing values",
						feature_name(&rule->feature)),
				 errhint("Supply a number, or build the model with an imputed value for this feature.")));
	feature_set_missing(rule, row, i);
}

static void
set_unknown(const FeatureRule *rule, InputRow *row, uint32 i, const char *text)
{
	switch (rule->feature.unknown)
	{
		case EX_UNKNOWN_ERROR:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("feature \"%s\" has no level \"%s\"", feature_name(&rule->feature), text),
					 errhint("Levels are compared byte by byte; they are listed by explain.model_levels.")));
			break;
		case EX_UNKNOWN_OTHER:
			row->x[i] = -1;
			row->missing[i] = false;
			break;
		case EX_UNKNOWN_MISSING:
			feature_set_missing(rule, row, i);
			row->missing[i] = false;
			break;
	}
	row->unknown[i] = pstrdup(text);
}

/*
 * Does a code stand for one of the levels?  Where levels are codes, libraries
 * cut fractions off (LightGBM below 0, too); a fraction between two named levels
 * is neither of them.
 */
static bool
is_level(const ex_feature *feature, double code)
{
	double		lowest = (feature->flags & EX_FEATURE_TRUNCATE) ? -1 : 0;

	if (code != trunc(code) && !(feature->flags & (EX_FEATURE_CODED | EX_FEATURE_TRUNCATE)))
		return false;
	return (code >= 0 || code > lowest) && trunc(code) < feature->n_levels;
}

void
feature_set_code(const FeatureRule *rule, InputRow *row, uint32 i, double code)
{
	if (isnan(code))
		set_nan(rule, row, i);
	else if (!is_level(&rule->feature, code))
	{
		char		text[32];

		snprintf(text, sizeof(text), "%.15g", code);
		set_unknown(rule, row, i, text);
	}
	else
	{
		row->x[i] = trunc(code) + 0.0;	/* no -0 */
		row->missing[i] = false;
	}
}

void
feature_set_number(const FeatureRule *rule, InputRow *row, uint32 i, double value)
{
	const ex_feature *feature = &rule->feature;

	if (isnan(value))
	{
		set_nan(rule, row, i);
		return;
	}
	if (feature->kind == EX_BOOLEAN && value != 0 && value != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("boolean feature \"%s\" cannot have the value %g", feature_name(feature), value),
				 errhint("Supply a boolean, 0 or 1.")));
	if ((feature->flags & EX_FEATURE_FLUSH) && fabs(value) <= EX_ZERO_EPSILON)
		value = 0;
	row->x[i] = value;
	row->missing[i] = false;
}

void
feature_set_bool(const FeatureRule *rule, InputRow *row, uint32 i, bool value)
{
	if (rule->feature.kind == EX_CATEGORICAL)
	{
		const char *text = value ? "true" : "false";

		feature_set_text(rule, row, i, text, (int) strlen(text));
	}
	else
		feature_set_number(rule, row, i, value ? 1 : 0);
}

static const FeatureLevel *
find_level(const FeatureRule *rule, const char *text, int length)
{
	FeatureLevel key = {text, (uint32) length, 0};

	return bsearch(&key, rule->level, rule->feature.n_levels, sizeof(FeatureLevel), compare_levels);
}

static void
not_numeric(const ex_feature *feature)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("feature \"%s\" is %s but its value is text", feature_name(feature),
					feature->kind == EX_BOOLEAN ? "boolean" : "numeric"),
			 errhint("Cast the value to double precision.")));
}

/* The level named by a text; for coded levels the text is the code. */
void
feature_set_text(const FeatureRule *rule, InputRow *row, uint32 i, const char *text, int length)
{
	const ex_feature *feature = &rule->feature;

	row->missing[i] = false;
	if (feature->kind != EX_CATEGORICAL)
		not_numeric(feature);
	if (feature->flags & EX_FEATURE_CODED)
	{
		char	   *copy = pnstrdup(text, length);
		char	   *end;
		double		code = strtod(copy, &end);

		if (length == 0 || *end != '\0' || isnan(code))
			set_unknown(rule, row, i, copy);
		else
			feature_set_code(rule, row, i, code);
		pfree(copy);
	}
	else
	{
		bool		convert = GetDatabaseEncoding() != PG_UTF8;
		const char *utf8 = convert ? host_pg_to_utf8(text, length) : text;
		const FeatureLevel *level = find_level(rule, utf8, convert ? (int) strlen(utf8) : length);

		if (level != NULL)
			row->x[i] = level->code;
		else
			set_unknown(rule, row, i, pnstrdup(text, length));
	}
}

/* A number for a categorical feature is a code, or the text of a level. */
void
feature_set_value(const FeatureRule *rule, InputRow *row, uint32 i, double number, const char *text)
{
	if (rule->feature.kind != EX_CATEGORICAL)
		feature_set_number(rule, row, i, number);
	else if (rule->feature.flags & EX_FEATURE_CODED)
		feature_set_code(rule, row, i, number);
	else
		feature_set_text(rule, row, i, text, (int) strlen(text));
}

void
feature_set_float(const FeatureRule *rule, InputRow *row, uint32 i, double number)
{
	char		text[32] = "";

	if (rule->level != NULL)
	{
		if (isnan(number))
		{
			feature_set_code(rule, row, i, number);
			return;
		}
		double_to_shortest_decimal_buf(number, text);
	}
	feature_set_value(rule, row, i, number, text);
}
