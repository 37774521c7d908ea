/*
 * model.c
 *		Reading a model: sections, names, features, levels, background.
 *
 * Everything here trusts that the model has been validated.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "family.h"
#include "model.h"

const uint8_t ex_section_types[EX_N_SECTIONS] = {
	[EX_FEATURE_NAME_START] = EX_U32,
	[EX_FEATURE_NAME_TEXT] = EX_U8,
	[EX_FEATURE_KIND] = EX_U8,
	[EX_FEATURE_MISSING] = EX_U8,
	[EX_FEATURE_UNKNOWN] = EX_U8,
	[EX_FEATURE_FLAGS] = EX_U8,
	[EX_FEATURE_IMPUTE] = EX_F64,
	[EX_FEATURE_LEVELS] = EX_U32,
	[EX_LEVEL_NAME_START] = EX_U32,
	[EX_LEVEL_NAME_TEXT] = EX_U8,
	[EX_OUTPUT_NAME_START] = EX_U32,
	[EX_OUTPUT_NAME_TEXT] = EX_U8,
	[EX_BACKGROUND_ROW] = EX_F64,
	[EX_BACKGROUND_WEIGHT] = EX_F64,
	[EX_BACKGROUND_STAT] = EX_F64,
	[EX_BACKGROUND_LEVEL] = EX_F64,
	[EX_BACKGROUND_COUNT] = EX_F64,
	[EX_COLUMN_FEATURE] = EX_U32,
	[EX_COLUMN_KIND] = EX_U8,
	[EX_COLUMN_LEVEL] = EX_U32,
	[EX_COLUMN_LOW] = EX_F64,
	[EX_COLUMN_HIGH] = EX_F64,
	[EX_COLUMN_MISSING] = EX_F64,
	[EX_COEFFICIENT] = EX_F64,
	[EX_INTERCEPT] = EX_F64,
	[EX_COEFFICIENT_SE] = EX_F64,
	[EX_COEFFICIENT_COV] = EX_F64,
	[EX_TREE_BASE] = EX_F64,
	[EX_TREE_ROOT] = EX_U32,
	[EX_TREE_OUTPUT] = EX_U32,
	[EX_TREE_WEIGHT] = EX_F64,
	[EX_TREE_NODE] = EX_NODE,
	[EX_TREE_COVER] = EX_F64,
	[EX_TREE_GAIN] = EX_F64,
	[EX_TREE_SET_START] = EX_U32,
	[EX_TREE_SET_WORD] = EX_U32,
	[EX_TREE_LEAF_VECTOR] = EX_F64,
	[EX_TREE_LINEAR_START] = EX_U32,
	[EX_TREE_LINEAR_FEATURE] = EX_U32,
	[EX_TREE_LINEAR_COEF] = EX_F64,
	[EX_TREE_LINEAR_CONST] = EX_F64,
	[EX_COLUMN_CENTER] = EX_F64,
	[EX_COLUMN_SCALE] = EX_F64,
	[EX_IMAGE_SHAPE] = EX_U32,
	[EX_CHANNEL_NAME_START] = EX_U32,
	[EX_CHANNEL_NAME_TEXT] = EX_U8,
	[EX_LAYER_NAME_START] = EX_U32,
	[EX_LAYER_NAME_TEXT] = EX_U8,
	[EX_LAYER_KIND] = EX_U8,
	[EX_LAYER_INPUT_START] = EX_U32,
	[EX_LAYER_INPUT] = EX_U32,
	[EX_LAYER_SHAPE] = EX_U32,
	[EX_LAYER_SETTING] = EX_I32,
	[EX_LAYER_NUMBER] = EX_F64,
	[EX_LAYER_WEIGHT_START] = EX_U32,
	[EX_LAYER_WEIGHT] = EX_F64,
	[EX_LAYER_WEIGHT_F32] = EX_F32,
};

size_t
ex_type_size(ex_type type)
{
	switch (type)
	{
		case EX_U8:
			return 1;
		case EX_I32:
		case EX_U32:
		case EX_F32:
			return 4;
		case EX_F64:
			return 8;
		case EX_NODE:
			return 16;
	}
	return 0;
}

const void *
ex_get(const ex_model *model, ex_section_id id, uint32_t *count)
{
	for (uint32_t i = 0; i < model->n_sections; i++)
	{
		if (model->section[i].id == (uint32_t) id)
		{
			if (count != NULL)
				*count = model->section[i].count;
			return (const char *) model + model->section[i].offset;
		}
	}
	if (count != NULL)
		*count = 0;
	return NULL;
}

const char *
ex_get_name(const ex_model *model, ex_section_id start, uint32_t i, uint32_t *length)
{
	const uint32_t *offset = ex_get(model, start, NULL);
	const char *text = ex_get(model, (ex_section_id) (start + 1), NULL);

	*length = offset[i + 1] - offset[i];
	return text + offset[i];
}

/* Position of a name in entries first .. first + count - 1 of a pair, or -1. */
static int32_t
find_name(const ex_model *model, ex_section_id start, uint32_t first, uint32_t count,
		  const char *name, size_t length)
{
	const uint32_t *offset = (const uint32_t *) ex_get(model, start, NULL) + first;
	const char *text = ex_get(model, (ex_section_id) (start + 1), NULL);

	for (uint32_t i = 0; i < count; i++)
		if (offset[i + 1] - offset[i] == length && memcmp(text + offset[i], name, length) == 0)
			return (int32_t) i;
	return -1;
}

int32_t
ex_find_feature(const ex_model *model, const char *name, size_t length)
{
	return find_name(model, EX_FEATURE_NAME_START, 0, model->n_features, name, length);
}

int32_t
ex_find_output(const ex_model *model, const char *name, size_t length)
{
	return find_name(model, EX_OUTPUT_NAME_START, 0, model->n_outputs, name, length);
}

/* Number of the feature's first level among the named levels of all features. */
static uint32_t
first_level_name(const ex_model *model, uint32_t feature)
{
	const uint32_t *levels = ex_get(model, EX_FEATURE_LEVELS, NULL);
	const uint8_t *flags = ex_get(model, EX_FEATURE_FLAGS, NULL);
	uint32_t	first = 0;

	for (uint32_t i = 0; i < feature; i++)
		if (!(flags[i] & EX_FEATURE_CODED))
			first += levels[i];
	return first;
}

static bool
is_coded(const ex_model *model, uint32_t feature)
{
	return (((const uint8_t *) ex_get(model, EX_FEATURE_FLAGS, NULL))[feature] & EX_FEATURE_CODED) != 0;
}

/* A code as its decimal digits without sign or leading zeros, or -1. */
static int32_t
parse_code(const char *text, size_t length, uint32_t levels)
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
	return code < levels ? (int32_t) code : -1;
}

int32_t
ex_find_level(const ex_model *model, uint32_t feature, const char *name, size_t length)
{
	uint32_t	levels = ((const uint32_t *) ex_get(model, EX_FEATURE_LEVELS, NULL))[feature];

	if (is_coded(model, feature))
		return parse_code(name, length, levels);
	return find_name(model, EX_LEVEL_NAME_START, first_level_name(model, feature), levels,
					 name, length);
}

const char *
ex_level_name(const ex_model *model, uint32_t feature, uint32_t level, char buf[12], uint32_t *length)
{
	if (is_coded(model, feature))
	{
		*length = (uint32_t) snprintf(buf, 12, "%u", level);
		return buf;
	}
	return ex_get_name(model, EX_LEVEL_NAME_START, first_level_name(model, feature) + level, length);
}

ex_status
ex_get_feature(const ex_model *model, uint32_t i, ex_feature *feature)
{
	uint32_t	length;

	memset(feature, 0, sizeof(*feature));
	feature->name = ex_get_name(model, EX_FEATURE_NAME_START, i, &length);
	feature->name_length = length;
	feature->kind = (ex_feature_kind) ((const uint8_t *) ex_get(model, EX_FEATURE_KIND, NULL))[i];
	feature->missing = (ex_missing_policy) ((const uint8_t *) ex_get(model, EX_FEATURE_MISSING, NULL))[i];
	feature->unknown = (ex_unknown_policy) ((const uint8_t *) ex_get(model, EX_FEATURE_UNKNOWN, NULL))[i];
	feature->flags = ((const uint8_t *) ex_get(model, EX_FEATURE_FLAGS, NULL))[i];
	feature->impute = ((const double *) ex_get(model, EX_FEATURE_IMPUTE, NULL))[i];
	feature->n_levels = ((const uint32_t *) ex_get(model, EX_FEATURE_LEVELS, NULL))[i];
	return EX_OK;
}

void
ex_own_background(const ex_model *model, ex_background *background)
{
	memset(background, 0, sizeof(*background));
	background->own = true;
	background->row = ex_get(model, EX_BACKGROUND_ROW, NULL);
	background->weight = ex_get(model, EX_BACKGROUND_WEIGHT, &background->n);
	background->stat = ex_get(model, EX_BACKGROUND_STAT, NULL);
	background->level = ex_get(model, EX_BACKGROUND_LEVEL, NULL);
}
