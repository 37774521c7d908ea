/*
 * blas.c
 *		Matrix products by a BLAS that is loaded at first need.
 *
 * Loading goes wrong in more ways than an error code tells, so:
 *
 *	- All signals are blocked meanwhile.  A thread that the library starts
 *	  inherits the mask, and so never takes a signal that is meant for the
 *	  backend, which is the only thread that can handle it.
 *	- The library is told to use one thread, in its environment, before it can
 *	  start any, and once more through its own function.
 *	- OpenBLAS 0.3.21 spins for ever, and cannot be cancelled, where it cannot
 *	  map its buffer of 128 MB.  It maps it at the first product and keeps it:
 *	  so is there room, first for library and buffer, then for the buffer?
 *	- The first product is a small one whose answer is known, done while
 *	  signals are still blocked.
 *
 * When any of this fails, the backend goes on with plain C: slower, to the
 * same answer within rounding.  It does not try again.  The library stays
 * loaded until the backend ends.
 */
#include "blas.h"

#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

/*
 * Multiplications from which on a product is worth a call: 64 x 64 x 64.  Plain
 * C takes 15 us for as many, OpenBLAS 10; below, a session may never get back
 * the 10 ms that loading takes.
 */
#define WORTH_A_CALL ((size_t) 1 << 18)

/* What OpenBLAS maps for its buffer, and what it and its libraries take. */
#define BUFFER_SIZE ((size_t) 140 << 20)
#define LIBRARY_SIZE ((size_t) 60 << 20)

/* Fortran's interface, which every BLAS has; the last two are lengths of the strings. */
typedef void (*Dgemm) (const char *transpose_a, const char *transpose_b,
					   const int *m, const int *n, const int *k, const double *alpha,
					   const double *a, const int *lda, const double *b, const int *ldb,
					   const double *beta, double *c, const int *ldc, size_t, size_t);
typedef void (*SetThreads) (int n);

char	   *blas_library;

static Dgemm dgemm;				/* NULL: not loaded */
static bool tried;

/* ---- loading ---- */

/* Can the process have so much more memory? */
static bool
has_room(size_t size)
{
	void	   *probe = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (probe == MAP_FAILED)
		return false;
	munmap(probe, size);
	return true;
}

/* Signals that come from outside; those of a fault must be delivered. */
static void
block_signals(sigset_t *before)
{
	sigset_t	all;

	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigprocmask(SIG_SETMASK, &all, before);
}

static void
restore_variable(const char *name, const char *before)
{
	if (before != NULL)
		setenv(name, before, 1);
	else
		unsetenv(name);
}

/* dlopen, with an environment that asks for one thread. */
static void *
open_single_threaded(const char *library)
{
	static const char *const variable[] = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"};
	char	   *before[lengthof(variable)];
	void	   *handle = NULL;
	bool		ready = true;

	for (int i = 0; i < lengthof(variable); i++)
	{
		const char *value = getenv(variable[i]);

		before[i] = value == NULL ? NULL : strdup(value);
		ready &= (value == NULL) == (before[i] == NULL) && setenv(variable[i], "1", 1) == 0;
	}
	if (ready)
		handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	for (int i = 0; i < lengthof(variable); i++)
	{
		restore_variable(variable[i], before[i]);
		free(before[i]);
	}
	return handle;
}

/* A product whose answer is known: the library maps its buffer, and shows that it can multiply. */
static bool
warm_up(Dgemm product)
{
	static const double a[] = {1, 2, 3, 4};
	static const double b[] = {5, 6, 7, 8};
	static const double one = 1;
	static const double zero = 0;
	static const int two = 2;
	double		c[4] = {-1, -1, -1, -1};

	/* by columns: a = (1 3; 2 4), b = (5 7; 6 8) */
	product("N", "N", &two, &two, &two, &one, a, &two, b, &two, &zero, c, &two, 1, 1);
	return c[0] == 23 && c[1] == 34 && c[2] == 31 && c[3] == 46;
}

/* The library's dgemm, or NULL and why there is none. */
static Dgemm
load(const char *library, const char **reason)
{
	void	   *handle;
	Dgemm		product;
	SetThreads	set_threads;

	*reason = "it does not multiply";
	if (!has_room(LIBRARY_SIZE + BUFFER_SIZE))
	{
		*reason = "there is not enough memory";
		return NULL;
	}
	handle = open_single_threaded(library);
	if (handle == NULL)
	{
		*reason = dlerror();
		return NULL;
	}
	product = (Dgemm) dlsym(handle, "dgemm_");
	if (product == NULL)
	{
		*reason = "it has no dgemm_";
		return NULL;
	}
	set_threads = (SetThreads) dlsym(handle, "openblas_set_num_threads");
	if (set_threads != NULL)
		set_threads(1);
	if (!has_room(BUFFER_SIZE))
	{
		*reason = "there is not enough memory for its buffer";
		return NULL;
	}
	return warm_up(product) ? product : NULL;
}

/* Once in the life of a backend; noinline keeps it out of the way of products. */
static pg_noinline void
first_need(void)
{
	const char *reason = NULL;
	sigset_t	before;

	tried = true;
	block_signals(&before);
	dgemm = load(blas_library, &reason);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (dgemm != NULL)
		ereport(DEBUG1,
				(errmsg_internal("matrix products use \"%s\"", blas_library)));
	else
		ereport(DEBUG1,
				(errmsg_internal("matrix products do not use \"%s\": %s", blas_library,
								 reason == NULL ? "unknown error" : reason)));
}

/* ---- the service ---- */

static bool
is_worth_it(size_t m, size_t n, size_t k)
{
	return (double) m * (double) n * (double) k >= (double) WORTH_A_CALL;
}

static bool
fits_int(size_t m, size_t n, size_t k, size_t lda, size_t ldb, size_t ldc)
{
	return Max(Max(m, n), Max(Max(k, lda), Max(ldb, ldc))) <= INT_MAX;
}

/*
 * What is c by rows is c' by columns, which is how Fortran takes it:
 * c' = op(b)' op(a)'.
 */
bool
blas_gemm(ex_host *host, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k,
		  const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c, size_t ldc)
{
	const double alpha = 1;
	int			rows = (int) n;
	int			columns = (int) m;
	int			inner = (int) k;
	int			stride_a = (int) lda;
	int			stride_b = (int) ldb;
	int			stride_c = (int) ldc;

	if (!is_worth_it(m, n, k) || blas_library == NULL || blas_library[0] == '\0' ||
		!fits_int(m, n, k, lda, ldb, ldc))
		return false;
	if (!tried)
		first_need();
	if (dgemm == NULL)
		return false;
	dgemm(transpose_b ? "T" : "N", transpose_a ? "T" : "N", &rows, &columns, &inner, &alpha,
		  b, &stride_b, a, &stride_a, &beta, c, &stride_c, 1, 1);
	return true;
}
