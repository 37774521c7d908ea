/*
 * progress.h
 *		How far this session's long work is, for others to see.
 *
 * Uses the slot of PostgreSQL's own progress reporting (the one behind
 * pg_stat_progress_copy and its kin) while no command uses it: shared memory
 * that every session has, so nothing must be preloaded.  explain.progress()
 * reads it.  A report is a few stores into shared memory, once for a tile.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "pg_compat.h"

typedef struct Progress Progress;

/*
 * Report on work that lives as long as `context`, by a function of pg_proc.
 * input_type: type of the rows, whose table's estimated size is the total.
 */
extern Progress *progress_begin(MemoryContext context, Oid function, Oid input_type);

/* So many rows more are done; with 0, say again what is under way, which a failed subtransaction wipes out. */
extern void progress_add(Progress *progress, uint32 rows);

#endif							/* PROGRESS_H */
