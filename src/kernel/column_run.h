/*
 * column_run.h
 *		Models that see features through columns (linear models and networks),
 *		run in column space: forward and backward for many rows at once.
 */
#ifndef EX_COLUMN_RUN_H
#define EX_COLUMN_RUN_H

#include "linear.h"
#include "network_run.h"

typedef struct ex_column_run
{
	const ex_model *model;
	ex_host    *host;
	uint32_t	n_columns;		/* C */
	uint32_t	n_outputs;		/* K */
	uint32_t	capacity;		/* rows of one call, at most */
	const ex_network_state *network;	/* NULL: a linear model */
	ex_network_work *work;
	ex_linear_view linear;
	double	   *raw;			/* linear: capacity * K */
	uint32_t	n;				/* rows of the last forward call */
} ex_column_run;

/*
 * EX_UNSUPPORTED for models without columns (trees: their gradient is 0 almost
 * everywhere); `method` names what was asked for.
 */
extern ex_status ex_column_run_check(const ex_compiled *compiled, ex_host *host, const char *method);

/* Checked, and ready for up to `rows` rows at a time, or as many as fit a workspace. */
extern ex_status ex_column_run_open(ex_column_run *run, ex_compiled *compiled, ex_host *host,
									uint32_t rows, const char *method);

/* z[C] of a feature vector; EX_RANGE where a column is not finite. */
extern ex_status ex_column_run_encode(const ex_column_run *run, const double *x, double *z);

/* raw[n * K] at z[n * C]; valid until the next call.  EX_RANGE where it is not finite. */
extern ex_status ex_column_run_forward(ex_column_run *run, const double *z, uint32_t n,
									   const double **raw);

/* dz[n * C] of sum over k of seed[row][k] raw[row][k], for the rows of the last forward call. */
extern ex_status ex_column_run_backward(ex_column_run *run, const double *seed, double *dz);

#endif							/* EX_COLUMN_RUN_H */
