/*
 * host.h
 *		What a kernel may ask of the program that runs it.
 *
 * The kernels know nothing of PostgreSQL.  Memory, cancellation, and the
 * services that a server does better than plain C (SHA-256, printing a
 * double, matrix products) come through one struct of function pointers, so that the same code
 * runs inside a backend, a unit test and a fuzzer.
 *
 * Memory belongs to an arena: a kernel allocates and never frees; the caller
 * drops the whole arena (a memory context in the server) when it is done.
 *
 * Errors: a function that can fail returns ex_status and leaves message,
 * detail and hint in host->error.  Messages follow PostgreSQL's style guide,
 * since the wrapper hands them to ereport unchanged.
 */
#ifndef EX_HOST_H
#define EX_HOST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One status for each SQLSTATE that a kernel can cause (see src/host_pg.c). */
typedef enum ex_status
{
	EX_OK = 0,
	EX_INVALID,					/* 22023 a value or structure is not allowed */
	EX_NULL,					/* 22004 a value is missing */
	EX_RANGE,					/* 22003 NaN, infinity, overflow */
	EX_DIMENSION,				/* 22000 wrong number of values */
	EX_SYNTAX,					/* 22P02 text does not parse */
	EX_BINARY,					/* 22P03 bytes do not parse */
	EX_DUPLICATE_KEY,			/* 22030 a JSON key is repeated */
	EX_ENCODING,				/* 22021 text is not valid UTF-8 */
	EX_LIMIT,					/* 54000 a documented limit is passed */
	EX_UNSUPPORTED,				/* 0A000 cannot be done for this model */
	EX_CORRUPT,					/* XX001 stored bytes that were valid once */
	EX_MEMORY,					/* 53200 */
	EX_CANCELLED				/* 57014 the host asked to stop */
} ex_status;

typedef struct ex_error
{
	char		message[512];
	char		detail[512];
	char		hint[512];
} ex_error;

typedef struct ex_host ex_host;

/* A run of bytes, for gathering input of a hash without copying. */
typedef struct ex_span
{
	const void *data;
	size_t		size;
} ex_span;

struct ex_host
{
	void	   *context;		/* the host's own */

	/* never returns NULL in the server; may in tests: report EX_MEMORY */
	void	   *(*alloc) (ex_host *host, size_t size);
	/* grows (or shrinks) a chunk of alloc; the old pointer is dead after it */
	void	   *(*resize) (ex_host *host, void *chunk, size_t old_size, size_t new_size);

	/*
	 * optional: between begin_scratch and end_scratch, alloc takes memory
	 * that empty_scratch gives back; end_scratch takes what begin_scratch
	 * returned
	 */
	void	   *(*begin_scratch) (ex_host *host);
	void		(*empty_scratch) (ex_host *host);
	void		(*end_scratch) (ex_host *host, void *outer);

	/* true: stop now.  NULL: never.  A server host may longjmp instead. */
	bool		(*poll) (ex_host *host);

	/* optional services; NULL selects the portable code of the kernel */
	void		(*sha256) (ex_host *host, const ex_span *spans, int n_spans,
						   uint8_t digest[32]);
	/* shortest decimal that reads back the same; returns its length */
	int			(*print_double) (double value, char buf[32]);

	/*
	 * one piece of a matrix product, see matrix.h; false: no BLAS here, use
	 * plain C.  Arguments as those of ex_gemm
	 */
	bool		(*gemm) (ex_host *host, bool transpose_a, bool transpose_b,
						 size_t m, size_t n, size_t k, const double *a, size_t lda,
						 const double *b, size_t ldb, double beta, double *c, size_t ldc);

	ex_error	error;
};

/*
 * Note an error and return its status, for "return ex_fail(...)".  Replaces
 * whatever error was noted before; ex_detail and ex_hint then add to it.
 */
extern ex_status ex_fail(ex_host *host, ex_status status, const char *message,...)
			__attribute__((format(printf, 3, 4)));
extern void ex_detail(ex_host *host, const char *detail,...)
			__attribute__((format(printf, 2, 3)));
extern void ex_hint(ex_host *host, const char *hint,...)
			__attribute__((format(printf, 2, 3)));

/* Run a call and pass its failure on. */
#define EX_TRY(call) \
	do { \
		ex_status	ex_try_status_ = (call); \
		if (ex_try_status_ != EX_OK) \
			return ex_try_status_; \
	} while (0)

/* Largest single allocation; one below PostgreSQL's MaxAllocSize of 1 GB. */
#define EX_MAX_ALLOC ((size_t) 0x3ffffffe)

/*
 * Allocate count * size bytes into *out (zeroed), checking the product.
 * EX_LIMIT above EX_MAX_ALLOC, EX_MEMORY when the host has none.  A count of 0
 * gives a valid pointer.
 */
extern ex_status ex_alloc(ex_host *host, size_t count, size_t size, void **out);

#define EX_ALLOC(host, count, pointer) \
	ex_alloc((host), (count), sizeof(**(pointer)), (void **) (pointer))

/* A growing array of bytes. */
typedef struct ex_buffer
{
	char	   *data;
	size_t		size;			/* bytes used */
	size_t		capacity;
} ex_buffer;

extern ex_status ex_reserve(ex_host *host, ex_buffer *buffer, size_t more);
extern ex_status ex_append(ex_host *host, ex_buffer *buffer, const void *data, size_t size);
extern ex_status ex_append_text(ex_host *host, ex_buffer *buffer, const char *text);
extern ex_status ex_appendf(ex_host *host, ex_buffer *buffer, const char *format,...)
			__attribute__((format(printf, 3, 4)));

/* Ask the host whether to stop: EX_OK or EX_CANCELLED. */
extern ex_status ex_poll(ex_host *host);

/* SHA-256 of the spans in order, by the host or by the portable code. */
extern void ex_sha256(ex_host *host, const ex_span *spans, int n_spans, uint8_t digest[32]);

/* Is this valid UTF-8 without a NUL?  (RFC 3629: no surrogates, no overlong forms) */
extern bool ex_valid_utf8(const char *text, size_t length);

/* Shortest round-trip decimal of a finite double (at most 31 characters). */
extern int	ex_print_double(ex_host *host, double value, char buf[32]);

/* A host on malloc for tests, fuzzers and benchmarks: src/kernel/host_malloc.h */

#endif							/* EX_HOST_H */
