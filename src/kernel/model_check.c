/*
 * model_check.c
 *		Complete validation of untrusted model bytes.
 *
 * Order matters: nothing is read before it is known to lie inside the value.
 * Header, directory and layout come first, then the sections that all
 * families share, then the family's own structure, last the digest.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "family.h"
#include "model_internal.h"

typedef struct name_ref
{
	const char *text;
	uint32_t	length;
	uint32_t	position;
} name_ref;

ex_status
ex_check_version(ex_host *host, const ex_model *model)
{
	if (model->version == EX_MODEL_VERSION)
		return EX_OK;
	ex_fail(host, EX_UNSUPPORTED, "model has format version %u, which this version cannot read",
			model->version);
	ex_hint(host, "Update extension explain_ext on this server.");
	return EX_UNSUPPORTED;
}

static ex_status
bad(ex_host *host, const char *what)
{
	return ex_fail(host, EX_INVALID, "invalid model: %s", what);
}

static ex_status
check_header(ex_host *host, const ex_model *model, size_t size)
{
	if (size < sizeof(ex_model) || model->magic != EX_MODEL_MAGIC)
		return bad(host, "the value does not begin like a model");
	EX_TRY(ex_check_version(host, model));
	if (ex_family_by_id(model->family) == NULL)
		return bad(host, "unknown family");
	if (model->size != size || size > EX_MAX_MODEL_SIZE)
		return bad(host, "wrong size");
	if (model->n_sections > EX_N_SECTIONS ||
		size < sizeof(ex_model) + model->n_sections * sizeof(ex_section))
		return bad(host, "wrong number of sections");
	if (model->n_features == 0)
		return bad(host, "it has no features");
	if (model->n_outputs == 0)
		return bad(host, "it has no outputs");
	if (model->n_features > EX_MAX_FEATURES || model->n_outputs > EX_MAX_OUTPUTS)
	{
		ex_fail(host, EX_LIMIT, "model has too many features or outputs");
		ex_detail(host, "The limits are %d features and %d outputs.", EX_MAX_FEATURES, EX_MAX_OUTPUTS);
		return EX_LIMIT;
	}
	if (model->link >= EX_N_LINKS)
		return bad(host, "unknown link");
	if (model->n_outputs < 2 && (model->link == EX_LINK_SOFTMAX || model->link == EX_LINK_OVR))
		return ex_fail(host, EX_INVALID, "link \"%s\" needs at least two outputs", ex_link_names[model->link]);
	if (!(isfinite(model->link_param) && model->link_param > 0))
		return bad(host, "the link's parameter is not a positive number");
	if (model->aggregation > EX_MEAN)
		return bad(host, "unknown aggregation");
	return EX_OK;
}

static bool
belongs(const ex_family *family, uint32_t id)
{
	if (id < EX_COLUMN_FEATURE)
		return true;			/* common to all families */
	for (int i = 0; i < family->n_sections; i++)
		if ((uint32_t) family->sections[i] == id)
			return true;
	return false;
}

/* The directory must be exactly what ex_layout makes of its ids and counts. */
static ex_status
check_directory(ex_host *host, const ex_model *model)
{
	const ex_family *family = ex_family_by_id(model->family);
	ex_section	expected[EX_N_SECTIONS];

	for (uint32_t i = 0; i < model->n_sections; i++)
	{
		const ex_section *section = &model->section[i];

		if (section->id >= EX_N_SECTIONS || (i > 0 && section->id <= model->section[i - 1].id) ||
			!belongs(family, section->id))
			return bad(host, "unknown or unordered section");
		expected[i] = *section;
	}
	if (ex_layout(expected, model->n_sections) != model->size ||
		(model->n_sections > 0 &&
		 memcmp(expected, model->section, model->n_sections * sizeof(ex_section)) != 0))
		return bad(host, "sections do not lie where they should");
	return EX_OK;
}

static bool
all_zero(const char *from, const char *to)
{
	for (; from < to; from++)
		if (*from != 0)
			return false;
	return true;
}

static ex_status
check_padding(ex_host *host, const ex_model *model)
{
	const char *start = (const char *) model;
	size_t		end = sizeof(ex_model) + model->n_sections * sizeof(ex_section);

	for (uint32_t i = 0; i <= model->n_sections; i++)
	{
		size_t		next = i < model->n_sections ? model->section[i].offset : model->size;

		if (!all_zero(start + end, start + next))
			return bad(host, "padding is not zero");
		if (i < model->n_sections)
			end = next + model->section[i].count *
				ex_type_size((ex_type) ex_section_types[model->section[i].id]);
	}
	return EX_OK;
}

/* A zero without a sign, or the one NaN, or any other number? */
static bool
is_canonical(ex_type type, const void *element)
{
	double		value;
	float		single;

	if (type == EX_F32)
	{
		memcpy(&single, element, sizeof(single));
		return isnan(single) ? memcmp(element, &ex_canonical_nan_f32, sizeof(single)) == 0 :
			single != 0 || !signbit(single);
	}
	memcpy(&value, element, sizeof(value));
	return isnan(value) ? memcmp(element, &ex_canonical_nan, sizeof(value)) == 0 :
		value != 0 || !signbit(value);
}

/* One NaN only and no -0, so that equal models have equal digests. */
static ex_status
check_numbers(ex_host *host, const ex_model *model)
{
	for (uint32_t i = 0; i < model->n_sections; i++)
	{
		const ex_section *section = &model->section[i];
		ex_type		type = (ex_type) ex_section_types[section->id];
		const char *element = (const char *) model + section->offset;

		/* a node begins with its number */
		if (type != EX_F64 && type != EX_F32 && type != EX_NODE)
			continue;
		for (uint32_t k = 0; k < section->count; k++, element += ex_type_size(type))
			if (!is_canonical(type, element))
				return bad(host, "a NaN is not in its canonical form, or a zero is negative");
	}
	return EX_OK;
}

/* A section that must have `count` elements. */
static ex_status
need(ex_host *host, const ex_model *model, ex_section_id id, uint64_t count)
{
	uint32_t	have;

	if (ex_get(model, id, &have) == NULL || have != count)
		return bad(host, "a section is missing or has the wrong length");
	return EX_OK;
}

static int
compare_names(const void *a, const void *b)
{
	const name_ref *left = a;
	const name_ref *right = b;

	if (left->length != right->length)
		return left->length < right->length ? -1 : 1;
	return memcmp(left->text, right->text, left->length);
}

ex_status
ex_check_distinct_names(ex_host *host, const ex_model *model, ex_section_id start,
			   uint32_t first, uint32_t count, const char *what)
{
	name_ref   *name;

	EX_TRY(EX_ALLOC(host, count, &name));
	for (uint32_t i = 0; i < count; i++)
	{
		name[i].text = ex_get_name(model, start, first + i, &name[i].length);
		name[i].position = i;
		if (!ex_valid_utf8(name[i].text, name[i].length))
			return ex_fail(host, EX_ENCODING, "name of %s %u is not valid UTF-8", what, i + 1);
	}
	qsort(name, count, sizeof(name_ref), compare_names);
	for (uint32_t i = 1; i < count; i++)
		if (compare_names(&name[i - 1], &name[i]) == 0)
			return ex_fail(host, EX_INVALID, "%s \"%.*s\" appears twice", what,
						   (int) name[i].length, name[i].text);
	return EX_OK;
}

ex_status
ex_check_names(ex_host *host, const ex_model *model, ex_section_id start, uint64_t count,
			const char *what, uint32_t shortest)
{
	const uint32_t *offset = ex_get(model, start, NULL);
	uint32_t	bytes;

	EX_TRY(need(host, model, start, count + 1));
	if (ex_get(model, (ex_section_id) (start + 1), &bytes) == NULL || offset[0] != 0 ||
		offset[count] != bytes)
		return bad(host, "names do not fill their section");
	for (uint64_t i = 0; i < count; i++)
	{
		if (offset[i] > offset[i + 1])
			return bad(host, "names are not in order");
		if (offset[i + 1] - offset[i] < shortest)
			return ex_fail(host, EX_INVALID, "name of %s %u is empty", what, (unsigned) (i + 1));
		if (offset[i + 1] - offset[i] > EX_MAX_NAME)
		{
			ex_fail(host, EX_LIMIT, "name of %s %u is too long", what, (unsigned) (i + 1));
			ex_detail(host, "The limit is %d bytes.", EX_MAX_NAME);
			return EX_LIMIT;
		}
	}
	return EX_OK;
}

static ex_status
bad_feature(ex_host *host, const ex_model *model, uint32_t i, const char *what)
{
	uint32_t	length;
	const char *name = ex_get_name(model, EX_FEATURE_NAME_START, i, &length);

	return ex_fail(host, EX_INVALID, "feature \"%.*s\" %s", (int) length, name, what);
}

/* Can this be a value of the feature after conversion? (NaN is decided elsewhere) */
static bool
allowed_value(const ex_feature *feature, double value)
{
	switch (feature->kind)
	{
		case EX_BOOLEAN:
			return value == 0 || value == 1;
		case EX_CATEGORICAL:
			return value == floor(value) && value < feature->n_levels &&
				(value >= 0 || (value == -1 && feature->unknown == EX_UNKNOWN_OTHER));
		default:
			return isfinite(value);
	}
}

static ex_status
check_feature(ex_host *host, const ex_model *model, uint32_t i)
{
	ex_feature	feature;

	ex_get_feature(model, i, &feature);
	if (feature.kind > EX_CATEGORICAL || feature.missing > EX_MISSING_IMPUTE ||
		feature.unknown > EX_UNKNOWN_MISSING ||
		(feature.flags & ~(EX_FEATURE_CODED | EX_FEATURE_FLUSH | EX_FEATURE_TRUNCATE)))
		return bad_feature(host, model, i, "has an unknown kind or policy");
	if (feature.kind == EX_CATEGORICAL ? feature.n_levels == 0 : feature.n_levels != 0)
		return bad_feature(host, model, i, feature.n_levels == 0 ?
						   "is categorical but has no levels" : "has levels but is not categorical");
	if (feature.n_levels > EX_MAX_LEVELS)
		return ex_fail(host, EX_LIMIT, "feature %u has too many levels", i + 1);
	if ((feature.flags & EX_FEATURE_CODED) && feature.kind != EX_CATEGORICAL)
		return bad_feature(host, model, i, "has level codes but is not categorical");
	if (feature.unknown == EX_UNKNOWN_MISSING && feature.missing == EX_MISSING_ERROR)
		return bad_feature(host, model, i, "treats unknown levels as missing but does not allow missing values");
	if (feature.missing == EX_MISSING_IMPUTE)
	{
		if (!allowed_value(&feature, feature.impute))
			return bad_feature(host, model, i, "has an imputed value that it cannot take");
	}
	else if (!isnan(feature.impute))
		return bad_feature(host, model, i, "has an imputed value without the policy");
	return EX_OK;
}

static ex_status
check_features(ex_host *host, const ex_model *model, uint64_t *n_levels)
{
	uint32_t	p = model->n_features;
	const uint8_t *flags;
	const uint32_t *levels;
	uint64_t	named = 0;
	uint32_t	first = 0;

	EX_TRY(ex_check_names(host, model, EX_FEATURE_NAME_START, p, "feature", 1));
	EX_TRY(ex_check_distinct_names(host, model, EX_FEATURE_NAME_START, 0, p, "feature"));
	EX_TRY(need(host, model, EX_FEATURE_KIND, p));
	EX_TRY(need(host, model, EX_FEATURE_MISSING, p));
	EX_TRY(need(host, model, EX_FEATURE_UNKNOWN, p));
	EX_TRY(need(host, model, EX_FEATURE_FLAGS, p));
	EX_TRY(need(host, model, EX_FEATURE_IMPUTE, p));
	EX_TRY(need(host, model, EX_FEATURE_LEVELS, p));

	flags = ex_get(model, EX_FEATURE_FLAGS, NULL);
	levels = ex_get(model, EX_FEATURE_LEVELS, NULL);
	*n_levels = 0;
	for (uint32_t i = 0; i < p; i++)
	{
		EX_TRY(check_feature(host, model, i));
		*n_levels += levels[i];
		if (!(flags[i] & EX_FEATURE_CODED))
			named += levels[i];
	}
	EX_TRY(ex_check_names(host, model, EX_LEVEL_NAME_START, named, "level", 0));
	for (uint32_t i = 0; i < p; i++)
	{
		if (flags[i] & EX_FEATURE_CODED)
			continue;
		EX_TRY(ex_check_distinct_names(host, model, EX_LEVEL_NAME_START, first, levels[i], "level"));
		first += levels[i];
	}
	return EX_OK;
}

/* One feature's column of the background rows. */
static ex_status
check_background_column(ex_host *host, const ex_model *model, uint32_t i, const double *row, uint32_t n)
{
	ex_feature	feature;

	ex_get_feature(model, i, &feature);
	for (uint32_t k = 0; k < n; k++)
	{
		double		value = row[(size_t) k * model->n_features + i];

		if (isnan(value) ? feature.missing != EX_MISSING_NATIVE : !allowed_value(&feature, value))
			return ex_fail(host, isnan(value) ? EX_NULL : EX_INVALID,
						   "background row %u has a value that feature \"%.*s\" cannot take",
						   k + 1, (int) feature.name_length, feature.name);
	}
	return EX_OK;
}

static ex_status
check_background(ex_host *host, const ex_model *model, uint64_t n_levels)
{
	uint32_t	n;
	const double *weight = ex_get(model, EX_BACKGROUND_WEIGHT, &n);
	const double *row = ex_get(model, EX_BACKGROUND_ROW, NULL);
	const double *count;
	const double *level;

	if (weight == NULL && row == NULL && ex_get(model, EX_BACKGROUND_STAT, NULL) == NULL &&
		ex_get(model, EX_BACKGROUND_LEVEL, NULL) == NULL && ex_get(model, EX_BACKGROUND_COUNT, NULL) == NULL)
		return EX_OK;
	if (n == 0)
		return bad(host, "the background has no rows");
	if (n > EX_MAX_BACKGROUND)
		return ex_fail(host, EX_LIMIT, "background has more than %d rows", EX_MAX_BACKGROUND);
	EX_TRY(need(host, model, EX_BACKGROUND_ROW, (uint64_t) n * model->n_features));
	EX_TRY(need(host, model, EX_BACKGROUND_STAT, (uint64_t) model->n_features * EX_N_STATS));
	EX_TRY(need(host, model, EX_BACKGROUND_LEVEL, n_levels));
	EX_TRY(need(host, model, EX_BACKGROUND_COUNT, 1));
	for (uint32_t i = 0; i < n; i++)
		if (!(isfinite(weight[i]) && weight[i] > 0))
			return ex_fail(host, EX_INVALID, "weight of background row %u is not a positive number", i + 1);
	for (uint32_t i = 0; i < model->n_features; i++)
		EX_TRY(check_background_column(host, model, i, row, n));
	count = ex_get(model, EX_BACKGROUND_COUNT, NULL);
	if (!(isfinite(*count) && *count >= 1))
		return bad(host, "the background's number of rows is not positive");
	level = ex_get(model, EX_BACKGROUND_LEVEL, NULL);
	for (uint64_t i = 0; i < n_levels; i++)
		if (!(isfinite(level[i]) && level[i] >= 0))
			return bad(host, "a level's count in the background is negative");
	return EX_OK;
}

/* Statistics are used as they stand, so a mean must be a number wherever there is a row. */
static ex_status
check_statistics(ex_host *host, const ex_model *model)
{
	const double *stat = ex_get(model, EX_BACKGROUND_STAT, NULL);
	const uint8_t *kind = ex_get(model, EX_FEATURE_KIND, NULL);

	for (uint32_t i = 0; stat != NULL && i < model->n_features; i++, stat += EX_N_STATS)
	{
		bool		measured = kind[i] != EX_CATEGORICAL && stat[EX_STAT_N] > 0;

		if (!(isfinite(stat[EX_STAT_N]) && stat[EX_STAT_N] >= 0) ||
			!(stat[EX_STAT_MISSING] >= 0 && stat[EX_STAT_MISSING] <= 1) ||
			(measured && !(isfinite(stat[EX_STAT_MEAN]) && stat[EX_STAT_MIN] <= stat[EX_STAT_MAX] &&
						   isfinite(stat[EX_STAT_MIN]) && isfinite(stat[EX_STAT_MAX]))) ||
			!(isnan(stat[EX_STAT_SD]) || (isfinite(stat[EX_STAT_SD]) && stat[EX_STAT_SD] >= 0)))
			return bad_feature(host, model, i, "has impossible statistics");
	}
	return EX_OK;
}

ex_status
ex_validate(ex_host *host, const ex_model *model, size_t size)
{
	uint64_t	n_levels;

	EX_TRY(check_header(host, model, size));
	EX_TRY(check_directory(host, model));
	EX_TRY(check_padding(host, model));
	EX_TRY(check_numbers(host, model));
	EX_TRY(check_features(host, model, &n_levels));
	EX_TRY(ex_check_names(host, model, EX_OUTPUT_NAME_START, model->n_outputs, "output", 1));
	EX_TRY(ex_check_distinct_names(host, model, EX_OUTPUT_NAME_START, 0, model->n_outputs, "output"));
	EX_TRY(check_background(host, model, n_levels));
	EX_TRY(check_statistics(host, model));
	EX_TRY(ex_family_by_id(model->family)->validate(host, model));
	return ex_verify_digest(host, model, size);
}

ex_status
ex_verify_digest(ex_host *host, const ex_model *model, size_t size)
{
	uint8_t		digest[16];

	EX_TRY(check_header(host, model, size));
	EX_TRY(check_directory(host, model));
	ex_sign(host, model, digest);
	if (memcmp(digest, model->digest, sizeof(digest)) != 0)
	{
		ex_fail(host, EX_CORRUPT, "model does not match its digest");
		ex_detail(host, "Its bytes have changed since it was built.");
		ex_hint(host, "Restore the value from a backup or build the model again.");
		return EX_CORRUPT;
	}
	return EX_OK;
}
