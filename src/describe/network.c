/*
 * network.c
 *		explain.layers: the layers of a network;
 *		explain.network_weights: its weights as the rows of a weight table.
 */
#include "describe/describe.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "kernel/network_graph.h"
#include "kernel/weight_rows.h"
#include "lib/stringinfo.h"
#include "utils/array.h"

/* ----------------------------------------------------------------
 * Words
 * ---------------------------------------------------------------- */

char *
layer_name_text(const ex_network_view *view, uint32 layer)
{
	uint32		length;
	const char *name = ex_network_layer_name(view, layer, &length);

	return host_pg_from_utf8(name, (int) length);
}

static char *
column_text(const ex_network_view *view, uint32 c)
{
	ex_linear_view columns;
	ex_column	column;

	ex_linear_open(view->model, &columns);
	ex_linear_get_column(&columns, c, &column);
	return column_words(view->model, &column);
}

char *
channel_words(const ex_network_view *view, uint32 layer, uint32 channel)
{
	uint32		origin = ex_unit_origin(view, layer);
	ex_layer	from;
	ex_layer	here;

	ex_network_layer(view, layer, &here);
	ex_network_layer(view, origin, &from);
	if (from.shape.channels != here.shape.channels)
		return psprintf("%u", channel + 1); /* a reshape lies between */
	if (from.shape.height * from.shape.width == 1)
		return unit_words(view, layer, channel);
	if (origin == 0)
		return model_name_text(view->model, EX_CHANNEL_NAME_START, channel);
	return psprintf("%u", channel + 1);
}

char *
unit_words(const ex_network_view *view, uint32 layer, uint32 unit)
{
	uint32		origin = ex_unit_origin(view, layer);
	ex_layer	from;
	uint32		pixels;
	uint32		at;

	ex_network_layer(view, origin, &from);
	if (origin == 0)
		return column_text(view, unit);
	if (ex_units_are_outputs(view, origin))
	{
		uint32		length;
		const char *name = ex_get_name(view->model, EX_OUTPUT_NAME_START, unit, &length);

		return host_pg_from_utf8(name, (int) length);
	}
	pixels = from.shape.height * from.shape.width;
	if (pixels == 1)
		return psprintf("%u", unit + 1);
	at = unit % pixels;
	return psprintf("%u[%u,%u]", unit / pixels + 1, at / from.shape.width, at % from.shape.width);
}

/* ----------------------------------------------------------------
 * layers(model)
 * ---------------------------------------------------------------- */

static bool
has_window(ex_layer_kind kind)
{
	return kind == EX_LAYER_CONV2D || kind == EX_LAYER_MAX_POOL || kind == EX_LAYER_AVERAGE_POOL;
}

static bool
has_number(ex_layer_kind kind)
{
	return kind == EX_LAYER_LEAKY_RELU || kind == EX_LAYER_ELU || kind == EX_LAYER_BATCH_NORM;
}

static char *
source_names(const ex_network_view *view, const ex_layer *layer)
{
	StringInfoData names;

	initStringInfo(&names);
	for (uint32 i = 0; i < layer->n_inputs; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", layer_name_text(view, layer->input[i]));
	return layer->n_inputs > 0 ? names.data : NULL;
}

/* height x width; NULL where the kind has none */
static char *
by_text(const ex_layer *layer, int setting)
{
	if (!has_window(layer->kind))
		return NULL;
	return psprintf("%dx%d", layer->setting[setting], layer->setting[setting + 1]);
}

static char *
padding_text(const ex_layer *layer)
{
	const int32_t *pad = layer->setting;

	if (!has_window(layer->kind))
		return NULL;
	if (pad[EX_PAD_TOP] == pad[EX_PAD_BOTTOM] && pad[EX_PAD_LEFT] == pad[EX_PAD_RIGHT])
		return psprintf("%dx%d", pad[EX_PAD_TOP], pad[EX_PAD_LEFT]);
	return psprintf("%d,%d,%d,%d", pad[EX_PAD_TOP], pad[EX_PAD_LEFT], pad[EX_PAD_BOTTOM], pad[EX_PAD_RIGHT]);
}

static void
layer_row(Description *d, const ex_network_view *view, uint32 i, uint32 rank)
{
	ex_layer	layer;

	ex_network_layer(view, i, &layer);
	row_int4(&d->row, (int32) i);
	row_text(&d->row, layer_name_text(view, i));
	row_text(&d->row, ex_layer_kind_names[layer.kind]);
	row_text(&d->row, source_names(view, &layer));
	row_int4(&d->row, (int32) rank);
	row_int4(&d->row, (int32) layer.shape.channels);
	row_int4(&d->row, (int32) layer.shape.height);
	row_int4(&d->row, (int32) layer.shape.width);
	row_int4(&d->row, (int32) ex_shape_size(layer.shape));
	row_int4(&d->row, (int32) layer.n_weights);
	row_text(&d->row, by_text(&layer, EX_KERNEL_H));
	row_text(&d->row, by_text(&layer, EX_STRIDE_H));
	row_text(&d->row, padding_text(&layer));
	row_text(&d->row, by_text(&layer, EX_DILATION_H));
	if (layer.kind == EX_LAYER_CONV2D)
		row_int4(&d->row, layer.setting[EX_GROUPS]);
	else
		row_null(&d->row);
	row_float8(&d->row, has_number(layer.kind) ? layer.number : NAN);
	row_end(&d->row);
}

static Datum
layers(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	ex_network_view view;
	uint32_t   *rank;

	if (!describe_begin(fcinfo, source, &d))
		return describe_end(&d);
	require_network(d.model, "layers", &view);
	EX_PG(d.site->host, ex_network_ranks(d.site->host, &view, &rank));
	for (uint32 i = 0; i < view.n_layers; i++)
	{
		CHECK_FOR_INTERRUPTS();
		layer_row(&d, &view, i, rank[i]);
	}
	return describe_end(&d);
}

MODEL_OVERLOADS(layers);

/* ----------------------------------------------------------------
 * network_weights(model)
 * ---------------------------------------------------------------- */

/* A row of a weight table: the columns of sql/, in order. */
typedef struct WeightRow
{
	uint32		layer;
	const char *name;			/* of the layer; NULL but in its first row */
	const char *kind;
	const ex_layer *settings;	/* NULL but in its first row */
	int32		unit;			/* from 1; 0: null */
	const char *unit_name;
	const char *input;
	const char *input_name;
	double		weight;			/* NaN: null, as in all numbers below */
	int32		y;				/* of the kernel; -1: null */
	int32		x;
	const ex_model *model;		/* of the level */
	const ex_column *column;	/* of the input; NULL */
	double		center;
	double		scale;
	const char *link;
} WeightRow;

static Datum
int4_array_datum(const int32_t *value, int n)
{
	Datum		element[4];

	for (int i = 0; i < n; i++)
		element[i] = Int32GetDatum(value[i]);
	return PointerGetDatum(construct_array(element, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

static void
int4_array(Description *d, const int32_t *value, int n)
{
	if (n == 0)
		row_null(&d->row);
	else
		row_datum(&d->row, int4_array_datum(value, n), false);
}

static void
int4_or_null(Description *d, int32 value, int32 null)
{
	if (value == null)
		row_null(&d->row);
	else
		row_int4(&d->row, value);
}

/* What a layer reads, if it is not the one before. */
static void
put_sources(Description *d, const WeightRow *r)
{
	const ex_layer *layer = r->settings;
	Datum	   *element;

	if (layer == NULL || layer->n_inputs == 0 || (layer->n_inputs == 1 && layer->input[0] == r->layer - 1))
	{
		row_null(&d->row);
		return;
	}
	element = palloc(layer->n_inputs * sizeof(Datum));
	for (uint32 i = 0; i < layer->n_inputs; i++)
		element[i] = Int32GetDatum((int32) layer->input[i]);
	row_datum(&d->row, PointerGetDatum(construct_array(element, (int) layer->n_inputs, INT4OID, sizeof(int32),
													   true, TYPALIGN_INT)), false);
}

/* level, low, high, center, scale, missing_value */
static void
put_column(Description *d, const WeightRow *r)
{
	const ex_column *column = r->column;
	bool		bin = column != NULL && column->kind == EX_COLUMN_BIN;

	if (column != NULL && column->kind == EX_COLUMN_LEVEL_IS)
		row_level(&d->row, r->model, column->feature, column->level);
	else
		row_null(&d->row);
	/* a bin without limits still is one */
	if (bin && isinf(column->low) && isinf(column->high))
		row_datum(&d->row, Float8GetDatum(column->low), false);
	else
		row_float8(&d->row, bin ? column->low : NAN);
	row_float8(&d->row, bin ? column->high : NAN);
	row_float8(&d->row, r->center);
	row_float8(&d->row, r->scale);
	row_float8(&d->row, column != NULL ? column->missing : NAN);
}

/* kernel, stride, padding, dilation, group_count, counts_padding, number, shape (of the input: an image) */
static void
put_settings(Description *d, const ex_layer *layer)
{
	bool		window = layer != NULL && has_window(layer->kind);
	bool		average = layer != NULL && layer->kind == EX_LAYER_AVERAGE_POOL;
	const int32_t *setting = layer == NULL ? NULL : layer->setting;

	int4_array(d, setting + EX_KERNEL_H, window ? 2 : 0);
	int4_array(d, setting + EX_STRIDE_H, window ? 2 : 0);
	int4_array(d, setting + EX_PAD_TOP, window ? 4 : 0);
	int4_array(d, setting + EX_DILATION_H, window ? 2 : 0);
	int4_or_null(d, layer != NULL && layer->kind == EX_LAYER_CONV2D ? setting[EX_GROUPS] : 0, 0);
	if (average)
		row_bool(&d->row, (setting[EX_FLAGS] & EX_POOL_COUNTS_PADDING) != 0);
	else
		row_null(&d->row);
	row_float8(&d->row, layer != NULL && has_number(layer->kind) ? layer->number : NAN);
	if (layer != NULL && layer->kind == EX_LAYER_RESHAPE)
		int4_array(d, (int32_t[]) {(int32) layer->shape.channels, (int32) layer->shape.height,
						(int32) layer->shape.width}, 3);
	else if (layer != NULL && layer->kind == EX_LAYER_IS_INPUT)
		int4_array(d, (int32_t[]) {(int32) layer->shape.height, (int32) layer->shape.width}, 2);
	else
		int4_array(d, setting, layer != NULL && layer->kind == EX_LAYER_PERMUTE ? 3 : 0);
}

static void
weight_row(Description *d, const WeightRow *r)
{
	CHECK_FOR_INTERRUPTS();
	row_int4(&d->row, (int32) r->layer);
	row_text(&d->row, r->name);
	row_text(&d->row, r->kind);
	put_sources(d, r);
	int4_or_null(d, r->unit, 0);
	row_text(&d->row, r->unit_name);
	row_text(&d->row, r->input);
	row_text(&d->row, r->input_name);
	row_float8(&d->row, r->weight);
	int4_or_null(d, r->y, -1);
	int4_or_null(d, r->x, -1);
	put_column(d, r);
	put_settings(d, r->settings);
	row_text(&d->row, r->link);
	row_end(&d->row);
}

/* A row of layer i in which nothing is set; the first one says what the layer is. */
static WeightRow
begin_row(const ex_network_view *view, uint32 i, const ex_layer *layer, bool first)
{
	WeightRow	r = {
		.layer = i, .weight = NAN, .y = -1, .x = -1, .model = view->model, .center = NAN, .scale = NAN
	};

	r.kind = ex_layer_kind_names[layer->kind];
	if (first)
	{
		r.name = layer_name_text(view, i);
		r.settings = layer;
	}
	return r;
}

/* Column c without the value for missing ones that its feature's policy implies. */
static void
get_column(const ex_linear_view *columns, uint32 c, ex_column *column)
{
	ex_feature	feature;

	ex_linear_get_column(columns, c, column);
	ex_get_feature(columns->model, column->feature, &feature);
	if (feature.missing != EX_MISSING_NATIVE)
		column->missing = NAN;
}

/* Pixel i of an image, without its place: what all pixels of its channel may have in common. */
static WeightRow
image_row(const ex_network_view *view, uint32 i, const ex_layer *layer)
{
	WeightRow	r = begin_row(view, 0, layer, i == 0);
	uint32		channel = i / (view->input.height * view->input.width);

	r.kind = EX_IMAGE_WORD;
	r.unit = (int32) channel + 1;
	r.input = model_name_text(view->model, EX_CHANNEL_NAME_START, channel);
	r.center = view->center[i];
	r.scale = view->scale[i];
	return r;
}

/*
 * The channels of an image, scaled as their first pixel; and the pixels that
 * are scaled in another way, or may be missing.
 */
static void
image_rows(Description *d, const ex_network_view *view, const ex_layer *layer)
{
	uint32		pixels = view->input.height * view->input.width;
	ex_linear_view columns;

	ex_linear_open(view->model, &columns);
	for (uint32 i = 0; i < view->n_columns; i++)
	{
		uint32		first = i - i % pixels;
		ex_column	column;
		WeightRow	r;

		if (i == first)
		{
			r = image_row(view, i, layer);
			r.link = i == 0 ? ex_link_names[view->model->link] : NULL;
			weight_row(d, &r);
		}
		get_column(&columns, i, &column);
		if (isnan(column.missing) && view->center[i] == view->center[first] && view->scale[i] == view->scale[first])
			continue;
		r = image_row(view, i, layer);
		r.name = NULL;
		r.settings = NULL;
		r.column = &column;
		r.y = (int32) (i % pixels / view->input.width);
		r.x = (int32) (i % view->input.width);
		weight_row(d, &r);
	}
}

static void
column_rows(Description *d, const ex_network_view *view, const ex_layer *layer)
{
	ex_linear_view columns;

	ex_linear_open(view->model, &columns);
	for (uint32 c = 0; c < view->n_columns; c++)
	{
		WeightRow	r = begin_row(view, 0, layer, c == 0);
		ex_column	column;

		get_column(&columns, c, &column);
		r.settings = NULL;
		r.kind = column.kind == EX_COLUMN_ISNULL ? EX_INDICATOR_WORD : r.kind;
		r.unit = (int32) c + 1;
		r.unit_name = column_words(view->model, &column);
		r.input = model_name_text(view->model, EX_FEATURE_NAME_START, column.feature);
		r.column = &column;
		r.center = view->center[c];
		r.scale = view->scale[c];
		r.link = c == 0 ? ex_link_names[view->model->link] : NULL;
		weight_row(d, &r);
	}
}

/* Weight w of a dense layer or a convolution. */
static void
matrix_row(Description *d, const ex_network_view *view, uint32 i, const ex_layer *layer, uint32 w)
{
	WeightRow	r = begin_row(view, i, layer, w == 0);
	uint32		n = layer->shape.channels;
	uint32		per_unit = layer->n_weights / n - 1;
	uint32		unit = w < n * per_unit ? w / per_unit : w - n * per_unit;
	bool		dense = layer->kind == EX_LAYER_DENSE;
	uint32		input = w % per_unit;

	r.unit = (int32) unit + 1;
	r.weight = ex_network_weight(view, layer->first_weight + (size_t) w);
	if (ex_units_are_outputs(view, i))
		r.unit_name = unit_words(view, i, unit);
	if (w >= n * per_unit)
		r.input = EX_BIAS_WORD;
	else
	{
		if (!dense)
		{
			uint32		h = (uint32) layer->setting[EX_KERNEL_H];
			uint32		width = (uint32) layer->setting[EX_KERNEL_W];
			uint32		group = unit / (n / (uint32) layer->setting[EX_GROUPS]);

			r.y = (int32) (input / width % h);
			r.x = (int32) (input % width);
			input = input / (h * width) + group * (per_unit / (h * width));
		}
		r.input = psprintf("%u", input + 1);
		r.input_name = (dense ? unit_words : channel_words) (view, layer->input[0], input);
	}
	weight_row(d, &r);
}

/* Weight w of a layer with some parameters for each unit. */
static void
parameter_row(Description *d, const ex_network_view *view, uint32 i, const ex_layer *layer, uint32 w)
{
	WeightRow	r = begin_row(view, i, layer, w == 0);
	int			n_words;
	const char *const *word = ex_unit_parameters((int) layer->kind, &n_words);
	uint32		n = layer->n_weights / (uint32) n_words;
	ex_layer	source;

	ex_network_layer(view, layer->input[0], &source);
	r.unit = (int32) (w % n) + 1;
	r.input = word[w / n];
	r.weight = ex_network_weight(view, layer->first_weight + (size_t) w);
	if (n == source.shape.channels)
		r.unit_name = channel_words(view, layer->input[0], w % n);
	weight_row(d, &r);
}

static void
layer_rows(Description *d, const ex_network_view *view, uint32 i)
{
	ex_layer	layer;

	ex_network_layer(view, i, &layer);
	if (layer.n_weights == 0)
	{
		WeightRow	r = begin_row(view, i, &layer, true);

		weight_row(d, &r);
	}
	for (uint32 w = 0; w < layer.n_weights; w++)
	{
		if (layer.kind == EX_LAYER_DENSE || layer.kind == EX_LAYER_CONV2D)
			matrix_row(d, view, i, &layer, w);
		else
			parameter_row(d, view, i, &layer, w);
	}
}

static Datum
network_weights(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	ex_network_view view;
	ex_layer	input;

	if (!describe_begin(fcinfo, source, &d))
		return describe_end(&d);
	require_network(d.model, "weights", &view);
	ex_network_layer(&view, 0, &input);
	if (view.is_image)
		image_rows(&d, &view, &input);
	else
		column_rows(&d, &view, &input);
	for (uint32 i = 1; i < view.n_layers; i++)
		layer_rows(&d, &view, i);
	return describe_end(&d);
}

MODEL_OVERLOADS(network_weights);
