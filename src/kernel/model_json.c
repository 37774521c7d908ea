/*
 * model_json.c
 *		The JSON form of a model: the members that all families share.
 *
 * Written documents name only what differs from the defaults, and everything
 * that makes up the model: reading one back gives the same digest.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model_json.h"

/* The common members of a document. */
typedef struct common
{
	ex_json_value family;
	ex_json_value features;
	ex_json_value outputs;
	ex_json_value link;
	ex_json_value link_param;
	ex_json_value inputs;
	ex_json_value background;
} common;

#define N_COMMON 7
#define MAX_MEMBERS 40

static void
common_members(common *common, ex_json_member members[N_COMMON])
{
	members[0] = (ex_json_member) {"family", EX_JSON_STRING, true, &common->family};
	members[1] = (ex_json_member) {"features", EX_JSON_ARRAY, false, &common->features};
	members[2] = (ex_json_member) {"outputs", EX_JSON_ARRAY | EX_JSON_NUMBER, false, &common->outputs};
	members[3] = (ex_json_member) {"link", EX_JSON_STRING, false, &common->link};
	members[4] = (ex_json_member) {"link_param", EX_JSON_NUMBER, false, &common->link_param};
	members[5] = (ex_json_member) {"inputs", EX_JSON_ARRAY, false, &common->inputs};
	members[6] = (ex_json_member) {"background", EX_JSON_OBJECT, false, &common->background};
}

ex_status
ex_json_read_document(ex_json *json, ex_json_value document,
					  const ex_json_member *members, int n_members)
{
	common common;
	ex_json_member all[MAX_MEMBERS];

	common_members(&common, all);
	memcpy(all + N_COMMON, members, (size_t) n_members * sizeof(ex_json_member));
	return ex_json_read_object(json, document, "model", all, N_COMMON + n_members, true);
}

/*
 * Header.
 */

static ex_status
find_family(ex_json *json, ex_json_value value, const ex_family **family)
{
	const char *names[16];
	int			found = 0;

	for (int i = 0; i < ex_family_count(); i++)
		names[i] = ex_family_at(i)->name;
	EX_TRY(ex_json_word(json, value, "family", names, ex_family_count(), &found));
	*family = ex_family_at(found);
	return EX_OK;
}

static ex_status
read_output_names(ex_builder *builder, ex_json *json, ex_json_value array)
{
	ex_json_cursor cursor;
	ex_json_value value;

	ex_json_begin(json, array, &cursor);
	while (ex_json_next(json, &cursor, &value))
	{
		ex_json_type type = ex_json_typeof(json, value);
		const char *name;
		size_t		length;

		builder->n_outputs++;
		if (type != EX_JSON_STRING)
			return ex_fail(json->host, type == EX_JSON_NULL ? EX_NULL : EX_INVALID,
						   "output %u must be a string", builder->n_outputs);
		EX_TRY(ex_json_string(json, value, &name, &length));
		EX_TRY(ex_put_name(builder, EX_OUTPUT_NAME_START, name, length));
	}
	return EX_OK;
}

/* Names, or how many there are ("0", "1", ...); one by default. */
static ex_status
read_outputs(ex_builder *builder, ex_json *json, ex_json_value value)
{
	int64_t		count = 1;

	if (ex_json_typeof(json, value) == EX_JSON_ARRAY)
	{
		EX_TRY(read_output_names(builder, json, value));
		if (builder->n_outputs == 0)
			return ex_fail(json->host, EX_INVALID, "model has no outputs");
		return EX_OK;
	}
	if (value.at != NULL)
		EX_TRY(ex_json_integer(json, value, "outputs", 1, EX_MAX_OUTPUTS, &count));
	builder->n_outputs = (uint32_t) count;
	return ex_default_output_names(builder);
}

static ex_status
read_header(ex_builder *builder, ex_json *json, const common *common)
{
	const char *text;
	size_t		length;

	if (common->outputs.at != NULL || !ex_family_by_id(builder->family)->infers_outputs)
		EX_TRY(read_outputs(builder, json, common->outputs));
	if (common->link.at != NULL)
	{
		EX_TRY(ex_json_string(json, common->link, &text, &length));
		EX_TRY(ex_find_link(json->host, text, length, &builder->link));
	}
	if (common->link_param.at != NULL)
		EX_TRY(ex_json_number(json, common->link_param, "link_param", &builder->link_param));
	return EX_OK;
}

/*
 * Background.
 */

typedef struct background_reader
{
	ex_builder *builder;
	ex_json    *json;
	ex_level_index *levels;
	uint32_t	row;			/* 1-based, for messages */
} background_reader;

static ex_status
read_cell(background_reader *r, uint32_t feature, ex_json_value value, double *out)
{
	const uint8_t *kind = (const uint8_t *) r->builder->section[EX_FEATURE_KIND].data;
	ex_json_type type = ex_json_typeof(r->json, value);
	char		where[64];
	uint32_t	level;

	*out = NAN;
	if (type == EX_JSON_NULL)
		return EX_OK;
	if (type == EX_JSON_NUMBER && ex_json_number(r->json, value, "", out) == EX_OK)
		return EX_OK;
	if (type == EX_JSON_BOOL && kind[feature] == EX_BOOLEAN)
	{
		*out = ex_json_bool(r->json, value);
		return EX_OK;
	}
	if (type == EX_JSON_STRING && kind[feature] == EX_CATEGORICAL)
	{
		snprintf(where, sizeof(where), "background row %u", r->row);
		EX_TRY(ex_json_level(r->json, r->levels, feature, value, where, &level));
		*out = level;
		return EX_OK;
	}

	/*
	 * names are made where something is wrong only: rows can be millions of
	 * cells
	 */
	snprintf(where, sizeof(where), "feature %u of background row %u", feature + 1, r->row);
	return ex_json_number(r->json, value, where, out);
}

static ex_status
read_row(background_reader *r, ex_json_value array, ex_buffer *rows)
{
	uint32_t	p = r->builder->n_features;
	ex_json_cursor cursor;
	ex_json_value value;
	uint32_t	n = 0;

	if (ex_json_typeof(r->json, array) != EX_JSON_ARRAY)
		return ex_fail(r->json->host, EX_INVALID, "background row %u must be an array", r->row);
	ex_json_begin(r->json, array, &cursor);
	for (; n < p && ex_json_next(r->json, &cursor, &value); n++)
	{
		double		x;

		EX_TRY(read_cell(r, n, value, &x));
		EX_TRY(ex_append(r->json->host, rows, &x, sizeof(x)));
	}
	if (n < p || ex_json_next(r->json, &cursor, &value))
		return ex_fail(r->json->host, EX_DIMENSION, "expected %u features in background row %u, not %zu",
					   p, r->row, ex_json_count(r->json, array));
	return EX_OK;
}

static ex_status
read_rows(background_reader *r, ex_json_value array, ex_buffer *rows)
{
	ex_json_cursor cursor;
	ex_json_value value;

	ex_json_begin(r->json, array, &cursor);
	while (ex_json_next(r->json, &cursor, &value))
	{
		EX_TRY(ex_poll(r->json->host));
		r->row++;
		EX_TRY(read_row(r, value, rows));
	}
	if (r->row == 0)
		return ex_fail(r->json->host, EX_INVALID, "background has no rows");
	return EX_OK;
}

/* A statistic; null or absent is NaN. */
static ex_status
read_statistic(ex_json *json, ex_json_value value, const char *where, double *out)
{
	*out = NAN;
	if (ex_json_typeof(json, value) == EX_JSON_NULL)
		return EX_OK;
	return ex_json_number(json, value, where, out);
}

/* Statistics of one feature: EX_N_STATS numbers and the counts of its levels. */
static ex_status
read_feature_statistics(background_reader *r, uint32_t feature, ex_json_value object)
{
	static const char *const names[EX_N_STATS] = {
		[EX_STAT_N] = "n",[EX_STAT_MEAN] = "mean",[EX_STAT_SD] = "sd",
		[EX_STAT_MIN] = "min",[EX_STAT_MAX] = "max",[EX_STAT_MISSING] = "missing"
	};
	const uint32_t *n_levels = (const uint32_t *) r->builder->section[EX_FEATURE_LEVELS].data;
	ex_json_value value[EX_N_STATS];
	ex_json_value levels;
	ex_json_member members[EX_N_STATS + 1];
	char		where[64];
	double	   *count = NULL;
	size_t		n = 0;

	snprintf(where, sizeof(where), "statistics of feature %u", feature + 1);
	for (int i = 0; i < EX_N_STATS; i++)
		members[i] = (ex_json_member) {names[i], EX_JSON_NUMBER | EX_JSON_NULL, i == EX_STAT_N, &value[i]};
	members[EX_N_STATS] = (ex_json_member) {"levels", EX_JSON_ARRAY, n_levels[feature] > 0, &levels};
	EX_TRY(ex_json_read_object(r->json, object, where, members, EX_N_STATS + 1, true));
	for (int i = 0; i < EX_N_STATS; i++)
	{
		double		x;

		EX_TRY(read_statistic(r->json, value[i], where, &x));
		if (i == EX_STAT_MISSING && isnan(x))
			x = 0;
		EX_TRY(ex_put_f64(r->builder, EX_BACKGROUND_STAT, x));
	}
	if (levels.at != NULL)
		EX_TRY(ex_json_doubles(r->json, levels, where, &count, &n));
	if (n != n_levels[feature])
		return ex_fail(r->json->host, EX_INVALID, "%s have %zu levels, but the feature has %u",
					   where, n, n_levels[feature]);
	return ex_put(r->builder, EX_BACKGROUND_LEVEL, count, n);
}

static ex_status
read_statistics(background_reader *r, ex_json_value array)
{
	ex_json_cursor cursor;
	ex_json_value value;
	uint32_t	i = 0;

	ex_drop(r->builder, EX_BACKGROUND_STAT);
	ex_drop(r->builder, EX_BACKGROUND_LEVEL);
	ex_json_begin(r->json, array, &cursor);
	for (; i < r->builder->n_features && ex_json_next(r->json, &cursor, &value); i++)
		EX_TRY(read_feature_statistics(r, i, value));
	if (i < r->builder->n_features || ex_json_next(r->json, &cursor, &value))
		return ex_fail(r->json->host, EX_INVALID, "expected statistics of %u features, not %zu",
					   r->builder->n_features, ex_json_count(r->json, array));
	return EX_OK;
}

static ex_status
read_background(ex_builder *builder, ex_json *json, ex_json_value object)
{
	background_reader r = {builder, json, NULL, 0};
	ex_json_value rows;
	ex_json_value weights;
	ex_json_value count;
	ex_json_value statistics;
	const ex_json_member members[] = {
		{"rows", EX_JSON_ARRAY, true, &rows},
		{"weights", EX_JSON_ARRAY, false, &weights},
		{"count", EX_JSON_NUMBER, false, &count},
		{"statistics", EX_JSON_ARRAY, false, &statistics}
	};
	ex_buffer	values = {0};
	double	   *weight = NULL;
	size_t		n_weights;
	double		seen;

	EX_TRY(ex_json_read_object(json, object, "background", members, 4, true));
	EX_TRY(ex_index_levels(builder, &r.levels));
	EX_TRY(read_rows(&r, rows, &values));
	if (weights.at != NULL)
	{
		EX_TRY(ex_json_doubles(json, weights, "weights of the background", &weight, &n_weights));
		if (n_weights != r.row)
			return ex_fail(json->host, EX_INVALID, "background has %u rows but %zu weights",
						   r.row, n_weights);
	}
	EX_TRY(ex_put_background(builder, (const double *) values.data, r.row, weight));
	if (statistics.at != NULL)
		EX_TRY(read_statistics(&r, statistics));
	if (count.at != NULL)
	{
		EX_TRY(ex_json_number(json, count, "count of the background", &seen));
		ex_drop(builder, EX_BACKGROUND_COUNT);
		EX_TRY(ex_put_f64(builder, EX_BACKGROUND_COUNT, seen));
	}
	return EX_OK;
}

/*
 * Documents.
 */

/* JSON has no words for NaN and Infinity, although the reader takes them from XGBoost. */
static ex_status
check_strict(ex_host *host, const char *text, size_t size)
{
	bool		in_string = false;

	for (size_t i = 0; i < size; i++)
	{
		if (text[i] == '"')
			in_string = !in_string;
		else if (in_string && text[i] == '\\')
			i++;
		else if (!in_string && (text[i] == 'N' || text[i] == 'I'))
		{
			ex_fail(host, EX_SYNTAX, "invalid JSON: NaN and Infinity are not numbers, at byte %zu", i + 1);
			ex_hint(host, "Write \"NaN\", \"Infinity\" or \"-Infinity\" in quotes.");
			return EX_SYNTAX;
		}
	}
	return EX_OK;
}

static ex_status
open_document(ex_json *json, ex_host *host, const char *text, size_t size, ex_json_value *root)
{
	if (size > EX_MAX_TEXT_SIZE)
	{
		ex_fail(host, EX_LIMIT, "JSON form of the model is too large");
		ex_detail(host, "The limit is %zu bytes.", EX_MAX_TEXT_SIZE);
		return EX_LIMIT;
	}
	EX_TRY(ex_json_open(json, host, EX_FORMAT_JSON, text, size, root));
	return check_strict(host, text, size);
}

/* Features of a model over encoded columns: numbers that may be missing, named by position. */
static ex_status
put_columns(ex_builder *builder, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		char		name[24];
		int			length = snprintf(name, sizeof(name), "%zu", i);
		ex_feature	feature = {.name = name, .name_length = (size_t) length, .missing = EX_MISSING_NATIVE};

		EX_TRY(ex_put_feature(builder, &feature));
	}
	return EX_OK;
}

/* A document with preprocessing: read the model over its columns, then fold. */
static ex_status
read_encoded(ex_builder *builder, const ex_family *family, ex_json *json, ex_json_value document,
			 const common *common)
{
	ex_builder	columns;
	ex_encoding encoding;
	ex_model   *encoded;

	if (common->features.at == NULL)
		return ex_fail(json->host, EX_INVALID, "model has no key \"features\"");
	EX_TRY(ex_encoding_read(builder, json, common->features, common->inputs, &encoding));
	ex_builder_init(&columns, json->host, family->id);
	EX_TRY(put_columns(&columns, encoding.n_columns));
	EX_TRY(read_header(&columns, json, common));
	EX_TRY(family->read_json(&columns, json, document));
	EX_TRY(ex_build(&columns, &encoded));
	return ex_fold(json->host, encoded, &encoding, builder);
}

/* The features of a document, or those that its family finds elsewhere in it. */
static ex_status
read_features(ex_builder *builder, const ex_family *family, ex_json *json, ex_json_value document,
			  const common *common)
{
	bool	   *has_policy;
	bool		found = false;

	if (common->features.at != NULL)
		return ex_features_read(builder, json, common->features, &has_policy);
	if (family->read_features != NULL)
		EX_TRY(family->read_features(builder, json, document, &found));
	return found ? EX_OK : ex_fail(json->host, EX_INVALID, "model has no key \"features\"");
}

static ex_status
read_plain(ex_builder *builder, const ex_family *family, ex_json *json, ex_json_value document,
		   const common *common)
{
	EX_TRY(read_features(builder, family, json, document, common));
	EX_TRY(read_header(builder, json, common));
	return family->read_json(builder, json, document);
}

ex_status
ex_model_from_json(ex_host *host, const char *text, size_t size, ex_model **model)
{
	ex_json		json;
	ex_json_value document;
	common common;
	ex_json_member members[N_COMMON];
	const ex_family *family;
	ex_builder	builder;

	EX_TRY(open_document(&json, host, text, size, &document));
	common_members(&common, members);
	EX_TRY(ex_json_read_object(&json, document, "model", members, N_COMMON, false));
	EX_TRY(find_family(&json, common.family, &family));
	ex_builder_init(&builder, host, family->id);
	if (common.inputs.at != NULL)
		EX_TRY(read_encoded(&builder, family, &json, document, &common));
	else
		EX_TRY(read_plain(&builder, family, &json, document, &common));
	if (common.background.at != NULL)
		EX_TRY(read_background(&builder, &json, common.background));
	return ex_build(&builder, model);
}

ex_status
ex_model_preprocess(ex_host *host, const ex_model *encoded, const char *text, size_t size,
					ex_model **model)
{
	ex_json		json;
	ex_json_value document;
	ex_json_value features;
	ex_json_value inputs;
	const ex_json_member members[] = {
		{"features", EX_JSON_ARRAY, true, &features},
		{"inputs", EX_JSON_ARRAY, true, &inputs}
	};
	ex_encoding encoding;
	ex_builder	builder;

	EX_TRY(open_document(&json, host, text, size, &document));
	EX_TRY(ex_json_read_object(&json, document, "preprocessing", members, 2, true));
	ex_builder_init(&builder, host, (ex_family_id) encoded->family);
	EX_TRY(ex_encoding_read(&builder, &json, features, inputs, &encoding));
	EX_TRY(ex_fold(host, encoded, &encoding, &builder));
	return ex_build(&builder, model);
}

/*
 * Writing.
 */

static ex_status
write_header(ex_host *host, const ex_model *model, ex_buffer *out)
{
	const ex_family *family = ex_family_by_id(model->family);

	EX_TRY(ex_appendf(host, out, "{\"family\":\"%s\"", family->name));
	if (family->implies_features == NULL || !family->implies_features(model))
	{
		EX_TRY(ex_append_text(host, out, ",\"features\":"));
		EX_TRY(ex_features_write(host, model, out));
	}
	EX_TRY(ex_append_text(host, out, ",\"outputs\":["));
	for (uint32_t k = 0; k < model->n_outputs; k++)
	{
		uint32_t	length;
		const char *name = ex_get_name(model, EX_OUTPUT_NAME_START, k, &length);

		if (k > 0)
			EX_TRY(ex_append_text(host, out, ","));
		EX_TRY(ex_json_put_string(host, out, name, length));
	}
	EX_TRY(ex_appendf(host, out, "],\"link\":\"%s\"", ex_link_names[model->link]));
	if (model->link_param != 1)
	{
		EX_TRY(ex_append_text(host, out, ",\"link_param\":"));
		EX_TRY(ex_json_put_double(host, out, model->link_param));
	}
	return EX_OK;
}

/* A number, null for NaN. */
static ex_status
write_number(ex_host *host, ex_buffer *out, double value)
{
	return isnan(value) ? ex_append_text(host, out, "null") : ex_json_put_double(host, out, value);
}

static ex_status
write_rows(ex_host *host, const ex_model *model, const ex_background *background, ex_buffer *out)
{
	const double *value = background->row;

	for (uint32_t i = 0; i < background->n; i++)
	{
		EX_TRY(ex_poll(host));
		for (uint32_t f = 0; f < model->n_features; f++)
		{
			EX_TRY(ex_append_text(host, out, f > 0 ? "," : i > 0 ? ",[" : "["));
			EX_TRY(write_number(host, out, *value++));
		}
		EX_TRY(ex_append_text(host, out, "]"));
	}
	return EX_OK;
}

static ex_status
write_feature_statistics(ex_host *host, const double *stat, const double *level, uint32_t n_levels,
						 ex_buffer *out)
{
	static const char *const keys[EX_N_STATS] = {
		[EX_STAT_N] = "{\"n\":",[EX_STAT_MEAN] = ",\"mean\":",[EX_STAT_SD] = ",\"sd\":",
		[EX_STAT_MIN] = ",\"min\":",[EX_STAT_MAX] = ",\"max\":",[EX_STAT_MISSING] = ",\"missing\":"
	};

	for (int i = 0; i < EX_N_STATS; i++)
	{
		if (isnan(stat[i]))
			continue;
		EX_TRY(ex_append_text(host, out, keys[i]));
		EX_TRY(ex_json_put_double(host, out, stat[i]));
	}
	if (n_levels > 0)
	{
		EX_TRY(ex_append_text(host, out, ",\"levels\":"));
		EX_TRY(ex_json_put_doubles(host, out, level, n_levels));
	}
	return ex_append_text(host, out, "}");
}

static ex_status
write_background(ex_host *host, const ex_model *model, ex_buffer *out)
{
	const uint32_t *n_levels = ex_get(model, EX_FEATURE_LEVELS, NULL);
	const double *count = ex_get(model, EX_BACKGROUND_COUNT, NULL);
	ex_background background;
	const double *level;

	ex_own_background(model, &background);
	if (background.n == 0)
		return EX_OK;
	EX_TRY(ex_append_text(host, out, ",\"background\":{\"count\":"));
	EX_TRY(ex_json_put_double(host, out, *count));
	EX_TRY(ex_append_text(host, out, ",\"statistics\":["));
	level = background.level;
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		if (i > 0)
			EX_TRY(ex_append_text(host, out, ","));
		EX_TRY(write_feature_statistics(host, background.stat + (size_t) i * EX_N_STATS, level,
										n_levels[i], out));
		level += n_levels[i];
	}
	EX_TRY(ex_append_text(host, out, "],\"weights\":"));
	EX_TRY(ex_json_put_doubles(host, out, background.weight, background.n));
	EX_TRY(ex_append_text(host, out, ",\"rows\":["));
	EX_TRY(write_rows(host, model, &background, out));
	return ex_append_text(host, out, "]}");
}

ex_status
ex_model_to_json(ex_host *host, const ex_model *model, ex_buffer *out)
{
	size_t		start = out->size;

	EX_TRY(write_header(host, model, out));
	EX_TRY(ex_family_by_id(model->family)->write_json(host, model, out));
	EX_TRY(write_background(host, model, out));
	EX_TRY(ex_append_text(host, out, "}"));
	if (out->size - start > EX_MAX_TEXT_SIZE)
	{
		ex_fail(host, EX_LIMIT, "JSON form of the model is too large");
		ex_detail(host, "It has %zu bytes; the limit is %zu.", out->size - start, EX_MAX_TEXT_SIZE);
		return EX_LIMIT;
	}
	return EX_OK;
}
