/*
 * test_fold.c
 *		Folding preprocessing into linear models: scikit-learn's pipelines, and
 *		random encodings, where the folded model on original rows must say what
 *		the encoded model says on encoded rows.
 */
#include <float.h>

#include "linear_test.h"

/* ---------------------------------------------------------------- encoding */

static void
test_encode(void)
{
	const double edges[] = {1, 2, 3};
	const ex_encoded_column scaled = {.op = EX_ENCODE_VALUE,.center = 3,.scale = -2};
	const ex_encoded_column imputed = {.op = EX_ENCODE_VALUE,.imputes = true,.impute = 7,.center = 3,.scale = 2};
	const ex_encoded_column level = {.op = EX_ENCODE_LEVEL,.level = 2,.scale = 1};
	const ex_encoded_column bin = {.op = EX_ENCODE_BIN,.low = 1,.high = 2,.scale = 1};
	const ex_encoded_column number = {.op = EX_ENCODE_BIN_NUMBER,.edges = edges,.n_edges = 3,.scale = 1};
	const ex_encoded_column missing = {.op = EX_ENCODE_MISSING,.center = 0.25,.scale = 0.5};

	is_double(ex_encode(&scaled, 4), -0.5, "affine");
	ok(isnan(ex_encode(&scaled, NAN)), "affine of a missing value is missing");
	is_double(ex_encode(&imputed, NAN), 2, "imputed before scaling");
	is_double(ex_encode(&level, 2), 1, "level");
	is_double(ex_encode(&level, -1), 0, "another level");
	is_double(ex_encode(&level, NAN), 0, "no level");
	is_double(ex_encode(&bin, 2), 1, "upper limit of a bin");
	is_double(ex_encode(&bin, 1), 0, "lower limit of a bin");
	is_double(ex_encode(&number, 1), 0, "an edge is not below itself");
	is_double(ex_encode(&number, 2.5), 2, "edges below");
	is_double(ex_encode(&number, 9), 3, "all edges below");
	is_double(ex_encode(&missing, NAN), 1.5, "missing, scaled");
	is_double(ex_encode(&missing, 8), -0.5, "not missing, scaled");
}

/* The largest x with (x - center) / scale <= limit, tried on both sides of the answer. */
static void
test_fold_affine(void)
{
	long		wrong = 0;

	for (int i = 0; i < 20000; i++)
	{
		double		center = ldexp(random_unit() - 0.5, (int) random_below(40) - 20);
		double		scale = ldexp(random_unit() + 0.01, (int) random_below(80) - 40);
		double		limit = ldexp(random_unit() - 0.5, (int) random_below(80) - 40);
		double		x = ex_fold_affine(limit, center, scale);

		wrong += !((x - center) / scale <= limit);
		wrong += (nextafter(x, INFINITY) - center) / scale <= limit;
	}
	is_int(wrong, 0, "20000 random thresholds: the last x that satisfies, exactly");
	is_double(ex_fold_affine(1.5, 0, 1), 1.5, "nothing to fold");
	is_double(ex_fold_affine(INFINITY, 3, 2), INFINITY, "no limit");
	is_double(ex_fold_affine(-INFINITY, 3, 2), -INFINITY, "nothing satisfies");
	is_double(ex_fold_affine(DBL_MAX, 0, 0.5), DBL_MAX / 2,
			  "division that overflows above");
}

/* ---------------------------------------------------------------- scikit-learn */

/* Writes our document from a native one of a scaled or plain model. */
static void
write_inputs(ex_json *json, ex_json_value native, ex_buffer *out)
{
	ex_json_value inputs = ex_json_get(json, native, "inputs");
	ex_json_value transforms = ex_json_get(json, native, "transforms");
	ex_json_cursor cursor;
	ex_json_value value;
	double	   *mean = NULL;
	double	   *scale = NULL;
	size_t		n;
	size_t		i = 0;

	ex_json_begin(json, inputs, &cursor);
	ex_append_text(host, out, "\"features\":[");
	while (ex_json_next(json, &cursor, &value))
	{
		const char *name;
		size_t		length;

		ex_json_string(json, ex_json_get(json, value, "name"), &name, &length);
		ex_append_text(host, out, i++ > 0 ? "," : "");
		ex_json_put_string(host, out, name, length);
	}
	ex_append_text(host, out, "]");
	if (transforms.at == NULL)
		return;
	ex_json_begin(json, transforms, &cursor);
	ex_json_next(json, &cursor, &value);
	ex_json_doubles(json, ex_json_get(json, value, "mean"), "mean", &mean, &n);
	ex_json_doubles(json, ex_json_get(json, value, "scale"), "scale", &scale, &n);
	ex_append_text(host, out, ",\"inputs\":[");
	for (i = 0; i < n; i++)
		ex_appendf(host, out, "%s{\"feature\":%zu,\"center\":%.17g,\"scale\":%.17g}", i > 0 ? "," : "",
				   i, mean[i], scale[i]);
	ex_append_text(host, out, "]");
}

/* One input for each encoded column of the pipeline; features with their policies. */
static void
write_pipeline(ex_json *json, ex_json_value native, ex_buffer *out)
{
	ex_json_cursor cursor;
	ex_json_value value;
	const char *separator = "";

	ex_append_text(host, out,
				   "\"features\":[\"weight\",\"height\",{\"name\":\"colour\",\"levels\":[\"blue\",\"green\",\"red\"],"
				   "\"unknown\":\"other\"},{\"name\":\"size\",\"levels\":[\"L\",\"M\",\"S\",\"XL\"],\"unknown\":\"other\"}],"
				   "\"inputs\":[");
	ex_json_begin(json, ex_json_get(json, native, "encoded"), &cursor);
	while (ex_json_next(json, &cursor, &value))
	{
		const char *name;
		const char *level;
		size_t		length;
		double		mean;
		double		scale;
		double		impute[] = {70.27740087120695, 170.29168939384945};

		ex_json_string(json, ex_json_get(json, value, "input"), &name, &length);
		ex_appendf(host, out, "%s{\"feature\":\"%s\"", separator, name);
		separator = ",";
		if (ex_json_equals(json, ex_json_get(json, value, "op"), "onehot"))
		{
			ex_json_string(json, ex_json_get(json, value, "category"), &level, &length);
			ex_appendf(host, out, ",\"level\":\"%s\"}", level);
			continue;
		}
		ex_json_number(json, ex_json_get(json, value, "mean"), "mean", &mean);
		ex_json_number(json, ex_json_get(json, value, "scale"), "scale", &scale);
		ex_appendf(host, out, ",\"impute\":%.17g,\"center\":%.17g,\"scale\":%.17g}",
				   impute[strcmp(name, "weight") != 0], mean, scale);
	}
	ex_append_text(host, out, "]");
}

static ex_model *
sklearn_model(const char *name)
{
	char		path[256];
	size_t		size;
	char	   *text;
	ex_json		json;
	ex_json_value native;
	double	   *coefficient;
	double	   *intercept;
	size_t		n;
	size_t		n_outputs;
	ex_json_cursor cursor;
	ex_json_value row;
	ex_buffer	out = {0};
	ex_json_value link;
	ex_model   *model;

	snprintf(path, sizeof(path), "test/data/models/sklearn/%s.native.json", name);
	text = golden_file(host, path, &size);
	ex_json_open(&json, host, EX_FORMAT_JSON, text, size, &native);
	link = ex_json_get(&json, native, "link");
	ex_append_text(host, &out, "{\"family\":\"linear\",");
	if (ex_json_get(&json, native, "encoded").at != NULL)
		write_pipeline(&json, native, &out);
	else
		write_inputs(&json, native, &out);
	ex_json_doubles(&json, ex_json_get(&json, native, "intercept"), "intercept", &intercept, &n_outputs);
	for (int i = 0; i < EX_N_LINKS; i++)
		if (ex_json_equals(&json, link, ex_link_names[i]))
			ex_appendf(host, &out, ",\"link\":\"%s\"", ex_link_names[i]);
	if (ex_json_equals(&json, link, "ovr_logit"))
		ex_append_text(host, &out, ",\"link\":\"ovr\"");
	ex_appendf(host, &out, ",\"outputs\":%zu,\"intercept\":", n_outputs);
	ex_json_put_doubles(host, &out, intercept, n_outputs);
	ex_append_text(host, &out, ",\"coefficients\":[");
	ex_json_begin(&json, ex_json_get(&json, native, "coef"), &cursor);
	for (size_t k = 0; ex_json_next(&json, &cursor, &row); k++)
	{
		ex_json_doubles(&json, row, "coef", &coefficient, &n);
		ex_append_text(host, &out, k > 0 ? "," : "");
		ex_json_put_doubles(host, &out, coefficient, n);
	}
	ex_append_text(host, &out, "]}");
	if (!is_status(host, ex_model_from_json(host, out.data, out.size, &model), EX_OK, "%s: read", name))
		exit(1);
	return model;
}

/* Response of all outputs of one row against columns first .. of the predictions. */
static void
check_row(ex_compiled *compiled, const double *x, const double *expected, const char *name, size_t row)
{
	const ex_model *model = compiled->model;
	double		raw[4];
	double		scale = 1;

	predict(compiled, x, 1, raw);
	if (model->link == EX_LINK_IDENTITY)
		scale = sum_of_terms(model, 0, x);
	ex_response(model, raw, raw);
	for (uint32_t k = 0; k < model->n_outputs; k++)
		is_near(raw[k], expected[k], 1e-12 * fmax(scale, fabs(expected[k])), "%s, row %zu, output %u", name, row + 1, k);
}

static void
test_sklearn(const char *name)
{
	char		path[256];
	golden_table rows;
	golden_table expected;
	ex_compiled *compiled = compile(sklearn_model(name));

	snprintf(path, sizeof(path), "test/data/models/sklearn/%s.X.csv", name);
	rows = golden_csv(host, path);
	snprintf(path, sizeof(path), "test/data/models/sklearn/%s.pred.csv", name);
	expected = golden_csv(host, path);
	for (size_t i = 0; i < rows.rows; i++)
		check_row(compiled, rows.value + i * rows.columns, expected.value + i * expected.columns, name, i);
}

static void
test_sklearn_pipeline(void)
{
	ex_model   *model = sklearn_model("pipeline_onehot_logreg");
	ex_compiled *compiled = compile(model);
	golden_table expected = golden_csv(host, "test/data/models/sklearn/pipeline_onehot_logreg.pred.csv");
	size_t		size;
	char	   *rows = golden_file(host, "test/data/models/sklearn/pipeline_onehot_logreg.X.csv", &size);
	char	   *cell[8];
	ex_feature	feature;

	ex_get_feature(model, 0, &feature);
	is_int(feature.missing, EX_MISSING_IMPUTE, "a feature that all inputs impute alike imputes");
	is_double(feature.impute, 70.27740087120695, "the value");
	split_line(&rows, cell, 8);
	for (size_t i = 0; i < expected.rows; i++)
	{
		double		x[4];
		double		raw;

		split_line(&rows, cell, 8);
		x[0] = cell[3][0] != '\0' ? strtod(cell[3], NULL) : NAN;
		x[1] = cell[4][0] != '\0' ? strtod(cell[4], NULL) : NAN;
		x[2] = ex_find_level(model, 2, cell[1], strlen(cell[1]));
		x[3] = ex_find_level(model, 3, cell[2], strlen(cell[2]));
		predict(compiled, x, 1, &raw);
		is_near(raw, expected.value[2 * i], 1e-12 * sum_of_terms(model, 0, x), "pipeline, row %zu: decision", i + 1);
		check_row(compiled, x, expected.value + 2 * i + 1, "pipeline", i);
	}
}

/* ---------------------------------------------------------------- random encodings */

#define N_FEATURES	4
#define MAX_COLUMNS 12
#define N_OUTPUTS	2

static const double all_edges[] = {-1, -0.25, 0.5, 2};

/* One column of a random encoding; features: two numbers, a boolean, a category. */
static ex_encoded_column
random_column(bool imputes_always)
{
	ex_encoded_column column = {.feature = random_below(N_FEATURES),.scale = 1};

	if (random_below(2))
	{
		column.center = 2 * random_unit() - 1;
		column.scale = (random_below(2) ? 1 : -1) * (0.25 + random_unit());
	}
	column.imputes = imputes_always || random_below(2);
	column.impute = column.feature == 3 ? random_below(3) : column.feature == 2 ? random_below(2)
		: 4 * random_unit() - 2;
	column.op = random_below(5) == 0 ? EX_ENCODE_MISSING : EX_ENCODE_VALUE;
	if (column.op == EX_ENCODE_MISSING)
		column.imputes = false;
	else if (column.feature == 3)
	{
		column.op = EX_ENCODE_LEVEL;
		column.level = random_below(3);
	}
	else if (column.feature < 2 && random_below(2))
	{
		column.op = random_below(2) ? EX_ENCODE_BIN : EX_ENCODE_BIN_NUMBER;
		column.low = -random_unit();
		column.high = random_unit();
		column.edges = all_edges;
		column.n_edges = 1 + random_below(4);
	}
	return column;
}

/* A linear model over n encoded columns, with all kinds of its own columns. */
static ex_model *
random_encoded(uint32_t n)
{
	ex_builder	builder;
	ex_column	column[3 * MAX_COLUMNS];
	double		w[N_OUTPUTS * 3 * MAX_COLUMNS];
	double		intercept[N_OUTPUTS] = {random_unit(), random_unit()};
	static double error[N_OUTPUTS * (3 * MAX_COLUMNS + 1)];
	size_t		side;
	double	   *covariance;
	double	   *root;
	size_t		c = 0;
	ex_model   *model = NULL;

	ex_builder_init(&builder, host, EX_LINEAR);
	builder.n_outputs = N_OUTPUTS;
	ex_default_output_names(&builder);
	for (uint32_t f = 0; f < n; f++)
	{
		char		name[16];
		ex_feature	feature = {.name = name,.missing = EX_MISSING_NATIVE};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "%u", f);
		ex_put_feature(&builder, &feature);
		column[c++] = (ex_column) {.feature = f,.missing = random_below(2) ? random_unit() : 0};
		if (random_below(2))
			column[c++] = (ex_column) {.feature = f,.kind = EX_COLUMN_BIN,.low = random_below(3) ? -random_unit() : -INFINITY,
				.high = random_below(3) ? random_unit() : INFINITY,.missing = random_unit()};
		if (random_below(2))
			column[c++] = (ex_column) {.feature = f,.kind = EX_COLUMN_ISNULL,.missing = 1};
	}
	for (size_t i = 0; i < N_OUTPUTS * c; i++)
		w[i] = 2 * random_unit() - 1;

	/* a covariance is a matrix times its transpose */
	side = N_OUTPUTS * (c + 1);
	covariance = host->alloc(host, side * side * sizeof(double));
	root = host->alloc(host, side * side * sizeof(double));
	for (size_t i = 0; i < side * side; i++)
		root[i] = random_unit() - 0.5;
	for (size_t i = 0; i < side; i++)
		for (size_t j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (size_t k = 0; k < side; k++)
				sum += root[i * side + k] * root[j * side + k];
			covariance[i * side + j] = covariance[j * side + i] = sum;
		}
	for (size_t i = 0; i < side; i++)
		error[i] = sqrt(covariance[i * side + i]);
	ex_linear_put(&builder, &(ex_linear_design) {c, column, w, intercept, error, covariance});
	if (ex_build(&builder, &model) != EX_OK)
	{
		printf("Bail out! %s\n", host->error.message);
		exit(2);
	}
	return model;
}

static void
put_original_features(ex_builder *builder, ex_missing_policy policy)
{
	static const char *const levels[] = {"a", "b", "c"};
	const ex_feature features[N_FEATURES] = {
		{.name = "x",.name_length = 1,.missing = policy,.impute = 0.75},
		{.name = "y",.name_length = 1,.missing = policy,.impute = -0.5},
		{.name = "f",.name_length = 1,.kind = EX_BOOLEAN,.missing = policy,.impute = 1},
		{.name = "c",.name_length = 1,.kind = EX_CATEGORICAL,.missing = policy,.impute = 2,
			.n_levels = 3,.levels = levels,.unknown = EX_UNKNOWN_OTHER}
	};

	for (int i = 0; i < N_FEATURES; i++)
		ex_put_feature(builder, &features[i]);
}

static void
random_original(double *x, bool with_missing)
{
	/* values on the edges too */
	x[0] = random_below(3) == 0 ? all_edges[random_below(4)] : 4 * random_unit() - 2;
	x[1] = 4 * random_unit() - 2;
	x[2] = random_below(2);
	x[3] = (int) random_below(4) - 1;
	for (int i = 0; with_missing && i < N_FEATURES; i++)
		if (random_below(3) == 0)
			x[i] = NAN;
}

/* z' V z for the columns of one output: the variance of its raw prediction. */
static double
variance(const ex_model *model, uint32_t output, const double *x, double *size)
{
	ex_linear_view view;
	size_t		n;
	double		sum = 0;
	double	   *z;

	ex_linear_open(model, &view);
	n = view.n_columns + 1;
	z = host->alloc(host, n * sizeof(double));
	for (uint32_t c = 0; c < view.n_columns; c++)
		z[c] = ex_linear_column(&view, c, x[view.feature[c]]);
	z[n - 1] = 1;
	*size = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
		{
			double		term = z[i] * z[j] * view.covariance[(output * n + i) * n * N_OUTPUTS + output * n + j];

			sum += term;
			*size += fabs(term);
		}
	return sum;
}

/* The same prediction and the same variance, on encoded and on original rows. */
static void
compare_folded(const ex_model *encoded, const ex_encoding *encoding, const ex_model *folded,
			   bool with_missing, double *worst, double *worst_variance)
{
	ex_compiled *before = compile(encoded);
	ex_compiled *after = compile(folded);
	const double *impute = ex_get(folded, EX_FEATURE_IMPUTE, NULL);

	for (int i = 0; i < 40; i++)
	{
		double		x[N_FEATURES];
		double		z[MAX_COLUMNS];
		double		raw[N_OUTPUTS];
		double		folded_raw[N_OUTPUTS];

		random_original(x, with_missing);
		predict(after, x, 1, folded_raw);
		for (int f = 0; f < N_FEATURES; f++)
			if (isnan(x[f]) && !isnan(impute[f]))
				x[f] = impute[f];
		for (uint32_t c = 0; c < encoding->n_columns; c++)
			z[c] = ex_encode(&encoding->column[c], x[encoding->column[c].feature]);
		predict(before, z, 1, raw);
		for (uint32_t k = 0; k < N_OUTPUTS; k++)
		{
			double		scale = sum_of_terms(encoded, k, z) + sum_of_terms(folded, k, x);
			double		size;
			double		folded_size;
			double		difference = variance(encoded, k, z, &size) - variance(folded, k, x, &folded_size);

			*worst = fmax(*worst, fabs(raw[k] - folded_raw[k]) / scale);
			*worst_variance = fmax(*worst_variance, fabs(difference) / (size + folded_size));
		}
	}
}

static void
test_random(ex_missing_policy policy, bool imputes_always, const char *name)
{
	double		worst = 0;
	double		worst_variance = 0;
	int			failed = 0;

	for (int trial = 0; trial < 300; trial++)
	{
		uint32_t	n = 1 + random_below(MAX_COLUMNS);
		ex_encoded_column column[MAX_COLUMNS];
		ex_encoding encoding = {n, column};
		ex_model   *encoded = random_encoded(n);
		ex_model   *folded;
		ex_builder	builder;

		for (uint32_t c = 0; c < n; c++)
			column[c] = random_column(imputes_always);
		ex_builder_init(&builder, host, EX_LINEAR);
		put_original_features(&builder, policy);
		if (ex_fold(host, encoded, &encoding, &builder) != EX_OK || ex_build(&builder, &folded) != EX_OK)
		{
			/* every column a constant: nothing is left to be a model */
			failed += strcmp(host->error.message, "linear model has no coefficients") != 0;
			continue;
		}
		compare_folded(encoded, &encoding, folded, policy != EX_MISSING_ERROR, &worst, &worst_variance);
	}
	is_int(failed, 0, "%s: 300 random encodings fold", name);
	ok(worst <= 4e-16, "%s: predictions agree to %.1e of the sum of |terms|", name, worst);
	ok(worst_variance <= 1e-14, "%s: their variances to %.1e", name, worst_variance);
}

/* Standard errors without a covariance survive where one coefficient becomes one. */
static void
test_errors(void)
{
	ex_model   *model = model_of(
		"{'family':'linear','features':['x',{'name':'c','levels':['a','b']}],"
		"'inputs':[{'feature':'x','scale':4},{'feature':'c','level':'a'},{'feature':'x','scale':-2},"
		"{'feature':'c','level':'b'}],'intercept':1,'intercept_standard_error':0.5,'columns':["
		"{'feature':0,'coefficient':2,'standard_error':0.2},{'feature':1,'coefficient':3,'standard_error':0.3},"
		"{'feature':2,'coefficient':4,'standard_error':0.4},{'feature':3,'coefficient':5,'standard_error':0.6}]}");
	ex_linear_view view;

	ex_linear_open(model, &view);
	is_int(view.n_columns, 3, "two inputs of one feature are one column");
	is_double(view.coefficient[0], -1.5, "with the sum of coefficients");
	ok(isnan(view.standard_error[0]), "whose standard error is not known");
	is_double(view.standard_error[1], 0.3, "that of a dummy is");
	is_double(view.standard_error[3], 0.5, "and the intercept's, when nothing is centred");
}

/* Two imputed values of one feature: each input keeps its own. */
static void
test_two_imputers(void)
{
	ex_model   *model = model_of(
		"{'family':'linear','features':['x'],'inputs':[{'feature':'x','impute':2},"
		"{'feature':'x','impute':5,'center':1,'scale':2},{'feature':'x','indicator':true}],"
		"'intercept':100,'coefficients':[1,10,1000]}");
	ex_compiled *compiled = compile(model);
	ex_feature	feature;
	double		raw;

	ex_get_feature(model, 0, &feature);
	is_int(feature.missing, EX_MISSING_NATIVE, "two imputed values: missing values stay missing");
	predict(compiled, (double[]) {3}, 1, &raw);
	is_double(raw, 100 + 3 + 10, "a value");
	predict(compiled, (double[]) {NAN}, 1, &raw);
	is_double(raw, 100 + 2 + 20 + 1000, "a missing value: imputed twice, and noted");
}

/* The same through a finished model: with_preprocessing. */
static void
test_preprocess(void)
{
	static const char *const text = "{\"features\":[\"x\",{\"name\":\"c\",\"levels\":[\"a\",\"b\"]}],"
		"\"inputs\":[{\"feature\":\"x\",\"center\":1,\"scale\":2},{\"feature\":\"c\",\"level\":\"b\"}]}";
	static const char *const numbers = "{\"features\":[\"x\"],\"inputs\":[{\"feature\":\"x\"},{\"feature\":\"x\"}]}";
	static const char *const narrow = "{\"features\":[\"x\"],\"inputs\":[{\"feature\":\"x\"}]}";
	ex_model   *plain = model_of("{'family':'linear','features':['z1','z2'],'outputs':['y'],'link':'logit',"
								 "'link_param':2,'intercept':1,'coefficients':[4,3]}");
	ex_model   *whole = model_of(
		"{'family':'linear','features':['x',{'name':'c','levels':['a','b']}],'outputs':['y'],'link':'logit',"
		"'link_param':2,'inputs':[{'feature':'x','center':1,'scale':2},{'feature':'c','level':'b'}],"
		"'intercept':1,'coefficients':[4,3]}");
	ex_model   *expected = model_of(
		"{'family':'linear','features':['x',{'name':'c','levels':['a','b'],'missing':'native'}],'outputs':['y'],"
		"'link':'logit','link_param':2,'intercept':-1,'coefficients':{'x':2,'c':{'b':3}}}");
	ex_model   *model;

	is_status(host, ex_model_preprocess(host, plain, text, strlen(text), &model), EX_OK, "preprocessing in front");
	is_same(model->digest, expected->digest, 16, "gives the model over original features");
	is_same(whole->digest, expected->digest, 16, "so does a document with inputs");
	is_status(host, ex_model_preprocess(host, expected, numbers, strlen(numbers), &model), EX_INVALID,
			  "a number for a category");
	is_text(host->error.message, "input 2 is a number, but the model takes it as categorical", "is named");
	is_status(host, ex_model_preprocess(host, expected, narrow, strlen(narrow), &model), EX_INVALID, "an input too few");
	is_text(host->error.message, "preprocessing has 1 inputs, but the model has 2 features", "says so");
}

/* ---------------------------------------------------------------- refusals */

static void
test_refusals(void)
{
	static const struct
	{
		const char *inputs;
		ex_status	status;
		const char *message;
	}			cases[] = {
		{"{'feature':'z'}", EX_INVALID, "unknown feature \"z\" in input 1"},
		{"{'feature':2}", EX_INVALID, "input 1 must be an integer between 0 and 1"},
		{"{'feature':null}", EX_NULL, "key \"feature\" of input 1 must not be null"},
		{"{'scale':1}", EX_INVALID, "input 1 has no key \"feature\""},
		{"{'feature':'x','scale':0}", EX_INVALID, "scale of input 1 must not be 0"},
		{"{'feature':'x','scale':'Infinity'}", EX_INVALID, "key \"scale\" of input 1 must be a number, not a string"},
		{"{'feature':'x','center':1e999}", EX_RANGE, "input 1 is out of range for type double precision: 1e999"},
		{"{'feature':'x','level':'a'}", EX_INVALID, "feature \"x\" has a level in input 1, but is not categorical"},
		{"{'feature':'c','level':'z'}", EX_INVALID, "unknown level \"z\" of feature \"c\" in input 1"},
		{"{'feature':'c','level':7}", EX_INVALID, "input 1 must be an integer between 0 and 1"},
		{"{'feature':'c','bin':[0,1]}", EX_INVALID, "input 1 has bins but feature 2 is not numeric"},
		{"{'feature':'c','scale':2}", EX_INVALID, "input 1 scales feature 2, which is categorical"},
		{"{'feature':'c'}", EX_INVALID, "input 1 is categorical, but the model takes it as a number"},
		{"{'feature':'x','bin':[1,1]}", EX_INVALID, "\"bin\" of input 1 must be a lower and a higher limit"},
		{"{'feature':'x','bin':[1]}", EX_INVALID, "\"bin\" of input 1 must be a lower and a higher limit"},
		{"{'feature':'x','edges':[2,1]}", EX_INVALID, "\"edges\" of input 1 must be ascending numbers"},
		{"{'feature':'x','edges':[]}", EX_INVALID, "\"edges\" of input 1 must not be empty"},
		{"{'feature':'x','edges':[1,null]}", EX_NULL, "element 2 of input 1 must not be null"},
		{"{'feature':'x','bin':[0,1],'edges':[1]}", EX_INVALID,
		"input 1 may have only one of \"level\", \"bin\", \"edges\" and \"indicator\""},
		{"{'feature':'x','indicator':true,'impute':1}", EX_INVALID,
		"input 1 is an indicator of missing values and cannot impute them"},
		{"{'feature':'x','onehot':true}", EX_INVALID, "unknown key \"onehot\" in input 1"},
		{"{'feature':'x','scale':1,'scale':2}", EX_DUPLICATE_KEY, "key \"scale\" of input 1 is given twice"},
		{"{'feature':'x'},{'feature':'x'}", EX_INVALID, "expected 2 numbers in coefficients, not 1"},
		{"", EX_INVALID, "expected 0 numbers in coefficients, not 1"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char		document[1024];
		ex_model   *model;

		snprintf(document, sizeof(document),
				 "{'family':'linear','features':['x',{'name':'c','levels':['a','b']}],'inputs':[%s],'coefficients':[1]}",
				 cases[i].inputs);
		is_status(host, read_document(document, &model), cases[i].status, "inputs: %s", cases[i].inputs);
		is_text(host->error.message, cases[i].message, "message");
	}
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_encode();
	test_fold_affine();
	test_sklearn("linreg");
	test_sklearn("ridge");
	test_sklearn("poisson");
	test_sklearn("logreg_scaled_binary");
	test_sklearn("logreg_multinomial");
	test_sklearn("logreg_ovr");
	test_sklearn_pipeline();
	test_random(EX_MISSING_ERROR, false, "no missing values");
	test_random(EX_MISSING_NATIVE, false, "missing values");
	test_random(EX_MISSING_NATIVE, true, "missing values, all imputed");
	test_random(EX_MISSING_IMPUTE, false, "missing values that the feature imputes");
	test_errors();
	test_two_imputers();
	test_preprocess();
	test_refusals();
	ex_arena_free(&arena);
	return unit_done();
}
