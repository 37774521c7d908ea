/*
 * host_pg.c
 *		The kernels' host inside a backend.
 *
 * Allocation raises its own error, so kernels never see NULL here; the poll
 * callback runs CHECK_FOR_INTERRUPTS, which leaves by longjmp when the query
 * is cancelled.  Both are safe because kernels own nothing but arena memory.
 */
#include "host_pg.h"

#include "blas.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

static void *
pg_alloc(ex_host *host, size_t size)
{
	return MemoryContextAllocHuge((MemoryContext) host->context, size);
}

static void *
pg_resize(ex_host *host, void *chunk, size_t old_size, size_t new_size)
{
	return repalloc_huge(chunk, new_size);
}

/* An error may leave the host with its scratch: it ends the query that the host serves. */
static void *
pg_begin_scratch(ex_host *host)
{
	MemoryContext outer = host->context;

	host->context = AllocSetContextCreate(outer, "explain_ext scratch", ALLOCSET_DEFAULT_SIZES);
	return outer;
}

static void
pg_empty_scratch(ex_host *host)
{
	MemoryContextReset(host->context);
}

static void
pg_end_scratch(ex_host *host, void *outer)
{
	MemoryContextDelete(host->context);
	host->context = outer;
}

static bool
pg_poll(ex_host *host)
{
	CHECK_FOR_INTERRUPTS();
	return false;
}

/* The server's SHA-256: OpenSSL's where PostgreSQL was built with it. */
static void
pg_sha256(ex_host *host, const ex_span *spans, int n_spans, uint8_t digest[32])
{
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	bool		ok = ctx != NULL && pg_cryptohash_init(ctx) >= 0;

	for (int i = 0; ok && i < n_spans; i++)
		ok = pg_cryptohash_update(ctx, spans[i].data, spans[i].size) >= 0;
	ok = ok && pg_cryptohash_final(ctx, digest, PG_SHA256_DIGEST_LENGTH) >= 0;
	if (ctx != NULL)
		pg_cryptohash_free(ctx);
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("could not compute SHA-256 digest of a model")));
}

static int
pg_print_double(double value, char buf[32])
{
	return double_to_shortest_decimal_buf(value, buf);
}

static void
init(ex_host *host, MemoryContext context)
{
	host->context = context;
	host->alloc = pg_alloc;
	host->resize = pg_resize;
	host->begin_scratch = pg_begin_scratch;
	host->empty_scratch = pg_empty_scratch;
	host->end_scratch = pg_end_scratch;
	host->poll = pg_poll;
	host->sha256 = pg_sha256;
	host->print_double = pg_print_double;
	host->gemm = blas_gemm;
}

ex_host *
host_pg_create(MemoryContext context)
{
	ex_host    *host = MemoryContextAllocZero(context, sizeof(ex_host));

	init(host, context);
	return host;
}

ex_host *
host_pg_here(void)
{
	return host_pg_create(CurrentMemoryContext);
}

int
host_pg_sqlstate(ex_status status)
{
	switch (status)
	{
		case EX_OK:
			return 0;
		case EX_INVALID:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case EX_NULL:
			return ERRCODE_NULL_VALUE_NOT_ALLOWED;
		case EX_RANGE:
			return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
		case EX_DIMENSION:
			return ERRCODE_DATA_EXCEPTION;
		case EX_SYNTAX:
			return ERRCODE_INVALID_TEXT_REPRESENTATION;
		case EX_BINARY:
			return ERRCODE_INVALID_BINARY_REPRESENTATION;
		case EX_DUPLICATE_KEY:
			return ERRCODE_DUPLICATE_JSON_OBJECT_KEY_VALUE;
		case EX_ENCODING:
			return ERRCODE_CHARACTER_NOT_IN_REPERTOIRE;
		case EX_LIMIT:
			return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case EX_UNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case EX_CORRUPT:
			return ERRCODE_DATA_CORRUPTED;
		case EX_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case EX_CANCELLED:
			return ERRCODE_QUERY_CANCELED;
	}
	return ERRCODE_DATA_EXCEPTION;
}

/*
 * A buffer of the error may end inside a multibyte character: cut it there.
 * It may quote input that is not UTF-8 at all: that must not become an error
 * of its own.
 */
static char *
readable(const char *text)
{
	int			length = pg_encoding_mbcliplen(PG_UTF8, text, strlen(text), strlen(text));
	char	   *copy;

	if (ex_valid_utf8(text, length))
		return host_pg_from_utf8(text, length);
	copy = pnstrdup(text, length);
	for (int i = 0; i < length; i++)
		if (IS_HIGHBIT_SET(copy[i]))
			copy[i] = '?';
	return copy;
}

void
host_pg_check(ex_host *host, ex_status status)
{
	const ex_error *error = &host->error;

	if (status == EX_OK)
		return;
	ereport(ERROR,
			(errcode(host_pg_sqlstate(status)),
			 errmsg_internal("%s", readable(error->message)),
			 error->detail[0] ? errdetail_internal("%s", readable(error->detail)) : 0,
			 error->hint[0] ? errhint("%s", readable(error->hint)) : 0));
}

char *
host_pg_to_utf8(const char *text, int length)
{
	char	   *utf8 = pg_server_to_any(text, length, PG_UTF8);

	return utf8 == text ? pnstrdup(text, length) : utf8;
}

char *
host_pg_from_utf8(const char *text, int length)
{
	char	   *native = pg_any_to_server(text, length, PG_UTF8);

	return native == text ? pnstrdup(text, length) : native;
}
