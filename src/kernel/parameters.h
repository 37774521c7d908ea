/*
 * parameters.h
 *		The parameters of a model as the cells of heat maps.
 *
 * Linear models have one layer: coefficients, outputs by columns of the design.
 * Trees have up to three, features by depth: how often a feature is
 * tested there, with what gain, and how much training weight comes by.  Networks have
 * one for each layer with weights.
 */
#ifndef EX_PARAMETERS_H
#define EX_PARAMETERS_H

#include "network.h"

typedef struct ex_parameter_cell
{
	uint32_t	row;			/* output of a linear model, feature of trees,
								 * unit of a network */
	uint32_t	column;			/* column of a linear model, depth in trees,
								 * input of a network's unit */
	double		value;
	double		scaled;			/* value / largest magnitude of the layer: -1
								 * .. 1; 0 if all are 0 */
	uint32_t	rank;			/* by magnitude, 1 = largest */
} ex_parameter_cell;

typedef struct ex_parameter_layer
{
	const char *name;			/* 'coefficients', 'splits', 'gain', 'cover' */
	size_t		n_cells;
	ex_parameter_cell *cell;	/* row by row */
} ex_parameter_layer;

#define EX_MAX_PARAMETER_LAYERS 3

/*
 * Of linear models and trees.  Features that no tree tests have no row.
 * EX_UNSUPPORTED for other families, EX_LIMIT where there are too many cells.
 */
extern ex_status ex_model_parameters(ex_host *host, const ex_model *model,
									 ex_parameter_layer layer[EX_MAX_PARAMETER_LAYERS], int *n_layers);

/*
 * Of one layer of a network; its name stays NULL, and there are no cells where
 * it has no weights.  An input that no unit of a group reads has no cells.
 */
extern ex_status ex_network_parameters(ex_host *host, const ex_network_view *view, uint32_t i,
									   ex_parameter_layer *layer);

#endif							/* EX_PARAMETERS_H */
