/*
 * feature_json.c
 *		Features in the JSON form, and finding names.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_json.h"

/*
 * Names.
 */

typedef struct indexed_name
{
	const char *text;
	uint32_t	length;
	uint32_t	position;
} indexed_name;

struct ex_name_index
{
	uint32_t	count;
	indexed_name *name;			/* sorted */
};

struct ex_level_index
{
	ex_builder *builder;
	uint32_t   *first;			/* each feature's first level among the named
								 * ones of all */
	ex_name_index **feature;	/* NULL until asked for */
};

static int
compare_names(const void *a, const void *b)
{
	const indexed_name *left = a;
	const indexed_name *right = b;

	if (left->length != right->length)
		return left->length < right->length ? -1 : 1;
	return memcmp(left->text, right->text, left->length);
}

/* Names first .. first + count - 1 of a pair. */
static ex_status
index_names(ex_builder *builder, ex_section_id start, uint32_t first, uint32_t count,
			ex_name_index **index)
{
	const uint32_t *offset = count > 0 ? (const uint32_t *) builder->section[start].data + first : NULL;
	const ex_buffer *bytes = &builder->section[start + 1];
	const char *text = bytes->data != NULL ? bytes->data : "";
	indexed_name *name;

	EX_TRY(EX_ALLOC(builder->host, 1, index));
	EX_TRY(EX_ALLOC(builder->host, count, &name));
	for (uint32_t i = 0; i < count; i++)
	{
		name[i].text = text + offset[i];
		name[i].length = offset[i + 1] - offset[i];
		name[i].position = i;
	}
	qsort(name, count, sizeof(indexed_name), compare_names);
	(*index)->count = count;
	(*index)->name = name;
	return EX_OK;
}

ex_status
ex_index_features(ex_builder *builder, ex_name_index **index)
{
	return index_names(builder, EX_FEATURE_NAME_START, 0, builder->n_features, index);
}

ex_status
ex_index_outputs(ex_builder *builder, ex_name_index **index)
{
	return index_names(builder, EX_OUTPUT_NAME_START, 0, builder->n_outputs, index);
}

/* Decimal digits without sign or leading zeros. */
static int32_t
find_code(const char *text, size_t length, uint32_t count)
{
	uint32_t	code = 0;

	if (length == 0 || length > 8 || (length > 1 && text[0] == '0'))
		return -1;
	for (size_t i = 0; i < length; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return -1;
		code = code * 10 + (uint32_t) (text[i] - '0');
	}
	return code < count ? (int32_t) code : -1;
}

int32_t
ex_index_find(const ex_name_index *index, const char *name, size_t length)
{
	indexed_name wanted = {name, (uint32_t) length, 0};
	const indexed_name *found;

	if (length > EX_MAX_NAME)
		return -1;
	found = bsearch(&wanted, index->name, index->count, sizeof(indexed_name), compare_names);
	return found != NULL ? (int32_t) found->position : -1;
}

ex_status
ex_index_levels(ex_builder *builder, ex_level_index **index)
{
	const uint8_t *flags = (const uint8_t *) builder->section[EX_FEATURE_FLAGS].data;
	const uint32_t *levels = (const uint32_t *) builder->section[EX_FEATURE_LEVELS].data;
	uint32_t	first = 0;

	EX_TRY(EX_ALLOC(builder->host, 1, index));
	(*index)->builder = builder;
	EX_TRY(EX_ALLOC(builder->host, builder->n_features, &(*index)->first));
	EX_TRY(EX_ALLOC(builder->host, builder->n_features, &(*index)->feature));
	for (uint32_t i = 0; i < builder->n_features; i++)
	{
		(*index)->first[i] = first;
		if (!(flags[i] & EX_FEATURE_CODED))
			first += levels[i];
	}
	return EX_OK;
}

/* *level: -1 if there is none */
static ex_status
find_level_name(ex_level_index *index, uint32_t feature, const char *name, size_t length, int32_t *level)
{
	ex_builder *builder = index->builder;
	const uint8_t *flags = (const uint8_t *) builder->section[EX_FEATURE_FLAGS].data;
	const uint32_t *levels = (const uint32_t *) builder->section[EX_FEATURE_LEVELS].data;

	if (flags[feature] & EX_FEATURE_CODED)
	{
		*level = find_code(name, length, levels[feature]);
		return EX_OK;
	}
	if (index->feature[feature] == NULL)
		EX_TRY(index_names(builder, EX_LEVEL_NAME_START, index->first[feature], levels[feature],
						   &index->feature[feature]));
	*level = ex_index_find(index->feature[feature], name, length);
	return EX_OK;
}

/* Of a feature, for messages. */
static int
name_length(const ex_builder *builder, uint32_t feature)
{
	const uint32_t *start = (const uint32_t *) builder->section[EX_FEATURE_NAME_START].data;

	return (int) (start[feature + 1] - start[feature]);
}

static const char *
name_text(const ex_builder *builder, uint32_t feature)
{
	const uint32_t *start = (const uint32_t *) builder->section[EX_FEATURE_NAME_START].data;

	return builder->section[EX_FEATURE_NAME_TEXT].data + start[feature];
}

ex_status
ex_json_level(ex_json *json, ex_level_index *index, uint32_t feature, ex_json_value value,
			  const char *where, uint32_t *level)
{
	const uint32_t *levels = (const uint32_t *) index->builder->section[EX_FEATURE_LEVELS].data;
	const char *name;
	size_t		length;
	int64_t		position;
	int32_t		found;

	if (levels[feature] == 0)
		return ex_fail(json->host, EX_INVALID, "feature \"%.*s\" has a level in %s, but is not categorical",
					   name_length(index->builder, feature), name_text(index->builder, feature), where);
	if (ex_json_typeof(json, value) != EX_JSON_STRING)
	{
		EX_TRY(ex_json_integer(json, value, where, 0, (int64_t) levels[feature] - 1, &position));
		*level = (uint32_t) position;
		return EX_OK;
	}
	EX_TRY(ex_json_string(json, value, &name, &length));
	EX_TRY(find_level_name(index, feature, name, length, &found));
	if (found < 0)
		return ex_fail(json->host, EX_INVALID, "unknown level \"%s\" of feature \"%.*s\" in %s", name,
					   name_length(index->builder, feature), name_text(index->builder, feature), where);
	*level = (uint32_t) found;
	return EX_OK;
}

/* "Features are "a", "b", ..." as far as there is room. */
static void
hint_features(ex_builder *builder)
{
	const uint32_t *offset = (const uint32_t *) builder->section[EX_FEATURE_NAME_START].data;
	const char *text = builder->section[EX_FEATURE_NAME_TEXT].data;
	char		list[400];
	size_t		used = 0;
	uint32_t	i;

	for (i = 0; i < builder->n_features; i++)
	{
		size_t		length = offset[i + 1] - offset[i];

		if (used + length + 5 > sizeof(list))
			break;
		memcpy(list + used, ", \"", 3);
		memcpy(list + used + 3, text + offset[i], length);
		list[used + 3 + length] = '"';
		used += length + 4;
	}
	if (used > 2)
		ex_hint(builder->host, "Features are %.*s%s.", (int) used - 2, list + 2,
				i < builder->n_features ? ", ..." : "");
}

ex_status
ex_json_feature(ex_json *json, ex_builder *builder, const ex_name_index *features,
				ex_json_value value, const char *where, uint32_t *feature)
{
	const char *name;
	size_t		length;
	int64_t		position;

	if (ex_json_typeof(json, value) != EX_JSON_STRING)
	{
		EX_TRY(ex_json_integer(json, value, where, 0, (int64_t) builder->n_features - 1, &position));
		*feature = (uint32_t) position;
		return EX_OK;
	}
	EX_TRY(ex_json_string(json, value, &name, &length));
	position = ex_index_find(features, name, length);
	if (position < 0)
	{
		ex_fail(json->host, EX_INVALID, "unknown feature \"%s\" in %s", name, where);
		hint_features(builder);
		return EX_INVALID;
	}
	*feature = (uint32_t) position;
	return EX_OK;
}

ex_status
ex_json_distinct_keys(ex_json *json, ex_json_value object, const char *where)
{
	size_t		count = ex_json_count(json, object);
	indexed_name *name;
	ex_json_cursor cursor;
	ex_json_value key;
	ex_json_value value;
	size_t		n = 0;

	EX_TRY(EX_ALLOC(json->host, count, &name));
	ex_json_begin(json, object, &cursor);
	while (ex_json_next_member(json, &cursor, &key, &value))
	{
		size_t		length;

		EX_TRY(ex_json_string(json, key, &name[n].text, &length));
		name[n++].length = (uint32_t) length;
	}
	qsort(name, n, sizeof(indexed_name), compare_names);
	for (size_t i = 1; i < n; i++)
		if (compare_names(&name[i - 1], &name[i]) == 0)
			return ex_fail(json->host, EX_DUPLICATE_KEY, "key \"%s\" of %s is given twice",
						   name[i].text, where);
	return EX_OK;
}

ex_status
ex_json_word(ex_json *json, ex_json_value value, const char *what,
			 const char *const *words, int n_words, int *found)
{
	const char *text;
	size_t		length;
	char		valid[400];
	size_t		used = 0;

	for (int i = 0; i < n_words; i++)
	{
		if (ex_json_equals(json, value, words[i]))
		{
			*found = i;
			return EX_OK;
		}
	}
	EX_TRY(ex_json_string(json, value, &text, &length));
	ex_fail(json->host, EX_INVALID, "unknown %s \"%s\"", what, text);
	for (int i = 0; i < n_words && used + strlen(words[i]) + 5 < sizeof(valid); i++)
	{
		memcpy(valid + used, ", ", 2);
		memcpy(valid + used + 2, words[i], strlen(words[i]));
		used += strlen(words[i]) + 2;
	}
	ex_hint(json->host, "Valid values are %.*s.", (int) used - 2, valid + 2);
	return EX_INVALID;
}

/*
 * Reading features.
 */

static const char *const kinds[] = {"numeric", "boolean", "categorical"};
static const char *const missing_policies[] = {"error", "native", "impute"};
static const char *const unknown_policies[] = {"error", "other", "missing"};
static const char *const flags[] = {"", "flush", "truncate"};	/* by bit */

/* One feature while it is read. */
typedef struct reader
{
	ex_json    *json;
	char		where[32];		/* "feature 3" */
	ex_feature	feature;
	bool		has_policy;
} reader;

static ex_status
read_level_names(reader *r, ex_json_value array)
{
	ex_json_cursor cursor;
	ex_json_value value;
	const char **level;
	size_t		count = ex_json_count(r->json, array);
	uint32_t	i = 0;

	if (count > EX_MAX_LEVELS)
		return ex_fail(r->json->host, EX_LIMIT, "%s has too many levels", r->where);
	EX_TRY(EX_ALLOC(r->json->host, count, &level));
	ex_json_begin(r->json, array, &cursor);
	while (ex_json_next(r->json, &cursor, &value))
	{
		ex_json_type type = ex_json_typeof(r->json, value);
		size_t		length;

		if (type != EX_JSON_STRING)
			return ex_fail(r->json->host, type == EX_JSON_NULL ? EX_NULL : EX_INVALID,
						   "level %u of %s must be a string", i + 1, r->where);
		EX_TRY(ex_json_string(r->json, value, &level[i++], &length));
	}
	r->feature.levels = level;
	r->feature.n_levels = i;
	return EX_OK;
}

static ex_status
read_levels(reader *r, ex_json_value value)
{
	char		what[64];
	int64_t		count;

	if (ex_json_typeof(r->json, value) == EX_JSON_ARRAY)
		return read_level_names(r, value);
	snprintf(what, sizeof(what), "number of levels of %s", r->where);
	EX_TRY(ex_json_integer(r->json, value, what, 1, EX_MAX_LEVELS, &count));
	r->feature.n_levels = (uint32_t) count;
	return EX_OK;
}

static ex_status
find_level(reader *r, ex_json_value value, double *position)
{
	for (uint32_t i = 0; i < r->feature.n_levels && r->feature.levels != NULL; i++)
	{
		if (ex_json_equals(r->json, value, r->feature.levels[i]))
		{
			*position = i;
			return EX_OK;
		}
	}
	return ex_fail(r->json->host, EX_INVALID, "imputed level of %s is not among its levels", r->where);
}

static ex_status
read_imputed(reader *r, ex_json_value value)
{
	char		what[64];

	if (r->feature.kind == EX_CATEGORICAL && ex_json_typeof(r->json, value) == EX_JSON_STRING)
		return find_level(r, value, &r->feature.impute);
	if (r->feature.kind == EX_BOOLEAN && ex_json_typeof(r->json, value) == EX_JSON_BOOL)
	{
		r->feature.impute = ex_json_bool(r->json, value);
		return EX_OK;
	}
	snprintf(what, sizeof(what), "imputed value of %s", r->where);
	return ex_json_number(r->json, value, what, &r->feature.impute);
}

static ex_status
read_missing(reader *r, ex_json_value value)
{
	char		where[64];
	ex_json_value impute;
	const ex_json_member members[] = {
		{"impute", EX_JSON_NUMBER | EX_JSON_STRING | EX_JSON_BOOL, true, &impute}
	};
	int			policy = 0;

	r->has_policy = true;
	if (ex_json_typeof(r->json, value) == EX_JSON_STRING)
	{
		EX_TRY(ex_json_word(r->json, value, "missing-value policy", missing_policies, 2, &policy));
		r->feature.missing = (ex_missing_policy) policy;
		return EX_OK;
	}
	r->feature.missing = EX_MISSING_IMPUTE;
	snprintf(where, sizeof(where), "\"missing\" of %s", r->where);
	EX_TRY(ex_json_read_object(r->json, value, where, members, 1, true));
	return read_imputed(r, impute);
}

static ex_status
read_flags(reader *r, ex_json_value array)
{
	ex_json_cursor cursor;
	ex_json_value value;

	ex_json_begin(r->json, array, &cursor);
	while (ex_json_next(r->json, &cursor, &value))
	{
		int			bit = 0;

		if (ex_json_typeof(r->json, value) != EX_JSON_STRING)
			return ex_fail(r->json->host, EX_INVALID, "flags of %s must be strings", r->where);
		EX_TRY(ex_json_word(r->json, value, "flag", flags + 1, 2, &bit));
		r->feature.flags |= (uint8_t) (1 << (bit + 1));
	}
	return EX_OK;
}

static ex_status
read_full_feature(reader *r, ex_json_value object)
{
	ex_json_value name;
	ex_json_value kind;
	ex_json_value levels;
	ex_json_value missing;
	ex_json_value unknown;
	ex_json_value flag_list;
	const ex_json_member members[] = {
		{"name", EX_JSON_STRING, true, &name},
		{"kind", EX_JSON_STRING, false, &kind},
		{"levels", EX_JSON_ARRAY | EX_JSON_NUMBER, false, &levels},
		{"missing", EX_JSON_STRING | EX_JSON_OBJECT, false, &missing},
		{"unknown", EX_JSON_STRING, false, &unknown},
		{"flags", EX_JSON_ARRAY, false, &flag_list}
	};
	int			found = 0;

	EX_TRY(ex_json_read_object(r->json, object, r->where, members, 6, true));
	EX_TRY(ex_json_string(r->json, name, &r->feature.name, &r->feature.name_length));
	r->feature.kind = levels.at != NULL ? EX_CATEGORICAL : EX_NUMERIC;
	if (kind.at != NULL)
	{
		EX_TRY(ex_json_word(r->json, kind, "kind of feature", kinds, 3, &found));
		r->feature.kind = (ex_feature_kind) found;
	}
	if ((levels.at != NULL) != (r->feature.kind == EX_CATEGORICAL))
		return ex_fail(r->json->host, EX_INVALID, "%s is %s but has %s levels", r->where,
					   kinds[r->feature.kind], levels.at != NULL ? "a list of" : "no");
	if (levels.at != NULL)
		EX_TRY(read_levels(r, levels));
	if (missing.at != NULL)
		EX_TRY(read_missing(r, missing));
	if (unknown.at != NULL)
	{
		EX_TRY(ex_json_word(r->json, unknown, "policy for unknown levels", unknown_policies, 3, &found));
		r->feature.unknown = (ex_unknown_policy) found;
	}
	return read_flags(r, flag_list);
}

static ex_status
read_feature(reader *r, ex_json_value value)
{
	ex_json_type type = ex_json_typeof(r->json, value);

	if (type == EX_JSON_STRING)
		return ex_json_string(r->json, value, &r->feature.name, &r->feature.name_length);
	if (type == EX_JSON_OBJECT)
		return read_full_feature(r, value);
	return ex_fail(r->json->host, type == EX_JSON_NULL ? EX_NULL : EX_INVALID,
				   "%s must be its name or an object", r->where);
}

ex_status
ex_features_read(ex_builder *builder, ex_json *json, ex_json_value features, bool **has_policy)
{
	ex_json_cursor cursor;
	ex_json_value value;
	size_t		count = ex_json_count(json, features);

	if (count > EX_MAX_FEATURES)
	{
		ex_fail(json->host, EX_LIMIT, "model has too many features");
		ex_detail(json->host, "The limit is %d.", EX_MAX_FEATURES);
		return EX_LIMIT;
	}
	if (count == 0)
		return ex_fail(json->host, EX_INVALID, "model has no features");
	EX_TRY(EX_ALLOC(json->host, count, has_policy));
	ex_json_begin(json, features, &cursor);
	for (uint32_t i = 0; ex_json_next(json, &cursor, &value); i++)
	{
		reader		r = {.json = json};

		EX_TRY(ex_poll(json->host));
		snprintf(r.where, sizeof(r.where), "feature %u", i + 1);
		EX_TRY(read_feature(&r, value));
		EX_TRY(ex_put_feature(builder, &r.feature));
		(*has_policy)[i] = r.has_policy;
	}
	return EX_OK;
}

/*
 * Writing features.
 */

/* Names first .. first + n - 1 among those of all features. */
static ex_status
write_levels(ex_host *host, const ex_model *model, uint32_t first, uint32_t n, ex_buffer *out)
{
	EX_TRY(ex_append_text(host, out, ",\"levels\":["));
	for (uint32_t level = 0; level < n; level++)
	{
		uint32_t	length;
		const char *name = ex_get_name(model, EX_LEVEL_NAME_START, first + level, &length);

		if (level > 0)
			EX_TRY(ex_append_text(host, out, ","));
		EX_TRY(ex_json_put_string(host, out, name, length));
	}
	return ex_append_text(host, out, "]");
}

/* A value of the feature: the name of a level, true or false, or a number. */
static ex_status
write_value(ex_host *host, const ex_model *model, uint32_t first_level, const ex_feature *feature,
			double value, ex_buffer *out)
{
	uint32_t	length;
	const char *name;

	if (feature->kind == EX_BOOLEAN && !signbit(value))
		return ex_append_text(host, out, value != 0 ? "true" : "false");
	if (feature->kind != EX_CATEGORICAL || (feature->flags & EX_FEATURE_CODED) || signbit(value))
		return ex_json_put_double(host, out, value);
	name = ex_get_name(model, EX_LEVEL_NAME_START, first_level + (uint32_t) value, &length);
	return ex_json_put_string(host, out, name, length);
}

static ex_status
write_missing(ex_host *host, const ex_model *model, uint32_t first_level, const ex_feature *feature,
			  ex_buffer *out)
{
	if (feature->missing == EX_MISSING_ERROR)
		return EX_OK;
	if (feature->missing == EX_MISSING_NATIVE)
		return ex_append_text(host, out, ",\"missing\":\"native\"");
	EX_TRY(ex_append_text(host, out, ",\"missing\":{\"impute\":"));
	EX_TRY(write_value(host, model, first_level, feature, feature->impute, out));
	return ex_append_text(host, out, "}");
}

static ex_status
write_flags(ex_host *host, uint8_t set, ex_buffer *out)
{
	bool		any = false;

	for (int bit = 1; bit <= 2; bit++)
	{
		if (!(set & (1 << bit)))
			continue;
		EX_TRY(ex_appendf(host, out, "%s\"%s\"", any ? "," : ",\"flags\":[", flags[bit]));
		any = true;
	}
	return any ? ex_append_text(host, out, "]") : EX_OK;
}

/* first_level: number of the feature's first level name, moved past its last one */
static ex_status
write_feature(ex_host *host, const ex_model *model, uint32_t i, uint32_t *first_level, ex_buffer *out)
{
	ex_feature	feature;
	uint32_t	first = *first_level;

	EX_TRY(ex_get_feature(model, i, &feature));
	if (!(feature.flags & EX_FEATURE_CODED))
		*first_level += feature.n_levels;
	if (feature.kind == EX_NUMERIC && feature.missing == EX_MISSING_ERROR &&
		feature.unknown == EX_UNKNOWN_ERROR && feature.flags == 0)
		return ex_json_put_string(host, out, feature.name, feature.name_length);

	EX_TRY(ex_append_text(host, out, "{\"name\":"));
	EX_TRY(ex_json_put_string(host, out, feature.name, feature.name_length));
	EX_TRY(ex_appendf(host, out, ",\"kind\":\"%s\"", kinds[feature.kind]));
	if (feature.flags & EX_FEATURE_CODED)
		EX_TRY(ex_appendf(host, out, ",\"levels\":%u", feature.n_levels));
	else if (feature.kind == EX_CATEGORICAL)
		EX_TRY(write_levels(host, model, first, feature.n_levels, out));
	EX_TRY(write_missing(host, model, first, &feature, out));
	if (feature.unknown != EX_UNKNOWN_ERROR)
		EX_TRY(ex_appendf(host, out, ",\"unknown\":\"%s\"", unknown_policies[feature.unknown]));
	EX_TRY(write_flags(host, feature.flags, out));
	return ex_append_text(host, out, "}");
}

ex_status
ex_features_write(ex_host *host, const ex_model *model, ex_buffer *out)
{
	uint32_t	first_level = 0;

	EX_TRY(ex_append_text(host, out, "["));
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		EX_TRY(ex_poll(host));
		if (i > 0)
			EX_TRY(ex_append_text(host, out, ","));
		EX_TRY(write_feature(host, model, i, &first_level, out));
	}
	return ex_append_text(host, out, "]");
}
