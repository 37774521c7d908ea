/*
 * import.c
 *		What the importers of model files share.
 */
#include "import/import.h"

#include "access/detoast.h"
#include "kernel/model.h"

/* Refused before it is fetched: reading takes memory of the same order. */
static void
check_size(Datum argument)
{
	Size		size = toast_raw_datum_size(argument) - VARHDRSZ;

	if (size > EX_MAX_TEXT_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("model file is too large"),
				 errdetail("It has %zu bytes; the limit is %zu.", (size_t) size, EX_MAX_TEXT_SIZE)));
}

/* 'model.json', '/tmp/model.ubj': one short word with a suffix. */
static bool
looks_like_file_name(const char *text, Size size)
{
	const char *dot = NULL;

	if (size > MAXPGPATH)
		return false;
	for (Size i = 0; i < size; i++)
	{
		if ((unsigned char) text[i] <= ' ' || text[i] == '{' || text[i] == '"' || text[i] == '=')
			return false;
		if (text[i] == '.')
			dot = &text[i];
	}
	return dot != NULL && size - (Size) (dot - text) <= 9;
}

ex_span
import_bytes(FunctionCallInfo fcinfo)
{
	struct varlena *value;
	ex_span		file;

	check_size(PG_GETARG_DATUM(0));
	value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	file = (ex_span) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
	if (looks_like_file_name(file.data, file.size))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model file was given by its name, not by its contents"),
				 errhint("The server reads no files. In psql, \\set content `base64 -w0 FILE` and pass"
						 " decode(:'content', 'base64'); in a program, pass a binary parameter.")));
	return file;
}

ex_span
import_text(FunctionCallInfo fcinfo)
{
	ex_span		span = import_bytes(fcinfo);
	const char *utf8 = host_pg_to_utf8(span.data, (int) span.size);

	return (ex_span) {utf8, strlen(utf8)};
}

int
import_iterations(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		return -1;
	if (PG_GETARG_INT32(1) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("iterations must be at least 1, not %d", PG_GETARG_INT32(1)),
				 errhint("Leave it out to use all boosting rounds, or those up to the best one.")));
	return PG_GETARG_INT32(1);
}
