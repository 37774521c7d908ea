/*
 * link_arg.c
 *		Arguments of type explain.link.
 */
#include "build/link_arg.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "utils/syscache.h"

/* An enum's Datum is an OID that differs between databases; its label does not. */
ex_link
link_arg(FunctionCallInfo fcinfo, int argno)
{
	Oid			value = PG_GETARG_OID(argno);
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	ex_host    *host = host_pg_here();
	const char *name;
	ex_link		link;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", value)));
	name = NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel);
	EX_PG(host, ex_find_link(host, name, strlen(name), &link));
	ReleaseSysCache(tuple);
	return link;
}
