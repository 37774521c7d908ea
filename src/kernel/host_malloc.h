/*
 * host_malloc.h
 *		A host on malloc for unit tests, fuzzers and benchmarks.
 *
 * All chunks hang on one list and die together.  `fail_after` makes the n-th
 * allocation fail, to test that no kernel loses its way without memory;
 * chunks are separate malloc blocks so that AddressSanitizer sees overruns.
 */
#ifndef EX_HOST_MALLOC_H
#define EX_HOST_MALLOC_H

#include <stdlib.h>
#include <string.h>

#include "host.h"

typedef struct ex_chunk
{
	struct ex_chunk *next;
	struct ex_chunk *previous;
} ex_chunk;

typedef struct ex_arena
{
	ex_host		host;
	ex_chunk	chunks;			/* ring */
	long		fail_after;		/* -1: never */
	size_t		bytes;			/* allocated so far */
} ex_arena;

static inline void
ex_arena_link(ex_arena *arena, ex_chunk *chunk)
{
	chunk->next = arena->chunks.next;
	chunk->previous = &arena->chunks;
	chunk->next->previous = chunk;
	arena->chunks.next = chunk;
}

static inline bool
ex_arena_fails(ex_arena *arena)
{
	return arena->fail_after >= 0 && arena->fail_after-- == 0;
}

static inline void *
ex_arena_alloc(ex_host *host, size_t size)
{
	ex_arena   *arena = host->context;
	ex_chunk   *chunk;

	if (ex_arena_fails(arena) || (chunk = malloc(sizeof(ex_chunk) + size)) == NULL)
		return NULL;
	ex_arena_link(arena, chunk);
	arena->bytes += size;
	return chunk + 1;
}

static inline void *
ex_arena_resize(ex_host *host, void *old, size_t old_size, size_t new_size)
{
	ex_arena   *arena = host->context;
	ex_chunk   *chunk = (ex_chunk *) old - 1;
	ex_chunk   *grown;

	if (ex_arena_fails(arena))
		return NULL;
	chunk->next->previous = chunk->previous;
	chunk->previous->next = chunk->next;
	grown = realloc(chunk, sizeof(ex_chunk) + new_size);
	ex_arena_link(arena, grown != NULL ? grown : chunk);
	arena->bytes += new_size - old_size;
	return grown != NULL ? grown + 1 : NULL;
}

static inline ex_host *
ex_arena_init(ex_arena *arena)
{
	memset(arena, 0, sizeof(*arena));
	arena->chunks.next = arena->chunks.previous = &arena->chunks;
	arena->fail_after = -1;
	arena->host.context = arena;
	arena->host.alloc = ex_arena_alloc;
	arena->host.resize = ex_arena_resize;
	return &arena->host;
}

static inline void
ex_arena_free(ex_arena *arena)
{
	while (arena->chunks.next != &arena->chunks)
	{
		ex_chunk   *chunk = arena->chunks.next;

		arena->chunks.next = chunk->next;
		free(chunk);
	}
	arena->chunks.previous = &arena->chunks;
	arena->bytes = 0;
}

#endif							/* EX_HOST_MALLOC_H */
