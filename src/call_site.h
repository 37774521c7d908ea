/*
 * call_site.h
 *		What one call of an explaining function in a query keeps between rows.
 *
 * Every function that takes (model, input, options) begins alike: resolve the
 * model, read the input, resolve the output.  It is written here once, and the
 * six overloads of each such function (model by value or name; input as
 * record, array or jsonb) differ only in two enum arguments.
 */
#ifndef CALL_SITE_H
#define CALL_SITE_H

#include "input/input.h"
#include "model/model_arg.h"

typedef struct CallSite
{
	MemoryContext context;		/* as long as the query's expression */
	ex_host    *host;			/* allocates in `scratch` */
	MemoryContext scratch;		/* emptied at each call */
	ModelRef   *ref;
	InputReader *reader;
	ModelEntry *entry;			/* of the current call */
	InputRow   *row;			/* NULL for functions without input */
	Oid			space_value;	/* explain.space value looked up last ... */
	ex_space	space;			/* ... and its meaning */
	uint32		calls;			/* of a function with input */
	struct Progress *progress;	/* NULL until there were many */
} CallSite;

/* A call site for who keeps it himself. */
extern CallSite *call_site_create(MemoryContext context);

/* The call site of fcinfo, made at its first call; its scratch memory is emptied. */
extern CallSite *call_site(FunctionCallInfo fcinfo);

/* Resolve a non-null model in argument 0. */
extern CallSite *call_site_model(FunctionCallInfo fcinfo, ModelSource source);

/* Read a non-null input, or one in an argument. */
extern void call_site_read(CallSite *site, InputKind kind, Datum input);
extern void call_site_row(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, int argno);

/* Both: the model in argument 0, the input in argument 1. */
extern CallSite *call_site_input(FunctionCallInfo fcinfo, ModelSource source, InputKind kind);

/*
 * Between the two, what is allocated is only needed for one of many outputs,
 * and given back at the end.  Pass on what begin returned.
 */
extern void *call_site_begin_output(CallSite *site);
extern void call_site_end_output(CallSite *site, void *outer);

/* A raw[K] or phi[K * p] in scratch memory. */
extern double *call_site_doubles(CallSite *site, uint64 count);

/*
 * The output named by an optional explain.label argument: its position.
 * NULL: the only output, or an error that lists the outputs of the model.
 */
extern uint32 call_site_output(CallSite *site, FunctionCallInfo fcinfo, int argno);

/* As above, but NULL means all outputs. */
extern ex_outputs call_site_outputs(CallSite *site, FunctionCallInfo fcinfo, int argno);

/* An explain.space argument. */
extern ex_space call_site_space(CallSite *site, FunctionCallInfo fcinfo, int argno);
extern const char *space_name(ex_space space);

/* Name of an output in the database's encoding. */
extern char *output_name(const ModelEntry *entry, uint32 output);

/* An optional explain.label argument as a string, or NULL. */
extern char *label_arg(FunctionCallInfo fcinfo, int argno);

/* Is it this word?  (without making a string of it) */
extern bool label_is(FunctionCallInfo fcinfo, int argno, const char *word);

/*
 * Defines the SQL-callable overloads of `static Datum name(FunctionCallInfo,
 * ModelSource, InputKind)`; sql/ declares them in "-- @overloads" blocks.
 */
#define OVERLOAD_(function, suffix, source, kind) \
	PG_FUNCTION_INFO_V1(explain_##function##_##suffix); \
	Datum \
	explain_##function##_##suffix(PG_FUNCTION_ARGS) \
	{ \
		return function(fcinfo, source, kind); \
	}

#define INPUT_OVERLOADS(function) \
	OVERLOAD_(function, value_record, MODEL_BY_VALUE, INPUT_RECORD) \
	OVERLOAD_(function, value_array, MODEL_BY_VALUE, INPUT_ARRAY) \
	OVERLOAD_(function, value_jsonb, MODEL_BY_VALUE, INPUT_JSONB) \
	OVERLOAD_(function, name_record, MODEL_BY_NAME, INPUT_RECORD) \
	OVERLOAD_(function, name_array, MODEL_BY_NAME, INPUT_ARRAY) \
	OVERLOAD_(function, name_jsonb, MODEL_BY_NAME, INPUT_JSONB) \
	extern int	explain_##function##_overloads

/* The same for functions of a model alone: static Datum name(fcinfo, source). */
#define MODEL_OVERLOAD_(function, suffix, source) \
	PG_FUNCTION_INFO_V1(explain_##function##_##suffix); \
	Datum \
	explain_##function##_##suffix(PG_FUNCTION_ARGS) \
	{ \
		return function(fcinfo, source); \
	}

#define MODEL_OVERLOADS(function) \
	MODEL_OVERLOAD_(function, value, MODEL_BY_VALUE) \
	MODEL_OVERLOAD_(function, name, MODEL_BY_NAME) \
	extern int	explain_##function##_overloads

#endif							/* CALL_SITE_H */
