/*
 * marginal_effects.h
 *		Marginal effects of linear models, with the delta method.
 *
 * What a feature does to the response y = g(eta), eta_k = sum over c of b_kc z_c
 * + b_k0, of one output:
 *
 *		slope		dy/dx of a number that has a coefficient of its value
 *		boolean		y(true) - y(false), all else as it is
 *		level		y(level) - y(reference), all else as it is
 *
 * The average marginal effect is the mean over rows.  It is an estimate, as
 * the coefficients are: with J the mean over rows of its derivatives with
 * respect to all coefficients, and V their covariance, its variance is J V J'
 * (delta method; Greene, Econometric Analysis, 17.3; Bartus 2005, Stata Journal
 * 5(3)).  With d_k = dy/d eta_k and s_km = d^2 y / d eta_k d eta_m:
 *
 *		slope of c*		sum_m d_m b_mc*
 *		its J_kc		(sum_m s_km b_mc*) z_c + d_k [c = c*]
 *		difference		y(z1) - y(z0)
 *		its J_kc		d_k(z1) z1_c - d_k(z0) z0_c
 *
 * The coefficients are in the order of EX_COEFFICIENT_COV: output by output,
 * its columns and then its intercept (z = 1).
 *
 * An effect of a feature that a row lacks is not defined (NaN) and not
 * averaged, even where the model imputes a value.
 */
#ifndef EX_MARGINAL_EFFECTS_H
#define EX_MARGINAL_EFFECTS_H

#include "effect_summary.h"
#include "linear.h"

typedef enum ex_effect_kind
{
	EX_EFFECT_SLOPE = 0,
	EX_EFFECT_BOOLEAN,
	EX_EFFECT_LEVEL
} ex_effect_kind;

typedef struct ex_effect
{
	uint32_t	feature;
	ex_effect_kind kind;
	uint32_t	column;			/* slope: of the feature's value */
	double		level;			/* difference: the value, and ... */
	double		reference;		/* ... what it is compared with; -1: a level
								 * that the model does not list */
} ex_effect;

typedef struct ex_effects
{
	ex_linear_view view;
	uint32_t	n_effects;
	uint32_t	n_coefficients; /* K * (C + 1) */
	const ex_effect *effect;	/* by feature, by level */
} ex_effects;

/*
 * The effects of a model.  Features without one: numbers that enter through
 * bins only (flat almost everywhere), features without a column.  Reference
 * level: the first that has no column of its own; where all have one, that of
 * levels that are not listed if the model takes such, else the first.
 *
 * EX_UNSUPPORTED unless the model is linear; EX_INVALID without a covariance,
 * and where there is no effect at all; EX_LIMIT for too many.
 */
extern ex_status ex_effects_open(ex_host *host, const ex_model *model, ex_effects *effects);

/*
 * One row: table[n_effects * (1 + n_coefficients)], for each effect its value
 * and its derivatives; NaN throughout for a feature that is missing (NULL: all
 * are there).  EX_RANGE where a number is not finite; EX_UNSUPPORTED for a link
 * without derivatives.
 */
extern ex_status ex_effects_of_row(ex_host *host, const ex_effects *effects, const double *x,
								   const bool *missing, uint32_t output, double *table);

/* An average marginal effect; NaN: not defined. */
typedef struct ex_effect_estimate
{
	double		effect;
	double		std_error;
	double		z;				/* effect / std_error; NaN where that is 0 */
	double		p;				/* of a standard normal beyond |z|, both sides */
	double		ci_low;			/* 95 % */
	double		ci_high;
	uint64_t	n;				/* rows */
} ex_effect_estimate;

/*
 * From the sums over rows, in the order of effects.  EX_DIMENSION where they
 * are of another model; EX_INVALID where the covariance makes a variance
 * negative; EX_RANGE for numbers that are not finite.
 */
extern ex_status ex_effects_estimate(ex_host *host, const ex_effects *effects,
									 const ex_effect_summary *summary,
									 ex_effect_estimate **estimate);

#endif							/* EX_MARGINAL_EFFECTS_H */
