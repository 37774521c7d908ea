/*
 * kernel_tree_shap.c
 *		Time of the Shapley kernels for trees, without a server.
 *
 *		kernel_tree_shap [model.json]...
 *
 * Complete random trees on 30 features, or XGBoost's models in JSON.  Prints
 * the median of five runs in microseconds per row, with warm tables, and what
 * the first row costs.
 */
#include <stdio.h>
#include <time.h>

#include "golden.h"
#include "host_malloc.h"
#include "random_tree.h"
#include "tree_shap.h"
#include "xgboost.h"

enum
{
	P = 30,
	N_ROWS = 1000,
	N_RUNS = 5
};

static ex_arena arena;
static ex_host *host;
static double row[N_ROWS][P];
static double reference[N_ROWS][P];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec * 1e6 + (double) t.tv_nsec * 1e-3;
}

static void
stop(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, host->error.message);
	exit(1);
}

/* About normal: the sum of twelve uniform numbers. */
static double
random_normal(uint64_t *seed)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += random_unit(seed);
	return sum;
}

/* A complete tree; node i has the children 2i + 1 and 2i + 2. */
static void
put_tree(uint64_t *seed, uint32_t depth, ex_builder *builder)
{
	uint32_t	n_splits = (1u << depth) - 1;
	ex_raw_tree tree = {.weight = 1,.n_nodes = 2 * n_splits + 1};
	ex_raw_node *node;

	if (EX_ALLOC(host, tree.n_nodes, &node) != EX_OK)
		stop("memory");
	for (uint32_t i = tree.n_nodes; i-- > 0;)
	{
		node[i] = (ex_raw_node) {.left = -1,.right = -1,.gain = NAN};
		if (i >= n_splits)
		{
			node[i].value = random_normal(seed);
			node[i].cover = 1 + random_below(seed, 1000);
			continue;
		}
		node[i].op = EX_LE;
		node[i].feature = random_below(seed, P);
		node[i].threshold = random_normal(seed);
		node[i].default_left = random_below(seed, 2);
		node[i].left = (int32_t) (2 * i + 1);
		node[i].right = (int32_t) (2 * i + 2);
		node[i].cover = node[2 * i + 1].cover + node[2 * i + 2].cover;
	}
	tree.node = node;
	if (ex_tree_add(builder, &tree) != EX_OK)
		stop("tree");
}

static const ex_model *
random_ensemble(uint32_t n_trees, uint32_t depth)
{
	uint64_t	seed = 1;
	ex_builder	builder;
	ex_model   *model;

	ex_builder_init(&builder, host, EX_TREE);
	builder.n_outputs = 1;
	for (uint32_t f = 0; f < P; f++)
	{
		char		name[16];
		ex_feature	feature = {.name = name,.missing = EX_MISSING_NATIVE};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "f%u", f);
		(void) ex_put_feature(&builder, &feature);
	}
	(void) ex_put_f64(&builder, EX_TREE_BASE, 0);
	(void) ex_default_output_names(&builder);
	for (uint32_t t = 0; t < n_trees; t++)
		put_tree(&seed, depth, &builder);
	if (ex_build(&builder, &model) != EX_OK)
		stop("model");
	return model;
}

static const ex_model *
read_model(const char *path)
{
	size_t		size;
	char	   *text = golden_file(host, path, &size);
	ex_builder	builder;
	ex_xgboost_note note;
	ex_model   *model;

	if (ex_xgboost_read(host, EX_FORMAT_JSON, text, size, -1, &builder, &note) != EX_OK ||
		ex_build(&builder, &model) != EX_OK)
		stop(path);
	return model;
}

static int
by_size(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

typedef ex_status (*explain) (ex_compiled *, ex_host *, const ex_shap_call *, double *, double *);

/* Microseconds per row. */
static double
run(ex_compiled *compiled, explain what, const ex_background *background, int n_rows)
{
	static double phi[P * P];
	double		base;
	double		start = now();

	for (int i = 0; i < n_rows; i++)
	{
		ex_shap_call call = {row[i], {0, 1}, EX_RAW, *background};

		if (what(compiled, host, &call, phi, &base) != EX_OK)
			stop("explain");
	}
	return (now() - start) / n_rows;
}

#define TILE 256

/* The same in tiles. */
static double
run_tiles(ex_compiled *compiled, const ex_shap_method *method, bool pairs, const ex_background *background,
		  int n_rows)
{
	static double phi[TILE * P * P];
	double		start = now();

	for (int i = 0; i < n_rows; i += TILE)
	{
		ex_shap_call call = {row[i], {0, 1}, EX_RAW, *background};

		if ((pairs ? ex_shap_interactions_tile : ex_shap_values_tile)
			(method, compiled, host, &call, (uint32_t) (n_rows - i < TILE ? n_rows - i : TILE), phi) != EX_OK)
			stop("tile");
	}
	return (now() - start) / n_rows;
}

static void
report_tiles(const ex_model *model, const char *name, const char *what_name, const ex_shap_method *method,
			 bool pairs, uint32_t n_background)
{
	ex_background background = {reference[0], NULL, n_background, NULL, NULL, true};
	ex_compiled *compiled;
	double		time[N_RUNS];
	double		first;

	if (ex_compile(host, model, (size_t) 128 << 20, &compiled) != EX_OK)
		stop("compile");
	first = run_tiles(compiled, method, pairs, &background, N_ROWS);
	for (int i = 0; i < N_RUNS; i++)
		time[i] = run_tiles(compiled, method, pairs, &background, N_ROWS);
	qsort(time, N_RUNS, sizeof(time[0]), by_size);
	printf("%-14s %-26s %9.1f us/row; first pass %9.1f\n", name, what_name, time[N_RUNS / 2], first);
}

static void
report(const ex_model *model, const char *name, const char *what_name, explain what,
	   uint32_t n_background, int n_rows)
{
	ex_background background = {reference[0], NULL, n_background, NULL, NULL, true};
	ex_compiled *compiled;
	double		start = now();
	double		compile;
	double		first;
	double		cold;
	double		time[N_RUNS];
	size_t		memory = arena.bytes;

	if (ex_compile(host, model, (size_t) 128 << 20, &compiled) != EX_OK)
		stop("compile");
	compile = now() - start;
	first = run(compiled, what, &background, 1);
	cold = run(compiled, what, &background, n_rows);
	for (int i = 0; i < N_RUNS; i++)
		time[i] = run(compiled, what, &background, n_rows);
	qsort(time, N_RUNS, sizeof(time[0]), by_size);
	printf("%-14s %-26s %9.1f us/row; first pass %9.1f; compile %6.0f us, first row %7.0f us; "
		   "%6.1f MB, tables %6.1f MB\n",
		   name, what_name, time[N_RUNS / 2], cold, compile, first,
		   (double) (arena.bytes - memory) / 1e6, (double) compiled->table_bytes / 1e6);
}

static void
measure(const ex_model *model, const char *name, int n_rows)
{
	const ex_shap_method *path = &ex_tree_shap_methods[0];
	const ex_shap_method *interventional = &ex_tree_shap_methods[1];

	report(model, name, "path-dependent", path->values, 0, n_rows);
	report_tiles(model, name, "path-dependent, tiles", path, false, 0);
	report_tiles(model, name, "interactions, tiles", path, true, 0);
	if (getenv("TILES_ONLY"))
		return;
	report(model, name, "interactions", path->interactions, 0, n_rows / 4);
	if (getenv("PATH_ONLY"))
		return;
	report(model, name, "interventional, 100 rows", interventional->values, 100, n_rows);
	report(model, name, "interventional, 1000 rows", interventional->values, 1000, n_rows);
	report_tiles(model, name, "interventional, tiles", interventional, false, 1000);
}

int
main(int argc, char **argv)
{
	uint64_t	seed = 7;

	host = ex_arena_init(&arena);
	for (int i = 0; i < N_ROWS; i++)
		for (int f = 0; f < P; f++)
		{
			row[i][f] = random_normal(&seed);
			reference[i][f] = random_normal(&seed);
		}
	for (int i = 1; i < argc; i++)
		measure(read_model(argv[i]), strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i],
				N_ROWS / 2);
	if (argc == 1)
	{
		measure(random_ensemble(100, 6), "100 x depth 6", N_ROWS);
		measure(random_ensemble(1000, 6), "1000 x depth 6", 100);
		measure(random_ensemble(100, 10), "100 x depth 10", N_ROWS / 10);
		measure(random_ensemble(500, 8), "500 x depth 8", N_ROWS / 10);
	}
	ex_arena_free(&arena);
	return 0;
}
