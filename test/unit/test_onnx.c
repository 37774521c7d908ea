/*
 * test_onnx.c
 *		The reader of ONNX files against onnxruntime.
 *
 * test/data/models/onnx has exported models with the predictions of
 * onnxruntime and of the libraries they come from; onnx_operators one small
 * graph for each operator or combination (make.py says which), with those of
 * onnxruntime; onnx_refused graphs that must not be read.  Rows of trees sit on
 * thresholds and one ulp of both widths beside them: a wrong leaf shows.
 *
 * onnxruntime calculates in float32, we in float64: up to 2e-6 relative.
 */
#include <dirent.h>

#include "family.h"
#include "golden.h"
#include "host_malloc.h"
#include "network.h"
#include "onnx.h"
#include "unit.h"

#define MODELS "test/data/models/"

static ex_arena arena;
static ex_host *host;

static ex_status
read_bytes(const void *data, size_t size, const ex_onnx_options *options, ex_model **model)
{
	static const ex_onnx_options none;
	ex_builder	builder;

	EX_TRY(ex_onnx_read(host, data, size, options != NULL ? options : &none, &builder));
	return ex_build(&builder, model);
}

static ex_status
read_file(const char *path, const ex_onnx_options *options, ex_model **model)
{
	size_t		size;
	char	   *data = golden_file(host, path, &size);

	return read_bytes(data, size, options, model);
}

static const char *
path_of(const char *folder, const char *name, const char *suffix)
{
	static char path[4][300];
	static int	turn = 0;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), MODELS "%s/%s%s", folder, name, suffix);
	return path[turn];
}

/* As golden_feature; of named levels, a fraction is none. */
static double
feature_value(const ex_model *model, uint32_t i, double value)
{
	ex_feature	feature;

	ex_get_feature(model, i, &feature);
	if (feature.kind == EX_CATEGORICAL && value != trunc(value) && !(feature.flags & (EX_FEATURE_CODED | EX_FEATURE_TRUNCATE)))
		return isnan(value) ? value : -1;
	return golden_feature(model, i, value);
}

/*
 * Largest difference of responses to the last columns of a table, relative to
 * 1 or more; NaN if the model does not run.  Of one score for two classes the
 * table has both.
 */
static double
difference(const ex_model *model, const golden_table *x, const golden_table *expected)
{
	uint32_t	n_outputs = model->n_outputs;
	double	   *vector = host->alloc(host, x->columns * sizeof(double));
	double	   *raw = host->alloc(host, n_outputs * sizeof(double));
	double		largest = 0;
	ex_compiled *compiled;

	if (x->columns != model->n_features || expected->columns < n_outputs || expected->rows != x->rows ||
		ex_compile(host, model, 1 << 20, &compiled) != EX_OK)
		return NAN;
	for (size_t i = 0; i < x->rows; i++)
	{
		const double *answer = expected->value + (i + 1) * expected->columns - n_outputs;

		for (size_t j = 0; j < x->columns; j++)
			vector[j] = feature_value(model, (uint32_t) j, x->value[i * x->columns + j]);
		if (compiled->family->predict_raw(compiled, host, vector, 1, raw) != EX_OK)
			return NAN;
		ex_response(model, raw, raw);
		for (uint32_t k = 0; k < n_outputs; k++)
			largest = fmax(largest, fabs(raw[k] - answer[k]) / fmax(1, fabs(answer[k])));
	}
	return largest;
}

/* ---------------------------------------------------------------- golden */

typedef struct golden
{
	const char *name;
	ex_family_id family;
	ex_link		link;
	uint32_t	n_outputs;
	const char *first_output;
	bool		has_source;
} golden;

static const golden goldens[] = {
	{"cnn_digits_torch_export", EX_NETWORK, EX_LINK_IDENTITY, 10, "0", true},
	{"imputer_linearregressor", EX_LINEAR, EX_LINK_IDENTITY, 1, "0", false},
	{"mlp_gemm_tanh", EX_NETWORK, EX_LINK_SOFTMAX, 3, "0", true},
	{"mlp_torch_export", EX_NETWORK, EX_LINK_IDENTITY, 3, "0", true},
	{"rf_reg_treeensemble", EX_TREE, EX_LINK_IDENTITY, 1, "0", true},
	{"scaler_linearclassifier", EX_LINEAR, EX_LINK_SOFTMAX, 3, "0", true}
};

static void
test_golden(const golden *golden)
{
	golden_table x = golden_csv(host, path_of("onnx", golden->name, ".X.csv"));
	golden_table answer = golden_csv(host, path_of("onnx", golden->name, ".ort_pred.csv"));
	ex_model   *model;
	uint32_t	length;
	double		worst;

	if (!ok(read_file(path_of("onnx", golden->name, ".onnx"), NULL, &model) == EX_OK, "%s is read", golden->name))
	{
		printf("#   %s\n", host->error.message);
		return;
	}
	ok(model->family == golden->family && model->link == golden->link && model->n_outputs == golden->n_outputs,
	   "%s: family, link and outputs", golden->name);
	ok(strncmp(ex_get_name(model, EX_OUTPUT_NAME_START, 0, &length), golden->first_output, length) == 0,
	   "%s: name of its first output", golden->name);
	worst = difference(model, &x, &answer);
	ok(worst < 2e-6, "%s: predictions of onnxruntime, %.1e", golden->name, worst);
	if (!golden->has_source)
		return;
	answer = golden_csv(host, path_of("onnx", golden->name, ".source_pred.csv"));
	worst = difference(model, &x, &answer);
	ok(worst < 2e-6, "%s: predictions of the library, %.1e", golden->name, worst);
}

/* Models whose inputs are strings are in test/sql/import_onnx.sql. */
static bool
has_text(const char *name)
{
	return strncmp(name, "mixed_", 6) == 0 || strcmp(name, "label_tree") == 0;
}

static void
test_operator(const char *name)
{
	ex_model   *model;
	golden_table x;
	golden_table answer;
	double		worst;

	if (read_file(path_of("onnx_operators", name, ".onnx"), NULL, &model) != EX_OK)
	{
		ok(false, "%s is read", name);
		printf("#   %s\n", host->error.message);
		return;
	}
	if (has_text(name))
		return;
	x = golden_csv(host, path_of("onnx_operators", name, ".X.csv"));
	answer = golden_csv(host, path_of("onnx_operators", name, ".ort_pred.csv"));
	worst = difference(model, &x, &answer);
	ok(worst < 2e-6, "%s: predictions of onnxruntime, %zu rows, %.1e", name, x.rows, worst);
}

static int
compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Every file NAME.onnx of a folder, in the order of their names. */
static void
for_each(const char *folder, void (*test) (const char *name))
{
	DIR		   *dir = opendir(path_of(folder, "", ""));
	struct dirent *entry;
	char	   *name[500];
	int			n = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL && n < 500)
	{
		size_t		length = strlen(entry->d_name);

		if (length <= 5 || strcmp(entry->d_name + length - 5, ".onnx") != 0)
			continue;
		name[n] = host->alloc(host, length);
		memcpy(name[n], entry->d_name, length - 5);
		name[n++][length - 5] = '\0';
	}
	if (dir != NULL)
		closedir(dir);
	ok(n > 0, "there are files in %s", folder);
	qsort(name, (size_t) n, sizeof(char *), compare_words);
	for (int i = 0; i < n; i++)
		test(name[i]);
}

/* -------------------------------------------------------------- refusals */

typedef struct refusal
{
	const char *name;
	ex_status	status;
	const char *message;
} refusal;

static const refusal refusals[] = {
	{"custom_domain", EX_UNSUPPORTED, "ONNX node 1 (\"r\", operator Relu): operator Relu is not supported"},
	{"external", EX_UNSUPPORTED, "ONNX tensor \"W\" has its data in another file"},
	{"huge_constant", EX_LIMIT, "has more than 33554432 elements"},
	{"huge_input", EX_LIMIT, "ONNX input \"x\" has more columns"},
	{"imputer_marker", EX_UNSUPPORTED, "missing values are marked by -999"},
	{"mixes_rows", EX_UNSUPPORTED, "rows must stay the first dimension"},
	{"nonfinite", EX_RANGE, "is not a finite number"},
	{"normalizer", EX_UNSUPPORTED, "(\"norm\", operator Normalizer): a row is normalised"},
	{"only_columns", EX_UNSUPPORTED, "output \"y\" is not that of a model"},
	{"order", EX_INVALID, "is not made from any input"},
	{"pad_reflect", EX_UNSUPPORTED, "(\"border\", operator Pad)"},
	{"scale_zero", EX_UNSUPPORTED, "multiplied by 0"},
	{"string_tensor", EX_UNSUPPORTED, "strings cannot be calculated with"},
	{"svm", EX_UNSUPPORTED, "ONNX node 1 (\"my svm\", operator SVMRegressor): operator SVMRegressor is not supported"},
	{"tanh_gelu", EX_UNSUPPORTED, "approximation \"tanh\""},
	{"tree_cycle", EX_INVALID, "the root of tree 0 has a parent"},
	{"tree_feature", EX_INVALID, "tests column 5, but there are 2"},
	{"tree_leaf_inf", EX_RANGE, "is not finite"},
	{"tree_length", EX_INVALID, "\"nodes_values\" has 2 elements, not 3"},
	{"tree_min", EX_UNSUPPORTED, "aggregate_function MIN"},
	{"tree_mode", EX_INVALID, "mode \"BRANCH_LIKE\" is unknown"},
	{"tree_nan", EX_INVALID, "is not a number"},
	{"tree_no_child", EX_INVALID, "node 7 of tree 0 does not exist"},
	{"tree_probit", EX_UNSUPPORTED, "post_transform PROBIT"},
	{"tree_target", EX_INVALID, "element 2 of \"target_ids\" is out of range: 3"},
	{"tree_twice", EX_INVALID, "node 1 of tree 0 is given twice"},
	{"tree_two_parents", EX_INVALID, "tree node 2 has a weight but is no leaf"},
	{"two_outputs", EX_INVALID, "several outputs"},
	{"unknown_columns", EX_UNSUPPORTED, "does not say how many columns"},
	{"unknown_operator", EX_UNSUPPORTED, "ONNX node 2 (\"hm\", operator Hardmax): operator Hardmax is not supported"},
	{"weights", EX_INVALID, "do not go with an input of 2 columns"}
};

static void
test_refusal(const char *name)
{
	const refusal *expected = NULL;
	ex_model   *model;
	ex_status	status = read_file(path_of("onnx_refused", name, ".onnx"), NULL, &model);

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strcmp(refusals[i].name, name) == 0)
			expected = &refusals[i];
	if (!ok(expected != NULL && status == expected->status && strstr(host->error.message, expected->message) != NULL,
			"%s is refused", name))
		printf("#   status %d: %s\n", status, host->error.message);
}

/* The right classes of error, whatever is wrong with the bytes. */
static bool
is_answer(ex_status status)
{
	return status == EX_OK || status == EX_BINARY || status == EX_INVALID || status == EX_RANGE ||
		status == EX_UNSUPPORTED || status == EX_LIMIT || status == EX_ENCODING || status == EX_DIMENSION;
}

static void
test_damage(const char *name)
{
	size_t		size;
	char	   *data = golden_file(host, path_of("onnx", name, ".onnx"), &size);
	bool		held = true;
	bool		cut_fails = true;

	for (size_t i = 0; i < size; i++)
	{
		ex_arena	own;
		ex_host    *kept = host;
		ex_model   *model;
		ex_status	status;
		uint8_t		byte = (uint8_t) data[i];

		host = ex_arena_init(&own);
		for (int bit = 0; bit < 8; bit += 7)
		{
			data[i] = (char) (byte ^ 1 << bit);
			status = read_bytes(data, size, NULL, &model);
			held &= is_answer(status);
		}
		data[i] = (char) byte;
		status = read_bytes(data, i, NULL, &model);
		cut_fails &= status != EX_OK || i + 40 > size;
		held &= is_answer(status);
		ex_arena_free(&own);
		host = kept;
	}
	ok(held, "%s: every flipped byte has an answer", name);
	ok(cut_fails, "%s: what is cut off is refused", name);
}

static void
test_counts(void)
{
	static const uint8_t beyond[] = {0x3a, 0xff, 0xff, 0xff, 0xff, 0x07, 0};
	static const uint8_t wraps[] = {0x3a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0};
	static const uint8_t endless[] = {0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
	ex_model   *model;

	is_int(read_bytes(beyond, sizeof(beyond), NULL, &model), EX_BINARY, "a length of 2^31 - 1");
	is_int(read_bytes(wraps, sizeof(wraps), NULL, &model), EX_BINARY, "a length of 2^61");
	is_int(read_bytes(endless, sizeof(endless), NULL, &model), EX_BINARY, "a number without end");
	is_int(read_bytes("", 0, NULL, &model), EX_BINARY, "an empty file");
	is_int(read_bytes("PK\003\004abc", 7, NULL, &model), EX_BINARY, "a zip archive");
	ok(strstr(host->error.message, "zip archive") != NULL, "which is called by its name");
}

/* --------------------------------------------------------------- options */

static void
test_options(void)
{
	static const char *const three[] = {"low", "middle", "high"};
	static const char *const ink[] = {"ink"};
	const ex_onnx_options outputs = {.output = three, .n_outputs = 3};
	const ex_onnx_options channels = {.channel = ink, .n_channels = 1};
	const ex_onnx_options features = {.feature = three, .n_features = 3};
	const ex_onnx_options z = {.graph_output = "z"};
	const ex_onnx_options none = {.graph_output = "zz"};
	const char *mlp = path_of("onnx", "mlp_gemm_tanh", ".onnx");
	const char *cnn = path_of("onnx", "cnn_digits_torch_export", ".onnx");
	ex_model   *model;
	uint32_t	count;

	ok(read_file(mlp, &outputs, &model) == EX_OK && ex_find_output(model, "middle", 6) == 1, "outputs are named");
	is_int(read_file(mlp, &features, &model), EX_DIMENSION, "3 names for 13 features");
	is_int(read_file(mlp, &channels, &model), EX_INVALID, "channels without an image");
	is_int(read_file(cnn, &outputs, &model), EX_DIMENSION, "3 names for 10 outputs");
	is_int(read_file(cnn, &features, &model), EX_INVALID, "names for pixels");
	ok(read_file(cnn, &channels, &model) == EX_OK && ex_find_feature(model, "ink[7,1]", 8) == 57, "channels are named");
	ok(ex_get(model, EX_IMAGE_SHAPE, &count) != NULL && count == 3, "an image has a shape");
	ok(ex_get(model, EX_LAYER_WEIGHT_F32, &count) != NULL && count == 8 * 9 + 8 + 16 * 8 * 9 + 16 + 10 * 64 + 10,
	   "weights stay float32");
	ok(read_file(path_of("onnx_refused", "two_outputs", ".onnx"), &z, &model) == EX_OK, "an output is chosen");
	is_int(read_file(path_of("onnx_refused", "two_outputs", ".onnx"), &none, &model), EX_INVALID, "one that is not there");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++)
		test_golden(&goldens[i]);
	for_each("onnx_operators", test_operator);
	for_each("onnx_refused", test_refusal);
	test_damage("scaler_linearclassifier");
	test_damage("mlp_torch_export");
	test_damage("imputer_linearregressor");
	test_counts();
	test_options();
	ex_arena_free(&arena);
	return unit_done();
}
