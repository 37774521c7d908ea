/*
 * table_state.h
 *		State of the aggregates that build models: the rows seen so far.
 *
 * The state is of type bytea, so that it can travel between processes and
 * servers.  While an aggregate runs it is an expanded object, to which a row
 * is appended in constant time; it is flattened only to travel.
 */
#ifndef TABLE_STATE_H
#define TABLE_STATE_H

#include "build/record_fields.h"

#include "fmgr.h"

/* Bodies of the transition and the combine function of such an aggregate. */
extern Datum table_state_step(FunctionCallInfo fcinfo, const ex_table *table);
extern Datum table_state_merge(FunctionCallInfo fcinfo, const ex_table *table);

/* The rows of a state in argument 0 of a final function, not yet checked. */
extern ex_span table_state_rows(FunctionCallInfo fcinfo);

#endif							/* TABLE_STATE_H */
