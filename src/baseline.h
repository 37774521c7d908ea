/*
 * baseline.h
 *		The SQL arguments that name a baseline.
 */
#ifndef BASELINE_H
#define BASELINE_H

#include "call_site.h"
#include "kernel/baseline.h"

/*
 * From the arguments `baseline` (explain.label: 'auto', 'zero' or 'mean'; null
 * is 'auto') and `reference` (a row; it wins over `baseline`).  'auto' is the
 * mean if the model has a background, else zero.  22023 for another label and
 * for the mean of a model without background.
 */
extern void baseline_arg(CallSite *site, FunctionCallInfo fcinfo, InputKind kind,
						 int baseline, int reference, ex_baseline *out);

/*
 * Is it 'background', which methods that average over rows take besides?  Not
 * if there is a reference; 22023 without a background.
 */
extern bool baseline_is_background(CallSite *site, FunctionCallInfo fcinfo, int baseline, int reference);

#endif							/* BASELINE_H */
