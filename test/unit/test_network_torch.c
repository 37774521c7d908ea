/*
 * Networks of PyTorch 1.13: predictions and gradients by its autograd, which
 * calculates in float32.
 *
 * The files hold tensors by name; the layers are known from the names, the
 * shapes and the predictions:
 *		cnn_digits	conv 1-8 3 x 3 padding 1, batch norm, ReLU, max pool 2,
 *					conv 8-16 3 x 3 padding 1, ReLU, average pool 2, dense
 *		mlp_wine	13-16, ReLU, (dropout), 16-8, sigmoid, 8-3
 */
#include "golden.h"
#include "network_test.h"

#define FOLDER "test/data/models/torch/"

typedef struct tensors
{
	const char *header;
	const char *data;
} tensors;

static tensors
read_safetensors(const char *path)
{
	size_t		size;
	const char *file = golden_file(host, path, &size);
	uint64_t	length;

	/* little-endian, as this test's machine is (x86, ARM) */
	memcpy(&length, file, sizeof(length));
	return (tensors) {file + 8, file + 8 + length};
}

/* Appends the numbers of a float32 tensor; returns how many there are. */
static size_t
get_tensor(const tensors *file, const char *name, double *to)
{
	char		key[64];
	const char *entry;
	char	   *end;
	size_t		first;
	size_t		n;

	snprintf(key, sizeof(key), "\"%s\":", name);
	entry = strstr(file->header, key);
	if (entry == NULL || (entry = strstr(entry, "data_offsets\":[")) == NULL)
		bail_out(name);
	first = strtoul(entry + strlen("data_offsets\":["), &end, 10);
	n = (strtoul(end + 1, NULL, 10) - first) / sizeof(float);
	for (size_t i = 0; i < n; i++)
	{
		float		value;

		memcpy(&value, file->data + first + i * sizeof(float), sizeof(value));
		to[i] = value;
	}
	return n;
}

/* Fills a layer's weights with these tensors; NULL ends them. */
static void
fill_weights(node *layer, const tensors *file, const char *const *name)
{
	size_t		n = 0;

	for (; *name != NULL; name++)
		n += get_tensor(file, *name, layer->weight + n);
	is_int((int64_t) n, (int64_t) layer->n_weights, "weights of layer kind %s",
		   ex_layer_kind_names[layer->kind]);
}

#define NAMES(...) (const char *const[]) {__VA_ARGS__, NULL}

static void
add_conv(net *n, uint32_t channels, const tensors *file, const char *const *name)
{
	static const int32_t setting[EX_N_SETTINGS] = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0};
	ex_shape	from = n->node[n->n - 1].shape;
	node	   *layer = add_with_weights(n, EX_LAYER_CONV2D, shape_of(channels, from.height, from.width),
										 channels * (from.channels * 9 + 1), NULL);

	memcpy(layer->setting, setting, sizeof(setting));
	fill_weights(layer, file, name);
}

static void
add_pool(net *n, ex_layer_kind kind)
{
	static const int32_t setting[EX_N_SETTINGS] = {2, 2, 2, 2};
	ex_shape	from = n->node[n->n - 1].shape;
	node	   *layer = add_node(n, kind, shape_of(from.channels, from.height / 2, from.width / 2));

	memcpy(layer->setting, setting, sizeof(setting));
}

static net
cnn_digits(void)
{
	tensors		file = read_safetensors(FOLDER "cnn_digits.safetensors");
	net			n = new_net(shape_of(1, 8, 8));
	node	   *norm;

	add_conv(&n, 8, &file, NAMES("0.weight", "0.bias"));
	norm = add_with_weights(&n, EX_LAYER_BATCH_NORM, shape_of(8, 8, 8), 32, NULL);
	norm->number = 1e-5;
	fill_weights(norm, &file, NAMES("1.weight", "1.bias", "1.running_mean", "1.running_var"));
	add_activation(&n, EX_LAYER_RELU);
	add_pool(&n, EX_LAYER_MAX_POOL);
	add_conv(&n, 16, &file, NAMES("4.weight", "4.bias"));
	add_activation(&n, EX_LAYER_RELU);
	add_pool(&n, EX_LAYER_AVERAGE_POOL);
	add_node(&n, EX_LAYER_RESHAPE, shape_of(64, 1, 1));
	fill_weights(add_dense(&n, 10, NULL), &file, NAMES("8.weight", "8.bias"));
	return n;
}

static net
mlp_wine(void)
{
	tensors		file = read_safetensors(FOLDER "mlp_wine.safetensors");
	net			n = new_net(shape_of(13, 1, 1));

	fill_weights(add_dense(&n, 16, NULL), &file, NAMES("0.weight", "0.bias"));
	add_activation(&n, EX_LAYER_RELU);
	fill_weights(add_dense(&n, 8, NULL), &file, NAMES("3.weight", "3.bias"));
	add_activation(&n, EX_LAYER_SIGMOID);
	fill_weights(add_dense(&n, 3, NULL), &file, NAMES("5.weight", "5.bias"));
	return n;
}

/* Largest difference, relative to the largest number of the peer's table. */
static double
difference(const double *got, const golden_table *expected)
{
	double		worst = 0;
	double		scale = 0;

	for (size_t i = 0; i < expected->rows * expected->columns; i++)
	{
		worst = fmax(worst, fabs(got[i] - expected->value[i]));
		scale = fmax(scale, fabs(expected->value[i]));
	}
	return worst / scale;
}

static uint32_t
top(const double *value, size_t n)
{
	uint32_t	best = 0;

	for (uint32_t k = 1; k < n; k++)
		if (value[k] > value[best])
			best = k;
	return best;
}

static void
test_predictions(ex_compiled *compiled, const golden_table *x, const golden_table *expected,
				 const char *name)
{
	double	   *raw = get_numbers(expected->rows * expected->columns);
	double		error;

	for (size_t i = 0; i < x->rows; i++)
		is_status(host, ex_network_predict_raw(compiled, host, x->value + i * x->columns, 1,
											   raw + i * expected->columns),
				  EX_OK, "%s: row %zu", name, i);
	error = difference(raw, expected);
	ok(error <= 1e-6, "%s: predictions differ by %.1e", name, error);
	ok(ex_network_predict_raw(compiled, host, x->value, x->rows, raw) == EX_OK &&
	   difference(raw, expected) <= 1e-6, "... also in a batch");
}

/* outputs: gradients of each, one after the other in a row; 0: of the top one alone */
static void
test_gradients(ex_compiled *compiled, const golden_table *x, const golden_table *prediction,
			   const golden_table *expected, size_t outputs, const char *name)
{
	double	   *gradient = get_numbers(expected->rows * expected->columns);
	double	   *seed = get_numbers(prediction->columns);
	double		error;

	for (size_t i = 0; i < x->rows; i++)
		for (size_t k = 0; k < (outputs == 0 ? 1 : outputs); k++)
		{
			memset(seed, 0, prediction->columns * sizeof(double));
			seed[outputs > 0 ? k : top(prediction->value + i * prediction->columns,
									   prediction->columns)] = 1;
			if (ex_network_gradient_raw(compiled, host, x->value + i * x->columns, 1, seed,
										gradient + i * expected->columns + k * x->columns) != EX_OK)
				bail_out(name);
		}
	error = difference(gradient, expected);
	/* mlp_wine: 7e-6, as autograd in float64 does; s (1 - s) loses digits where s is near 1 */
	ok(error <= 1e-5, "%s: gradients differ by %.1e", name, error);
}

static void
test_model(const net *n, const char *name, const char *gradient_file, size_t outputs)
{
	ex_compiled *compiled = compiled_of(n);
	char		path[200];
	golden_table x;
	golden_table prediction;
	golden_table gradient;

	snprintf(path, sizeof(path), FOLDER "%s.X.csv", name);
	x = golden_csv(host, path);
	snprintf(path, sizeof(path), FOLDER "%s.pred.csv", name);
	prediction = golden_csv(host, path);
	snprintf(path, sizeof(path), FOLDER "%s", gradient_file);
	gradient = golden_csv(host, path);
	is_int((int64_t) x.rows, 20, "%s: rows", name);
	test_predictions(compiled, &x, &prediction, name);
	test_gradients(compiled, &x, &prediction, &gradient, outputs, name);
}

int
main(void)
{
	net			n;

	host = ex_arena_init(&arena);
	n = cnn_digits();
	test_model(&n, "cnn_digits", "cnn_digits.grad_of_top_logit.csv", 0);
	n = mlp_wine();
	test_model(&n, "mlp_wine", "mlp_wine.grad.csv", 3);
	ex_arena_free(&arena);
	return unit_done();
}
