/*
 * host_pg.h
 *		The kernels' host inside a backend: palloc, interrupts, ereport.
 */
#ifndef HOST_PG_H
#define HOST_PG_H

#include "pg_compat.h"
#include "kernel/host.h"

/* A host that allocates in `context` and lives there. */
extern ex_host *host_pg_create(MemoryContext context);

/* Raise what a kernel reported; returns if there was nothing. */
extern void host_pg_check(ex_host *host, ex_status status);

/*
 * A host on CurrentMemoryContext for one call of a kernel, and the check in
 * one word:
 *		ex_host    *host = host_pg_here();
 *		EX_PG(host, ex_build(&builder, &model));
 */
extern ex_host *host_pg_here(void);

#define EX_PG(host, call) host_pg_check((host), (call))

/* SQLSTATE of a status, for the rare caller that words its own message. */
extern int	host_pg_sqlstate(ex_status status);

/* Kernel text is UTF-8; these convert from and to the database's encoding. */
extern char *host_pg_to_utf8(const char *text, int length);
extern char *host_pg_from_utf8(const char *text, int length);

#endif							/* HOST_PG_H */
