/*
 * feature_groups.c
 *		Features that are explained together.
 */
#include <string.h>

#include "feature_groups.h"

#define ALONE UINT32_MAX		/* part of a feature that no group has named */

/* Room for as many parts as there may be. */
static ex_status
make_room(ex_host *host, uint32_t n_parts, uint32_t n_features, ex_feature_groups *groups)
{
	groups->n = 0;
	EX_TRY(EX_ALLOC(host, n_features, &groups->part));
	EX_TRY(EX_ALLOC(host, n_parts, &groups->name));
	EX_TRY(EX_ALLOC(host, n_parts, &groups->size));
	EX_TRY(EX_ALLOC(host, n_parts, &groups->first));
	for (uint32_t f = 0; f < n_features; f++)
		groups->part[f] = ALONE;
	return EX_OK;
}

static ex_status
add_member(ex_host *host, const ex_model *model, ex_feature_groups *groups, const char *feature,
		   size_t length)
{
	uint32_t	part = groups->n;
	int32_t		f = ex_find_feature(model, feature, length);

	if (f < 0)
	{
		ex_fail(host, EX_INVALID, "group \"%s\" has the unknown feature \"%s\"", groups->name[part], feature);
		ex_hint(host, "explain.model_features(model) lists the features.");
		return EX_INVALID;
	}
	if (groups->part[f] == part)
		return ex_fail(host, EX_INVALID, "group \"%s\" has the feature \"%s\" twice", groups->name[part], feature);
	if (groups->part[f] != ALONE)
		return ex_fail(host, EX_INVALID, "feature \"%s\" is in two groups, \"%s\" and \"%s\"", feature,
					   groups->name[groups->part[f]], groups->name[part]);
	groups->part[f] = part;
	if (groups->size[part]++ == 0 || (uint32_t) f < groups->first[part])
		groups->first[part] = (uint32_t) f;
	return EX_OK;
}

/* Rows are told apart by name, and features in no group are rows too. */
static ex_status
check_name(ex_host *host, const ex_model *model, const ex_feature_groups *groups, size_t length)
{
	uint32_t	part = groups->n;
	int32_t		f = ex_find_feature(model, groups->name[part], length);

	if (f < 0 || (groups->size[part] == 1 && groups->part[f] == part))
		return EX_OK;
	ex_fail(host, EX_INVALID, "group \"%s\" has the name of a feature that is not its only member",
			groups->name[part]);
	ex_hint(host, "Give the group another name.");
	return EX_INVALID;
}

static ex_status
read_group(ex_json *json, const ex_model *model, ex_json_value key, ex_json_value members,
		   ex_feature_groups *groups)
{
	ex_json_cursor cursor;
	ex_json_value member;
	size_t		name_length;
	size_t		length;

	EX_TRY(ex_json_string(json, key, &groups->name[groups->n], &name_length));
	if (ex_json_typeof(json, members) != EX_JSON_ARRAY)
		return ex_fail(json->host, EX_INVALID, "group \"%s\" must be an array of names of features",
					   groups->name[groups->n]);
	ex_json_begin(json, members, &cursor);
	while (ex_json_next(json, &cursor, &member))
	{
		const char *feature;

		if (ex_json_typeof(json, member) != EX_JSON_STRING)
			return ex_fail(json->host, EX_INVALID, "group \"%s\" must be an array of names of features",
						   groups->name[groups->n]);
		EX_TRY(ex_json_string(json, member, &feature, &length));
		EX_TRY(add_member(json->host, model, groups, feature, length));
	}
	if (groups->size[groups->n] == 0)
		return ex_fail(json->host, EX_INVALID, "group \"%s\" is empty", groups->name[groups->n]);
	EX_TRY(check_name(json->host, model, groups, name_length));
	groups->n++;
	return EX_OK;
}

static void
add_lone_features(uint32_t n_features, ex_feature_groups *groups)
{
	for (uint32_t f = 0; f < n_features; f++)
	{
		if (groups->part[f] != ALONE)
			continue;
		groups->part[f] = groups->n;
		groups->first[groups->n] = f;
		groups->size[groups->n++] = 1;
	}
}

ex_status
ex_read_groups(ex_host *host, const ex_model *model, const char *text, size_t size,
			   ex_feature_groups *groups)
{
	ex_json		json;
	ex_json_value document;
	ex_json_value key;
	ex_json_value members;
	ex_json_cursor cursor;

	EX_TRY(ex_json_open(&json, host, EX_FORMAT_JSON, text, size, &document));
	if (ex_json_typeof(&json, document) != EX_JSON_OBJECT)
	{
		ex_fail(host, EX_INVALID, "groups must be an object");
		ex_hint(host, "Write groups => '{\"group\": [\"feature\", ...]}'.");
		return EX_INVALID;
	}
	/* a group has at least one feature, unless it is refused */
	EX_TRY(make_room(host, model->n_features + 1, model->n_features, groups));
	ex_json_begin(&json, document, &cursor);
	while (ex_json_next_member(&json, &cursor, &key, &members))
		EX_TRY(read_group(&json, model, key, members, groups));
	add_lone_features(model->n_features, groups);
	return EX_OK;
}

ex_status
ex_no_groups(ex_host *host, const ex_model *model, ex_feature_groups *groups)
{
	EX_TRY(make_room(host, model->n_features, model->n_features, groups));
	add_lone_features(model->n_features, groups);
	return EX_OK;
}
