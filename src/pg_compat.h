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

#endif							/* PG_COMPAT_H */
