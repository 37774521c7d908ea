/*
 * effect_summary.h
 *		The state of marginal_effect_summary as an argument.
 */
#ifndef AGGREGATE_EFFECT_SUMMARY_H
#define AGGREGATE_EFFECT_SUMMARY_H

#include "host_pg.h"
#include "kernel/effect_summary.h"

/* A summary from anywhere: detoasted and checked. */
extern const ex_effect_summary *effect_summary_get(Datum argument);

#endif							/* AGGREGATE_EFFECT_SUMMARY_H */
