/*
 * pg_compat.h
 *		The one place that knows how PostgreSQL versions differ.
 */
#ifndef PG_COMPAT_H
#define PG_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "explain_ext needs PostgreSQL 15 or later"
#endif

#include "storage/proc.h"

/* Local transaction id: tells one transaction of this backend from another. */
#if PG_VERSION_NUM >= 170000
#define MyLocalTransactionId()	(MyProc->vxid.lxid)
#else
#define MyLocalTransactionId()	(MyProc->lxid)
#endif

/* varatt.h was split from postgres.h in 16 */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* The i-th backend of the snapshot of statistics, from 1. */
#if PG_VERSION_NUM >= 160000
#define pgstat_local_backend(i) pgstat_get_local_beentry_by_index(i)
#else
#define pgstat_local_backend(i) pgstat_fetch_stat_local_beentry(i)
#endif

#endif							/* PG_COMPAT_H */
