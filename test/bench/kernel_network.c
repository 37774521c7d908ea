/*
 * kernel_network.c
 *		Time of running networks, without a server.
 *
 * Prints, per row, the median of five runs in nanoseconds: one row at a time
 * forward, and forward and backward; the same in batches of 256 rows through
 * the plain matrix products.  The networks: an MLP of 30-64-64-1 with ReLU,
 * with weights in float32 and in float64, one with tanh, a larger one, and a
 * CNN for digits of 8 x 8 pixels and one for images of 28 x 28.
 */
#include <time.h>

#include "network_test.h"

enum
{
	N_RUNS = 5,
	BATCH = 256
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

static node *
with_random(node *layer, bool is_f32)
{
	for (size_t i = 0; i < layer->n_weights; i++)
	{
		double		w = 2 * random_number() / sqrt((double) layer->n_weights / layer->shape.channels);

		layer->weight[i] = is_f32 ? (float) w : w;
	}
	return layer;
}

static net
mlp(uint32_t inputs, const uint32_t *hidden, uint32_t outputs, ex_layer_kind kind, bool is_f32)
{
	net			made = new_net(shape_of(inputs, 1, 1));

	for (; *hidden > 0; hidden++)
	{
		with_random(add_dense(&made, *hidden, NULL), is_f32);
		add_activation(&made, kind);
	}
	with_random(add_dense(&made, outputs, NULL), is_f32);
	return made;
}

/* 3 x 3 with one pixel of padding, ReLU, and the maximum of 2 x 2 */
static void
add_block(net *n, uint32_t channels)
{
	ex_shape	from = n->node[n->n - 1].shape;
	node	   *layer = add_with_weights(n, EX_LAYER_CONV2D, shape_of(channels, from.height, from.width),
										 channels * (from.channels * 9 + 1), NULL);
	static const int32_t conv[EX_N_SETTINGS] = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0};
	static const int32_t pool[EX_N_SETTINGS] = {2, 2, 2, 2};

	memcpy(layer->setting, conv, sizeof(conv));
	with_random(layer, true);
	add_activation(n, EX_LAYER_RELU);
	layer = add_node(n, EX_LAYER_MAX_POOL, shape_of(channels, from.height / 2, from.width / 2));
	memcpy(layer->setting, pool, sizeof(pool));
}

static net
cnn(uint32_t size, uint32_t first, uint32_t second)
{
	net			made = new_net(shape_of(1, size, size));
	ex_shape	last;

	add_block(&made, first);
	add_block(&made, second);
	last = made.node[made.n - 1].shape;
	add_node(&made, EX_LAYER_RESHAPE, shape_of((uint32_t) ex_shape_size(last), 1, 1));
	with_random(add_dense(&made, 10, NULL), true);
	return made;
}

static int
by_size(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

typedef struct job
{
	ex_compiled *compiled;
	double	   *x;
	double	   *seed;
	double	   *out;
	size_t		rows;			/* at a time */
	bool		backward;
} job;

/* Nanoseconds per row. */
static double
run(const job *j, size_t calls)
{
	const ex_model *model = j->compiled->model;
	double		start = now();

	for (size_t i = 0; i < calls; i++)
	{
		const double *x = j->x + (j->rows == 1 ? i % BATCH * model->n_features : 0);

		if ((j->backward ?
			 ex_network_gradient_raw(j->compiled, host, x, j->rows, j->seed, j->out) :
			 ex_network_predict_raw(j->compiled, host, x, j->rows, j->out)) != EX_OK)
			bail_out("run");
	}
	return (now() - start) / (double) (calls * j->rows);
}

static double
median(const job *j)
{
	double		time[N_RUNS];
	double		once = run(j, 1) * (double) j->rows;
	size_t		calls = (size_t) (3e7 / once) + 1;

	for (int i = 0; i < N_RUNS; i++)
		time[i] = run(j, calls);
	qsort(time, N_RUNS, sizeof(time[0]), by_size);
	return time[N_RUNS / 2];
}

static void
measure(const char *name, net n)
{
	job			j = {.compiled = compiled_of(&n)};
	const ex_model *model = j.compiled->model;

	j.x = get_numbers(BATCH * model->n_features);
	j.seed = get_numbers(BATCH * model->n_outputs);
	j.out = get_numbers(BATCH * (model->n_features + model->n_outputs));
	for (size_t i = 0; i < BATCH * model->n_features; i++)
		j.x[i] = random_number();
	for (size_t i = 0; i < BATCH; i++)
		j.seed[i * model->n_outputs] = 1;
	printf("%-26s", name);
	for (j.rows = 1; j.rows <= BATCH; j.rows *= BATCH)
	{
		j.backward = false;
		printf(" %s: %9.0f", j.rows == 1 ? "one row" : "; batch", median(&j));
		j.backward = true;
		printf(" %9.0f", median(&j));
	}
	printf(" ns/row\n");
}

int
main(void)
{
	static const uint32_t usual[] = {64, 64, 0};
	static const uint32_t large[] = {512, 512, 0};

	host = ex_arena_init(&arena);
	measure("30-64-64-1 ReLU, float32", mlp(30, usual, 1, EX_LAYER_RELU, true));
	measure("30-64-64-1 ReLU, float64", mlp(30, usual, 1, EX_LAYER_RELU, false));
	measure("30-64-64-1 tanh, float32", mlp(30, usual, 1, EX_LAYER_TANH, true));
	measure("100-512-512-10 ReLU", mlp(100, large, 10, EX_LAYER_RELU, true));
	measure("CNN 8 x 8, 8 and 16", cnn(8, 8, 16));
	measure("CNN 28 x 28, 32 and 64", cnn(28, 32, 64));
	ex_arena_free(&arena);
	return 0;
}
