/*
 * model_build.c
 *		Filling a builder and laying it out as a model.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model_internal.h"

void
ex_builder_init(ex_builder *builder, ex_host *host, ex_family_id family)
{
	memset(builder, 0, sizeof(*builder));
	builder->host = host;
	builder->family = family;
	builder->link_param = 1;
}

ex_status
ex_builder_open(ex_builder *builder, ex_host *host, const ex_model *model)
{
	ex_builder_init(builder, host, (ex_family_id) model->family);
	builder->n_features = model->n_features;
	builder->n_outputs = model->n_outputs;
	builder->link = (ex_link) model->link;
	builder->link_param = model->link_param;
	builder->aggregation = (ex_aggregation) model->aggregation;
	for (uint32_t i = 0; i < model->n_sections; i++)
	{
		const ex_section *section = &model->section[i];

		EX_TRY(ex_put(builder, (ex_section_id) section->id,
					  (const char *) model + section->offset, section->count));
	}
	return EX_OK;
}

void
ex_drop(ex_builder *builder, ex_section_id id)
{
	builder->section[id].size = 0;
	builder->present[id] = false;
}

static inline size_t
width(ex_section_id id)
{
	return ex_type_size((ex_type) ex_section_types[id]);
}

ex_status
ex_put(ex_builder *builder, ex_section_id id, const void *elements, size_t count)
{
	if (count > EX_MAX_ALLOC / width(id))
		return ex_too_large(builder->host);
	builder->present[id] = true;
	return ex_append(builder->host, &builder->section[id], elements, count * width(id));
}

ex_status
ex_put_u8(ex_builder *builder, ex_section_id id, uint8_t value)
{
	return ex_put(builder, id, &value, 1);
}

ex_status
ex_put_u32(ex_builder *builder, ex_section_id id, uint32_t value)
{
	return ex_put(builder, id, &value, 1);
}

ex_status
ex_put_f64(ex_builder *builder, ex_section_id id, double value)
{
	return ex_put(builder, id, &value, 1);
}

size_t
ex_put_count(const ex_builder *builder, ex_section_id id)
{
	return builder->section[id].size / width(id);
}

ex_status
ex_put_name(ex_builder *builder, ex_section_id start, const char *text, size_t length)
{
	ex_section_id bytes = (ex_section_id) (start + 1);

	if (!builder->present[start])
		EX_TRY(ex_put_u32(builder, start, 0));
	EX_TRY(ex_put(builder, bytes, text, length));
	return ex_put_u32(builder, start, (uint32_t) ex_put_count(builder, bytes));
}

ex_status
ex_put_feature(ex_builder *builder, const ex_feature *feature)
{
	bool		coded = feature->kind == EX_CATEGORICAL && feature->levels == NULL;
	uint8_t		flags = coded ? feature->flags | EX_FEATURE_CODED : feature->flags & ~EX_FEATURE_CODED;
	bool		imputes = feature->missing == EX_MISSING_IMPUTE;

	EX_TRY(ex_put_name(builder, EX_FEATURE_NAME_START, feature->name, feature->name_length));
	EX_TRY(ex_put_u8(builder, EX_FEATURE_KIND, (uint8_t) feature->kind));
	EX_TRY(ex_put_u8(builder, EX_FEATURE_MISSING, (uint8_t) feature->missing));
	EX_TRY(ex_put_u8(builder, EX_FEATURE_UNKNOWN, (uint8_t) feature->unknown));
	EX_TRY(ex_put_u8(builder, EX_FEATURE_FLAGS, flags));
	EX_TRY(ex_put_f64(builder, EX_FEATURE_IMPUTE, imputes ? feature->impute : NAN));
	EX_TRY(ex_put_u32(builder, EX_FEATURE_LEVELS,
					  feature->kind == EX_CATEGORICAL ? feature->n_levels : 0));
	if (feature->kind == EX_CATEGORICAL && !coded)
		for (uint32_t i = 0; i < feature->n_levels; i++)
			EX_TRY(ex_put_name(builder, EX_LEVEL_NAME_START, feature->levels[i],
							   strlen(feature->levels[i])));
	builder->n_features++;
	return EX_OK;
}

ex_status
ex_default_output_names(ex_builder *builder)
{
	size_t		have = builder->present[EX_OUTPUT_NAME_START] ?
	ex_put_count(builder, EX_OUTPUT_NAME_START) - 1 : 0;

	for (size_t i = have; i < builder->n_outputs; i++)
	{
		char		name[24];
		int			length = snprintf(name, sizeof(name), "%zu", i);

		EX_TRY(ex_put_name(builder, EX_OUTPUT_NAME_START, name, (size_t) length));
	}
	return EX_OK;
}

ex_status
ex_too_large(ex_host *host)
{
	ex_fail(host, EX_LIMIT, "model is too large");
	ex_detail(host, "The limit is %zu bytes.", EX_MAX_MODEL_SIZE);
	return EX_LIMIT;
}

size_t
ex_layout(ex_section *section, uint32_t n_sections)
{
	size_t		offset = sizeof(ex_model) + n_sections * sizeof(ex_section);

	for (uint32_t i = 0; i < n_sections; i++)
	{
		size_t		size = section[i].count * ex_type_size((ex_type) ex_section_types[section[i].id]);

		offset = EX_ALIGN8(offset);
		if (size > EX_MAX_MODEL_SIZE || offset + size > EX_MAX_MODEL_SIZE)
			return 0;
		section[i].offset = (uint32_t) offset;
		section[i].reserved = 0;
		offset += size;
	}
	return EX_ALIGN8(offset);
}

/*
 * Numbers that mean the same must not give two digests: there is one NaN, and
 * no -0, which jsonb would not keep either.
 */
static void
canonical_singles(float *value, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (isnan(value[i]))
			memcpy(&value[i], &ex_canonical_nan_f32, sizeof(float));
		else
			value[i] += 0.0f;
	}
}

static void
canonical_numbers(ex_type type, char *elements, size_t count)
{
	size_t		width = ex_type_size(type);

	if (type == EX_F32)
		canonical_singles((float *) elements, count);

	/* a node begins with its number */
	if (type != EX_F64 && type != EX_NODE)
		return;
	for (size_t i = 0; i < count; i++)
	{
		double	   *value = (double *) (elements + i * width);

		if (isnan(*value))
			memcpy(value, &ex_canonical_nan, sizeof(double));
		else
			*value += 0.0;
	}
}

/* Names sections exist in every model, even when there is nothing in them. */
static ex_status
complete_sections(ex_builder *builder)
{
	static const ex_section_id always[] = {EX_LEVEL_NAME_START, EX_LEVEL_NAME_TEXT,
	EX_FEATURE_NAME_TEXT, EX_OUTPUT_NAME_TEXT};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		builder->present[always[i]] = true;
	if (builder->section[EX_LEVEL_NAME_START].size == 0)
		EX_TRY(ex_put_u32(builder, EX_LEVEL_NAME_START, 0));
	return EX_OK;
}

static void
fill_header(const ex_builder *builder, ex_model *model, uint32_t n_sections, size_t size)
{
	model->magic = EX_MODEL_MAGIC;
	model->version = EX_MODEL_VERSION;
	model->family = (uint16_t) builder->family;
	model->size = (uint32_t) size;
	model->n_features = builder->n_features;
	model->n_outputs = builder->n_outputs;
	model->link = (uint16_t) builder->link;
	model->aggregation = (uint16_t) builder->aggregation;
	model->n_sections = n_sections;
	model->link_param = builder->link_param;
}

ex_status
ex_build(ex_builder *builder, ex_model **model)
{
	ex_host    *host = builder->host;
	ex_section	directory[EX_N_SECTIONS];
	uint32_t	n = 0;
	size_t		size;
	char	   *bytes;

	EX_TRY(complete_sections(builder));
	for (int id = 0; id < EX_N_SECTIONS; id++)
	{
		if (!builder->present[id])
			continue;
		directory[n].id = (uint32_t) id;
		directory[n++].count = (uint32_t) ex_put_count(builder, (ex_section_id) id);
		canonical_numbers((ex_type) ex_section_types[id], builder->section[id].data,
						  directory[n - 1].count);
	}
	size = ex_layout(directory, n);
	if (size == 0)
		return ex_too_large(host);
	EX_TRY(ex_alloc(host, size, 1, (void **) &bytes));
	*model = (ex_model *) bytes;
	fill_header(builder, *model, n, size);
	memcpy((*model)->section, directory, n * sizeof(ex_section));
	for (uint32_t i = 0; i < n; i++)
	{
		const ex_buffer *from = &builder->section[directory[i].id];

		if (from->size > 0)
			memcpy(bytes + directory[i].offset, from->data, from->size);
	}
	ex_sign(host, *model, (*model)->digest);
	return ex_validate(host, *model, size);
}
