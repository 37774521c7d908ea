/*
 * import.h
 *		What the importers of model files share.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include "host_pg.h"

#include "fmgr.h"

/* The file in argument 0: bytes as they are, or text, which becomes UTF-8. */
extern ex_span import_bytes(FunctionCallInfo fcinfo);
extern ex_span import_text(FunctionCallInfo fcinfo);

/* Argument 1: how many boosting rounds to use; -1 where it is null. */
extern int	import_iterations(FunctionCallInfo fcinfo);

#endif							/* IMPORT_H */
