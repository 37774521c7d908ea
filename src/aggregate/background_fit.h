/*
 * background_fit.h
 *		A background sample, or rows in feature order, in the terms of a model.
 */
#ifndef AGGREGATE_BACKGROUND_FIT_H
#define AGGREGATE_BACKGROUND_FIT_H

#include "aggregate/background.h"
#include "kernel/background_attach.h"
#include "model/model_arg.h"
#include "utils/array.h"

/* n rows of feature vectors with weights, and what feeds each feature. */
typedef struct FittedBackground
{
	uint32		n;
	double	   *vector;			/* n * p */
	double	   *weight;
	ex_attached_feature *attached;	/* p */
} FittedBackground;

/*
 * Columns are matched by name, or by position where the sample has no names;
 * values that the model cannot take are errors, wherever they were counted.
 */
extern void background_fit(ex_host *host, const ex_model *model, ex_sample *sample,
						   FittedBackground *fitted);

/* A sample that keeps every row of a two-dimensional array, by position. */
extern void background_of_array(ex_host *host, ArrayType *array, ex_sample *sample);

#endif							/* AGGREGATE_BACKGROUND_FIT_H */
