/*
 * weight_rows_layer.c
 *		The weights of one layer from the rows of a weight table.
 */
#include <math.h>
#include <stdio.h>

#include "weight_rows_internal.h"

static const char *const batch_norm_words[] = {"gamma", "beta", "mean", "variance"};
static const char *const affine_words[] = {"scale", "shift"};

const char *const *
ex_unit_parameters(int kind, int *n)
{
	*n = kind == EX_LAYER_BATCH_NORM ? 4 : kind == EX_LAYER_AFFINE ? 2 : 0;
	return *n == 4 ? batch_norm_words : *n == 2 ? affine_words : NULL;
}

/* A weight as its row has it. */
typedef struct weight_row
{
	ex_string	unit;
	ex_string	input;			/* null: bias */
	int32_t		y;
	int32_t		x;
	double		weight;
} weight_row;

/* What the rows of a layer have in common, and the weights that they fill. */
typedef struct weights
{
	weight_reader *reader;
	table_layer *layer;
	axis		units;
	axis		inputs;
	size_t		n_rows;			/* with weights */
	int32_t		kernel_h;
	int32_t		kernel_w;
	uint32_t	group_inputs;	/* inputs of a unit */
	uint32_t	group_units;	/* units with the same inputs */
	size_t		per_unit;		/* weights but for the bias */
	uint32_t   *seen;			/* of each unit, but for the bias */
	bool	   *has_bias;		/* each unit */
	double	   *value;
} weights;

/* ----------------------------------------------------------------
 * Rows
 * ---------------------------------------------------------------- */

/* Row i; *described: it has no weight, and only describes its layer. */
static ex_status
read_weight(const weights *w, size_t i, weight_row *r, bool *described)
{
	const table_layer *layer = w->layer;
	ex_field	field[EX_TABLE_MAX_FIELDS];
	const ex_field *y = &field[ROW_KERNEL_Y];
	const ex_field *x = &field[ROW_KERNEL_X];

	EX_TRY(ex_poll_row(w->reader->host, i));
	ex_weight_row(w->reader, layer->row[i], field);
	r->unit = field[ROW_UNIT].text;
	r->input = is_bias(field) ? (ex_string) {NULL, 0} : field[ROW_INPUT].text;
	r->weight = field[ROW_WEIGHT].number;
	r->y = r->x = 0;
	*described = field[ROW_WEIGHT].type == EX_FIELD_NULL;
	if (*described)
		return ex_is_null_string(r->unit) && field[ROW_INPUT].type == EX_FIELD_NULL ? EX_OK :
			ex_bad_unit(w->reader, layer, r->unit, EX_NULL, "has a weight that is null");
	if (!isfinite(r->weight))
		return ex_bad_unit(w->reader, layer, r->unit, EX_RANGE, "has a weight that is not a finite number");
	if (ex_is_null_string(r->unit) && layer->kind != EX_LAYER_AFFINE)
		return ex_bad_layer(w->reader, layer, EX_NULL, "has a weight without a unit");
	if (layer->kind != EX_LAYER_CONV2D || ex_is_null_string(r->input))
		return EX_OK;
	if (y->type == EX_FIELD_NULL || x->type == EX_FIELD_NULL)
		return ex_bad_unit(w->reader, layer, r->unit, EX_NULL, "has a weight without kernel_y or kernel_x");
	EX_TRY(ex_weight_integer(w->reader, layer, "kernel_y", y->number, 0, EX_MAX_FEATURES, &r->y));
	return ex_weight_integer(w->reader, layer, "kernel_x", x->number, 0, EX_MAX_FEATURES, &r->x);
}

static void
to_axis(ex_string_set *set, axis *to)
{
	ex_string_set_finish(set);
	to->name = set->string;
	to->n = set->n;
}

/* Names of units and inputs, and how far the kernel reaches. */
static ex_status
note_rows(weights *w)
{
	ex_host    *host = w->reader->host;
	ex_string_set units = {.order = ex_compare_ids};
	ex_string_set inputs = {.order = ex_compare_ids};

	w->kernel_h = w->kernel_w = 1;
	for (size_t i = 0; i < w->layer->n_rows; i++)
	{
		weight_row	r;
		bool		described;

		EX_TRY(read_weight(w, i, &r, &described));
		if (described)
			continue;
		w->n_rows++;
		if (!ex_is_null_string(r.unit))
			EX_TRY(ex_string_set_add(host, &units, r.unit));
		if (!ex_is_null_string(r.input))
			EX_TRY(ex_string_set_add(host, &inputs, r.input));
		w->kernel_h = r.y >= w->kernel_h ? r.y + 1 : w->kernel_h;
		w->kernel_w = r.x >= w->kernel_w ? r.x + 1 : w->kernel_w;
	}
	to_axis(&units, &w->units);
	to_axis(&inputs, &w->inputs);
	if (w->n_rows == 0)
		return ex_bad_layer(w->reader, w->layer, EX_INVALID, "has no weights");
	return ex_check_gaps(w->reader, w->layer, &w->units, "units");
}

/* ----------------------------------------------------------------
 * Names of what is read
 * ---------------------------------------------------------------- */

static bool
same_names(const axis *names, const ex_string *expected, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ex_compare_ids(&names->name[i], &expected[i]) != 0)
			return false;
	return true;
}

/* As many as there are, but not those. */
static ex_status
refuse_name(const weights *w, ex_string name)
{
	const table_layer *source = ex_weight_source(w->reader, w->layer->source[0]);
	char		from[32] = "the input";

	if (source->role == ROLE_LAYER && source != &w->reader->input)
		snprintf(from, sizeof(from), "layer %lld", (long long) source->number);
	return ex_fail(w->reader->host, EX_INVALID, "layer %lld reads unit \"%.*s\", which %s does not have",
				   (long long) w->layer->number, (int) name.length, name.text, from);
}

/*
 * Names must be those of the n channels that are there, or count n numbers; so
 * the position of a name among them is its channel.
 */
static ex_status
match_names(const weights *w, const axis *names, const ex_string *expected, size_t n, const char *what)
{
	ex_host    *host = w->reader->host;
	size_t		i = 0;

	if (names->n == n && ((expected != NULL && same_names(names, expected, n)) || ex_is_counted(names->name, n)))
		return EX_OK;
	while (expected != NULL && i < names->n &&
		   ex_find_string(expected, n, names->name[i], ex_compare_ids) >= 0)
		i++;
	if (names->n == n && expected != NULL)
		return refuse_name(w, names->name[i]);
	if (names->n == n)
		return ex_fail(host, EX_INVALID, "%s of layer %lld are not numbered from 0 or 1 without gaps", what,
					   (long long) w->layer->number);
	ex_fail(host, EX_INVALID, "layer %lld has weights for %zu %s, but reads %zu", (long long) w->layer->number,
			names->n, what, n);
	if (expected == NULL)
		ex_detail(host, "They are numbered from 0 or 1 without gaps.");
	else if (i < names->n)
		ex_detail(host, "There is no \"%.*s\" to read.", (int) names->name[i].length, names->name[i].text);
	if (names->n < n)
		ex_hint(host, "A weight of 0 needs a row too.");
	return EX_INVALID;
}

/* ----------------------------------------------------------------
 * Dense layers and convolutions
 * ---------------------------------------------------------------- */

static uint32_t
find(const axis *names, ex_string name)
{
	return (uint32_t) ex_find_string(names->name, names->n, name, ex_compare_ids);
}

/* Divide inputs and units into groups, and see what a unit needs. */
static ex_status
divide(weights *w, const ex_new_layer *made)
{
	uint32_t	groups = made->setting[EX_GROUPS] > 0 ? (uint32_t) made->setting[EX_GROUPS] : 1;

	if (made->setting[EX_KERNEL_H] > 0 && w->layer->kind == EX_LAYER_CONV2D)
	{
		if (w->kernel_h > made->setting[EX_KERNEL_H] || w->kernel_w > made->setting[EX_KERNEL_W])
			return ex_bad_layer(w->reader, w->layer, EX_INVALID, "has weights outside of its kernel");
		w->kernel_h = made->setting[EX_KERNEL_H];
		w->kernel_w = made->setting[EX_KERNEL_W];
	}
	if (w->inputs.n % groups != 0 || w->units.n % groups != 0)
		return ex_bad_layer(w->reader, w->layer, EX_INVALID, "has units or inputs that its groups do not divide");
	w->group_inputs = (uint32_t) (w->inputs.n / groups);
	w->group_units = (uint32_t) (w->units.n / groups);
	w->per_unit = (size_t) w->group_inputs * (size_t) w->kernel_h * (size_t) w->kernel_w;
	return EX_OK;
}

static ex_status
count_rows(weights *w)
{
	EX_TRY(EX_ALLOC(w->reader->host, w->units.n, &w->seen));
	EX_TRY(EX_ALLOC(w->reader->host, w->units.n, &w->has_bias));
	for (size_t i = 0; i < w->layer->n_rows; i++)
	{
		weight_row	r;
		bool		described;

		EX_TRY(read_weight(w, i, &r, &described));
		if (described)
			continue;
		if (!ex_is_null_string(r.input))
			w->seen[find(&w->units, r.unit)]++;
		else if (w->has_bias[find(&w->units, r.unit)])
			return ex_bad_unit(w->reader, w->layer, r.unit, EX_INVALID, "has two biases");
		else
			w->has_bias[find(&w->units, r.unit)] = true;
	}
	return EX_OK;
}

/* No weight may be missing.  Afterwards there are at least as many rows as weights. */
static ex_status
check_complete(const weights *w)
{
	for (size_t u = 0; u < w->units.n; u++)
	{
		if (w->seen[u] < w->per_unit)
		{
			ex_bad_unit(w->reader, w->layer, w->units.name[u], EX_INVALID, "lacks weights");
			ex_detail(w->reader->host, "It has %u, but needs %zu.", w->seen[u], w->per_unit);
			ex_hint(w->reader->host, "A weight of 0 needs a row too.");
			return EX_INVALID;
		}
		if (w->has_bias[u] != w->has_bias[0])
			return ex_bad_unit(w->reader, w->layer, w->units.name[w->has_bias[u] ? 0 : u], EX_INVALID,
							   "has no bias, but others of its layer have one");
	}
	return EX_OK;
}

/* Its place among the weights of the layer. */
static ex_status
place_of(const weights *w, const weight_row *r, size_t *place)
{
	uint32_t	unit = find(&w->units, r->unit);
	uint32_t	input;

	*place = w->per_unit * w->units.n + unit;
	if (ex_is_null_string(r->input))
		return EX_OK;
	input = find(&w->inputs, r->input);
	if (input / w->group_inputs != unit / w->group_units)
		return ex_bad_unit(w->reader, w->layer, r->unit, EX_INVALID, "has a weight for an input of another group");
	*place = w->per_unit * unit +
		((size_t) (input % w->group_inputs) * (size_t) w->kernel_h + (size_t) r->y) * (size_t) w->kernel_w + (size_t) r->x;
	return EX_OK;
}

static ex_status
fill(weights *w)
{
	for (size_t i = 0; i < w->layer->n_rows; i++)
	{
		weight_row	r;
		bool		described;
		size_t		place;

		EX_TRY(read_weight(w, i, &r, &described));
		if (described)
			continue;
		EX_TRY(place_of(w, &r, &place));
		if (!isnan(w->value[place]))
		{
			ex_bad_unit(w->reader, w->layer, r.unit, EX_INVALID, "has two weights for the same input");
			ex_detail(w->reader->host, "The input is \"%.*s\".", (int) r.input.length, r.input.text);
			return EX_INVALID;
		}
		w->value[place] = r.weight;
	}
	return EX_OK;
}

static ex_status
read_matrix(weights *w, ex_new_layer *made)
{
	const table_layer *source = ex_weight_source(w->reader, w->layer->source[0]);
	bool		dense = w->layer->kind == EX_LAYER_DENSE;
	bool		flat = source->shape.height * source->shape.width == 1;
	size_t		n;

	if (w->layer->n_sources != 1)
		return ex_bad_layer(w->reader, w->layer, EX_INVALID, "must have one source");
	EX_TRY(match_names(w, &w->inputs, flat || !dense ? source->name : NULL,
					   dense ? ex_shape_size(source->shape) : source->shape.channels, "inputs"));
	EX_TRY(divide(w, made));
	EX_TRY(count_rows(w));
	EX_TRY(check_complete(w));
	n = (w->per_unit + 1) * w->units.n;
	EX_TRY(EX_ALLOC(w->reader->host, n, &w->value));
	for (size_t i = 0; i < n; i++)
		w->value[i] = NAN;
	EX_TRY(fill(w));
	for (size_t u = 0; u < w->units.n && !w->has_bias[0]; u++)
		w->value[w->per_unit * w->units.n + u] = 0;
	made->shape.channels = (uint32_t) w->units.n;
	made->setting[EX_KERNEL_H] = dense ? 0 : w->kernel_h;
	made->setting[EX_KERNEL_W] = dense ? 0 : w->kernel_w;
	made->weight = w->value;
	made->n_weights = n;
	w->layer->name = w->units.name;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Batch normalisation and affine layers: some parameters for each unit
 * ---------------------------------------------------------------- */

static ex_status
put_parameter(weights *w, const weight_row *r, const char *const *word, int n_words, size_t n_units)
{
	size_t		unit = w->units.n == 0 ? 0 : find(&w->units, r->unit);
	int			p = 0;
	double	   *value;

	while (p < n_words && !(r->input.length == strlen(word[p]) &&
							memcmp(r->input.text, word[p], r->input.length) == 0))
		p++;
	if (p == n_words)
	{
		ex_bad_unit(w->reader, w->layer, r->unit, EX_INVALID, "has an unknown parameter in \"input\"");
		ex_hint(w->reader->host, "Its parameters are %s and %s%s.", word[0], word[1],
				n_words == 4 ? ", mean and variance" : "");
		return EX_INVALID;
	}
	value = &w->value[(size_t) p * n_units + unit];
	if (!isnan(*value))
		return ex_bad_unit(w->reader, w->layer, r->unit, EX_INVALID, "has a parameter twice");
	*value = r->weight;
	return EX_OK;
}

static ex_status
check_units(const weights *w)
{
	const table_layer *source = ex_weight_source(w->reader, w->layer->source[0]);
	bool		affine = w->layer->kind == EX_LAYER_AFFINE;
	size_t		n = source->shape.channels;

	if (w->layer->n_sources != 1)
		return ex_bad_layer(w->reader, w->layer, EX_INVALID, "must have one source");
	if (affine && (w->units.n == 0 || w->units.n == 1))
		return EX_OK;			/* the same for all */
	if (affine && w->units.n == ex_shape_size(source->shape) && w->units.n != n)
		return match_names(w, &w->units, NULL, w->units.n, "units");
	return match_names(w, &w->units, source->name, n, "channels");
}

static ex_status
read_parameters(weights *w, ex_new_layer *made)
{
	int			n_words;
	const char *const *word = ex_unit_parameters((int) w->layer->kind, &n_words);
	size_t		n_units = w->units.n == 0 ? 1 : w->units.n;

	EX_TRY(check_units(w));
	EX_TRY(EX_ALLOC(w->reader->host, (size_t) n_words * n_units, &w->value));
	for (size_t i = 0; i < (size_t) n_words * n_units; i++)
		w->value[i] = NAN;
	for (size_t i = 0; i < w->layer->n_rows; i++)
	{
		weight_row	r;
		bool		described;

		EX_TRY(read_weight(w, i, &r, &described));
		if (described)
			continue;
		if (ex_is_null_string(r.unit) && w->units.n > 0)
			return ex_bad_layer(w->reader, w->layer, EX_NULL, "has a weight without a unit");
		EX_TRY(put_parameter(w, &r, word, n_words, n_units));
	}
	for (size_t i = 0; i < (size_t) n_words * n_units; i++)
		if (isnan(w->value[i]))
			return ex_fail(w->reader->host, EX_INVALID, "layer %lld lacks \"%s\" of a unit",
						   (long long) w->layer->number, word[i / n_units]);
	made->weight = w->value;
	made->n_weights = (size_t) n_words * n_units;
	return EX_OK;
}

/* ---------------------------------------------------------------- */

/* Layers after which channel i is still what it was. */
static bool
keeps_channels(ex_layer_kind kind)
{
	return kind >= EX_LAYER_RELU || (kind >= EX_LAYER_MAX_POOL && kind <= EX_LAYER_AFFINE);
}

static ex_status
no_weights(weights *w)
{
	for (size_t i = 0; i < w->layer->n_rows; i++)
	{
		weight_row	r;
		bool		described;

		EX_TRY(read_weight(w, i, &r, &described));
		if (described)
			continue;
		ex_bad_layer(w->reader, w->layer, EX_INVALID, "has weights");
		ex_detail(w->reader->host, "Layers of kind \"%s\" have none.", ex_layer_kind_names[w->layer->kind]);
		return EX_INVALID;
	}
	return EX_OK;
}

ex_status
ex_weight_layer(weight_reader *reader, table_layer *layer, ex_new_layer *made)
{
	weights		w = {.reader = reader, .layer = layer};

	if (layer->n_sources == 1 && keeps_channels(layer->kind))
		layer->name = ex_weight_source(reader, layer->source[0])->name;
	switch (layer->kind)
	{
		case EX_LAYER_DENSE:
		case EX_LAYER_CONV2D:
			EX_TRY(note_rows(&w));
			return read_matrix(&w, made);
		case EX_LAYER_BATCH_NORM:
		case EX_LAYER_AFFINE:
			EX_TRY(note_rows(&w));
			return read_parameters(&w, made);
		default:
			return no_weights(&w);
	}
}
