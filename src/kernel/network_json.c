/*
 * network_json.c
 *		The network family's members of the JSON form: reading.
 *
 *	"image"		{"channels": [names], "height", "width", "center", "scale",
 *				"missing"}: the features are pixels
 *	"columns"	what the first layer sees of the features, where that is not
 *				simply their values: [{"feature", "level" | "bin" | "indicator",
 *				"missing", "center", "scale"}, ...]
 *	"precision"	"float32": weights are rounded to float32 as they are read
 *	"layers"	[{"kind": "dense", "name", "inputs", "weights", ...}, ...]
 *
 * Members of each kind of layer: the table `kinds`.  Without "link" a last
 * softmax or sigmoid becomes the link.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "linear_internal.h"
#include "network_model.h"

/* One entry of "layers", for those that come after it. */
typedef struct entry
{
	const char *name;
	size_t		length;
	uint32_t	output;			/* layer of the network that has its result */
} entry;

typedef struct reader
{
	ex_builder *builder;
	ex_json    *json;
	ex_host    *host;
	bool		single;			/* precision float32 */
	entry	   *entry;			/* entry 0 is the input */
	uint32_t	n_entries;
	ex_json_value layers;
	ex_buffer	floats;			/* one array at a time */
} reader;

/* ----------------------------------------------------------------
 * Numbers
 * ---------------------------------------------------------------- */

/* Appends the numbers of an array, or a number alone, as doubles; `key` and `where` for messages. */
static ex_status
append_numbers(reader *r, ex_json_value value, const char *key, const char *where, ex_buffer *out)
{
	char		what[EX_WHERE_SIZE + 32];
	double	   *number;
	size_t		n;

	snprintf(what, sizeof(what), "\"%s\" of %s", key, where);
	if (ex_json_typeof(r->json, value) == EX_JSON_NUMBER)
	{
		float		single = 0;
		double		one = 0;

		if (r->single)
			EX_TRY(ex_json_float(r->json, value, what, &single));
		else
			EX_TRY(ex_json_number(r->json, value, what, &one));
		one += single;
		return ex_append(r->host, out, &one, sizeof(one));
	}
	if (!r->single)
	{
		EX_TRY(ex_json_doubles(r->json, value, what, &number, &n));
		return ex_append(r->host, out, number, n * sizeof(double));
	}
	EX_TRY(ex_json_read_floats(r->json, value, what, &r->floats, &n));
	EX_TRY(ex_reserve(r->host, out, n * sizeof(double)));
	for (size_t i = 0; i < n; i++)
	{
		double		one = ((const float *) r->floats.data)[i];

		EX_TRY(ex_append(r->host, out, &one, sizeof(one)));
	}
	return EX_OK;
}

static bool
holds_arrays(reader *r, ex_json_value array)
{
	ex_json_cursor cursor;
	ex_json_value value;

	ex_json_begin(r->json, array, &cursor);
	return ex_json_next(r->json, &cursor, &value) && ex_json_typeof(r->json, value) == EX_JSON_ARRAY;
}

/* Arrays within arrays of the given sizes; there are at most four levels. */
static ex_status
append_nested(reader *r, ex_json_value value, const size_t *size, int n_sizes, const char *key,
			  const char *where, ex_buffer *out)
{
	size_t		before = out->size;
	ex_json_cursor cursor;
	ex_json_value inner;
	size_t		n = 0;

	if (ex_json_typeof(r->json, value) != EX_JSON_ARRAY)
		return ex_fail(r->host, EX_INVALID, "\"%s\" of %s must be arrays of one length within arrays, or one array",
					   key, where);
	EX_TRY(ex_poll(r->host));
	if (n_sizes == 1)
	{
		EX_TRY(append_numbers(r, value, key, where, out));
		n = (out->size - before) / sizeof(double);
	}
	else
	{
		ex_json_begin(r->json, value, &cursor);
		for (; ex_json_next(r->json, &cursor, &inner); n++)
			if (n < size[0])
				EX_TRY(append_nested(r, inner, size + 1, n_sizes - 1, key, where, out));
	}
	if (n != size[0])
		return ex_fail(r->host, EX_INVALID, "an array in \"%s\" of %s has %zu elements, but needs %zu", key, where,
					   n, size[0]);
	return EX_OK;
}

/* The same numbers nested or in one array. */
static ex_status
append_tensor(reader *r, ex_json_value value, const size_t *size, int n_sizes, const char *key,
			  const char *where, ex_buffer *out)
{
	size_t		before = out->size;
	size_t		wanted = 1;
	size_t		n;

	if (holds_arrays(r, value))
		return append_nested(r, value, size, n_sizes, key, where, out);
	for (int i = 0; i < n_sizes; i++)
		wanted *= size[i];
	EX_TRY(append_numbers(r, value, key, where, out));
	n = (out->size - before) / sizeof(double);
	if (n != wanted)
		return ex_fail(r->host, EX_INVALID, "\"%s\" of %s has %zu numbers, but needs %zu", key, where, n, wanted);
	return EX_OK;
}

/* A member that has one number per channel; `otherwise` for each where it is absent. */
static ex_status
append_per_channel(reader *r, ex_json_value value, size_t n, double otherwise, const char *key,
				   const char *where, ex_buffer *out)
{
	if (value.at != NULL)
		return append_tensor(r, value, &n, 1, key, where, out);
	for (size_t i = 0; i < n; i++)
		EX_TRY(ex_append(r->host, out, &otherwise, sizeof(otherwise)));
	return EX_OK;
}

/* One integer, or an array of two: height and width. */
static ex_status
read_pair(reader *r, ex_json_value value, const char *key, const char *where, int64_t low, int32_t pair[2])
{
	char		what[EX_WHERE_SIZE + 32];
	int32_t    *list;
	size_t		n;
	int64_t		one;

	snprintf(what, sizeof(what), "\"%s\" of %s", key, where);
	if (ex_json_typeof(r->json, value) == EX_JSON_NUMBER)
	{
		EX_TRY(ex_json_integer(r->json, value, what, low, INT32_MAX, &one));
		pair[0] = pair[1] = (int32_t) one;
		return EX_OK;
	}
	EX_TRY(ex_json_integers(r->json, value, what, low, INT32_MAX, &list, &n));
	if (n != 2)
		return ex_fail(r->host, EX_INVALID, "%s must be one number or two: height and width", what);
	memcpy(pair, list, 2 * sizeof(int32_t));
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Input
 * ---------------------------------------------------------------- */

typedef struct image
{
	const char **channel;
	ex_shape	shape;
	ex_json_value center;
	ex_json_value scale;
	ex_json_value missing;
} image;

static ex_status
read_channels(ex_json *json, ex_json_value array, image *image)
{
	size_t		n = ex_json_count(json, array);
	ex_json_cursor cursor;
	ex_json_value value;
	size_t		length;

	if (n == 0 || n > EX_MAX_FEATURES)
		return ex_fail(json->host, n == 0 ? EX_INVALID : EX_LIMIT, "image has %zu channels", n);
	EX_TRY(EX_ALLOC(json->host, n, &image->channel));
	ex_json_begin(json, array, &cursor);
	for (uint32_t i = 0; ex_json_next(json, &cursor, &value); i++)
	{
		if (ex_json_typeof(json, value) != EX_JSON_STRING)
			return ex_fail(json->host, EX_INVALID, "channel %u of the image must be a string", i + 1);
		EX_TRY(ex_json_string(json, value, &image->channel[i], &length));
	}
	image->shape.channels = (uint32_t) n;
	return EX_OK;
}

static ex_status
read_image(ex_json *json, ex_json_value object, image *image)
{
	ex_json_value channels;
	ex_json_value height;
	ex_json_value width;
	const ex_json_member members[] = {
		{"channels", EX_JSON_ARRAY, true, &channels},
		{"height", EX_JSON_NUMBER, true, &height},
		{"width", EX_JSON_NUMBER, true, &width},
		{"center", EX_JSON_NUMBER | EX_JSON_ARRAY, false, &image->center},
		{"scale", EX_JSON_NUMBER | EX_JSON_ARRAY, false, &image->scale},
		{"missing", EX_JSON_NUMBER | EX_JSON_ARRAY, false, &image->missing}
	};
	int64_t		h;
	int64_t		w;

	EX_TRY(ex_json_read_object(json, object, "image", members, 6, true));
	EX_TRY(read_channels(json, channels, image));
	EX_TRY(ex_json_integer(json, height, "height of the image", 1, INT32_MAX, &h));
	EX_TRY(ex_json_integer(json, width, "width of the image", 1, INT32_MAX, &w));
	image->shape.height = (uint32_t) h;
	image->shape.width = (uint32_t) w;
	return EX_OK;
}

ex_status
ex_network_read_features(ex_builder *builder, ex_json *json, ex_json_value document, bool *found)
{
	ex_json_value object = ex_json_get(json, document, "image");
	image		image;

	*found = object.at != NULL;
	if (!*found)
		return EX_OK;
	EX_TRY(read_image(json, object, &image));
	return ex_network_put_pixels(builder, image.channel, image.shape);
}

/* A number for all pixels, or one per channel or pixel; one per pixel in the end. */
static ex_status
spread(ex_json *json, ex_json_value value, ex_shape shape, double otherwise, const char *what, double **out)
{
	size_t		n = ex_shape_size(shape);
	size_t		given = 1;
	double	   *number = &otherwise;

	EX_TRY(EX_ALLOC(json->host, n, out));
	if (ex_json_typeof(json, value) == EX_JSON_ARRAY)
		EX_TRY(ex_json_doubles(json, value, what, &number, &given));
	else if (value.at != NULL)
		EX_TRY(ex_json_number(json, value, what, &otherwise));
	if (given != 1 && given != shape.channels && given != n)
		return ex_fail(json->host, EX_INVALID, "%s must be a number, or have one for each of %u channels or %zu pixels, not %zu",
					   what, shape.channels, n, given);
	for (size_t i = 0; i < n; i++)
		(*out)[i] = number[i / (n / given)];
	return EX_OK;
}

static ex_status
read_image_input(reader *r, ex_json_value object)
{
	image		image;
	uint64_t	size = 0;
	double	   *center;
	double	   *scale;
	double	   *missing;

	EX_TRY(read_image(r->json, object, &image));
	EX_TRY(ex_network_count_activations(r->host, image.shape, "the input", &size));
	EX_TRY(spread(r->json, image.center, image.shape, 0, "center of the image", &center));
	EX_TRY(spread(r->json, image.scale, image.shape, 1, "scale of the image", &scale));
	EX_TRY(spread(r->json, image.missing, image.shape, NAN, "missing of the image", &missing));
	return ex_network_put_image_input(r->builder, image.channel, image.shape, center, scale, missing);
}

static ex_status
read_column(reader *r, const ex_name_index *features, ex_level_index *levels, ex_json_value object, size_t c,
			ex_network_column *column)
{
	ex_json_value feature;
	ex_json_value level;
	ex_json_value bin;
	ex_json_value indicator;
	ex_json_value missing;
	ex_json_value center;
	ex_json_value scale;
	const ex_json_member members[] = {
		{"feature", EX_JSON_STRING | EX_JSON_NUMBER, true, &feature},
		{"level", EX_JSON_STRING | EX_JSON_NUMBER, false, &level},
		{"bin", EX_JSON_ARRAY, false, &bin},
		{"indicator", EX_JSON_BOOL, false, &indicator},
		{"missing", EX_JSON_NUMBER, false, &missing},
		{"center", EX_JSON_NUMBER, false, &center},
		{"scale", EX_JSON_NUMBER, false, &scale}
	};
	char		where[64];

	snprintf(where, sizeof(where), "column %zu", c + 1);
	EX_TRY(ex_json_read_object(r->json, object, where, members, 7, true));
	*column = (ex_network_column) {.column = {.missing = NAN}, .scale = 1};
	EX_TRY(ex_json_feature(r->json, r->builder, features, feature, where, &column->column.feature));
	EX_TRY(ex_column_read_kind(r->json, levels, where, level, bin, indicator, &column->column));
	if (missing.at != NULL)
		EX_TRY(ex_json_number(r->json, missing, where, &column->column.missing));
	if (center.at != NULL)
		EX_TRY(ex_json_number(r->json, center, where, &column->center));
	if (scale.at != NULL)
		EX_TRY(ex_json_number(r->json, scale, where, &column->scale));
	return EX_OK;
}

static ex_status
read_columns(reader *r, ex_json_value array)
{
	size_t		n = ex_json_count(r->json, array);
	ex_name_index *features;
	ex_level_index *levels;
	ex_network_column *column;
	ex_json_cursor cursor;
	ex_json_value value;

	if (n == 0)
		return ex_fail(r->host, EX_INVALID, "network has no columns");
	EX_TRY(ex_index_features(r->builder, &features));
	EX_TRY(ex_index_levels(r->builder, &levels));
	EX_TRY(EX_ALLOC(r->host, n, &column));
	ex_json_begin(r->json, array, &cursor);
	for (size_t c = 0; ex_json_next(r->json, &cursor, &value); c++)
	{
		EX_TRY(ex_poll(r->host));
		EX_TRY(read_column(r, features, levels, value, c, &column[c]));
	}
	return ex_network_put_input(r->builder, column, n);
}

static ex_status
read_plain_input(reader *r)
{
	const uint8_t *kind = (const uint8_t *) r->builder->section[EX_FEATURE_KIND].data;

	for (uint32_t f = 0; f < r->builder->n_features; f++)
	{
		if (kind[f] != EX_CATEGORICAL)
			continue;
		ex_fail(r->host, EX_INVALID, "feature %u is categorical, and a network takes numbers", f + 1);
		ex_hint(r->host, "Give \"columns\" or \"inputs\", with one {\"feature\": ..., \"level\": ...} for each level.");
		return EX_INVALID;
	}
	return ex_network_put_plain_input(r->builder);
}

static ex_status
read_input(reader *r, ex_json_value image, ex_json_value columns)
{
	if (image.at != NULL && columns.at != NULL)
		return ex_fail(r->host, EX_INVALID, "network may have only one of \"image\" and \"columns\"");
	if (image.at != NULL)
		return read_image_input(r, image);
	return columns.at != NULL ? read_columns(r, columns) : read_plain_input(r);
}

/* ----------------------------------------------------------------
 * Layers
 * ---------------------------------------------------------------- */

/* All members that some kind of layer has. */
typedef enum key
{
	KEY_KIND, KEY_NAME, KEY_INPUTS, KEY_ACTIVATION,
	KEY_UNITS, KEY_CHANNELS, KEY_KERNEL, KEY_STRIDE, KEY_PADDING, KEY_DILATION, KEY_GROUPS,
	KEY_COUNTS_PADDING, KEY_WEIGHTS, KEY_BIAS,
	KEY_GAMMA, KEY_BETA, KEY_MEAN, KEY_VARIANCE, KEY_EPSILON,
	KEY_SCALE, KEY_SHIFT, KEY_SHAPE, KEY_AXES, KEY_SLOPE, KEY_ALPHA,
	N_KEYS
} key;

#define BIT(key) (1u << (key))
#define NUMBERS (EX_JSON_NUMBER | EX_JSON_ARRAY)

static const struct
{
	const char *name;
	int			types;
}			keys[N_KEYS] =

{
	[KEY_KIND] = {"kind", EX_JSON_STRING},
	[KEY_NAME] = {"name", EX_JSON_STRING},
	[KEY_INPUTS] = {"inputs", EX_JSON_ARRAY | EX_JSON_STRING | EX_JSON_NUMBER},
	[KEY_ACTIVATION] = {"activation", EX_JSON_STRING},
	[KEY_UNITS] = {"units", EX_JSON_NUMBER},
	[KEY_CHANNELS] = {"channels", EX_JSON_NUMBER},
	[KEY_KERNEL] = {"kernel", NUMBERS},
	[KEY_STRIDE] = {"stride", NUMBERS},
	[KEY_PADDING] = {"padding", NUMBERS | EX_JSON_STRING},
	[KEY_DILATION] = {"dilation", NUMBERS},
	[KEY_GROUPS] = {"groups", EX_JSON_NUMBER},
	[KEY_COUNTS_PADDING] = {"counts_padding", EX_JSON_BOOL},
	[KEY_WEIGHTS] = {"weights", EX_JSON_ARRAY},
	[KEY_BIAS] = {"bias", EX_JSON_ARRAY},
	[KEY_GAMMA] = {"gamma", EX_JSON_ARRAY},
	[KEY_BETA] = {"beta", EX_JSON_ARRAY},
	[KEY_MEAN] = {"mean", EX_JSON_ARRAY},
	[KEY_VARIANCE] = {"variance", EX_JSON_ARRAY},
	[KEY_EPSILON] = {"epsilon", EX_JSON_NUMBER},
	[KEY_SCALE] = {"scale", NUMBERS},
	[KEY_SHIFT] = {"shift", NUMBERS},
	[KEY_SHAPE] = {"shape", EX_JSON_ARRAY},
	[KEY_AXES] = {"axes", EX_JSON_ARRAY},
	[KEY_SLOPE] = {"slope", EX_JSON_NUMBER},
	[KEY_ALPHA] = {"alpha", EX_JSON_NUMBER},
};

#define ANY_LAYER (BIT(KEY_KIND) | BIT(KEY_NAME) | BIT(KEY_INPUTS) | BIT(KEY_ACTIVATION))
#define WINDOW (BIT(KEY_KERNEL) | BIT(KEY_STRIDE) | BIT(KEY_PADDING) | BIT(KEY_DILATION))

/* What a layer of each kind may have beyond that, and what it must have. */
static const struct
{
	uint32_t	takes;
	uint32_t	needs;
}			kinds[EX_N_LAYER_KINDS] =

{
	[EX_LAYER_DENSE] = {BIT(KEY_UNITS) | BIT(KEY_WEIGHTS) | BIT(KEY_BIAS), BIT(KEY_WEIGHTS)},
	[EX_LAYER_CONV2D] = {WINDOW | BIT(KEY_CHANNELS) | BIT(KEY_GROUPS) | BIT(KEY_WEIGHTS) | BIT(KEY_BIAS),
	BIT(KEY_KERNEL) | BIT(KEY_WEIGHTS)},
	[EX_LAYER_MAX_POOL] = {WINDOW, BIT(KEY_KERNEL)},
	[EX_LAYER_AVERAGE_POOL] = {WINDOW | BIT(KEY_COUNTS_PADDING), BIT(KEY_KERNEL)},
	[EX_LAYER_BATCH_NORM] = {BIT(KEY_GAMMA) | BIT(KEY_BETA) | BIT(KEY_MEAN) | BIT(KEY_VARIANCE) | BIT(KEY_EPSILON),
	BIT(KEY_MEAN) | BIT(KEY_VARIANCE)},
	[EX_LAYER_AFFINE] = {BIT(KEY_SCALE) | BIT(KEY_SHIFT), 0},
	[EX_LAYER_RESHAPE] = {BIT(KEY_SHAPE), BIT(KEY_SHAPE)},
	[EX_LAYER_PERMUTE] = {BIT(KEY_AXES), BIT(KEY_AXES)},
	[EX_LAYER_CONCAT] = {0, BIT(KEY_INPUTS)},
	[EX_LAYER_ADD] = {0, BIT(KEY_INPUTS)},
	[EX_LAYER_MULTIPLY] = {0, BIT(KEY_INPUTS)},
	[EX_LAYER_LEAKY_RELU] = {BIT(KEY_SLOPE), 0},
	[EX_LAYER_ELU] = {BIT(KEY_ALPHA), 0},
};

/* A layer while it is read. */
typedef struct reading
{
	ex_json_value member[N_KEYS];
	char		where[EX_WHERE_SIZE];
	bool		flattens;		/* kind "flatten" */
	ex_new_layer new;
	ex_shape   *input;			/* shapes of what it reads */
	ex_buffer	weights;
} reading;

static ex_status
check_kind(reader *r, ex_json_value value, const char *where, bool *flattens, ex_layer_kind *kind)
{
	const char *words[EX_N_LAYER_KINDS];
	char		what[EX_WHERE_SIZE + 16];
	int			found = 0;

	for (int i = 1; i < EX_N_LAYER_KINDS; i++)
		words[i - 1] = ex_layer_kind_names[i];
	words[EX_N_LAYER_KINDS - 1] = "flatten";
	snprintf(what, sizeof(what), "kind of %s", where);
	EX_TRY(ex_json_word(r->json, value, what, words, EX_N_LAYER_KINDS, &found));
	*flattens = found == EX_N_LAYER_KINDS - 1;
	*kind = *flattens ? EX_LAYER_RESHAPE : (ex_layer_kind) (found + 1);
	return EX_OK;
}

static ex_status
read_members(reader *r, ex_json_value object, reading *l)
{
	ex_json_member members[N_KEYS];
	ex_json_value kind;
	ex_json_value name;
	const ex_json_member first[] = {
		{"kind", EX_JSON_STRING, true, &kind},
		{"name", EX_JSON_STRING, false, &name}
	};
	uint32_t	takes;
	uint32_t	needs;
	size_t		length;
	int			n = 0;

	snprintf(l->where, sizeof(l->where), "layer %u", r->n_entries);
	EX_TRY(ex_json_read_object(r->json, object, l->where, first, 2, false));
	if (name.at != NULL)
	{
		EX_TRY(ex_json_string(r->json, name, &l->new.name, &length));
		ex_network_where(l->new.name, length, l->where);
	}
	EX_TRY(check_kind(r, kind, l->where, &l->flattens, &l->new.kind));
	takes = ANY_LAYER | (l->flattens ? 0 : kinds[l->new.kind].takes);
	needs = l->flattens ? 0 : kinds[l->new.kind].needs;
	for (int k = 0; k < N_KEYS; k++)
		if (takes & BIT(k))
			members[n++] = (ex_json_member) {keys[k].name, keys[k].types, (needs & BIT(k)) != 0, &l->member[k]};
	return ex_json_read_object(r->json, object, l->where, members, n, true);
}

/* Is it the name of a layer, known not to be among those read? number: what counts it in a default name. */
static bool
is_called(reader *r, ex_json_value object, uint32_t number, const char *name)
{
	ex_json_value own = ex_json_get(r->json, object, "name");
	ex_json_value kind = ex_json_get(r->json, object, "kind");
	char		otherwise[48];

	if (own.at != NULL)
		return ex_json_equals(r->json, own, name);
	if (kind.at == NULL)
		return false;
	for (int k = 0; k < EX_N_LAYER_KINDS; k++)
		if (ex_json_equals(r->json, kind, k == EX_LAYER_RESHAPE ? "flatten" : ex_layer_kind_names[k]) ||
			ex_json_equals(r->json, kind, ex_layer_kind_names[k]))
		{
			ex_network_default_name((ex_layer_kind) k, number, otherwise);
			return strcmp(otherwise, name) == 0;
		}
	return false;
}

/* Is it the name of the layer that is being read, or of one below it? */
static bool
comes_later(reader *r, const char *name)
{
	uint32_t	number = ex_network_count_layers(r->builder);
	uint32_t	position = 0;
	ex_json_cursor cursor;
	ex_json_value object;

	ex_json_begin(r->json, r->layers, &cursor);
	while (ex_json_next(r->json, &cursor, &object))
	{
		if (++position < r->n_entries || ex_json_typeof(r->json, object) != EX_JSON_OBJECT)
			continue;
		if (is_called(r, object, number, name))
			return true;
		number += ex_json_get(r->json, object, "activation").at != NULL ? 2 : 1;
	}
	return false;
}

/* Which entry does a name or a position mean? */
static ex_status
find_entry(reader *r, ex_json_value value, const char *where, uint32_t *output)
{
	char		what[EX_WHERE_SIZE + 16];
	const char *name;
	size_t		length;
	int64_t		position;

	if (ex_json_typeof(r->json, value) == EX_JSON_NUMBER)
	{
		snprintf(what, sizeof(what), "input of %s", where);
		EX_TRY(ex_json_integer(r->json, value, what, 0, (int64_t) r->n_entries - 1, &position));
		*output = r->entry[position].output;
		return EX_OK;
	}
	if (ex_json_typeof(r->json, value) != EX_JSON_STRING)
		return ex_fail(r->host, EX_INVALID, "inputs of %s must be names or positions of layers", where);
	EX_TRY(ex_json_string(r->json, value, &name, &length));
	for (uint32_t i = 0; i < r->n_entries; i++)
		if (r->entry[i].length == length && memcmp(r->entry[i].name, name, length) == 0)
		{
			*output = r->entry[i].output;
			return EX_OK;
		}
	if (comes_later(r, name))
		ex_fail(r->host, EX_INVALID, "%s reads layer \"%.100s\", which does not come before it", where, name);
	else
		ex_fail(r->host, EX_INVALID, "%s reads layer \"%.100s\", but there is no layer \"%.100s\"", where, name, name);
	ex_hint(r->host, "A layer reads layers above it in the list, by name or position; \"input\" is the first.");
	return EX_INVALID;
}

static ex_status
read_inputs(reader *r, reading *l)
{
	ex_json_value value = l->member[KEY_INPUTS];
	bool		many = ex_json_typeof(r->json, value) == EX_JSON_ARRAY;
	uint32_t	n = many ? (uint32_t) ex_json_count(r->json, value) : 1;
	ex_json_cursor cursor;
	uint32_t   *input;

	if (n == 0)
		return ex_fail(r->host, EX_INVALID, "%s has no input", l->where);
	EX_TRY(EX_ALLOC(r->host, n, &input));
	EX_TRY(EX_ALLOC(r->host, n, &l->input));
	input[0] = r->entry[r->n_entries - 1].output;
	if (value.at != NULL && !many)
		EX_TRY(find_entry(r, value, l->where, &input[0]));
	ex_json_begin(r->json, value, &cursor);
	for (uint32_t i = 0; many && ex_json_next(r->json, &cursor, &value); i++)
	{
		EX_TRY(ex_poll(r->host));
		EX_TRY(find_entry(r, value, l->where, &input[i]));
	}
	for (uint32_t i = 0; i < n; i++)
		l->input[i] = ex_network_put_shape(r->builder, input[i]);
	l->new.input = input;
	l->new.n_inputs = n;
	return EX_OK;
}

/* As many as the output needs to be the input's size divided by the stride, the odd one after. */
static void
pad_same(reading *l, uint32_t size, int stride, int kernel, int dilation, int before, int after)
{
	int32_t    *setting = l->new.setting;
	int64_t		step = setting[stride] > 0 ? setting[stride] : 1;
	int64_t		windows = (size + step - 1) / step;
	int64_t		reach = (int64_t) setting[dilation] * (setting[kernel] - 1) + 1;
	int64_t		total = (windows - 1) * step + reach - size;

	total = total < 0 ? 0 : total > INT32_MAX ? INT32_MAX : total;
	setting[before] = (int32_t) (total / 2);
	setting[after] = (int32_t) (total - total / 2);
}

static ex_status
read_padding(reader *r, reading *l)
{
	ex_json_value value = l->member[KEY_PADDING];
	int32_t    *pad = l->new.setting + EX_PAD_TOP;
	char		what[EX_WHERE_SIZE + 16];
	int32_t    *list;
	size_t		n;

	snprintf(what, sizeof(what), "\"padding\" of %s", l->where);
	if (ex_json_typeof(r->json, value) == EX_JSON_STRING)
	{
		if (!ex_json_equals(r->json, value, "same"))
			return ex_fail(r->host, EX_INVALID, "%s must be numbers or \"same\"", what);
		pad_same(l, l->input[0].height, EX_STRIDE_H, EX_KERNEL_H, EX_DILATION_H, EX_PAD_TOP, EX_PAD_BOTTOM);
		pad_same(l, l->input[0].width, EX_STRIDE_W, EX_KERNEL_W, EX_DILATION_W, EX_PAD_LEFT, EX_PAD_RIGHT);
		return EX_OK;
	}
	if (ex_json_typeof(r->json, value) != EX_JSON_ARRAY || ex_json_count(r->json, value) == 2)
	{
		EX_TRY(read_pair(r, value, "padding", l->where, 0, pad));
		pad[2] = pad[0];		/* bottom as top, right as left */
		pad[3] = pad[1];
		return EX_OK;
	}
	EX_TRY(ex_json_integers(r->json, value, what, 0, INT32_MAX, &list, &n));
	if (n != 4)
		return ex_fail(r->host, EX_INVALID, "%s must be one number, two (height, width), or four (top, left, bottom, right)",
					   what);
	memcpy(pad, list, 4 * sizeof(int32_t));
	return EX_OK;
}

/* Windows do not overlap by default in pools, and move by one in convolutions. */
static ex_status
read_window(reader *r, reading *l)
{
	int32_t    *setting = l->new.setting;
	bool		pools = l->new.kind != EX_LAYER_CONV2D;
	int64_t		groups;

	EX_TRY(read_pair(r, l->member[KEY_KERNEL], "kernel", l->where, 1, setting + EX_KERNEL_H));
	setting[EX_STRIDE_H] = pools ? setting[EX_KERNEL_H] : 1;
	setting[EX_STRIDE_W] = pools ? setting[EX_KERNEL_W] : 1;
	setting[EX_DILATION_H] = setting[EX_DILATION_W] = 1;
	setting[EX_GROUPS] = !pools;
	if (l->member[KEY_STRIDE].at != NULL)
		EX_TRY(read_pair(r, l->member[KEY_STRIDE], "stride", l->where, 1, setting + EX_STRIDE_H));
	if (l->member[KEY_DILATION].at != NULL)
		EX_TRY(read_pair(r, l->member[KEY_DILATION], "dilation", l->where, 1, setting + EX_DILATION_H));
	if (l->member[KEY_PADDING].at != NULL)
		EX_TRY(read_padding(r, l));
	if (l->member[KEY_GROUPS].at != NULL)
	{
		EX_TRY(ex_json_integer(r->json, l->member[KEY_GROUPS], "groups", 1, INT32_MAX, &groups));
		setting[EX_GROUPS] = (int32_t) groups;
	}
	if (ex_json_bool(r->json, l->member[KEY_COUNTS_PADDING]))
		setting[EX_FLAGS] |= EX_POOL_COUNTS_PADDING;
	return EX_OK;
}

/* Said, or as many as there are rows of weights or biases. */
static ex_status
read_outputs(reader *r, reading *l, key key)
{
	char		what[EX_WHERE_SIZE + 16];
	int64_t		n;

	if (l->member[key].at != NULL)
	{
		snprintf(what, sizeof(what), "\"%s\" of %s", keys[key].name, l->where);
		EX_TRY(ex_json_integer(r->json, l->member[key], what, 1, INT32_MAX, &n));
	}
	else if (holds_arrays(r, l->member[KEY_WEIGHTS]))
		n = (int64_t) ex_json_count(r->json, l->member[KEY_WEIGHTS]);
	else if (l->member[KEY_BIAS].at != NULL)
		n = (int64_t) ex_json_count(r->json, l->member[KEY_BIAS]);
	else
		return ex_fail(r->host, EX_INVALID, "%s has no key \"%s\", and weights that do not show it", l->where,
					   keys[key].name);
	l->new.shape.channels = (uint32_t) n;
	return EX_OK;
}

static ex_status
read_weights(reader *r, reading *l)
{
	const ex_layer layer = {
		.kind = l->new.kind, .n_inputs = l->new.n_inputs, .input = l->new.input,
		.shape = l->new.shape, .setting = l->new.setting, .number = l->new.number
	};
	ex_shape	shape;
	size_t		size[4];
	ex_status	status;
	int			n;

	/* what the weights must be is known only of a layer that is sound */
	EX_TRY(ex_network_infer_shape(r->host, &layer, l->input, l->where, &shape));
	EX_TRY(ex_network_check_weight_limit(r->host, &layer, l->input, l->where));
	n = ex_network_weight_dimensions(&layer, l->input, size);
	status = append_tensor(r, l->member[KEY_WEIGHTS], size, n, "weights", l->where, &l->weights);
	if (status == EX_INVALID)
		ex_detail(r->host, "The layer reads an input of shape (%u, %u, %u).", l->input[0].channels,
				  l->input[0].height, l->input[0].width);
	if (status != EX_OK)
		return status;
	return append_per_channel(r, l->member[KEY_BIAS], size[0], 0, "bias", l->where, &l->weights);
}

static ex_status
read_normalisation(reader *r, reading *l)
{
	size_t		n = l->input[0].channels;

	l->new.number = 1e-5;
	if (l->member[KEY_EPSILON].at != NULL)
		EX_TRY(ex_json_number(r->json, l->member[KEY_EPSILON], "epsilon", &l->new.number));
	EX_TRY(append_per_channel(r, l->member[KEY_GAMMA], n, 1, "gamma", l->where, &l->weights));
	EX_TRY(append_per_channel(r, l->member[KEY_BETA], n, 0, "beta", l->where, &l->weights));
	EX_TRY(append_per_channel(r, l->member[KEY_MEAN], n, 0, "mean", l->where, &l->weights));
	return append_per_channel(r, l->member[KEY_VARIANCE], n, 1, "variance", l->where, &l->weights);
}

/* Scale and shift: as many numbers as the longer one has; a number alone is for all. */
static ex_status
read_affine(reader *r, reading *l)
{
	static const key key[] = {KEY_SCALE, KEY_SHIFT};
	ex_buffer	given[2] = {{0}, {0}};
	size_t		n[2];
	size_t		most;

	for (int i = 0; i < 2; i++)
	{
		double		otherwise = i == 0;

		if (l->member[key[i]].at != NULL)
			EX_TRY(append_numbers(r, l->member[key[i]], keys[key[i]].name, l->where, &given[i]));
		else
			EX_TRY(ex_append(r->host, &given[i], &otherwise, sizeof(otherwise)));
		n[i] = given[i].size / sizeof(double);
	}
	most = n[0] > n[1] ? n[0] : n[1];
	for (int i = 0; i < 2; i++)
	{
		if (n[i] != most && n[i] != 1)
			return ex_fail(r->host, EX_INVALID, "%s has %zu numbers in \"scale\", but %zu in \"shift\"", l->where,
						   n[0], n[1]);
		for (size_t k = 0; k < most; k++)
			EX_TRY(ex_append(r->host, &l->weights, given[i].data + (n[i] == 1 ? 0 : k) * sizeof(double), sizeof(double)));
	}
	return EX_OK;
}

static ex_status
read_shape(reader *r, reading *l)
{
	char		what[EX_WHERE_SIZE + 16];
	int32_t    *size;
	size_t		n;

	snprintf(what, sizeof(what), "\"shape\" of %s", l->where);
	EX_TRY(ex_json_integers(r->json, l->member[KEY_SHAPE], what, 1, INT32_MAX, &size, &n));
	if (n < 1 || n > 3)
		return ex_fail(r->host, EX_INVALID, "%s must have one to three numbers: channels, height, width", what);
	l->new.shape = (ex_shape) {(uint32_t) size[0], n > 1 ? (uint32_t) size[1] : 1, n > 2 ? (uint32_t) size[2] : 1};
	return EX_OK;
}

static ex_status
read_axes(reader *r, reading *l)
{
	char		what[EX_WHERE_SIZE + 16];
	int32_t    *axis;
	size_t		n;

	snprintf(what, sizeof(what), "\"axes\" of %s", l->where);
	EX_TRY(ex_json_integers(r->json, l->member[KEY_AXES], what, 0, 2, &axis, &n));
	if (n != 3)
		return ex_fail(r->host, EX_INVALID, "%s must have three numbers", what);
	memcpy(l->new.setting, axis, 3 * sizeof(int32_t));
	return EX_OK;
}

static ex_status
read_number(reader *r, reading *l, key key, double otherwise)
{
	char		what[EX_WHERE_SIZE + 16];

	snprintf(what, sizeof(what), "\"%s\" of %s", keys[key].name, l->where);
	l->new.number = otherwise;
	return l->member[key].at == NULL ? EX_OK : ex_json_number(r->json, l->member[key], what, &l->new.number);
}

static ex_status
read_body(reader *r, reading *l)
{
	switch (l->new.kind)
	{
		case EX_LAYER_DENSE:
			EX_TRY(read_outputs(r, l, KEY_UNITS));
			return read_weights(r, l);
		case EX_LAYER_CONV2D:
			EX_TRY(read_window(r, l));
			EX_TRY(read_outputs(r, l, KEY_CHANNELS));
			return read_weights(r, l);
		case EX_LAYER_MAX_POOL:
		case EX_LAYER_AVERAGE_POOL:
			return read_window(r, l);
		case EX_LAYER_BATCH_NORM:
			return read_normalisation(r, l);
		case EX_LAYER_AFFINE:
			return read_affine(r, l);
		case EX_LAYER_RESHAPE:
			if (!l->flattens)
				return read_shape(r, l);
			l->new.shape = (ex_shape) {(uint32_t) ex_shape_size(l->input[0]), 1, 1};
			return EX_OK;
		case EX_LAYER_PERMUTE:
			return read_axes(r, l);
		case EX_LAYER_LEAKY_RELU:
			return read_number(r, l, KEY_SLOPE, 0.01);
		case EX_LAYER_ELU:
			return read_number(r, l, KEY_ALPHA, 1);
		default:
			return EX_OK;
	}
}

/* "activation": a layer of its own behind this one, with what its kind has by default. */
static ex_status
put_activation(reader *r, reading *l)
{
	reading		own = {.where = ""};
	char		what[EX_WHERE_SIZE + 16];
	int			found = 0;

	snprintf(what, sizeof(what), "activation of %s", l->where);
	EX_TRY(ex_json_word(r->json, l->member[KEY_ACTIVATION], what, ex_layer_kind_names + EX_LAYER_RELU,
						EX_N_LAYER_KINDS - EX_LAYER_RELU, &found));
	own.new.kind = (ex_layer_kind) (EX_LAYER_RELU + found);
	EX_TRY(read_body(r, &own));
	return ex_network_put_layer(r->builder, &own.new);
}

static ex_status
read_layer(reader *r, ex_json_value object)
{
	entry	   *entry = &r->entry[r->n_entries];
	reading		l = {.flattens = false};
	char		name[48];

	EX_TRY(read_members(r, object, &l));
	EX_TRY(read_inputs(r, &l));
	EX_TRY(read_body(r, &l));
	l.new.weight = (const double *) l.weights.data;
	l.new.n_weights = l.weights.size / sizeof(double);
	entry->length = (size_t) ex_network_default_name(l.new.kind, ex_network_count_layers(r->builder), name);
	entry->name = l.new.name;
	if (entry->name == NULL)
	{
		char	   *copy;

		EX_TRY(EX_ALLOC(r->host, entry->length + 1, &copy));
		memcpy(copy, name, entry->length);
		entry->name = copy;
	}
	entry->length = strlen(entry->name);
	EX_TRY(ex_network_put_layer(r->builder, &l.new));
	if (l.member[KEY_ACTIVATION].at != NULL)
		EX_TRY(put_activation(r, &l));
	entry->output = ex_network_count_layers(r->builder) - 1;
	r->n_entries++;
	return EX_OK;
}

static ex_status
read_layers(reader *r, ex_json_value array)
{
	size_t		n = ex_json_count(r->json, array);
	ex_json_cursor cursor;
	ex_json_value value;

	if (n >= EX_MAX_LAYERS)
		return ex_fail(r->host, EX_LIMIT, "network has more than %d layers", EX_MAX_LAYERS);
	EX_TRY(EX_ALLOC(r->host, n + 1, &r->entry));
	r->entry[0] = (entry) {"input", 5, 0};
	r->n_entries = 1;
	r->layers = array;
	ex_json_begin(r->json, array, &cursor);
	while (ex_json_next(r->json, &cursor, &value))
	{
		EX_TRY(ex_poll(r->host));
		EX_TRY(read_layer(r, value));
	}
	return EX_OK;
}

static ex_status
read_precision(reader *r, ex_json_value value)
{
	static const char *const words[] = {"float32", "float64"};
	int			found = 1;

	if (value.at != NULL)
		EX_TRY(ex_json_word(r->json, value, "precision", words, 2, &found));
	r->single = found == 0;
	return EX_OK;
}

ex_status
ex_network_read_json(ex_builder *builder, ex_json *json, ex_json_value document)
{
	reader		r = {.builder = builder, .json = json, .host = json->host};
	ex_json_value image;
	ex_json_value columns;
	ex_json_value precision;
	ex_json_value layers;
	const ex_json_member members[] = {
		{"image", EX_JSON_OBJECT, false, &image},
		{"columns", EX_JSON_ARRAY, false, &columns},
		{"precision", EX_JSON_STRING, false, &precision},
		{"layers", EX_JSON_ARRAY, true, &layers}
	};

	EX_TRY(ex_json_read_document(json, document, members, 4));
	EX_TRY(read_precision(&r, precision));
	EX_TRY(read_input(&r, image, columns));
	EX_TRY(read_layers(&r, layers));
	if (ex_json_get(json, document, "link").at != NULL)
		return ex_network_close(builder);
	return ex_network_finish(builder);
}
