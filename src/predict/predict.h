/*
 * predict.h
 *		The prediction of the row at a call site.
 */
#ifndef PREDICT_H
#define PREDICT_H

#include "call_site.h"

typedef struct Prediction
{
	const double *raw;			/* one number for each output of the model */
	const double *response;		/* NaN or infinite where it is out of range */
} Prediction;

/* In scratch memory of the call site. */
extern Prediction predict_row(CallSite *site);

/* A prediction as an answer: 22003 where it is out of range. */
extern Datum prediction_datum(double prediction);

#endif							/* PREDICT_H */
