/*
 * model_cache.h
 *		Models of this session, compiled and ready to run.
 *
 * The key is the content digest alone: whoever has the digest has read the
 * value, so sharing an entry between roles leaks nothing, and an entry never
 * goes stale.  Entries in use are pinned; the least recently used of the
 * others leave when the cache passes explain_ext.model_cache_size.
 */
#ifndef MODEL_CACHE_H
#define MODEL_CACHE_H

#include "host_pg.h"
#include "kernel/family.h"

#include "lib/ilist.h"

/* explain_ext.model_cache_size, in kB */
extern int	model_cache_size;

typedef struct ModelEntry
{
	uint8		digest[16];		/* hash key, first */
	MemoryContext context;		/* holds everything below */
	const ex_model *model;
	ex_compiled *compiled;
	ex_background background;	/* the model's own */
	int			pins;
	dlist_node	link;			/* in the list of pinned or of idle entries */
} ModelEntry;

/* The entry with this digest, pinned, or NULL. */
extern ModelEntry *model_cache_find(const uint8 digest[16]);

/* Take in a copy of a stored model whose digest is not there yet; pinned. */
extern ModelEntry *model_cache_add(const ex_model *model);

extern void model_cache_unpin(ModelEntry *entry);

#endif							/* MODEL_CACHE_H */
