/*
 * explain_ext.c
 *		Entry point of the library.
 *
 * Loading must stay cheap (every backend that touches the extension pays for
 * it): one setting, no threads, no tables.
 */
#include "pg_compat.h"

#include "fmgr.h"
#include "utils/guc.h"

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
	MarkGUCPrefixReserved("explain_ext");
}
