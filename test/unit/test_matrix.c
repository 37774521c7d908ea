/* Matrix products against the definition, on every path. */
#include "host_malloc.h"
#include "matrix.h"
#include "matrix_kernel.h"
#include "random.h"
#include "unit.h"

enum
{
	SLACK = 3,					/* lda, ldb, ldc: beyond the width */
	MAX = 300
};

static ex_arena arena;
static ex_host *host;

static double a[MAX * (MAX + SLACK)];
static double b[MAX * (MAX + SLACK)];
static double start[MAX * (MAX + SLACK)];
static double c[MAX * (MAX + SLACK)];
static double other[MAX * (MAX + SLACK)];

typedef struct size
{
	size_t		m, n, k;
} size;

static const size sizes[] = {
	{1, 1, 1}, {1, 8, 5}, {4, 8, 128}, {3, 7, 129}, {5, 9, 64}, {64, 33, 130}, {65, 32, 31},
	{2, 40, 257}, {70, 1, 3}, {1, 70, 300}, {17, 63, 1}, {128, 64, 128}, {3, 5, 0}
};

#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void
fill(double *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = random_unit() - 0.5;
}

static size_t
lda_of(const size *s, bool transpose)
{
	return (transpose ? s->m : s->k) + SLACK;
}

static size_t
ldb_of(const size *s, bool transpose)
{
	return (transpose ? s->k : s->n) + SLACK;
}

/* Largest difference to the sum over k, in units of the documented bound; 0 where nothing may change. */
static double
worst_error(const size *s, bool ta, bool tb, double beta, const double *got)
{
	size_t		lda = lda_of(s, ta);
	size_t		ldb = ldb_of(s, tb);
	double		worst = 0;

	for (size_t i = 0; i < s->m; i++)
		for (size_t j = 0; j < s->n + SLACK; j++)
		{
			double		before = start[i * (s->n + SLACK) + j];
			long double sum = j < s->n ? beta * before : before;
			double		bound = fabs(beta * before);
			double		error;

			for (size_t l = 0; l < s->k && j < s->n; l++)
			{
				double		product = (ta ? a[l * lda + i] : a[i * lda + l]) *
					(tb ? b[j * ldb + l] : b[l * ldb + j]);

				sum += product;
				bound += fabs(product);
			}
			error = fabs((double) (got[i * (s->n + SLACK) + j] - sum));
			if (error > 0)
				error /= j < s->n ? 2 * (double) (s->k + 1) * 2.3e-16 * bound : 0;
			worst = fmax(worst, error);
		}
	return worst;
}

typedef ex_status (*gemm_function) (ex_host *, ex_transpose, ex_transpose, size_t, size_t, size_t,
									const double *, size_t, const double *, size_t, double,
									double *, size_t);

static double
run(gemm_function gemm, const size *s, bool ta, bool tb, double beta, double *result)
{
	size_t		ldc = s->n + SLACK;

	memcpy(result, start, sizeof(c));
	/* beta 0: c is not read */
	if (beta == 0)
		for (size_t i = 0; i < s->m; i++)
			for (size_t j = 0; j < s->n; j++)
				result[i * ldc + j] = NAN;
	if (gemm(host, ta ? EX_TRANSPOSE : EX_NO_TRANSPOSE, tb ? EX_TRANSPOSE : EX_NO_TRANSPOSE,
			 s->m, s->n, s->k, a, lda_of(s, ta), b, ldb_of(s, tb), beta, result, ldc) != EX_OK)
		return INFINITY;
	return worst_error(s, ta, tb, beta, result);
}

static void
test_definition(void)
{
	for (size_t i = 0; i < N_SIZES; i++)
		for (int form = 0; form < 8; form++)
		{
			bool		ta = form & 1;
			bool		tb = form & 2;
			double		beta = form & 4 ? 1 : 0;

			fill(a, MAX * MAX);
			fill(b, MAX * MAX);
			fill(start, MAX * MAX);
			ok(run(ex_gemm_plain, &sizes[i], ta, tb, beta, c) <= 1,
			   "%zu x %zu x %zu, transposed %d %d, beta %g", sizes[i].m, sizes[i].n, sizes[i].k,
			   ta, tb, beta);
			for (int p = EX_PROCESSOR_AVX2; p <= EX_PROCESSOR_PORTABLE; p++)
			{
				ex_matrix_use((ex_processor) p);
				run(ex_gemm_plain, &sizes[i], ta, tb, beta, other);
				is_same(c, other, sizeof(c), "... and the same bits on every processor");
			}
			ex_matrix_use(EX_PROCESSOR_BEST);
		}
}

/* A host with a BLAS: counts its pieces, and declines some. */
static int	n_pieces;
static int	declined_piece;
static size_t largest_piece;

static bool
gemm_service(ex_host *self, bool ta, bool tb, size_t m, size_t n, size_t k,
			 const double *pa, size_t lda, const double *pb, size_t ldb, double beta,
			 double *pc, size_t ldc)
{
	if (m * n * k > largest_piece)
		largest_piece = m * n * k;
	if (n_pieces++ == declined_piece)
		return false;
	return ex_gemm_plain(self, ta ? EX_TRANSPOSE : EX_NO_TRANSPOSE,
						 tb ? EX_TRANSPOSE : EX_NO_TRANSPOSE, m, n, k, pa, lda, pb, ldb,
						 beta, pc, ldc) == EX_OK;
}

static int	n_polls;
static int	stop_at;

static bool
poll_service(ex_host *self)
{
	(void) self;
	return n_polls++ == stop_at;
}

static void
test_service(void)
{
	size		s = {64, 33, 130};

	host->gemm = gemm_service;
	for (int form = 0; form < 8; form++)
	{
		n_pieces = 0;
		declined_piece = form % 2 == 0 ? -1 : 0;
		ok(run(ex_gemm, &s, form & 1, form & 2, form & 4 ? 1 : 0, c) <= 1 && n_pieces == 1,
		   "through the host's gemm, form %d", form);
	}
	host->gemm = NULL;
	ok(run(ex_gemm, &s, false, true, 1, c) <= 1, "and without one");
}

/* 600 x 500 x 400 = 1.2e8 multiplications, in pieces with polls between them */
static void
test_pieces(void)
{
	enum
	{
		M = 600, N = 500, K = 400
	};
	double	   *big_a = calloc(M * K, sizeof(double));
	double	   *big_b = calloc(K * N, sizeof(double));
	double	   *one = calloc(M * N, sizeof(double));
	double	   *two = calloc(M * N, sizeof(double));

	fill(big_a, M * K);
	fill(big_b, K * N);
	host->poll = poll_service;
	stop_at = -1;
	n_polls = 0;
	is_status(host, ex_gemm_plain(host, EX_NO_TRANSPOSE, EX_NO_TRANSPOSE, M, N, K,
								  big_a, K, big_b, N, 0, one, N), EX_OK, "a large product");
	ok(n_polls >= 6, "asks now and then whether to stop (%d times)", n_polls);
	host->gemm = gemm_service;
	n_pieces = 0;
	declined_piece = 3;
	largest_piece = 0;
	is_status(host, ex_gemm(host, EX_NO_TRANSPOSE, EX_NO_TRANSPOSE, M, N, K,
							big_a, K, big_b, N, 0, two, N), EX_OK, "in pieces");
	ok(n_pieces >= 6 && largest_piece <= (size_t) 1 << 24, "of at most 2^24 multiplications (%d)",
	   n_pieces);
	is_same(two, one, M * N * sizeof(double), "the same product, one piece declined");
	n_polls = 0;
	stop_at = 2;
	is_status(host, ex_gemm(host, EX_NO_TRANSPOSE, EX_NO_TRANSPOSE, M, N, K,
							big_a, K, big_b, N, 0, two, N), EX_CANCELLED, "stops when asked to");
	host->gemm = NULL;
	n_polls = 0;
	is_status(host, ex_gemm(host, EX_NO_TRANSPOSE, EX_NO_TRANSPOSE, M, N, K,
							big_a, K, big_b, N, 0, two, N), EX_CANCELLED, "also without a BLAS");
	host->poll = NULL;
	free(big_a);
	free(big_b);
	free(one);
	free(two);
}

/* A long thin product: the sum over k is cut, too. */
static void
test_long(void)
{
	size_t		k = ((size_t) 1 << 24) + 1000;
	double	   *long_a = calloc(k, sizeof(double));
	double		result = 5;

	for (size_t i = 0; i < k; i++)
		long_a[i] = i % 3 == 0;
	host->gemm = gemm_service;
	n_pieces = 0;
	declined_piece = -1;
	is_status(host, ex_gemm(host, EX_NO_TRANSPOSE, EX_TRANSPOSE, 1, 1, k, long_a, k,
							long_a, k, 0, &result, 1), EX_OK, "a dot product of 2^24 + 1000");
	is_double(result, (double) ((k + 2) / 3), "... in %d pieces", n_pieces);
	is_int(n_pieces, 2, "... which are two");
	host->gemm = NULL;
	free(long_a);
}

/* One row times a packed matrix, in both precisions, on every path. */
static void
test_row(void)
{
	static const size_t columns[] = {1, 3, 4, 5, 8, 17, 30, 33, 64, 71};
	enum
	{
		ROWS = 130
	};
	static double f64[ROWS * 72];
	static float f32[ROWS * 72];
	uint64_t	mask[EX_MASK_WORDS(ROWS)];
	ex_active	active[ROWS];
	size_t		n_active;
	double		x[ROWS];
	double		y[2][80];

	for (size_t s = 0; s < sizeof(columns) / sizeof(columns[0]); s++)
		for (int narrow = 0; narrow < 2; narrow++)
		{
			size_t		n = columns[s];
			ex_packed	matrix = {ROWS, n, (n + EX_MATRIX_PAD - 1) / EX_MATRIX_PAD * EX_MATRIX_PAD,
			narrow ? NULL : f64, narrow ? f32 : NULL};
			double		worst = 0;

			fill(f64, ROWS * 72);
			for (size_t i = 0; i < ROWS * 72; i++)
				f32[i] = (float) f64[i];
			fill(x, ROWS);
			for (size_t i = 0; i < ROWS; i += 3)
				x[i] = 0;
			fill(y[0], 80);
			memcpy(start, y[0], sizeof(y[0]));
			ex_matrix_best()->row(&matrix, x, mask, y[0]);
			for (int p = EX_PROCESSOR_AVX2; p <= EX_PROCESSOR_PORTABLE; p++)
			{
				memcpy(y[1], start, sizeof(y[1]));
				ex_matrix_use((ex_processor) p);
				ex_matrix_best()->row(&matrix, x, mask, y[1]);
				is_same(y[0], y[1], sizeof(y[0]), "row times %d x %zu, float%d: the same bits", ROWS,
						n, narrow ? 32 : 64);
			}
			ex_matrix_use(EX_PROCESSOR_BEST);
			for (size_t j = 0; j < 80; j++)
			{
				double		sum = start[j];

				for (size_t i = 0; i < ROWS && j < n; i++)
					sum += x[i] * (narrow ? f32[i * matrix.stride + j] : f64[i * matrix.stride + j]);
				worst = fmax(worst, fabs(sum - y[0][j]));
			}
			is_double(worst, 0, "... and the sum in order; nothing beyond the columns");
			memcpy(y[1], start, sizeof(y[1]));
			n_active = 0;
			for (size_t i = 0; i < ROWS; i++)
				if (x[i] != 0)
					active[n_active++] = (ex_active) {x[i], i * matrix.stride};
			for (int p = EX_PROCESSOR_BEST; p <= EX_PROCESSOR_PORTABLE; p++)
			{
				memcpy(y[1], start, sizeof(y[1]));
				ex_matrix_use((ex_processor) p);
				ex_matrix_best()->combine(&matrix, active, n_active, y[1]);
				is_same(y[1], y[0], sizeof(y[0]), "... and the same from a list");
			}
			ex_matrix_use(EX_PROCESSOR_BEST);
		}
}

/* ReLU and its derivative, of every length and on every path. */
static void
test_relu(void)
{
	static const double sample[] = {1.5, -2, 0, -0.0, INFINITY, -INFINITY, NAN, 1e-310, -1e-310, 3, 7};
	enum
	{
		N = 21
	};
	double		in[N];
	double		r[N];
	double		before[N];
	double		wanted[2][N];
	double		got[2][N];

	for (size_t i = 0; i < N; i++)
	{
		in[i] = sample[i % (sizeof(sample) / sizeof(sample[0]))];
		r[i] = random_unit() - 0.5;
		before[i] = random_unit() - 0.5;
	}
	for (size_t n = 0; n <= N; n++)
	{
		memcpy(wanted[0], before, sizeof(before));
		memcpy(wanted[1], before, sizeof(before));
		for (size_t i = 0; i < n; i++)
		{
			wanted[0][i] = in[i] <= 0 ? 0 : in[i];
			wanted[1][i] += in[i] > 0 ? r[i] : 0;
		}
		for (int p = EX_PROCESSOR_BEST; p <= EX_PROCESSOR_PORTABLE; p++)
		{
			memcpy(got[0], before, sizeof(before));
			memcpy(got[1], before, sizeof(before));
			ex_matrix_use((ex_processor) p);
			ex_matrix_best()->relu(in, n, got[0]);
			ex_matrix_best()->pass_relu(in, r, n, got[1]);
			is_same(got, wanted, sizeof(got), "ReLU of %zu, forward and back", n);
		}
	}
	ex_matrix_use(EX_PROCESSOR_BEST);
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_definition();
	test_service();
	test_pieces();
	test_long();
	test_row();
	test_relu();
	ex_arena_free(&arena);
	return unit_done();
}
