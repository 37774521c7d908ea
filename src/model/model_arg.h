/*
 * model_arg.h
 *		From a function's first argument to a model ready to run.
 *
 * A model comes by value (explain.model) or by name (text, looked up in
 * explain.model_versions as the caller).  A ModelRef lives at a call site
 * (fn_extra) and remembers what it resolved, so that a million rows cost one
 * look-up; it never remembers across what could change the answer.
 */
#ifndef MODEL_ARG_H
#define MODEL_ARG_H

#include "model/model_cache.h"

#include "fmgr.h"

typedef enum ModelSource
{
	MODEL_BY_VALUE,
	MODEL_BY_NAME
} ModelSource;

typedef struct ModelRef ModelRef;

extern ModelRef *model_ref_create(MemoryContext context);

/* The model of a non-null argument, pinned as long as the ModelRef lives. */
extern ModelEntry *model_ref_get(ModelRef *ref, ModelSource source, Datum argument);

/*
 * The stored value of a name in the registry, as the current user may see it;
 * 42704 if there is none.  version 0: what the name says ('credit@2'), or the
 * newest.
 */
extern Datum model_by_name(const text *name, int32 version);

/* A model argument of a function that reads it once: detoasted and checked. */
extern const ex_model *model_getarg(Datum argument);

#define PG_GETARG_MODEL(n) model_getarg(PG_GETARG_DATUM(n))

/* Sets the length word of a model that a kernel made, and returns it. */
extern Datum model_datum(ex_model *model);

#define PG_RETURN_MODEL(m) PG_RETURN_DATUM(model_datum(m))

#endif							/* MODEL_ARG_H */
