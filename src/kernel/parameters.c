/*
 * parameters.c
 *		The parameters of a model as the cells of heat maps.
 */
#include "parameters.h"

#include <math.h>

#include "linear.h"
#include "table_rows.h"
#include "tree_describe.h"

/* Larger magnitudes first; equal ones in the order of their cells. */
static int
compare_magnitudes(const void *a, const void *b)
{
	const ex_parameter_cell *left = a;
	const ex_parameter_cell *right = b;
	double		difference = fabs(left->value) - fabs(right->value);

	if (difference != 0)
		return difference > 0 ? -1 : 1;
	if (left->row != right->row)
		return left->row < right->row ? -1 : 1;
	return left->column < right->column ? -1 : left->column > right->column;
}

/* Fill in what depends on the layer as a whole. */
static ex_status
finish_layer(ex_host *host, ex_parameter_layer *layer)
{
	void	  **sorted;
	double		largest;

	if (layer->n_cells == 0)
		return EX_OK;
	EX_TRY(EX_ALLOC(host, layer->n_cells, &sorted));
	for (size_t i = 0; i < layer->n_cells; i++)
		sorted[i] = &layer->cell[i];
	EX_TRY(ex_sort_pointers(host, sorted, layer->n_cells, compare_magnitudes));
	largest = fabs(((ex_parameter_cell *) sorted[0])->value);
	for (size_t i = 0; i < layer->n_cells; i++)
	{
		ex_parameter_cell *cell = sorted[i];

		cell->rank = (uint32_t) i + 1;
		cell->scaled = largest > 0 ? cell->value / largest : 0;
	}
	return EX_OK;
}

static ex_status
linear_parameters(ex_host *host, const ex_model *model, ex_parameter_layer *layer)
{
	ex_linear_view view;
	ex_parameter_cell *cell;

	ex_linear_open(model, &view);
	layer->name = "coefficients";
	layer->n_cells = (size_t) view.n_outputs * view.n_columns;
	EX_TRY(EX_ALLOC(host, layer->n_cells, &layer->cell));
	cell = layer->cell;
	for (uint32_t k = 0; k < view.n_outputs; k++)
		for (uint32_t c = 0; c < view.n_columns; c++, cell++)
		{
			cell->row = k;
			cell->column = c;
			cell->value = view.coefficient[(size_t) k * view.n_columns + c];
		}
	return finish_layer(host, layer);
}

/* One number per feature and depth: p * depths, row by row. */
typedef struct grid
{
	uint32_t	depths;
	double	   *splits;
	double	   *gain;			/* NULL: the model has none */
	double	   *cover;
} grid;

static ex_status
tree_depths(ex_host *host, const ex_tree_view *view, ex_tree_place ***place, uint32_t *depths)
{
	*depths = 0;
	EX_TRY(EX_ALLOC(host, view->n_trees, place));
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		EX_TRY(ex_tree_layout(host, view, t, &(*place)[t]));
		for (uint32_t i = 0; i < ex_tree_size(view, t); i++)
			if ((*place)[t][i].depth > *depths)
				*depths = (*place)[t][i].depth;
	}
	return EX_OK;
}

/* How often each feature is split on; those without a split have no row. */
static ex_status
fill_grid(ex_host *host, const ex_tree_view *view, ex_tree_place **place, grid *grid)
{
	size_t		n = (size_t) view->n_features * grid->depths;

	EX_TRY(EX_ALLOC(host, n, &grid->splits));
	if (view->gain != NULL)
		EX_TRY(EX_ALLOC(host, n, &grid->gain));
	if (view->cover != NULL)
		EX_TRY(EX_ALLOC(host, n, &grid->cover));
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		EX_TRY(ex_poll(host));
		for (uint32_t i = view->root[t]; i < view->root[t + 1]; i++)
		{
			const ex_node *node = &view->node[i];
			size_t		at = (size_t) EX_NODE_FEATURE(node) * grid->depths + place[t][i - view->root[t]].depth;

			if (EX_NODE_OP(node) == EX_LEAF)
				continue;
			grid	  ->splits[at]++;

			if (grid->gain != NULL && !isnan(view->gain[i]))
				grid	  ->gain[at] += view->gain[i];

			if (grid->cover != NULL)
				grid	  ->cover[at] += view->cover[i];
		}
	}
	return EX_OK;
}

static bool
is_used(const grid *grid, uint32_t feature)
{
	for (uint32_t d = 0; d < grid->depths; d++)
		if (grid->splits[(size_t) feature * grid->depths + d] > 0)
			return true;
	return false;
}

static ex_status
grid_layer(ex_host *host, const ex_tree_view *view, const grid *grid, const char *name,
		   const double *value, ex_parameter_layer *layer)
{
	layer->name = name;
	layer->n_cells = 0;
	EX_TRY(EX_ALLOC(host, (size_t) view->n_features * grid->depths, &layer->cell));
	for (uint32_t f = 0; f < view->n_features; f++)
	{
		EX_TRY(ex_poll(host));
		if (!is_used(grid, f))
			continue;
		for (uint32_t d = 0; d < grid->depths; d++)
		{
			ex_parameter_cell *cell = &layer->cell[layer->n_cells++];

			cell->row = f;
			cell->column = d;
			cell->value = value[(size_t) f * grid->depths + d];
		}
	}
	return finish_layer(host, layer);
}

static ex_status
tree_parameters(ex_host *host, const ex_model *model, ex_parameter_layer *layer, int *n_layers)
{
	ex_tree_view view;
	ex_tree_place **place;
	grid grid = {0};

	ex_tree_open(model, &view);
	EX_TRY(tree_depths(host, &view, &place, &grid.depths));
	EX_TRY(fill_grid(host, &view, place, &grid));
	EX_TRY(grid_layer(host, &view, &grid, "splits", grid.splits, &layer[(*n_layers)++]));
	if (grid.gain != NULL)
		EX_TRY(grid_layer(host, &view, &grid, "gain", grid.gain, &layer[(*n_layers)++]));
	if (grid.cover != NULL)
		EX_TRY(grid_layer(host, &view, &grid, "cover", grid.cover, &layer[(*n_layers)++]));
	return EX_OK;
}

/*
 * A network's layer: `per_unit` weights for each of n units, and then maybe a
 * bias for each.  Units of a group have the same columns.
 */
static void
fill_units(const ex_network_view *view, const ex_layer *weights, uint32_t n, uint32_t groups, bool bias,
		   ex_parameter_layer *layer)
{
	uint32_t	per_unit = (weights->n_weights - (bias ? n : 0)) / n;
	ex_parameter_cell *cell = layer->cell;

	for (uint32_t unit = 0; unit < n; unit++)
	{
		uint32_t	first = unit / (n / groups) * per_unit;

		for (uint32_t i = 0; i < per_unit; i++, cell++)
		{
			cell->row = unit;
			cell->column = first + i;
			cell->value = ex_network_weight(view, weights->first_weight + (size_t) unit * per_unit + i);
		}
		if (!bias)
			continue;
		cell->row = unit;
		cell->column = groups * per_unit;
		cell->value = ex_network_weight(view, weights->first_weight + (size_t) n * per_unit + unit);
		cell++;
	}
}

ex_status
ex_network_parameters(ex_host *host, const ex_network_view *view, uint32_t i, ex_parameter_layer *layer)
{
	ex_layer	weights;

	ex_network_layer(view, i, &weights);
	layer->name = NULL;
	layer->n_cells = weights.n_weights;
	EX_TRY(EX_ALLOC(host, layer->n_cells, &layer->cell));
	switch (weights.kind)
	{
		case EX_LAYER_DENSE:
			fill_units(view, &weights, weights.shape.channels, 1, true, layer);
			break;
		case EX_LAYER_CONV2D:
			fill_units(view, &weights, weights.shape.channels, (uint32_t) weights.setting[EX_GROUPS], true, layer);
			break;
		case EX_LAYER_BATCH_NORM:
			fill_units(view, &weights, 4, 1, false, layer);
			break;
		case EX_LAYER_AFFINE:
			fill_units(view, &weights, 2, 1, false, layer);
			break;
		default:
			break;
	}
	return finish_layer(host, layer);
}

ex_status
ex_model_parameters(ex_host *host, const ex_model *model,
					ex_parameter_layer layer[EX_MAX_PARAMETER_LAYERS], int *n_layers)
{
	*n_layers = 0;
	switch (model->family)
	{
		case EX_LINEAR:
			*n_layers = 1;
			return linear_parameters(host, model, &layer[0]);
		case EX_TREE:
			return tree_parameters(host, model, layer, n_layers);
	}
	return ex_fail(host, EX_UNSUPPORTED, "this family of models has no parameters to show");
}
