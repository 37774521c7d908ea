/*
 * structure.c
 *		explain.model_structure: a model as nodes and edges that can be drawn;
 *		explain.model_parameters: its parameters as cells of heat maps.
 */
#include "describe/describe.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "kernel/parameters.h"
#include "lib/stringinfo.h"

void
element_row(Description *d, const Element *e)
{
	row_text(&d->row, e->element);
	row_text(&d->row, e->kind);
	if (e->tree < 0)
		row_null(&d->row);
	else
		row_int4(&d->row, e->tree);
	row_text(&d->row, e->id);
	row_text(&d->row, e->label);
	row_text(&d->row, e->source);
	row_text(&d->row, e->target);
	row_float8(&d->row, e->x);
	row_float8(&d->row, e->y);
	row_float8(&d->row, e->weight);
	row_end(&d->row);
}

/*
 * Linear models: features in a column on the left, outputs on the right
 */
/* Node i of n, in the middle of its share of the height. */
static void
layer_node(Description *d, const char *kind, ex_section_id names, uint32 i, uint32 n, double x, double weight)
{
	Element		node = {
		.element = "node", .kind = kind, .tree = -1,
		.id = psprintf("%c%u", kind[0], i + 1),
		.label = model_name_text(d->model, names, i),
		.x = x, .y = (i + 0.5) / n, .weight = weight
	};

	element_row(d, &node);
}

static void
coefficient_edge(Description *d, const ex_linear_view *view, uint32 output, uint32 c)
{
	ex_column	column;
	Element		edge = {.element = "edge", .kind = "coefficient", .tree = -1, .x = NAN, .y = NAN};

	ex_linear_get_column(view, c, &column);
	edge.id = psprintf("c%ux%u", output + 1, c + 1);
	edge.label = column_words(d->model, &column);
	edge.source = psprintf("f%u", column.feature + 1);
	edge.target = psprintf("o%u", output + 1);
	edge.weight = view->coefficient[(size_t) output * view->n_columns + c];
	element_row(d, &edge);
}

static void
linear_structure(Description *d)
{
	ex_linear_view view;

	ex_linear_open(d->model, &view);
	for (uint32 i = 0; i < view.n_features; i++)
		layer_node(d, "feature", EX_FEATURE_NAME_START, i, view.n_features, 0, NAN);
	for (uint32 k = 0; k < view.n_outputs; k++)
		layer_node(d, "output", EX_OUTPUT_NAME_START, k, view.n_outputs, 1, view.intercept[k]);
	for (uint32 k = 0; k < view.n_outputs; k++)
		for (uint32 c = 0; c < view.n_columns; c++)
		{
			CHECK_FOR_INTERRUPTS();
			coefficient_edge(d, &view, k, c);
		}
}

/*
 * Trees: each in coordinates of its own
 */
#define LABEL_VALUES 4			/* of a leaf with several */

static char *
leaf_label(const ex_model *model, const ex_raw_node *leaf)
{
	StringInfoData label;
	uint32		n = leaf->vector != NULL ? model->n_outputs : 1;

	initStringInfo(&label);
	for (uint32 k = 0; k < Min(n, LABEL_VALUES); k++)
	{
		char		number[32];

		double_to_shortest_decimal_buf(leaf->vector != NULL ? leaf->vector[k] : leaf->value, number);
		appendStringInfo(&label, "%s%s", k > 0 ? ", " : "", number);
	}
	if (n > LABEL_VALUES)
		appendStringInfoString(&label, ", ...");
	return label.data;
}

static char *
split_label(Description *d, const ex_tree_view *view, uint32 tree, uint32 i, ex_buffer *words)
{
	words->size = 0;
	EX_PG(d->site->host, ex_tree_words(d->site->host, view, tree, i, true, words));
	return host_pg_from_utf8(words->data, (int) words->size);
}

static char *
node_id(uint32 tree, uint32 i)
{
	return psprintf("t%un%u", tree, i);
}

static void
child_edge(Description *d, uint32 tree, uint32 parent, uint32 child, bool left, double cover)
{
	Element		edge = {
		.element = "edge", .kind = left ? "yes" : "no", .tree = (int32) tree,
		.id = psprintf("t%ue%u", tree, child),
		.label = left ? "yes" : "no",
		.source = node_id(tree, parent), .target = node_id(tree, child),
		.x = NAN, .y = NAN, .weight = cover
	};

	element_row(d, &edge);
}

static void
tree_structure(Description *d, const ex_tree_view *view, uint32 tree, const ex_tree_place *place, ex_buffer *words)
{
	for (uint32 i = 0; i < ex_tree_size(view, tree); i++)
	{
		ex_raw_node node;
		Element		e = {
			.element = "node", .tree = (int32) tree, .id = node_id(tree, i),
			.x = place[i].x, .y = place[i].depth
		};

		CHECK_FOR_INTERRUPTS();
		ex_tree_get_node(view, tree, i, &node);
		e.kind = node.op == EX_LEAF ? "leaf" : "split";
		e.label = node.op == EX_LEAF ? leaf_label(d->model, &node) : split_label(d, view, tree, i, words);
		e.weight = node.cover;
		element_row(d, &e);
	}
	for (uint32 i = 1; i < ex_tree_size(view, tree); i++)
	{
		uint32		parent = (uint32) place[i].parent;
		uint32		first = view->root[tree];

		child_edge(d, tree, parent, i, (uint32) view->node[first + parent].left == i,
				   view->cover == NULL ? NAN : view->cover[first + i]);
	}
}

static void
ensemble_structure(Description *d)
{
	ex_tree_view view;
	ex_buffer	words = {0};

	ex_tree_open(d->model, &view);
	for (uint32 tree = 0; tree < view.n_trees; tree++)
	{
		ex_tree_place *place;

		EX_PG(d->site->host, ex_tree_layout(d->site->host, &view, tree, &place));
		tree_structure(d, &view, tree, place, &words);
		pfree(place);
	}
}

/* What of a network is drawn: its layers or its units. */
static char *
detail_arg(FunctionCallInfo fcinfo, int argno)
{
	static const char *const words[] = {"auto", "layers", "units"};
	char	   *detail = label_arg(fcinfo, argno);

	for (int i = 0; detail != NULL && i < (int) lengthof(words); i++)
		if (strcmp(detail, words[i]) == 0)
			return detail;
	ereport(ERROR,
			(errcode(detail == NULL ? ERRCODE_NULL_VALUE_NOT_ALLOWED : ERRCODE_INVALID_PARAMETER_VALUE),
			 detail == NULL ? errmsg("detail must not be null") : errmsg("unknown detail \"%s\"", detail),
			 errhint("Valid details are auto, layers and units.")));
}

/* model_structure(model, detail) */
static Datum
model_structure(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	char	   *detail;

	if (!describe_begin_model(fcinfo, source, &d))
		return describe_end(&d);
	detail = MemoryContextStrdup(d.site->scratch, detail_arg(fcinfo, 1));
	switch (d.model->family)
	{
		case EX_LINEAR:
			linear_structure(&d);
			break;
		case EX_TREE:
			ensemble_structure(&d);
			break;
		default:
			network_structure(&d, detail);
	}
	return describe_end(&d);
}

MODEL_OVERLOADS(model_structure);

/*
 * model_parameters
 */
static void
parameter_row(Description *d, const ex_parameter_layer *layer, const ex_parameter_cell *cell)
{
	bool		linear = d->model->family == EX_LINEAR;

	row_text(&d->row, layer->name);
	row_int4(&d->row, (int32) cell->row + 1);
	row_text(&d->row, model_name_text(d->model, linear ? EX_OUTPUT_NAME_START : EX_FEATURE_NAME_START, cell->row));
	row_int4(&d->row, (int32) cell->column + 1);
	if (linear)
	{
		ex_linear_view view;
		ex_column	column;

		ex_linear_open(d->model, &view);
		ex_linear_get_column(&view, cell->column, &column);
		row_text(&d->row, column_words(d->model, &column));
	}
	else
		row_text(&d->row, psprintf("depth %u", cell->column));
	row_float8(&d->row, cell->value);
	row_float8(&d->row, cell->scaled);
	row_int4(&d->row, (int32) cell->rank);
	row_end(&d->row);
}

static void
flat_parameters(Description *d, const char *only)
{
	ex_parameter_layer layer[EX_MAX_PARAMETER_LAYERS];
	bool		found = only == NULL;
	int			n;

	EX_PG(d->site->host, ex_model_parameters(d->site->host, d->model, layer, &n));
	for (int l = 0; l < n; l++)
	{
		if (only != NULL && strcmp(only, layer[l].name) != 0)
			continue;
		found = true;
		for (size_t i = 0; i < layer[l].n_cells; i++)
		{
			CHECK_FOR_INTERRUPTS();
			parameter_row(d, &layer[l], &layer[l].cell[i]);
		}
	}
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model has no layer \"%s\"", only),
				 errhint("%s", d->model->family == EX_LINEAR ? "A linear model has one layer, coefficients." :
						 "The layers of trees are splits, gain and cover, where the model has these.")));
}

/* model_parameters(model, only_layer) */
static Datum
model_parameters(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	char	   *only;

	if (!describe_begin_model(fcinfo, source, &d))
		return describe_end(&d);
	only = label_arg(fcinfo, 1);
	if (only != NULL)
		only = MemoryContextStrdup(d.site->scratch, only);
	if (d.model->family == EX_NETWORK)
		network_parameters(&d, only);
	else
		flat_parameters(&d, only);
	return describe_end(&d);
}

MODEL_OVERLOADS(model_parameters);
