/*
 * fold.c
 *		Preprocessing: reading an encoding, computing it, and what folding has
 *		in common for all families.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model_json.h"

/*
 * Computing.
 */

static double
bin_number(const ex_encoded_column *column, double x)
{
	uint32_t	n = 0;

	while (n < column->n_edges && column->edges[n] < x)
		n++;
	return n;
}

double
ex_encode(const ex_encoded_column *column, double x)
{
	double		value = x;

	if (column->op == EX_ENCODE_MISSING)
		value = isnan(x);
	else
	{
		if (isnan(x) && column->imputes)
			x = column->impute;
		if (column->op == EX_ENCODE_LEVEL)
			value = x == column->level;
		else if (isnan(x))
			return NAN;
		else if (column->op == EX_ENCODE_BIN)
			value = (x > column->low || column->low == -INFINITY) && x <= column->high;
		else if (column->op == EX_ENCODE_BIN_NUMBER)
			value = bin_number(column, x);
		else
			value = x;
	}
	return (value - column->center) / column->scale;
}

/* Doubles in their order as integers, -0 just below 0. */
static int64_t
ordinal(double x)
{
	int64_t		bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits >= 0 ? bits : INT64_MIN - bits - 1;
}

static double
from_ordinal(int64_t n)
{
	int64_t		bits = n >= 0 ? n : INT64_MIN - n - 1;
	double		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

double
ex_fold_monotone(bool (*passes) (const void *context, double x), const void *context)
{
	int64_t		low = ordinal(-INFINITY);
	int64_t		high = ordinal(INFINITY);

	if (passes(context, INFINITY))
		return INFINITY;
	while (high > low + 1)
	{
		int64_t		middle = low + (int64_t) (((uint64_t) high - (uint64_t) low) / 2);

		if (passes(context, from_ordinal(middle)))
			low = middle;
		else
			high = middle;
	}
	return from_ordinal(low);
}

typedef struct affine_limit
{
	double		limit;
	double		center;
	double		scale;
} affine_limit;

static bool
affine_passes(const void *context, double x)
{
	const affine_limit *affine = context;

	return (x - affine->center) / affine->scale <= affine->limit;
}

/* Rounding is monotone, so (x - center) / scale is: bisection finds the last x that satisfies. */
double
ex_fold_affine(double limit, double center, double scale)
{
	const affine_limit affine = {limit, center, scale};

	if (center == 0 && scale == 1)
		return limit;
	return ex_fold_monotone(affine_passes, &affine);
}

/*
 * Reading.
 */

/* Reading one encoding. */
typedef struct reader
{
	ex_builder *builder;
	ex_json    *json;
	ex_name_index *features;
	ex_level_index *levels;
	char		where[32];		/* "input 3" */
} reader;

static uint32_t
levels_of(const reader *r, uint32_t feature)
{
	return ((const uint32_t *) r->builder->section[EX_FEATURE_LEVELS].data)[feature];
}

static ex_status
read_impute(reader *r, ex_json_value value, ex_encoded_column *column)
{
	uint32_t	level;

	if (value.at == NULL)
		return EX_OK;
	column->imputes = true;
	if (column->op == EX_ENCODE_MISSING)
		return ex_fail(r->json->host, EX_INVALID, "%s is an indicator of missing values and cannot impute them",
					   r->where);
	if (ex_json_typeof(r->json, value) == EX_JSON_BOOL)
		column->impute = ex_json_bool(r->json, value);
	else if (levels_of(r, column->feature) > 0)
	{
		EX_TRY(ex_json_level(r->json, r->levels, column->feature, value, r->where, &level));
		column->impute = level;
	}
	else
	{
		EX_TRY(ex_json_number(r->json, value, r->where, &column->impute));
		if (!isfinite(column->impute))
			return ex_fail(r->json->host, EX_RANGE, "imputed value of %s is out of range", r->where);
	}
	return EX_OK;
}

static ex_status
read_bin(reader *r, ex_json_value array, ex_encoded_column *column)
{
	double	   *limits;
	size_t		n;

	EX_TRY(ex_json_doubles(r->json, array, r->where, &limits, &n));
	if (n != 2 || !(limits[0] < limits[1]))
		return ex_fail(r->json->host, EX_INVALID, "\"bin\" of %s must be a lower and a higher limit", r->where);
	column->low = limits[0];
	column->high = limits[1];
	return EX_OK;
}

static ex_status
read_edges(reader *r, ex_json_value array, ex_encoded_column *column)
{
	double	   *edges;
	size_t		n;

	EX_TRY(ex_json_doubles(r->json, array, r->where, &edges, &n));
	for (size_t i = 0; i < n; i++)
		if (!isfinite(edges[i]) || (i > 0 && edges[i] <= edges[i - 1]))
			return ex_fail(r->json->host, EX_INVALID, "\"edges\" of %s must be ascending numbers", r->where);
	if (n == 0 || n > UINT32_MAX)
		return ex_fail(r->json->host, EX_INVALID, "\"edges\" of %s must not be empty", r->where);
	column->edges = edges;
	column->n_edges = (uint32_t) n;
	return EX_OK;
}

static ex_status
read_op(reader *r, ex_json_value level, ex_json_value bin, ex_json_value edges, ex_json_value indicator,
		ex_encoded_column *column)
{
	if ((level.at != NULL) + (bin.at != NULL) + (edges.at != NULL) + (indicator.at != NULL) > 1)
		return ex_fail(r->json->host, EX_INVALID,
					   "%s may have only one of \"level\", \"bin\", \"edges\" and \"indicator\"", r->where);
	if (level.at != NULL)
	{
		column->op = EX_ENCODE_LEVEL;
		EX_TRY(ex_json_level(r->json, r->levels, column->feature, level, r->where, &column->level));
	}
	if (bin.at != NULL)
	{
		column->op = EX_ENCODE_BIN;
		EX_TRY(read_bin(r, bin, column));
	}
	if (edges.at != NULL)
	{
		column->op = EX_ENCODE_BIN_NUMBER;
		EX_TRY(read_edges(r, edges, column));
	}
	if (ex_json_bool(r->json, indicator))
		column->op = EX_ENCODE_MISSING;
	return EX_OK;
}

static ex_status
read_input(reader *r, ex_json_value object, ex_encoded_column *column)
{
	ex_json_value feature;
	ex_json_value level;
	ex_json_value bin;
	ex_json_value edges;
	ex_json_value indicator;
	ex_json_value impute;
	ex_json_value center;
	ex_json_value scale;
	const ex_json_member members[] = {
		{"feature", EX_JSON_STRING | EX_JSON_NUMBER, true, &feature},
		{"level", EX_JSON_STRING | EX_JSON_NUMBER, false, &level},
		{"bin", EX_JSON_ARRAY, false, &bin},
		{"edges", EX_JSON_ARRAY, false, &edges},
		{"indicator", EX_JSON_BOOL, false, &indicator},
		{"impute", EX_JSON_NUMBER | EX_JSON_STRING | EX_JSON_BOOL, false, &impute},
		{"center", EX_JSON_NUMBER, false, &center},
		{"scale", EX_JSON_NUMBER, false, &scale}
	};

	EX_TRY(ex_json_read_object(r->json, object, r->where, members, 8, true));
	EX_TRY(ex_json_feature(r->json, r->builder, r->features, feature, r->where, &column->feature));
	EX_TRY(read_op(r, level, bin, edges, indicator, column));
	EX_TRY(read_impute(r, impute, column));
	column->scale = 1;
	if (center.at != NULL)
		EX_TRY(ex_json_number(r->json, center, r->where, &column->center));
	if (scale.at != NULL)
		EX_TRY(ex_json_number(r->json, scale, r->where, &column->scale));
	if (!isfinite(column->center) || !isfinite(column->scale))
		return ex_fail(r->json->host, EX_RANGE, "center or scale of %s is out of range", r->where);
	if (column->scale == 0)
		return ex_fail(r->json->host, EX_INVALID, "scale of %s must not be 0", r->where);
	return EX_OK;
}

/* What the columns of one feature do with missing values. */
typedef struct votes
{
	bool		any;
	bool		refuse;			/* a column has no answer */
	bool		disagree;		/* not all impute the same */
	double		impute;
} votes;

static void
vote(votes *votes, const ex_encoded_column *column)
{
	if (!column->imputes)
	{
		votes	  ->disagree = true;
		votes	  ->refuse |= column->op != EX_ENCODE_LEVEL && column->op != EX_ENCODE_MISSING;
	}
	else if (votes->any && column->impute != votes->impute)
		votes	  ->disagree = true;
	votes	  ->impute = column->impute;
	votes	  ->any = true;
}

/*
 * What missing values of a feature mean where it does not say so itself: an
 * error if a column has no answer for them; the imputed value if all columns
 * agree on one; else the columns deal with them one by one.
 */
static ex_status
derive_policies(ex_builder *builder, const ex_encoding *encoding, const bool *has_policy)
{
	uint8_t    *missing = (uint8_t *) builder->section[EX_FEATURE_MISSING].data;
	double	   *imputed = (double *) builder->section[EX_FEATURE_IMPUTE].data;
	votes	   *feature;

	EX_TRY(EX_ALLOC(builder->host, builder->n_features, &feature));
	for (uint32_t c = 0; c < encoding->n_columns; c++)
		vote(&feature[encoding->column[c].feature], &encoding->column[c]);
	for (uint32_t f = 0; f < builder->n_features; f++)
	{
		if (has_policy[f] || !feature[f].any || feature[f].refuse)
			continue;
		missing[f] = feature[f].disagree ? EX_MISSING_NATIVE : EX_MISSING_IMPUTE;
		imputed[f] = feature[f].disagree ? NAN : feature[f].impute;
	}
	return EX_OK;
}

ex_status
ex_encoding_read(ex_builder *builder, ex_json *json, ex_json_value features,
				 ex_json_value inputs, ex_encoding *encoding)
{
	reader		r = {.builder = builder, .json = json};
	size_t		count = ex_json_count(json, inputs);
	bool	   *has_policy;
	ex_encoded_column *column;
	ex_json_cursor cursor;
	ex_json_value value;

	EX_TRY(ex_features_read(builder, json, features, &has_policy));
	if (count > EX_MAX_FEATURES)
		return ex_fail(json->host, EX_LIMIT, "preprocessing has more than %d inputs", EX_MAX_FEATURES);
	EX_TRY(ex_index_features(builder, &r.features));
	EX_TRY(ex_index_levels(builder, &r.levels));
	EX_TRY(EX_ALLOC(json->host, count, &column));
	ex_json_begin(json, inputs, &cursor);
	for (size_t c = 0; ex_json_next(json, &cursor, &value); c++)
	{
		EX_TRY(ex_poll(json->host));
		snprintf(r.where, sizeof(r.where), "input %zu", c + 1);
		EX_TRY(read_input(&r, value, &column[c]));
	}
	encoding->n_columns = (uint32_t) count;
	encoding->column = column;
	return derive_policies(builder, encoding, has_policy);
}

/*
 * Folding.
 */

/* Does the operation go with the kind of its feature? */
static ex_status
check_column(ex_host *host, const ex_builder *builder, const ex_encoding *encoding, uint32_t c)
{
	const ex_encoded_column *column = &encoding->column[c];
	const uint8_t *kind = (const uint8_t *) builder->section[EX_FEATURE_KIND].data;
	const uint32_t *levels = (const uint32_t *) builder->section[EX_FEATURE_LEVELS].data;

	if (column->feature >= builder->n_features)
		return ex_fail(host, EX_INVALID, "input %u has feature %u, but there are %u",
					   c + 1, column->feature + 1, builder->n_features);
	if (column->op == EX_ENCODE_LEVEL && column->level >= levels[column->feature])
		return ex_fail(host, EX_INVALID, "input %u has a level that does not exist", c + 1);
	if ((column->op == EX_ENCODE_BIN || column->op == EX_ENCODE_BIN_NUMBER) &&
		kind[column->feature] != EX_NUMERIC)
		return ex_fail(host, EX_INVALID, "input %u has bins but feature %u is not numeric",
					   c + 1, column->feature + 1);
	if (column->op == EX_ENCODE_VALUE && kind[column->feature] == EX_CATEGORICAL &&
		(column->center != 0 || column->scale != 1))
		return ex_fail(host, EX_INVALID, "input %u scales feature %u, which is categorical",
					   c + 1, column->feature + 1);
	return EX_OK;
}

static ex_status
carry_header(ex_builder *builder, const ex_model *encoded)
{
	builder->family = (ex_family_id) encoded->family;
	builder->n_outputs = encoded->n_outputs;
	builder->link = (ex_link) encoded->link;
	builder->link_param = encoded->link_param;
	builder->aggregation = (ex_aggregation) encoded->aggregation;
	for (uint32_t k = 0; k < encoded->n_outputs; k++)
	{
		uint32_t	length;
		const char *name = ex_get_name(encoded, EX_OUTPUT_NAME_START, k, &length);

		EX_TRY(ex_put_name(builder, EX_OUTPUT_NAME_START, name, length));
	}
	return EX_OK;
}

ex_status
ex_fold(ex_host *host, const ex_model *encoded, const ex_encoding *encoding, ex_builder *builder)
{
	if (encoding->n_columns != encoded->n_features)
		return ex_fail(host, EX_INVALID, "preprocessing has %u inputs, but the model has %u features",
					   encoding->n_columns, encoded->n_features);
	for (uint32_t c = 0; c < encoding->n_columns; c++)
		EX_TRY(check_column(host, builder, encoding, c));
	EX_TRY(carry_header(builder, encoded));
	return ex_family_by_id(encoded->family)->fold(host, encoded, encoding, builder);
}
