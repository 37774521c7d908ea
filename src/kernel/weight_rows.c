/*
 * weight_rows.c
 *		A network from the rows of a weight table.
 *
 * There may be millions of rows, so they stay the bytes they are: what is kept
 * of each is its layer and where it is.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model_edit.h"
#include "network_model.h"
#include "weight_rows_internal.h"

const ex_table ex_weight_table = {
	.name = "weight table",
	.magic = 0x57525845,		/* "EXRW" */
	.n_fields = ROW_N_FIELDS,
	.field = {
		[ROW_LAYER] = {"layer", EX_FIELD_NUMBER, true, false},
		[ROW_UNIT] = {"unit", EX_FIELD_TEXT, true, false},
		[ROW_INPUT] = {"input", EX_FIELD_TEXT, true, false},
		[ROW_WEIGHT] = {"weight", EX_FIELD_NUMBER, true, false},
		[ROW_KERNEL_Y] = {"kernel_y", EX_FIELD_NUMBER, false, false},
		[ROW_KERNEL_X] = {"kernel_x", EX_FIELD_NUMBER, false, false},
		[ROW_LEVEL] = {"level", EX_FIELD_TEXT, false, false},
		[ROW_LOW] = {"low", EX_FIELD_NUMBER, false, false},
		[ROW_HIGH] = {"high", EX_FIELD_NUMBER, false, false},
		[ROW_CENTER] = {"center", EX_FIELD_NUMBER, false, false},
		[ROW_SCALE] = {"scale", EX_FIELD_NUMBER, false, false},
		[ROW_MISSING_VALUE] = {"missing_value", EX_FIELD_NUMBER, false, false},
		[ROW_KIND] = {"kind", EX_FIELD_TEXT, false, false},
		[ROW_NAME] = {"layer_name", EX_FIELD_TEXT, false, false},
		[ROW_SOURCES] = {"sources", EX_FIELD_NUMBERS, false, false},
		[ROW_ACTIVATION] = {"activation", EX_FIELD_TEXT, false, false},
		[ROW_KERNEL] = {"kernel", EX_FIELD_NUMBERS | EX_FIELD_NUMBER, false, false},
		[ROW_STRIDE] = {"stride", EX_FIELD_NUMBERS | EX_FIELD_NUMBER, false, false},
		[ROW_PADDING] = {"padding", EX_FIELD_NUMBERS | EX_FIELD_NUMBER, false, false},
		[ROW_DILATION] = {"dilation", EX_FIELD_NUMBERS | EX_FIELD_NUMBER, false, false},
		[ROW_GROUP_COUNT] = {"group_count", EX_FIELD_NUMBER, false, false},
		[ROW_COUNTS_PADDING] = {"counts_padding", EX_FIELD_NUMBER, false, true},
		[ROW_NUMBER] = {"number", EX_FIELD_NUMBER, false, false},
		[ROW_SHAPE] = {"shape", EX_FIELD_NUMBERS, false, false},
		[ROW_LINK] = {"link", EX_FIELD_TEXT, false, false}
	}
};

ex_status
ex_bad_layer(weight_reader *reader, const table_layer *layer, ex_status status, const char *what)
{
	return ex_fail(reader->host, status, "layer %lld %s", (long long) layer->number, what);
}

ex_status
ex_bad_unit(weight_reader *reader, const table_layer *layer, ex_string unit, ex_status status,
			const char *what)
{
	if (ex_is_null_string(unit))
		return ex_bad_layer(reader, layer, status, what);
	return ex_fail(reader->host, status, "unit %.*s of layer %lld %s", (int) unit.length, unit.text,
				   (long long) layer->number, what);
}

ex_status
ex_weight_integer(weight_reader *reader, const table_layer *layer, const char *what, double number,
				  int32_t least, int32_t most, int32_t *value)
{
	if (!(number >= least && number <= most) || number != floor(number))
		return ex_fail(reader->host, EX_INVALID, "%s of layer %lld must be a whole number from %d to %d",
					   what, (long long) layer->number, least, most);
	*value = (int32_t) number;
	return EX_OK;
}

void
ex_weight_row(const weight_reader *reader, const row_key *key, ex_field *field)
{
	ex_rows_cursor cursor = {&ex_weight_table, key->at, reader->end};

	(void) ex_rows_next(&cursor, field);
}

const table_layer *
ex_weight_source(const weight_reader *reader, int64_t position)
{
	return position == MODEL_INPUT ? &reader->input : &reader->layer[position];
}

/* ----------------------------------------------------------------
 * Layers
 * ---------------------------------------------------------------- */

#define MOST_NUMBER 1000000000	/* of a layer */

static ex_status
read_key(weight_reader *reader, const ex_field *field, const uint8_t *at, row_key *key)
{
	double		number = field[ROW_LAYER].number;

	if (field[ROW_LAYER].type == EX_FIELD_NULL)
		return ex_fail(reader->host, EX_NULL, "layer of a weight must not be null");
	if (!(fabs(number) <= MOST_NUMBER) || number != floor(number))
		return ex_fail(reader->host, EX_INVALID, "layer of a weight must be a whole number");
	key->layer = (int64_t) number;
	key->at = at;
	return EX_OK;
}

static int
compare_keys(const void *a, const void *b)
{
	const row_key *left = a;
	const row_key *right = b;

	return left->layer < right->layer ? -1 : left->layer > right->layer;
}

static ex_status
read_rows(weight_reader *reader, const void *bytes, size_t size)
{
	ex_rows_cursor cursor;
	ex_field	field[EX_TABLE_MAX_FIELDS];
	row_key    *key;
	size_t		n = 0;

	EX_TRY(ex_rows_check(reader->host, &ex_weight_table, bytes, size, &reader->n_rows));
	EX_TRY(EX_ALLOC(reader->host, reader->n_rows, &key));
	EX_TRY(EX_ALLOC(reader->host, reader->n_rows, &reader->sorted));
	ex_rows_open(&cursor, &ex_weight_table, bytes, size);
	reader->end = cursor.end;
	for (const uint8_t *at = cursor.at; ex_rows_next(&cursor, field); at = cursor.at, n++)
	{
		EX_TRY(ex_poll_row(reader->host, n));
		EX_TRY(read_key(reader, field, at, &key[n]));
		reader->sorted[n] = &key[n];
	}
	return ex_sort_pointers(reader->host, (void **) reader->sorted, n, compare_keys);
}

/* The sorted rows as layers, which are numbered without gaps. */
static ex_status
split_layers(weight_reader *reader)
{
	row_key   **sorted = reader->sorted;
	int64_t		n;

	if (reader->n_rows == 0)
		return ex_fail(reader->host, EX_INVALID, "weight table has no rows");
	n = sorted[reader->n_rows - 1]->layer - sorted[0]->layer + 1;
	if (n > EX_MAX_LAYERS)
		return ex_fail(reader->host, EX_LIMIT, "network has more than %d layers", EX_MAX_LAYERS);
	EX_TRY(EX_ALLOC(reader->host, (size_t) n, &reader->layer));
	reader->n_layers = (size_t) n;
	for (size_t i = 0; i < reader->n_rows; i++)
	{
		table_layer *layer = &reader->layer[sorted[i]->layer - sorted[0]->layer];

		if (layer->n_rows++ == 0)
			layer->row = &sorted[i];
	}
	for (size_t l = 0; l < reader->n_layers; l++)
	{
		reader->layer[l].number = sorted[0]->layer + (int64_t) l;
		if (reader->layer[l].n_rows > 0)
			continue;
		ex_bad_layer(reader, &reader->layer[l], EX_INVALID, "has no rows");
		ex_detail(reader->host, "There are layers before and after it.");
		return EX_INVALID;
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Settings
 * ---------------------------------------------------------------- */

static bool
same_field(const ex_field *a, const ex_field *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case EX_FIELD_TEXT:
			return ex_compare_strings(&a->text, &b->text) == 0;
		case EX_FIELD_NUMBER:
			return memcmp(&a->number, &b->number, sizeof(double)) == 0;
		case EX_FIELD_NUMBERS:
			return a->count == b->count && memcmp(a->elements, b->elements, a->count * sizeof(double)) == 0;
		default:
			return false;
	}
}

static bool
is_word(const ex_field *field, const char *word)
{
	return field->type == EX_FIELD_TEXT && field->text.length == strlen(word) &&
		memcmp(field->text.text, word, field->text.length) == 0;
}

/* Rows of the input say themselves what they are. */
static bool
differ_freely(const ex_field *a, const ex_field *b, int setting)
{
	const char *const words[] = {ex_layer_kind_names[EX_LAYER_IS_INPUT], EX_INDICATOR_WORD};
	bool		free[2] = {false, false};

	for (int i = 0; i < 2; i++)
	{
		free[0] |= is_word(a, words[i]);
		free[1] |= is_word(b, words[i]);
	}
	return setting == ROW_KIND && free[0] && free[1];
}

static ex_status
merge_settings(weight_reader *reader, table_layer *layer)
{
	ex_field	field[EX_TABLE_MAX_FIELDS];

	for (size_t i = 0; i < layer->n_rows; i++)
	{
		EX_TRY(ex_poll_row(reader->host, i));
		ex_weight_row(reader, layer->row[i], field);
		for (int s = ROW_FIRST_SETTING; s < ROW_N_FIELDS; s++)
		{
			ex_field   *known = &layer->setting[s];

			if (field[s].type == EX_FIELD_NULL)
				continue;
			if (known->type == EX_FIELD_NULL)
				*known = field[s];
			else if (!same_field(known, &field[s]) && !differ_freely(known, &field[s], s))
				return ex_fail(reader->host, EX_INVALID, "rows of layer %lld have different values in \"%s\"",
							   (long long) layer->number, ex_weight_table.field[s].name);
		}
	}
	return EX_OK;
}

/* The kind of layer of a word; EX_N_LAYER_KINDS if it is none. */
static ex_layer_kind
kind_of(const ex_field *field)
{
	int			kind = 0;

	if (is_word(field, "flatten"))	/* a reshape without a shape */
		return EX_LAYER_RESHAPE;
	while (kind < EX_N_LAYER_KINDS && !is_word(field, ex_layer_kind_names[kind]))
		kind++;
	return (ex_layer_kind) kind;
}

static ex_status
unknown_word(weight_reader *reader, const table_layer *layer, const char *what, ex_string word,
			 int first)
{
	char		list[400];
	size_t		used = 0;

	ex_fail(reader->host, EX_INVALID, "layer %lld has an unknown %s \"%.*s\"", (long long) layer->number,
			what, (int) word.length, word.text);
	for (int k = first; k < EX_N_LAYER_KINDS; k++)
		used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%s", k > first ? ", " : "",
								  ex_layer_kind_names[k]);
	ex_hint(reader->host, "Valid words are %s%s.", list,
			first > 0 ? ", identity, linear, logistic" : ", flatten, " EX_INDICATOR_WORD ", " EX_IMAGE_WORD);
	return EX_INVALID;
}

static ex_status
read_kind(weight_reader *reader, table_layer *layer)
{
	const ex_field *kind = &layer->setting[ROW_KIND];

	if (kind->type == EX_FIELD_NULL)
	{
		layer->kind = EX_LAYER_DENSE;
		return EX_OK;
	}
	layer->kind = kind_of(kind);
	if (layer->kind == EX_LAYER_IS_INPUT || is_word(kind, EX_INDICATOR_WORD))
		layer->role = ROLE_COLUMNS;
	else if (is_word(kind, EX_IMAGE_WORD))
		layer->role = ROLE_IMAGE;
	else if (layer->kind == EX_N_LAYER_KINDS)
		return unknown_word(reader, layer, "kind", kind->text, 0);
	if (layer->role != ROLE_LAYER && layer != reader->layer)
		return ex_bad_layer(reader, layer, EX_INVALID, "describes the input, but is not the lowest layer");
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Sources
 * ---------------------------------------------------------------- */

static bool
has_input_rows(const weight_reader *reader)
{
	return reader->layer[0].role != ROLE_LAYER;
}

/* Position in the table of the layer with this number, which comes before. */
static ex_status
find_source(weight_reader *reader, const table_layer *layer, double number, int64_t *position)
{
	double		first = (double) reader->layer[0].number;

	*position = MODEL_INPUT;
	if (number >= first && number < (double) layer->number && number == floor(number))
	{
		int64_t		found = (int64_t) (number - first);

		if (found > 0 || !has_input_rows(reader))
			*position = found;
		return EX_OK;
	}
	if (number == 0 && number < first)
		return EX_OK;
	ex_bad_layer(reader, layer, EX_INVALID, "has a source that is no layer before it");
	ex_hint(reader->host, "Sources are numbers of layers; 0 is the input, unless the table has a layer 0.");
	return EX_INVALID;
}

static ex_status
read_sources(weight_reader *reader, table_layer *layer)
{
	const ex_field *field = &layer->setting[ROW_SOURCES];
	int64_t		before = layer - reader->layer - 1;
	const uint8_t *element = field->elements;
	bool		given = field->type != EX_FIELD_NULL;

	if (layer->role != ROLE_LAYER)
		return EX_OK;
	layer->n_sources = given ? field->count : 1;
	if (layer->n_sources == 0 || layer->n_sources > EX_MAX_LAYERS)
		return ex_bad_layer(reader, layer, EX_INVALID, "must have a source");
	EX_TRY(EX_ALLOC(reader->host, layer->n_sources, &layer->source));
	for (uint32_t i = 0; i < field->count; i++)
		EX_TRY(find_source(reader, layer, ex_field_next_number(&element), &layer->source[i]));
	if (!given)
		layer->source[0] = before < 0 || (before == 0 && has_input_rows(reader)) ? MODEL_INPUT : before;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Into the network
 * ---------------------------------------------------------------- */

/* One number for all places, or one for each. */
static ex_status
read_setting(weight_reader *reader, const table_layer *layer, int setting, int place, int n, int least,
			 int32_t *into)
{
	const ex_field *field = &layer->setting[setting];
	const char *name = ex_weight_table.field[setting].name;
	const uint8_t *element = field->elements;
	double		number[4];
	uint32_t	count = field->type == EX_FIELD_NUMBER ? 1 : field->count;

	if (field->type == EX_FIELD_NULL)
		return EX_OK;
	if (count != 1 && count != 2 && count != (uint32_t) n)
		return ex_fail(reader->host, EX_DIMENSION, "%s of layer %lld must have %s numbers", name,
					   (long long) layer->number, n == 4 ? "1, 2 or 4" : "1 or 2");
	for (uint32_t i = 0; i < count; i++)
		number[i] = field->type == EX_FIELD_NUMBER ? field->number : ex_field_next_number(&element);
	for (int i = 0; i < n; i++)
		EX_TRY(ex_weight_integer(reader, layer, name, number[(uint32_t) i % count], least, 65535,
								 &into[place + i]));
	return EX_OK;
}

static ex_status
read_shape(weight_reader *reader, const table_layer *layer, ex_new_layer *made)
{
	const ex_field *field = &layer->setting[ROW_SHAPE];
	const uint8_t *element = field->elements;
	int32_t		number[3];
	bool		permute = layer->kind == EX_LAYER_PERMUTE;

	if (!permute && layer->kind != EX_LAYER_RESHAPE)
		return EX_OK;
	if (field->type == EX_FIELD_NULL && !permute)
	{
		size_t		size = ex_shape_size(ex_weight_source(reader, layer->source[0])->shape);

		made->shape = (ex_shape) {(uint32_t) size, 1, 1};
		return EX_OK;
	}
	if (field->type == EX_FIELD_NULL || field->count != 3)
		return ex_bad_layer(reader, layer, EX_DIMENSION, "must have a shape of 3 numbers");
	for (int i = 0; i < 3; i++)
		EX_TRY(ex_weight_integer(reader, layer, "shape", ex_field_next_number(&element), permute ? 0 : 1,
								 permute ? 2 : EX_MAX_ACTIVATIONS, &number[i]));
	if (permute)
		memcpy(made->setting, number, sizeof(number));
	else
		made->shape = (ex_shape) {(uint32_t) number[0], (uint32_t) number[1], (uint32_t) number[2]};
	return EX_OK;
}

static ex_status
read_settings(weight_reader *reader, const table_layer *layer, ex_new_layer *made)
{
	const ex_field *groups = &layer->setting[ROW_GROUP_COUNT];

	EX_TRY(read_setting(reader, layer, ROW_KERNEL, EX_KERNEL_H, 2, 1, made->setting));
	if (layer->kind == EX_LAYER_MAX_POOL || layer->kind == EX_LAYER_AVERAGE_POOL)
		memcpy(made->setting + EX_STRIDE_H, made->setting + EX_KERNEL_H, 2 * sizeof(int32_t));
	EX_TRY(read_setting(reader, layer, ROW_STRIDE, EX_STRIDE_H, 2, 1, made->setting));
	EX_TRY(read_setting(reader, layer, ROW_PADDING, EX_PAD_TOP, 4, 0, made->setting));
	EX_TRY(read_setting(reader, layer, ROW_DILATION, EX_DILATION_H, 2, 1, made->setting));
	if (groups->type != EX_FIELD_NULL)
		EX_TRY(ex_weight_integer(reader, layer, "group_count", groups->number, 1, EX_MAX_FEATURES,
								 &made->setting[EX_GROUPS]));
	if (layer->setting[ROW_COUNTS_PADDING].number != 0)
		made->setting[EX_FLAGS] = EX_POOL_COUNTS_PADDING;
	return read_shape(reader, layer, made);
}

/* What `number` is where a kind takes one and none is given; NaN: it takes none. */
static double
default_number(ex_layer_kind kind)
{
	switch (kind)
	{
		case EX_LAYER_LEAKY_RELU:
			return 0.01;
		case EX_LAYER_ELU:
			return 1;
		case EX_LAYER_BATCH_NORM:
			return 1e-5;
		default:
			return NAN;
	}
}

static void
read_number(const table_layer *layer, ex_layer_kind kind, double *number)
{
	const ex_field *field = &layer->setting[ROW_NUMBER];
	double		standard = default_number(kind);

	*number = isnan(standard) ? 0 : field->type == EX_FIELD_NULL ? standard : field->number;
}

static ex_status
put_layer(weight_reader *reader, table_layer *layer, ex_new_layer *made)
{
	EX_TRY(ex_network_put_layer(reader->builder, made));
	layer->shape = ex_network_last_shape(reader->builder);
	layer->place = ++reader->n_put;
	return EX_OK;
}

/* The activation of a row as a kind of layer; EX_LAYER_IS_INPUT: none. */
static ex_status
find_activation(weight_reader *reader, const table_layer *layer, ex_layer_kind *kind)
{
	const ex_field *word = &layer->setting[ROW_ACTIVATION];

	*kind = EX_LAYER_IS_INPUT;
	if (word->type == EX_FIELD_NULL || is_word(word, "identity") || is_word(word, "linear"))
		return EX_OK;
	*kind = is_word(word, "logistic") ? EX_LAYER_SIGMOID : kind_of(word);
	if (*kind < EX_LAYER_RELU || *kind == EX_N_LAYER_KINDS)
		return unknown_word(reader, layer, "activation", word->text, EX_LAYER_RELU);
	return EX_OK;
}

static ex_status
put_activation(weight_reader *reader, table_layer *layer)
{
	ex_new_layer made = {0};

	EX_TRY(find_activation(reader, layer, &made.kind));
	if (made.kind == EX_LAYER_IS_INPUT)
		return EX_OK;
	if (isnan(default_number(layer->kind)))
		read_number(layer, made.kind, &made.number);
	else
		made.number = isnan(default_number(made.kind)) ? 0 : default_number(made.kind);
	return put_layer(reader, layer, &made);
}

ex_status
ex_weight_text(weight_reader *reader, ex_string text, const char **copy)
{
	char	   *made;

	EX_TRY(EX_ALLOC(reader->host, text.length + (size_t) 1, &made));
	memcpy(made, text.text, text.length);
	*copy = made;
	return EX_OK;
}

static ex_status
read_layer(weight_reader *reader, table_layer *layer)
{
	ex_new_layer made = {.kind = layer->kind, .n_inputs = layer->n_sources};
	uint32_t   *input;

	EX_TRY(EX_ALLOC(reader->host, layer->n_sources, &input));
	for (uint32_t i = 0; i < layer->n_sources; i++)
		input[i] = ex_weight_source(reader, layer->source[i])->place;
	made.input = input;
	if (layer->setting[ROW_NAME].type != EX_FIELD_NULL)
		EX_TRY(ex_weight_text(reader, layer->setting[ROW_NAME].text, &made.name));
	EX_TRY(read_settings(reader, layer, &made));
	read_number(layer, layer->kind, &made.number);
	EX_TRY(ex_weight_layer(reader, layer, &made));
	EX_TRY(put_layer(reader, layer, &made));
	return put_activation(reader, layer);
}

/* ----------------------------------------------------------------
 * Outputs
 * ---------------------------------------------------------------- */

static ex_status
put_outputs(weight_reader *reader)
{
	const table_layer *last = &reader->layer[reader->n_layers - 1];

	if (last->name == NULL || ex_is_counted(last->name, last->shape.channels) ||
		ex_shape_size(last->shape) != last->shape.channels || last->shape.channels > EX_MAX_OUTPUTS)
		return EX_OK;
	for (uint32_t k = 0; k < last->shape.channels; k++)
		EX_TRY(ex_put_name(reader->builder, EX_OUTPUT_NAME_START, last->name[k].text, last->name[k].length));
	return EX_OK;
}

/* The link that rows name, if they do. */
static ex_status
put_link(weight_reader *reader, bool *given)
{
	const ex_field *link = NULL;
	ex_link		found;

	*given = false;
	for (size_t l = 0; l < reader->n_layers; l++)
	{
		const ex_field *here = &reader->layer[l].setting[ROW_LINK];

		if (here->type == EX_FIELD_NULL)
			continue;
		if (link != NULL && !same_field(link, here))
			return ex_fail(reader->host, EX_INVALID, "layers have different values in \"link\"");
		link = here;
	}
	if (link == NULL)
		return EX_OK;
	*given = true;
	EX_TRY(ex_find_link(reader->host, link->text.text, link->text.length, &found));
	return ex_edit_link(reader->builder, found, 1);
}

ex_status
ex_network_from_rows(ex_host *host, const void *bytes, size_t size, ex_builder *builder)
{
	weight_reader reader = {.host = host, .builder = builder};
	bool		given;

	ex_builder_init(builder, host, EX_NETWORK);
	EX_TRY(read_rows(&reader, bytes, size));
	EX_TRY(split_layers(&reader));
	for (size_t l = 0; l < reader.n_layers; l++)
	{
		EX_TRY(merge_settings(&reader, &reader.layer[l]));
		EX_TRY(read_kind(&reader, &reader.layer[l]));
	}
	for (size_t l = 0; l < reader.n_layers; l++)
		EX_TRY(read_sources(&reader, &reader.layer[l]));
	EX_TRY(ex_weight_input(&reader));
	for (size_t l = has_input_rows(&reader); l < reader.n_layers; l++)
		EX_TRY(read_layer(&reader, &reader.layer[l]));
	if (reader.n_layers == has_input_rows(&reader))
		return ex_fail(host, EX_INVALID, "weight table has no layer behind the input");
	EX_TRY(put_outputs(&reader));
	EX_TRY(put_link(&reader, &given));
	return given ? ex_network_close(builder) : ex_network_finish(builder);
}
