/*
 * gradient_internal.h
 *		Shared by the files gradient*.c; nobody else.
 */
#ifndef EX_GRADIENT_INTERNAL_H
#define EX_GRADIENT_INTERNAL_H

#include <math.h>

#include "gradient.h"

#define EX_GRADIENT_TILE 256	/* rows evaluated at a time, at most */

/* A row that differs from another in one feature. */
typedef struct ex_variant
{
	uint32_t	feature;
	double		value;
} ex_variant;

/* One call at work. */
typedef struct ex_gradient_run
{
	ex_compiled *compiled;
	ex_host    *host;
	const ex_gradient_call *call;
	const ex_model *model;
	uint32_t	p;
	uint32_t	n_outputs;
	const uint8_t *kind;		/* of each feature */
	bool		finite;			/* all of call->x */
	uint32_t	tile;			/* rows that the buffers hold */
	double	   *seed;			/* tile * K */
	double	   *raw;			/* tile * K */
	double	   *row;			/* tile * p */

	/* features that are neither numeric nor missing, with what they become */
	ex_variant *difference;
	uint32_t	n_differences;
	double	   *predicted;		/* of differences, or of windows */
} ex_gradient_run;

/* Is the feature's value there? */
static inline bool
ex_gradient_defined(const ex_gradient_run *run, uint32_t f)
{
	if (run->call->missing != NULL && run->call->missing[f])
		return false;
	return run->kind[f] != EX_NUMERIC || !isnan(run->call->x[f]);
}

/* Name of a feature, cut to fit into a message. */
typedef struct ex_short_name
{
	char		text[104];
} ex_short_name;

extern ex_short_name ex_gradient_feature_name(const ex_model *model, uint32_t f);

/* Options in their ranges, and a method that this model and space have. */
extern ex_status ex_gradient_check(const ex_gradient_run *run);

/* Guided backpropagation or deconvnet? */
extern bool ex_gradient_is_rule(ex_gradient_method method);

/* Derivatives and differences at n <= tile rows x[n * p]: value[n * p]. */
extern ex_status ex_gradient_at(ex_gradient_run *run, const double *x, uint32_t n, double *value);

/* The smooth methods; std_error may be NULL. */
extern ex_status ex_gradient_smooth(ex_gradient_run *run, double *value, double *std_error);

#endif							/* EX_GRADIENT_INTERNAL_H */
