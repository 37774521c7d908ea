/*
 * predict.h
 *		The prediction of the row at a call site.
 */
#ifndef PREDICT_H
#define PREDICT_H

#include "call_site.h"
#include "rows/attribution.h"

typedef struct Prediction
{
	const double *raw;			/* one number for each output of the model */
	const double *response;		/* NaN or infinite where it is out of range */
} Prediction;

/* In scratch memory of the call site. */
extern Prediction predict_row(CallSite *site);

/* The columns of an explanation that say what is explained: output k, in this space. */
extern void explained_output(CallSite *site, ex_space space, Prediction both, uint32 k, Attribution *a);

/* A prediction as an answer: 22003 where it is out of range. */
extern Datum prediction_datum(double prediction);

#endif							/* PREDICT_H */
