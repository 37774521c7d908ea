/*
 * state.h
 *		What all aggregate states have in common.
 *
 * A state is a real type, never internal, so that it can travel between
 * servers and be stored.  Each aggregate x comes with
 *
 *		x(...)				the answer
 *		x_state(...)		the state (where x itself does not return it)
 *		x_merge(state)		aggregate: one state out of many
 *		x_final(state)		the answer of a state
 *
 * Transition functions change their first argument in place, which only an
 * aggregate allows.
 */
#ifndef AGGREGATE_STATE_H
#define AGGREGATE_STATE_H

#include "host_pg.h"
#include "kernel/codec.h"

#include "fmgr.h"

/* Where an aggregate's state lives; an error outside of an aggregate. */
extern MemoryContext state_context(FunctionCallInfo fcinfo);

/* What a transition function returns for a row that does not count. */
extern Datum state_unchanged(FunctionCallInfo fcinfo);

/* Start to read the argument of an input or of a receive function. */
extern void state_read_text(FunctionCallInfo fcinfo, ex_codec *codec, const char *type);
extern void state_read_wire(FunctionCallInfo fcinfo, ex_codec *codec, const char *type);

/* Return what an output or a send function has written. */
extern Datum state_text(const ex_codec *codec);
extern Datum state_wire(const ex_codec *codec);

#endif							/* AGGREGATE_STATE_H */
