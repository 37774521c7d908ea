/*
 * network_structure.c
 *		Networks in explain.model_structure and explain.model_parameters.
 */
#include "describe/describe.h"

#include <math.h>

#include "kernel/network_graph.h"
#include "kernel/parameters.h"
#include "kernel/weight_rows.h"
#include "lib/stringinfo.h"

/* Units that are drawn one by one unless somebody asks for layers. */
#define DRAWN_UNITS 200

static Element
node(const char *kind, char *id, char *label, uint32 x, uint32 i, uint32 n, double weight)
{
	Element		e = {
		.element = "node", .kind = kind, .tree = -1, .id = id, .label = label,
		.x = x, .y = (i + 0.5) / n, .weight = weight
	};

	return e;
}

static Element
edge(const char *kind, char *id, char *source, char *target, double weight)
{
	Element		e = {
		.element = "edge", .kind = kind, .tree = -1, .id = id, .source = source, .target = target,
		.x = NAN, .y = NAN, .weight = weight
	};

	return e;
}

/* ----------------------------------------------------------------
 * Layers
 * ---------------------------------------------------------------- */

static char *
shape_text(ex_shape shape)
{
	return shape.height * shape.width == 1 ? psprintf("%u", shape.channels) :
		psprintf("%ux%ux%u", shape.channels, shape.height, shape.width);
}

/* Place of a layer among those of its rank. */
typedef struct Rank
{
	uint32		n;
	uint32		used;
} Rank;

static void
layer_node(Description *d, const ex_network_view *view, uint32 i, uint32 rank, Rank *ranks)
{
	ex_layer	layer;
	char	   *label;
	Element		e;

	ex_network_layer(view, i, &layer);
	label = psprintf("%s: %s", layer_name_text(view, i), shape_text(layer.shape));
	e = node(ex_layer_kind_names[layer.kind], psprintf("l%u", i), label, rank, ranks[rank].used++,
			 ranks[rank].n, layer.n_weights);
	element_row(d, &e);
}

static void
layer_edges(Description *d, const ex_network_view *view, uint32 i)
{
	ex_layer	layer;

	ex_network_layer(view, i, &layer);
	for (uint32 j = 0; j < layer.n_inputs; j++)
	{
		ex_layer	source;
		Element		e;

		ex_network_layer(view, layer.input[j], &source);
		e = edge("flow", psprintf("l%ue%u", i, j + 1), psprintf("l%u", layer.input[j]), psprintf("l%u", i),
				 (double) ex_shape_size(source.shape));
		e.label = shape_text(source.shape);
		element_row(d, &e);
	}
}

/* The outputs stand for themselves, behind the link. */
static void
output_node(Description *d, const ex_network_view *view, uint32 rank)
{
	uint32		last = view->n_layers - 1;
	uint32		n = view->model->n_outputs;
	const char *link = ex_link_names[view->model->link];
	Element		e = node("output", pstrdup("output"), n == 1 ?
						 psprintf("%s: %s", model_name_text(view->model, EX_OUTPUT_NAME_START, 0), link) :
						 psprintf("%u outputs: %s", n, link), rank, 0, 1, 0);

	element_row(d, &e);
	e = edge("flow", pstrdup("output1"), psprintf("l%u", last), pstrdup("output"), n);
	e.label = psprintf("%u", n);
	element_row(d, &e);
}

static void
draw_layers(Description *d, const ex_network_view *view)
{
	uint32_t   *rank;
	Rank	   *ranks = MemoryContextAllocZero(d->site->scratch, view->n_layers * sizeof(Rank));
	uint32		last = 0;

	EX_PG(d->site->host, ex_network_ranks(d->site->host, view, &rank));
	for (uint32 i = 0; i < view->n_layers; i++)
	{
		ranks[rank[i]].n++;
		last = Max(last, rank[i]);
	}
	for (uint32 i = 0; i < view->n_layers; i++)
		layer_node(d, view, i, rank[i], ranks);
	for (uint32 i = 1; i < view->n_layers; i++)
	{
		CHECK_FOR_INTERRUPTS();
		layer_edges(d, view, i);
	}
	output_node(d, view, last + 1);
}

/* ----------------------------------------------------------------
 * Units
 * ---------------------------------------------------------------- */

/* What happens to the units of a dense layer until the next one: "relu", "batch_norm, tanh". */
static char *
followers(const ex_network_view *view, uint32 i)
{
	StringInfoData text;
	ex_layer	layer;

	initStringInfo(&text);
	while (++i < view->n_layers)
	{
		ex_network_layer(view, i, &layer);
		if (layer.kind == EX_LAYER_DENSE)
			break;
		if (layer.kind != EX_LAYER_RESHAPE)
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", ex_layer_kind_names[layer.kind]);
	}
	return text.data;
}

static void
column_nodes(Description *d, const ex_network_view *view)
{
	for (uint32 c = 0; c < view->n_columns; c++)
	{
		Element		e = node("input", psprintf("l0u%u", c + 1), unit_words(view, 0, c), 0, c, view->n_columns, NAN);

		element_row(d, &e);
	}
}

/* The units of dense layer i; its bias is the weight of the node. */
static void
unit_nodes(Description *d, const ex_network_view *view, uint32 i, uint32 x)
{
	ex_layer	layer;
	bool		output = ex_units_are_outputs(view, i);
	char	   *after = MemoryContextStrdup(d->site->scratch, followers(view, i));
	uint32		n;

	ex_network_layer(view, i, &layer);
	n = layer.shape.channels;
	for (uint32 unit = 0; unit < n; unit++)
	{
		char	   *name = unit_words(view, i, unit);
		Element		e = node(output ? "output" : "dense", psprintf("l%uu%u", i, unit + 1),
							 after[0] == '\0' ? name : psprintf("%s (%s)", name, after), x, unit, n,
							 ex_network_weight(view, layer.first_weight + layer.n_weights - n + unit));

		CHECK_FOR_INTERRUPTS();
		element_row(d, &e);
	}
}

/* From the units of the dense layer before, or the input. */
static void
unit_edges(Description *d, const ex_network_view *view, uint32 i, uint32 before)
{
	ex_layer	layer;
	uint32		n_inputs;

	ex_network_layer(view, i, &layer);
	n_inputs = layer.n_weights / layer.shape.channels - 1;
	for (uint32 unit = 0; unit < layer.shape.channels; unit++)
		for (uint32 input = 0; input < n_inputs; input++)
		{
			Element		e = edge("weight", psprintf("l%uw%ux%u", i, unit + 1, input + 1),
								 psprintf("l%uu%u", before, input + 1), psprintf("l%uu%u", i, unit + 1),
								 ex_network_weight(view, layer.first_weight + (size_t) unit * n_inputs + input));

			CHECK_FOR_INTERRUPTS();
			element_row(d, &e);
		}
}

static void
draw_units(Description *d, const ex_network_view *view)
{
	uint32		x = 0;
	uint32		before = 0;
	ex_layer	layer;

	column_nodes(d, view);
	for (uint32 i = 1; i < view->n_layers; i++)
	{
		ex_network_layer(view, i, &layer);
		if (layer.kind == EX_LAYER_DENSE)
			unit_nodes(d, view, i, ++x);
	}
	for (uint32 i = 1; i < view->n_layers; i++)
	{
		ex_network_layer(view, i, &layer);
		if (layer.kind != EX_LAYER_DENSE)
			continue;
		unit_edges(d, view, i, before);
		before = i;
	}
}

/* Has a unit of the input or of a dense layer a place in the drawing, and an output a unit? */
static bool
can_draw_units(const ex_network_view *view)
{
	return ex_is_perceptron(view) && ex_unit_origin(view, view->n_layers - 1) > 0;
}

void
network_structure(Description *d, const char *detail)
{
	ex_network_view view;
	bool		possible;

	ex_network_open(d->model, &view);
	possible = can_draw_units(&view);
	if (strcmp(detail, "units") == 0 && !possible)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("units can be drawn for multilayer perceptrons only"),
				 errdetail("The network has layers that are not dense, or that do not follow one another."),
				 errhint("Use detail => 'layers'.")));
	if (strcmp(detail, "units") == 0 ||
		(strcmp(detail, "auto") == 0 && possible && ex_perceptron_units(&view) <= DRAWN_UNITS))
		draw_units(d, &view);
	else
		draw_layers(d, &view);
}

/* ----------------------------------------------------------------
 * Parameters
 * ---------------------------------------------------------------- */

static char *
parameter_row_name(const ex_network_view *view, uint32 i, const ex_layer *layer, uint32 row)
{
	int			n;
	const char *const *word = ex_unit_parameters((int) layer->kind, &n);

	return word != NULL ? pstrdup(word[row]) : channel_words(view, i, row);
}

static char *
parameter_column_name(const ex_network_view *view, const ex_layer *layer, uint32 column)
{
	uint32		source = layer->input[0];
	uint32		height = (uint32) layer->setting[EX_KERNEL_H];
	uint32		width = (uint32) layer->setting[EX_KERNEL_W];
	ex_layer	from;

	ex_network_layer(view, source, &from);
	switch (layer->kind)
	{
		case EX_LAYER_DENSE:
			return column == ex_shape_size(from.shape) ? pstrdup(EX_BIAS_WORD) : unit_words(view, source, column);
		case EX_LAYER_CONV2D:
			if (column == from.shape.channels * height * width)
				return pstrdup(EX_BIAS_WORD);
			return psprintf("%s[%u,%u]", channel_words(view, source, column / (height * width)),
							column / width % height, column % width);
		case EX_LAYER_AFFINE:
			if (layer->n_weights / 2 != from.shape.channels)
				return unit_words(view, source, column);
			/* FALLTHROUGH */
		default:
			return channel_words(view, source, column);
	}
}

static void
layer_parameters(Description *d, const ex_network_view *view, uint32 i)
{
	ex_layer	layer;
	ex_parameter_layer parameters;

	ex_network_layer(view, i, &layer);
	EX_PG(d->site->host, ex_network_parameters(d->site->host, view, i, &parameters));
	for (size_t c = 0; c < parameters.n_cells; c++)
	{
		const ex_parameter_cell *cell = &parameters.cell[c];

		CHECK_FOR_INTERRUPTS();
		row_text(&d->row, layer_name_text(view, i));
		row_int4(&d->row, (int32) cell->row + 1);
		row_text(&d->row, parameter_row_name(view, i, &layer, cell->row));
		row_int4(&d->row, (int32) cell->column + 1);
		row_text(&d->row, parameter_column_name(view, &layer, cell->column));
		row_float8(&d->row, cell->value);
		row_float8(&d->row, cell->scaled);
		row_int4(&d->row, (int32) cell->rank);
		row_end(&d->row);
	}
	MemoryContextReset(d->site->scratch);
}

void
network_parameters(Description *d, const char *only_layer)
{
	ex_network_view view;
	bool		found = only_layer == NULL;

	ex_network_open(d->model, &view);
	for (uint32 i = 1; i < view.n_layers; i++)
	{
		if (only_layer != NULL && strcmp(only_layer, layer_name_text(&view, i)) != 0)
			continue;
		found = true;
		layer_parameters(d, &view, i);
	}
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model has no layer \"%s\"", only_layer),
				 errhint("Its layers are listed by explain.layers.")));
}
