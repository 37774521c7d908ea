/*
 * kernel_tile.c
 *		Time of the tile kernel alone, on rows that lie in memory.
 *
 *		kernel_tile model.json rows
 *
 * model.json is XGBoost's, rows are float64 numbers, row after row.  Explains
 * all rows in tiles as shap_batch does, once to build the tables and three
 * times on the clock; prints the fastest in microseconds per row, by the wall
 * clock and by CPU time.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "golden.h"
#include "host_malloc.h"
#include "tree_shap.h"
#include "xgboost.h"

enum
{
	TILE = 256,
	N_RUNS = 3
};

static ex_arena arena;
static ex_host *host;

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double) t.tv_sec * 1e6 + (double) t.tv_nsec * 1e-3;
}

static void
check(ex_status status, const char *what)
{
	if (status == EX_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, host->error.message);
	exit(1);
}

static ex_compiled *
read_model(const char *path)
{
	size_t		size;
	char	   *text = golden_file(host, path, &size);
	ex_builder	builder;
	ex_xgboost_note note;
	ex_model   *model;
	ex_compiled *compiled;

	check(ex_xgboost_read(host, EX_FORMAT_JSON, text, size, -1, &builder, &note), path);
	check(ex_build(&builder, &model), path);
	check(ex_compile(host, model, (size_t) 128 << 20, &compiled), path);
	return compiled;
}

/* A tile's scratch is given back, as a backend does. */
static void
explain(ex_compiled *compiled, const double *x, size_t n, double *phi)
{
	size_t		p = compiled->model->n_features;

	for (size_t i = 0; i < n; i += TILE)
	{
		uint32_t	rows = (uint32_t) (n - i < TILE ? n - i : TILE);
		ex_shap_call call = {.x = x + i * p, .outputs = {0, 1}, .space = EX_RAW};
		ex_arena	scratch;

		check(ex_shap_values_tile(&ex_tree_shap_methods[0], compiled, ex_arena_init(&scratch), &call, rows, phi), "tile");
		ex_arena_free(&scratch);
	}
}

int
main(int argc, char **argv)
{
	ex_compiled *compiled;
	const double *x;
	double	   *phi;
	double		wall = INFINITY;
	double		cpu = INFINITY;
	size_t		size;
	size_t		n;

	if (argc != 3)
		return 2;
	host = ex_arena_init(&arena);
	compiled = read_model(argv[1]);
	x = (const double *) golden_file(host, argv[2], &size);
	n = size / sizeof(double) / compiled->model->n_features;
	check(EX_ALLOC(host, (size_t) TILE * compiled->model->n_features, &phi), "memory");
	explain(compiled, x, n, phi);
	for (int i = 0; i < N_RUNS; i++)
	{
		double		wall_start = now(CLOCK_MONOTONIC);
		double		cpu_start = now(CLOCK_PROCESS_CPUTIME_ID);

		explain(compiled, x, n, phi);
		cpu = fmin(cpu, now(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
		wall = fmin(wall, now(CLOCK_MONOTONIC) - wall_start);
	}
	printf("%.4f %.4f\n", wall / (double) n, cpu / (double) n);
	ex_arena_free(&arena);
	return 0;
}
