/*
 * weight_rows_input.c
 *		The input of a network from the rows of a weight table: its features and
 *		the columns made of them.
 */
#include <math.h>

#include "network_model.h"
#include "weight_rows_internal.h"

/* ----------------------------------------------------------------
 * Names
 * ---------------------------------------------------------------- */

/* A whole number as ex_compare_ids understands it, if it is short. */
static bool
whole_number(ex_string name, int64_t *number)
{
	uint32_t	i = name.length > 1 && name.text[0] == '-';
	bool		negative = i > 0;

	if (name.length == 0 || name.length - i > 9 || (name.text[i] == '0' && name.length > 1))
		return false;
	for (*number = 0; i < name.length; i++)
	{
		if (name.text[i] < '0' || name.text[i] > '9')
			return false;
		*number = 10 * *number + (name.text[i] - '0');
	}
	if (negative)
		*number = -*number;
	return true;
}

bool
ex_is_counted(const ex_string *name, size_t n)
{
	int64_t		first;
	int64_t		number;

	if (n == 0 || !whole_number(name[0], &first) || (first != 0 && first != 1))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!whole_number(name[i], &number) || number != first + (int64_t) i)
			return false;
	return true;
}

ex_status
ex_check_gaps(weight_reader *reader, const table_layer *layer, const axis *names, const char *what)
{
	int64_t		before;
	int64_t		number;

	/* whole numbers come first: if the last name is none, these are names */
	if (names->n == 0 || !whole_number(names->name[names->n - 1], &number))
		return EX_OK;
	for (size_t i = 0; i < names->n && whole_number(names->name[i], &number); before = number, i++)
	{
		if (i == 0 || number == before + 1)
			continue;
		ex_fail(reader->host, EX_INVALID, "%s of layer %lld have a gap: there is no %lld", what,
				(long long) layer->number, (long long) before + 1);
		ex_hint(reader->host, "Numbers follow one another; names are texts that are no numbers.");
		return EX_INVALID;
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Features that the weights name
 * ---------------------------------------------------------------- */

static bool
reads_input(const table_layer *layer)
{
	for (uint32_t i = 0; i < layer->n_sources; i++)
		if (layer->source[i] == MODEL_INPUT)
			return true;
	return false;
}

static ex_status
note_features(weight_reader *reader, const table_layer *layer, ex_string_set *features)
{
	ex_field	field[EX_TABLE_MAX_FIELDS];

	for (size_t i = 0; i < layer->n_rows; i++)
	{
		EX_TRY(ex_poll_row(reader->host, i));
		ex_weight_row(reader, layer->row[i], field);
		if (!is_bias(field))
			EX_TRY(ex_string_set_add(reader->host, features, field[ROW_INPUT].text));
	}
	return EX_OK;
}

static ex_status
put_feature(weight_reader *reader, ex_feature *feature, ex_string name)
{
	feature->name = name.text;
	feature->name_length = name.length;
	if (reader->builder->n_features >= EX_MAX_FEATURES)
		return ex_fail(reader->host, EX_LIMIT, "model has more than %d features", EX_MAX_FEATURES);
	return ex_put_feature(reader->builder, feature);
}

static ex_status
plain_input(weight_reader *reader)
{
	ex_string_set features = {.order = ex_compare_ids};

	for (size_t l = 0; l < reader->n_layers; l++)
		if (reader->layer[l].kind == EX_LAYER_DENSE && reads_input(&reader->layer[l]))
			EX_TRY(note_features(reader, &reader->layer[l], &features));
	ex_string_set_finish(&features);
	if (features.n == 0)
	{
		ex_fail(reader->host, EX_INVALID, "weight table names no features");
		ex_hint(reader->host, "Column \"input\" has their names in a dense layer that reads the input; before"
				" other layers rows of kind input or image describe it.");
		return EX_INVALID;
	}
	for (size_t i = 0; i < features.n; i++)
	{
		ex_feature	feature = {0};

		EX_TRY(put_feature(reader, &feature, features.string[i]));
	}
	reader->input.shape = (ex_shape) {(uint32_t) features.n, 1, 1};
	reader->input.name = features.string;
	return ex_network_put_plain_input(reader->builder);
}

/* ----------------------------------------------------------------
 * Rows of columns
 * ---------------------------------------------------------------- */

typedef struct column_row
{
	ex_string	unit;			/* first: rows are sorted by it */
	ex_string	feature;
	ex_string	level;
	ex_network_column column;
} column_row;

static double
number_or(const ex_field *field, double standard)
{
	return field->type == EX_FIELD_NULL ? standard : field->number;
}

static ex_status
bad_column(weight_reader *reader, const column_row *r, ex_status status, const char *what)
{
	return ex_fail(reader->host, status, "input column \"%.*s\" %s", (int) r->unit.length, r->unit.text, what);
}

static ex_status
read_column(weight_reader *reader, const ex_field *field, column_row *r)
{
	ex_column  *column = &r->column.column;
	ex_string	kind = field[ROW_KIND].text;
	bool		indicator = kind.length == sizeof(EX_INDICATOR_WORD) - 1;
	bool		bin = field[ROW_LOW].type != EX_FIELD_NULL || field[ROW_HIGH].type != EX_FIELD_NULL;

	r->feature = field[ROW_INPUT].text;
	r->unit = ex_is_null_string(field[ROW_UNIT].text) ? r->feature : field[ROW_UNIT].text;
	r->level = field[ROW_LEVEL].text;
	if (ex_is_null_string(r->feature))
		return ex_bad_layer(reader, reader->layer, EX_NULL, "has an input column without a feature");
	if (ex_is_null_string(kind))
		return bad_column(reader, r, EX_NULL, "must have a kind");
	if (field[ROW_WEIGHT].type != EX_FIELD_NULL)
		return bad_column(reader, r, EX_INVALID, "has a weight");
	if (bin + indicator + !ex_is_null_string(r->level) > 1)
		return bad_column(reader, r, EX_INVALID, "can be that of a level, of a bin or an indicator, not several");
	column->kind = bin ? EX_COLUMN_BIN : indicator ? EX_COLUMN_ISNULL :
		ex_is_null_string(r->level) ? EX_COLUMN_VALUE : EX_COLUMN_LEVEL_IS;
	if (bin)
	{
		column->low = number_or(&field[ROW_LOW], -INFINITY);
		column->high = number_or(&field[ROW_HIGH], INFINITY);
		if (!(column->low < column->high))
			return bad_column(reader, r, EX_INVALID, "has an empty bin");
	}
	column->missing = number_or(&field[ROW_MISSING_VALUE], NAN);
	r->column.center = number_or(&field[ROW_CENTER], 0);
	r->column.scale = number_or(&field[ROW_SCALE], 1);
	return EX_OK;
}

/* Is the row that of a pixel of an image? */
static bool
is_pixel(const weight_reader *reader, const ex_field *field)
{
	return reader->layer->role == ROLE_IMAGE &&
		(field[ROW_KERNEL_Y].type != EX_FIELD_NULL || field[ROW_KERNEL_X].type != EX_FIELD_NULL);
}

/* Columns, or channels, sorted by name, each once. */
static ex_status
read_columns(weight_reader *reader, column_row ***sorted, size_t *n)
{
	const table_layer *layer = reader->layer;
	ex_field	field[EX_TABLE_MAX_FIELDS];
	column_row *row;
	axis		names = {0};

	EX_TRY(EX_ALLOC(reader->host, layer->n_rows, &row));
	EX_TRY(EX_ALLOC(reader->host, layer->n_rows, sorted));
	EX_TRY(EX_ALLOC(reader->host, layer->n_rows, &names.name));
	for (size_t i = 0; i < layer->n_rows; i++)
	{
		EX_TRY(ex_poll_row(reader->host, i));
		ex_weight_row(reader, layer->row[i], field);
		if (is_pixel(reader, field))
			continue;
		(*sorted)[names.n] = &row[names.n];
		EX_TRY(read_column(reader, field, &row[names.n++]));
	}
	EX_TRY(ex_sort_pointers(reader->host, (void **) *sorted, names.n, ex_compare_ids));
	for (size_t i = 0; i < names.n; i++)
	{
		names.name[i] = (*sorted)[i]->unit;
		if (i == 0 || ex_compare_ids(&names.name[i - 1], &names.name[i]) != 0)
			continue;
		bad_column(reader, (*sorted)[i], EX_INVALID, "appears twice");
		ex_hint(reader->host, "Where a feature has several columns, \"unit\" tells them apart.");
		return EX_INVALID;
	}
	reader->input.name = names.name;
	*n = names.n;
	return ex_check_gaps(reader, layer, &names, "columns");
}

/* How the columns use a feature. */
typedef struct feature_usage
{
	bool		missing_rule;
	ex_string_set levels;
} feature_usage;

static ex_status
put_categorical(weight_reader *reader, const ex_string_set *levels, ex_feature *feature, ex_string name)
{
	const char **names;

	EX_TRY(EX_ALLOC(reader->host, levels->n, &names));
	for (size_t i = 0; i < levels->n; i++)
		EX_TRY(ex_weight_text(reader, levels->string[i], &names[i]));
	feature->kind = EX_CATEGORICAL;
	feature->missing = EX_MISSING_NATIVE;
	feature->unknown = EX_UNKNOWN_OTHER;
	feature->levels = names;
	feature->n_levels = (uint32_t) levels->n;
	return put_feature(reader, feature, name);
}

static ex_status
put_features(weight_reader *reader, const ex_string_set *features, feature_usage *usage)
{
	for (size_t i = 0; i < features->n; i++)
	{
		ex_string_set *levels = &usage[i].levels;
		ex_feature	feature = {.missing = usage[i].missing_rule ? EX_MISSING_NATIVE : EX_MISSING_ERROR};

		ex_string_set_finish(levels);
		if (levels->n > EX_MAX_LEVELS)
			return ex_fail(reader->host, EX_LIMIT, "feature has more than %d levels", EX_MAX_LEVELS);
		EX_TRY(levels->n > 0 ? put_categorical(reader, levels, &feature, features->string[i])
			   : put_feature(reader, &feature, features->string[i]));
	}
	return EX_OK;
}

/* What a row says by name, by position.  A missing value that no row answers is what the policy implies. */
static void
complete_column(const ex_string_set *features, const feature_usage *usage, column_row *r)
{
	ex_column  *column = &r->column.column;

	column->feature = (uint32_t) ex_find_string(features->string, features->n, r->feature, ex_compare_ids);
	if (column->kind == EX_COLUMN_LEVEL_IS)
	{
		const ex_string_set *levels = &usage[column->feature].levels;

		column->level = (uint32_t) ex_find_string(levels->string, levels->n, r->level, ex_compare_strings);
	}
}

static ex_status
column_input(weight_reader *reader)
{
	size_t		n;
	ex_string_set features = {.order = ex_compare_ids};
	feature_usage *usage;
	column_row **row;
	ex_network_column *column;

	EX_TRY(read_columns(reader, &row, &n));
	for (size_t i = 0; i < n; i++)
		EX_TRY(ex_string_set_add(reader->host, &features, row[i]->feature));
	ex_string_set_finish(&features);
	EX_TRY(EX_ALLOC(reader->host, features.n, &usage));
	EX_TRY(EX_ALLOC(reader->host, n, &column));
	for (size_t i = 0; i < n; i++)
	{
		const ex_column *c = &row[i]->column.column;
		int32_t		f = ex_find_string(features.string, features.n, row[i]->feature, ex_compare_ids);

		usage[f].levels.order = ex_compare_strings;
		usage[f].missing_rule |= !isnan(c->missing) || c->kind == EX_COLUMN_ISNULL;
		if (c->kind == EX_COLUMN_LEVEL_IS)
			EX_TRY(ex_string_set_add(reader->host, &usage[f].levels, row[i]->level));
	}
	EX_TRY(put_features(reader, &features, usage));
	for (size_t i = 0; i < n; i++)
	{
		complete_column(&features, usage, row[i]);
		column[i] = row[i]->column;
	}
	reader->input.shape = (ex_shape) {(uint32_t) n, 1, 1};
	return ex_network_put_input(reader->builder, column, n);
}

/* ----------------------------------------------------------------
 * Images
 * ---------------------------------------------------------------- */

static ex_status
image_size(weight_reader *reader, ex_shape *shape)
{
	const table_layer *layer = reader->layer;
	const ex_field *field = &layer->setting[ROW_SHAPE];
	const uint8_t *element = field->elements;
	int32_t		number[2];

	if (field->type == EX_FIELD_NULL || field->count != 2)
		return ex_bad_layer(reader, layer, EX_DIMENSION, "must have the height and width of the image in \"shape\"");
	for (int i = 0; i < 2; i++)
		EX_TRY(ex_weight_integer(reader, layer, "shape", ex_field_next_number(&element), 1, EX_MAX_FEATURES,
								 &number[i]));
	shape->height = (uint32_t) number[0];
	shape->width = (uint32_t) number[1];
	return EX_OK;
}

/* Rows of pixels: which one, and what differs from its channel. */
static ex_status
read_pixels(weight_reader *reader, ex_shape shape, double *center, double *scale, double *missing)
{
	const table_layer *layer = reader->layer;
	ex_field	field[EX_TABLE_MAX_FIELDS];

	for (size_t i = 0; i < layer->n_rows; i++)
	{
		int32_t		channel;
		int32_t		y;
		int32_t		x;
		size_t		pixel;

		EX_TRY(ex_poll_row(reader->host, i));
		ex_weight_row(reader, layer->row[i], field);
		if (!is_pixel(reader, field))
			continue;
		channel = ex_is_null_string(field[ROW_UNIT].text) ? -1 :
			ex_find_string(reader->input.name, shape.channels, field[ROW_UNIT].text, ex_compare_ids);
		if (channel < 0)
			return ex_bad_layer(reader, layer, EX_INVALID, "has a pixel of a channel that no row names");
		EX_TRY(ex_weight_integer(reader, layer, "kernel_y", field[ROW_KERNEL_Y].number, 0,
								 (int32_t) shape.height - 1, &y));
		EX_TRY(ex_weight_integer(reader, layer, "kernel_x", field[ROW_KERNEL_X].number, 0,
								 (int32_t) shape.width - 1, &x));
		pixel = ((size_t) channel * shape.height + (size_t) y) * shape.width + (size_t) x;
		center[pixel] = number_or(&field[ROW_CENTER], center[pixel]);
		scale[pixel] = number_or(&field[ROW_SCALE], scale[pixel]);
		missing[pixel] = number_or(&field[ROW_MISSING_VALUE], missing[pixel]);
	}
	return EX_OK;
}

static ex_status
image_input(weight_reader *reader)
{
	column_row **row;
	const char **channel;
	ex_shape	shape;
	double	   *center;
	double	   *scale;
	double	   *missing;
	size_t		n;
	size_t		n_pixels;

	EX_TRY(image_size(reader, &shape));
	EX_TRY(read_columns(reader, &row, &n));
	shape.channels = (uint32_t) n;
	EX_TRY(EX_ALLOC(reader->host, n, &channel));
	for (size_t i = 0; i < n; i++)
		EX_TRY(ex_weight_text(reader, row[i]->feature, &channel[i]));
	EX_TRY(ex_network_put_pixels(reader->builder, channel, shape));
	n_pixels = ex_shape_size(shape);
	EX_TRY(EX_ALLOC(reader->host, n_pixels, &center));
	EX_TRY(EX_ALLOC(reader->host, n_pixels, &scale));
	EX_TRY(EX_ALLOC(reader->host, n_pixels, &missing));
	for (size_t i = 0; i < n_pixels; i++)
	{
		const ex_network_column *of = &row[i / shape.width / shape.height]->column;

		center[i] = of->center;
		scale[i] = of->scale;
		missing[i] = of->column.missing;
	}
	EX_TRY(read_pixels(reader, shape, center, scale, missing));
	for (size_t i = 0; i < n_pixels; i++)
		if (!isnan(missing[i]))
			reader->builder->section[EX_FEATURE_MISSING].data[i] = EX_MISSING_NATIVE;
	reader->input.shape = shape;
	return ex_network_put_image_input(reader->builder, channel, shape, center, scale, missing);
}

ex_status
ex_weight_input(weight_reader *reader)
{
	switch (reader->layer->role)
	{
		case ROLE_COLUMNS:
			return column_input(reader);
		case ROLE_IMAGE:
			return image_input(reader);
		default:
			return plain_input(reader);
	}
}
