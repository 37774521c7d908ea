/*
 * parameters.h
 *		The parameters of a model as the cells of heat maps.
 *
 * Linear models have one layer: coefficients, outputs by columns of the design.
 * Trees have up to three, features by depth: how often a feature is
 * tested there, with what gain, and how much training weight comes by.
 */
#ifndef EX_PARAMETERS_H
#define EX_PARAMETERS_H

#include "model.h"

typedef struct ex_parameter_cell
{
	uint32_t	row;			/* output of a linear model, feature of trees */
	uint32_t	column;			/* column of a linear model, depth in trees */
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
 * Features that no tree tests have no row.  EX_UNSUPPORTED for families without
 * parameters to show, EX_LIMIT where there are too many cells.
 */
extern ex_status ex_model_parameters(ex_host *host, const ex_model *model,
									 ex_parameter_layer layer[EX_MAX_PARAMETER_LAYERS], int *n_layers);

#endif							/* EX_PARAMETERS_H */
