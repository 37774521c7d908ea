/*
 * explain_ext.c
 *		Entry point of the library.
 *
 * Loading must stay cheap (every backend that touches the extension pays for
 * it): two settings, no threads, no tables.
 */
#include "pg_compat.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "blas.h"
#include "model/model_cache.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	DefineCustomIntVariable("explain_ext.model_cache_size",
							"Sets the memory for models kept ready to run in each session.",
							"Derived tables count too; the setting changes speed, never a result.",
							&model_cache_size,
							256 * 1024, 1024, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB,
							NULL, NULL, NULL);

	/* names code to be loaded, and so is not for everybody */
	DefineCustomStringVariable("explain_ext.blas_library",
							   "Sets the library that multiplies large matrices.",
							   "Loaded at first need; empty: none. It changes speed, and results within rounding.",
							   &blas_library,
							   BLAS_LIBRARY,
							   PGC_SUSET, 0,
							   NULL, NULL, NULL);
	MarkGUCPrefixReserved("explain_ext");
}
