/*
 * model_align.c
 *		A model over the features of another one.
 */
#include "model_align.h"

#include "family.h"

/* The two models, and the map from one to the other while it is made. */
typedef struct alignment
{
	ex_host    *host;
	const ex_model *model;
	const ex_model *other;
	uint32_t   *feature;
	const uint32_t **level;
} alignment;

static ex_status
map_levels(alignment *a, uint32_t i, const ex_feature *feature)
{
	uint32_t   *level;

	EX_TRY(EX_ALLOC(a->host, feature->n_levels, &level));
	for (uint32_t l = 0; l < feature->n_levels; l++)
	{
		char		code[12];
		uint32_t	length;
		const char *name = ex_level_name(a->model, i, l, code, &length);
		int32_t		found = ex_find_level(a->other, a->feature[i], name, length);

		if (found < 0)
			return ex_fail(a->host, EX_INVALID, "feature \"%.*s\" of the other model has no level \"%.*s\"",
						   (int) feature->name_length, feature->name, (int) length, name);
		level[l] = (uint32_t) found;
	}
	a->level[i] = level;
	return EX_OK;
}

static ex_status
map_feature(alignment *a, uint32_t i)
{
	ex_feature	mine;
	ex_feature	theirs;
	int32_t		found;

	ex_get_feature(a->model, i, &mine);
	found = ex_find_feature(a->other, mine.name, mine.name_length);
	if (found < 0)
		return ex_fail(a->host, EX_INVALID, "the other model has no feature \"%.*s\"",
					   (int) mine.name_length, mine.name);
	a->feature[i] = (uint32_t) found;
	ex_get_feature(a->other, a->feature[i], &theirs);
	if (mine.kind != theirs.kind && (mine.kind == EX_CATEGORICAL || theirs.kind == EX_CATEGORICAL))
		return ex_fail(a->host, EX_INVALID, "feature \"%.*s\" is categorical in one model, but not in the other",
					   (int) mine.name_length, mine.name);
	return mine.kind == EX_CATEGORICAL ? map_levels(a, i, &mine) : EX_OK;
}

/* Sections of the features from the other model, everything else from this one. */
static ex_status
put_sections(alignment *a, ex_builder *builder)
{
	EX_TRY(ex_builder_open(builder, a->host, a->model));
	builder->n_features = a->other->n_features;
	for (int id = EX_FEATURE_NAME_START; id <= EX_LEVEL_NAME_TEXT; id++)
	{
		uint32_t	count;
		const void *section = ex_get(a->other, (ex_section_id) id, &count);

		ex_drop(builder, (ex_section_id) id);
		EX_TRY(ex_put(builder, (ex_section_id) id, section, count));
	}
	for (int id = EX_BACKGROUND_ROW; id <= EX_BACKGROUND_COUNT; id++)
		ex_drop(builder, (ex_section_id) id);
	return EX_OK;
}

ex_status
ex_align_features(ex_host *host, const ex_model *model, const ex_model *other, ex_builder *builder)
{
	alignment	a = {.host = host, .model = model, .other = other};
	ex_feature_map map;

	EX_TRY(EX_ALLOC(host, model->n_features, &a.feature));
	EX_TRY(EX_ALLOC(host, model->n_features, &a.level));
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		EX_TRY(map_feature(&a, i));
		EX_TRY(ex_poll(host));
	}
	EX_TRY(put_sections(&a, builder));
	map.feature = a.feature;
	map.level = a.level;
	return ex_family_by_id(model->family)->align(builder, model, &map);
}
