/*
 * matrix.c
 *		Matrix products: by the host's BLAS, or in plain C.
 */
#include <string.h>

#include "matrix.h"
#include "matrix_kernel.h"

/*
 * Multiplications between two polls: a few milliseconds in plain C, and below
 * ten for a BLAS that is slow.
 */
#define PIECE ((size_t) 1 << 24)

/* Block of b that is copied together, 32 kB: it stays in the first cache. */
#define BLOCK_K 128
#define BLOCK_COLUMNS 32

/* From so many rows of c on it pays to copy b. */
#define COPY_ROWS 64

static ex_processor chosen_processor = EX_PROCESSOR_BEST;

void
ex_matrix_use(ex_processor processor)
{
	chosen_processor = processor;
}

const ex_matrix_kernel *
ex_matrix_best(void)
{
#ifdef __x86_64__
	if (chosen_processor == EX_PROCESSOR_BEST && __builtin_cpu_supports("avx512f") &&
		__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512bw"))
		return &ex_matrix_avx512;
	if (chosen_processor != EX_PROCESSOR_PORTABLE && __builtin_cpu_supports("avx2"))
		return &ex_matrix_avx2;
#endif
	return &ex_matrix_portable;
}

/* One product as ex_gemm is asked for it. */
typedef struct product
{
	bool		transpose_a;
	bool		transpose_b;
	size_t		m, n, k;
	const double *a;
	size_t		lda;
	const double *b;
	size_t		ldb;
	double		beta;
	double	   *c;
	size_t		ldc;
} product;

/* The part of it for rows i .., columns j .. of c and k from l on. */
static product
part_of(const product *whole, size_t i, size_t m, size_t j, size_t n, size_t l, size_t k)
{
	product		part = *whole;

	part.m = m;
	part.n = n;
	part.k = k;
	part.a += whole->transpose_a ? l * whole->lda + i : i * whole->lda + l;
	part.b += whole->transpose_b ? j * whole->ldb + l : l * whole->ldb + j;
	part.c += i * whole->ldc + j;
	if (l > 0)
		part.beta = 1;
	return part;
}

static inline size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Copies op(b) of a part to rows of BLOCK_COLUMNS, padded with 0 to whole tiles. */
static void
copy_b(const product *part, double block[BLOCK_K][BLOCK_COLUMNS])
{
	size_t		padded = (part->n + EX_TILE_COLUMNS - 1) / EX_TILE_COLUMNS * EX_TILE_COLUMNS;

	for (size_t l = 0; l < part->k; l++)
	{
		if (part->transpose_b)
			for (size_t j = 0; j < part->n; j++)
				block[l][j] = part->b[j * part->ldb + l];
		else
			memcpy(block[l], part->b + l * part->ldb, part->n * sizeof(double));
		for (size_t j = part->n; j < padded; j++)
			block[l][j] = 0;
	}
}

/* At most BLOCK_K by BLOCK_COLUMNS of b, with all rows of c. */
static void
multiply_block(const ex_matrix_kernel *kernel, const product *part)
{
	double		block[BLOCK_K][BLOCK_COLUMNS];
	bool		copy = part->transpose_b || part->m >= COPY_ROWS ||
		part->n % EX_TILE_COLUMNS != 0;
	ex_tile		tile = {.k = part->k,.a_row = part->transpose_a ? 1 : part->lda,
	.a_step = part->transpose_a ? part->lda : 1,.ldc = part->ldc};
	const double *b = copy ? block[0] : part->b;

	if (copy)
		copy_b(part, block);
	tile.b_row = copy ? BLOCK_COLUMNS : part->ldb;
	for (size_t i = 0; i < part->m; i += EX_TILE_ROWS)
	{
		tile.rows = least(part->m - i, EX_TILE_ROWS);
		tile.a = part->a + i * tile.a_row;
		for (size_t j = 0; j < part->n; j += EX_TILE_COLUMNS)
		{
			tile.columns = least(part->n - j, EX_TILE_COLUMNS);
			tile.b = b + j;
			tile.c = part->c + i * part->ldc + j;
			kernel->tile(&tile);
		}
	}
}

static ex_status
multiply_plain(ex_host *host, const product *whole)
{
	const ex_matrix_kernel *kernel = ex_matrix_best();
	/* so many rows that a block of b is worth its copy, and a piece is not too long */
	size_t		rows = PIECE / (BLOCK_K * BLOCK_COLUMNS);
	size_t		done = 0;

	if (whole->beta == 0)
		for (size_t i = 0; i < whole->m; i++)
			memset(whole->c + i * whole->ldc, 0, whole->n * sizeof(double));
	for (size_t j = 0; j < whole->n; j += BLOCK_COLUMNS)
		for (size_t l = 0; l < whole->k; l += BLOCK_K)
			for (size_t i = 0; i < whole->m; i += rows)
			{
				product		part = part_of(whole, i, least(whole->m - i, rows),
										   j, least(whole->n - j, BLOCK_COLUMNS),
										   l, least(whole->k - l, BLOCK_K));

				multiply_block(kernel, &part);
				done += part.m * part.n * part.k;
				if (done >= PIECE)
				{
					EX_TRY(ex_poll(host));
					done = 0;
				}
			}
	return EX_OK;
}

/* The host's BLAS, or, if it declines, plain C. */
static ex_status
multiply_piece(ex_host *host, const product *p)
{
	EX_TRY(ex_poll(host));
	if (host->gemm(host, p->transpose_a, p->transpose_b, p->m, p->n, p->k,
				   p->a, p->lda, p->b, p->ldb, p->beta, p->c, p->ldc))
		return EX_OK;
	return multiply_plain(host, p);
}

static ex_status
multiply_in_pieces(ex_host *host, const product *whole)
{
	size_t		k = least(whole->k, PIECE);
	size_t		n = least(whole->n, PIECE / k);
	size_t		m = least(whole->m, PIECE / (k * n));

	for (size_t i = 0; i < whole->m; i += m)
		for (size_t j = 0; j < whole->n; j += n)
			for (size_t l = 0; l < whole->k; l += k)
			{
				product		part = part_of(whole, i, least(whole->m - i, m),
										   j, least(whole->n - j, n),
										   l, least(whole->k - l, k));

				EX_TRY(multiply_piece(host, &part));
			}
	return EX_OK;
}

ex_status
ex_gemm_plain(ex_host *host, ex_transpose transpose_a, ex_transpose transpose_b,
			  size_t m, size_t n, size_t k,
			  const double *a, size_t lda, const double *b, size_t ldb,
			  double beta, double *c, size_t ldc)
{
	product		whole = {transpose_a == EX_TRANSPOSE, transpose_b == EX_TRANSPOSE,
	m, n, k, a, lda, b, ldb, beta, c, ldc};

	return multiply_plain(host, &whole);
}

ex_status
ex_gemm(ex_host *host, ex_transpose transpose_a, ex_transpose transpose_b,
		size_t m, size_t n, size_t k,
		const double *a, size_t lda, const double *b, size_t ldb,
		double beta, double *c, size_t ldc)
{
	product		whole = {transpose_a == EX_TRANSPOSE, transpose_b == EX_TRANSPOSE,
	m, n, k, a, lda, b, ldb, beta, c, ldc};

	/* a BLAS need not know empty products */
	if (host->gemm == NULL || m == 0 || n == 0 || k == 0)
		return multiply_plain(host, &whole);
	return multiply_in_pieces(host, &whole);
}
