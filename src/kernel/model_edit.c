/*
 * model_edit.c
 *		Changed copies of models.
 */
#include "model_edit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------
 * Link
 * ---------------------------------------------------------------- */

ex_status
ex_edit_link(ex_builder *builder, ex_link link, double param)
{
	bool		takes_param = link == EX_LINK_LOGIT || link == EX_LINK_ISOLATION;

	if (!isfinite(param) || param <= 0)
		return ex_fail(builder->host, EX_INVALID, "parameter of a link must be a positive number");
	if (!takes_param && param != 1)
		return ex_fail(builder->host, EX_INVALID, "link \"%s\" has no parameter", ex_link_names[link]);
	builder->link = link;
	builder->link_param = param;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Trees
 * ---------------------------------------------------------------- */

static ex_status
need_trees(ex_builder *builder, const char *what)
{
	if (builder->family == EX_TREE)
		return EX_OK;
	return ex_fail(builder->host, EX_UNSUPPORTED, "models of family \"%s\" have no %s",
				   ex_family_by_id(builder->family)->name, what);
}

static ex_status
wrong_count(ex_builder *builder, size_t n, size_t expected, const char *what)
{
	return ex_fail(builder->host, EX_DIMENSION, "expected %zu %s, not %zu", expected, what, n);
}

/* Put numbers in place of a section. */
static ex_status
replace_numbers(ex_builder *builder, ex_section_id id, const double *number, size_t n, const char *what)
{
	if (n != ex_put_count(builder, id))
		return wrong_count(builder, n, ex_put_count(builder, id), what);
	ex_drop(builder, id);
	return ex_put(builder, id, number, n);
}

ex_status
ex_edit_base(ex_builder *builder, const double *base, size_t n)
{
	EX_TRY(need_trees(builder, "base"));
	return replace_numbers(builder, EX_TREE_BASE, base, n, "base values, one for each output");
}

ex_status
ex_edit_tree_weights(ex_builder *builder, const double *weight, size_t n)
{
	EX_TRY(need_trees(builder, "trees"));
	return replace_numbers(builder, EX_TREE_WEIGHT, weight, n, "weights, one for each tree");
}

ex_status
ex_edit_aggregation(ex_builder *builder, const char *name)
{
	EX_TRY(need_trees(builder, "trees"));
	if (strcmp(name, "sum") == 0)
		builder->aggregation = EX_SUM;
	else if (strcmp(name, "mean") == 0)
		builder->aggregation = EX_MEAN;
	else
	{
		ex_fail(builder->host, EX_INVALID, "unknown aggregation \"%s\"", name);
		ex_hint(builder->host, "Valid aggregations are sum and mean.");
		return EX_INVALID;
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Names
 * ---------------------------------------------------------------- */

static void
drop_names(ex_builder *builder, ex_section_id start)
{
	ex_drop(builder, start);
	ex_drop(builder, (ex_section_id) (start + 1));
}

static ex_status
replace_names(ex_builder *builder, ex_section_id start, const char *const *name, size_t n,
			  size_t expected, const char *what)
{
	if (n != expected)
		return wrong_count(builder, n, expected, what);
	drop_names(builder, start);
	for (size_t i = 0; i < n; i++)
		EX_TRY(ex_put_name(builder, start, name[i], strlen(name[i])));
	return EX_OK;
}

ex_status
ex_edit_outputs(ex_builder *builder, const char *const *name, size_t n)
{
	return replace_names(builder, EX_OUTPUT_NAME_START, name, n, builder->n_outputs,
						 "names, one for each output");
}

/* A section as another model has it. */
static ex_status
take_section(ex_builder *builder, const ex_model *other, ex_section_id id)
{
	uint32_t	count;
	const void *section = ex_get(other, id, &count);

	ex_drop(builder, id);
	return ex_put(builder, id, section, count);
}

ex_status
ex_edit_outputs_of(ex_builder *builder, const ex_model *other)
{
	if (other->n_outputs != builder->n_outputs)
		return wrong_count(builder, other->n_outputs, builder->n_outputs, "outputs in the other model");
	builder->link = (ex_link) other->link;
	builder->link_param = other->link_param;
	EX_TRY(take_section(builder, other, EX_OUTPUT_NAME_START));
	EX_TRY(take_section(builder, other, EX_OUTPUT_NAME_TEXT));
	if (builder->family != EX_TREE || other->family != EX_TREE)
		return EX_OK;
	builder->aggregation = (ex_aggregation) other->aggregation;
	return take_section(builder, other, EX_TREE_BASE);
}

ex_status
ex_edit_features(ex_builder *builder, const char *const *name, size_t n)
{
	return replace_names(builder, EX_FEATURE_NAME_START, name, n, builder->n_features,
						 "names, one for each feature");
}

/* "Features are a, b, ..." as far as there is room. */
static void
hint_features(ex_builder *builder, const ex_model *model)
{
	char		list[400];
	size_t		used = 0;

	for (uint32_t i = 0; i < model->n_features; i++)
	{
		uint32_t	length;
		const char *name = ex_get_name(model, EX_FEATURE_NAME_START, i, &length);

		if (used + length + 8 > sizeof(list))
		{
			used += (size_t) snprintf(list + used, sizeof(list) - used, ", ...");
			break;
		}
		used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%.*s", i > 0 ? ", " : "",
								  (int) length, name);
	}
	ex_hint(builder->host, "Its features are %.*s.", (int) used, list);
}

ex_status
ex_edit_find_feature(ex_builder *builder, const ex_model *model, const char *name, uint32_t *feature)
{
	int32_t		found = ex_find_feature(model, name, strlen(name));

	if (found < 0)
	{
		ex_fail(builder->host, EX_INVALID, "model has no feature \"%s\"", name);
		hint_features(builder, model);
		return EX_INVALID;
	}
	*feature = (uint32_t) found;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Levels
 * ---------------------------------------------------------------- */

static ex_status
bad_feature(ex_builder *builder, const ex_model *model, uint32_t feature, const char *what)
{
	uint32_t	length;
	const char *name = ex_get_name(model, EX_FEATURE_NAME_START, feature, &length);

	return ex_fail(builder->host, EX_INVALID, "feature \"%.*s\" %s", (int) length, name, what);
}

/* All named levels again, those of one feature under new names. */
static ex_status
put_level_names(ex_builder *builder, const ex_model *model, uint32_t changed,
				const char *const *name, size_t n)
{
	uint32_t	next = 0;		/* among the model's level names */

	drop_names(builder, EX_LEVEL_NAME_START);
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		ex_feature	feature;
		uint32_t	named;

		ex_get_feature(model, i, &feature);
		named = (feature.flags & EX_FEATURE_CODED) ? 0 : feature.n_levels;
		for (size_t level = 0; i == changed && level < n; level++)
			EX_TRY(ex_put_name(builder, EX_LEVEL_NAME_START, name[level], strlen(name[level])));
		for (uint32_t level = 0; i != changed && level < named; level++)
		{
			uint32_t	length;
			const char *text = ex_get_name(model, EX_LEVEL_NAME_START, next + level, &length);

			EX_TRY(ex_put_name(builder, EX_LEVEL_NAME_START, text, length));
		}
		next += named;
	}
	return EX_OK;
}

/* A level that was unknown so far has not been seen in the background. */
static ex_status
put_level_counts(ex_builder *builder, const ex_model *model, uint32_t changed, size_t n)
{
	const double *count = ex_get(model, EX_BACKGROUND_LEVEL, NULL);

	if (count == NULL)
		return EX_OK;
	ex_drop(builder, EX_BACKGROUND_LEVEL);
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		ex_feature	feature;

		ex_get_feature(model, i, &feature);
		EX_TRY(ex_put(builder, EX_BACKGROUND_LEVEL, count, feature.n_levels));
		for (size_t level = feature.n_levels; i == changed && level < n; level++)
			EX_TRY(ex_put_f64(builder, EX_BACKGROUND_LEVEL, 0));
		count += feature.n_levels;
	}
	return EX_OK;
}

ex_status
ex_edit_levels(ex_builder *builder, const ex_model *model, uint32_t feature,
			   const char *const *name, size_t n)
{
	ex_feature	old;

	ex_get_feature(model, feature, &old);
	if (old.kind != EX_CATEGORICAL)
		return bad_feature(builder, model, feature, "is not categorical");
	if (n < old.n_levels)
	{
		ex_fail(builder->host, EX_DIMENSION, "feature \"%.*s\" has %u levels, but %zu names are given",
				(int) old.name_length, old.name, old.n_levels, n);
		ex_hint(builder->host, "Name all levels, in the order of their codes.");
		return EX_DIMENSION;
	}
	if (n > EX_MAX_LEVELS)
		return ex_fail(builder->host, EX_LIMIT, "feature has more than %d levels", EX_MAX_LEVELS);
	builder->section[EX_FEATURE_FLAGS].data[feature] &= ~EX_FEATURE_CODED;
	((uint32_t *) builder->section[EX_FEATURE_LEVELS].data)[feature] = (uint32_t) n;
	EX_TRY(put_level_names(builder, model, feature, name, n));
	return put_level_counts(builder, model, feature, n);
}

/* ----------------------------------------------------------------
 * Policies
 * ---------------------------------------------------------------- */

static const char *const missing_names[] = {
	[EX_MISSING_ERROR] = "error",
	[EX_MISSING_NATIVE] = "native",
	[EX_MISSING_IMPUTE] = "impute"
};

static const char *const unknown_names[] = {
	[EX_UNKNOWN_ERROR] = "error",
	[EX_UNKNOWN_OTHER] = "other",
	[EX_UNKNOWN_MISSING] = "missing"
};

/* The position of a word in a list of three. */
static ex_status
find_policy(ex_builder *builder, const char *const *names, const char *what, const char *name, uint8_t *policy)
{
	for (int i = 0; i < 3; i++)
		if (strcmp(names[i], name) == 0)
		{
			*policy = (uint8_t) i;
			return EX_OK;
		}
	ex_fail(builder->host, EX_INVALID, "unknown policy \"%s\" for %s", name, what);
	ex_hint(builder->host, "Valid policies are %s, %s and %s.", names[0], names[1], names[2]);
	return EX_INVALID;
}

static ex_status
set_missing(ex_builder *builder, uint32_t feature, ex_missing_policy policy, double impute)
{
	const ex_family *family = ex_family_by_id(builder->family);

	builder->section[EX_FEATURE_MISSING].data[feature] = (char) policy;
	((double *) builder->section[EX_FEATURE_IMPUTE].data)[feature] = impute;
	return family->adapt == NULL ? EX_OK : family->adapt(builder, feature);
}

ex_status
ex_edit_missing(ex_builder *builder, uint32_t feature, const char *policy)
{
	uint8_t		found;

	EX_TRY(find_policy(builder, missing_names, "missing values", policy, &found));
	if (found == EX_MISSING_IMPUTE)
		return ex_fail(builder->host, EX_INVALID, "policy \"impute\" needs a value");
	return set_missing(builder, feature, (ex_missing_policy) found, NAN);
}

ex_status
ex_edit_imputation(ex_builder *builder, uint32_t feature, double value)
{
	if (!isfinite(value))
		return ex_fail(builder->host, EX_RANGE, "imputed value is not a finite number");
	return set_missing(builder, feature, EX_MISSING_IMPUTE, value);
}

ex_status
ex_edit_value(ex_builder *builder, const ex_model *model, uint32_t feature, const char *text,
			  double *value)
{
	ex_feature	what;
	int32_t		level;

	ex_get_feature(model, feature, &what);
	if (what.kind == EX_CATEGORICAL)
	{
		level = ex_find_level(model, feature, text, strlen(text));
		*value = level;
		if (level >= 0)
			return EX_OK;
		return ex_fail(builder->host, EX_INVALID, "feature \"%.*s\" has no level \"%s\"",
					   (int) what.name_length, what.name, text);
	}
	if (what.kind == EX_BOOLEAN && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
	{
		*value = text[0] == 't';
		return EX_OK;
	}
	if (ex_parse_double(text, strlen(text), value))
		return EX_OK;
	return ex_fail(builder->host, EX_INVALID, "value \"%s\" of feature \"%.*s\" is not a number",
				   text, (int) what.name_length, what.name);
}

ex_status
ex_edit_unknown(ex_builder *builder, const ex_model *model, uint32_t feature, const char *policy)
{
	uint8_t		found;

	EX_TRY(find_policy(builder, unknown_names, "unknown levels", policy, &found));
	if (((const uint8_t *) ex_get(model, EX_FEATURE_KIND, NULL))[feature] != EX_CATEGORICAL)
		return bad_feature(builder, model, feature, "is not categorical");
	builder->section[EX_FEATURE_UNKNOWN].data[feature] = (char) found;
	return EX_OK;
}
