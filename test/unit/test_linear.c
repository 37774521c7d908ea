/*
 * test_linear.c
 *		Linear models: predictions of scikit-learn and statsmodels, columns,
 *		accuracy of sums, the order of columns, and every wrong structure.
 */
#include <float.h>

#include "linear_test.h"

/* ---------------------------------------------------------------- golden */


/*
 * statsmodels fits on columns of a design with treatment coding; the same
 * coefficients by level of the original feature are the model.
 */
static void
test_statsmodels(const char *file, const char *link, size_t column)
{
	char		path[256];
	size_t		size;
	char	   *coefficients;
	char	   *rows;
	char	   *cell[8];
	double		value[5];
	char		document[1024];
	golden_table expected = golden_csv(host, "test/data/models/statsmodels/pred.csv");
	ex_model   *model;
	ex_compiled *compiled;

	snprintf(path, sizeof(path), "test/data/models/statsmodels/%s.coef.csv", file);
	coefficients = golden_file(host, path, &size);
	split_line(&coefficients, cell, 8);
	for (int i = 0; i < 5; i++)
	{
		split_line(&coefficients, cell, 8);
		value[i] = strtod(cell[1], NULL);
	}
	snprintf(document, sizeof(document),
			 "{'family':'linear','features':['x1','x2',{'name':'colour','levels':['blue','green','red']}],"
			 "'link':'%s','intercept':%.17g,'coefficients':{'colour':{'green':%.17g,'red':%.17g},"
			 "'x1':%.17g,'x2':%.17g}}", link, value[0], value[1], value[2], value[3], value[4]);
	model = model_of(document);
	compiled = compile(model);

	rows = golden_file(host, "test/data/models/statsmodels/X.csv", &size);
	split_line(&rows, cell, 8);
	for (size_t i = 0; i < expected.rows; i++)
	{
		double		x[3];
		double		raw;
		double		response;

		split_line(&rows, cell, 8);
		x[0] = strtod(cell[1], NULL);
		x[1] = strtod(cell[2], NULL);
		x[2] = ex_find_level(model, 2, cell[3], strlen(cell[3]));
		predict(compiled, x, 1, &raw);
		ex_response(model, &raw, &response);
		is_near(response, expected.value[i * expected.columns + column], 1e-12, "%s, row %zu", file, i + 1);
	}
}

/* ---------------------------------------------------------------- columns */

static void
test_columns(void)
{
	ex_model   *model = model_of(
		"{'family':'linear','features':[{'name':'v','missing':'native'},"
		"{'name':'c','levels':['a','b'],'missing':'native','unknown':'other'},"
		"{'name':'n','levels':3,'missing':{'impute':2}},{'name':'f','kind':'boolean'}],"
		"'intercept':1000,'columns':["
		"{'feature':'v','missing':0.5,'coefficient':1},{'feature':'v','bin':[1,2],'coefficient':10},"
		"{'feature':'v','indicator':true,'coefficient':100},{'feature':'c','level':'b','coefficient':3},"
		"{'feature':'n','level':'2','coefficient':7},{'feature':'f','coefficient':0.25}]}");
	static const struct
	{
		double		x[4];
		double		raw;
		const char *what;
	}			cases[] = {
		{{1.5, 0, 0, 0}, 1011.5, "inside the bin"},
		{{1, 0, 0, 0}, 1001, "the bin's lower limit is outside"},
		{{2, 0, 0, 0}, 1012, "its upper limit inside"},
		{{NAN, 0, 0, 0}, 1100.5, "missing: indicator and the column's own value"},
		{{0, 1, 0, 0}, 1003, "level"},
		{{0, -1, 0, 0}, 1000, "unknown level: in no dummy"},
		{{0, NAN, 0, 0}, 1000, "missing level: in no dummy"},
		{{0, 0, 2, 0}, 1007, "coded level"},
		{{0, 0, NAN, 0}, 1007, "imputed level"},
		{{0, 0, 0, 1}, 1000.25, "boolean"},
		{{-0.0, 0, 0, 0}, 1000, "negative zero"},
		{{5e-324, 0, 0, 0}, 1000, "a denormal"}
	};
	const ex_column open_bin = {.kind = EX_COLUMN_BIN,.low = -INFINITY,.high = 3};
	const ex_column bin = {.kind = EX_COLUMN_BIN,.low = -DBL_MAX,.high = INFINITY};
	ex_compiled *compiled = compile(model);

	is_double(ex_column_value(&open_bin, -INFINITY), 1, "-Infinity is in a bin without lower end");
	is_double(ex_column_value(&bin, -INFINITY), 0, "but not in one with the lowest number as its end");
	is_double(ex_column_value(&bin, INFINITY), 1, "Infinity is in a bin without upper end");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		double		raw;

		predict(compiled, cases[i].x, 1, &raw);
		is_double(raw, cases[i].raw, "%s", cases[i].what);
	}
}

/* Two models that say the same in another order are the same. */
static void
test_order(void)
{
	ex_model   *one = model_of(
		"{'family':'linear','features':['x',{'name':'c','levels':['a','b']}],'columns':["
		"{'feature':'c','level':'b','coefficient':3},{'feature':'x','bin':[3,4],'coefficient':4},"
		"{'feature':'x','bin':[-1,3],'coefficient':5},{'feature':'x','coefficient':2},"
		"{'feature':'c','level':'a','coefficient':1}]}");
	ex_model   *two = model_of(
		"{'family':'linear','features':['x',{'name':'c','levels':['a','b']}],'columns':["
		"{'feature':'x','coefficient':2},{'feature':'x','bin':[-1,3],'coefficient':5},"
		"{'feature':'x','bin':[3,4],'coefficient':4},{'feature':'c','level':'a','coefficient':1},"
		"{'feature':'c','level':'b','coefficient':3}]}");

	is_same(one->digest, two->digest, 16, "the order of columns in a document does not matter");
	one = model_of("{'family':'linear','features':['x','y'],'outputs':['p','q'],'columns':["
				   "{'feature':'y','coefficient':[3,4],'standard_error':[0.3,0.4]},"
				   "{'feature':'x','coefficient':[1,2],'standard_error':[0.1,0.2]}],"
				   "'intercept':[5,6],'intercept_standard_error':[0.5,0.6],'covariance':["
				   "[1,0.1,0.2,0.3,0.4,0.5],[0.1,2,0.6,0.7,0.8,0.9],[0.2,0.6,3,1.1,1.2,1.3],"
				   "[0.3,0.7,1.1,4,1.4,1.5],[0.4,0.8,1.2,1.4,5,1.6],[0.5,0.9,1.3,1.5,1.6,6]]}");
	two = model_of("{'family':'linear','features':['x','y'],'outputs':['p','q'],'columns':["
				   "{'feature':'x','coefficient':[1,2],'standard_error':[0.1,0.2]},"
				   "{'feature':'y','coefficient':[3,4],'standard_error':[0.3,0.4]}],"
				   "'intercept':[5,6],'intercept_standard_error':[0.5,0.6],'covariance':["
				   "[2,0.1,0.6,0.8,0.7,0.9],[0.1,1,0.2,0.4,0.3,0.5],[0.6,0.2,3,1.2,1.1,1.3],"
				   "[0.8,0.4,1.2,5,1.4,1.6],[0.7,0.3,1.1,1.4,4,1.5],[0.9,0.5,1.3,1.6,1.5,6]]}");
	is_same(one->digest, two->digest, 16, "errors and covariance move with their columns");
}

/* Terms, as an aggregate over a coefficient table has them. */
static void
test_terms(void)
{
	ex_builder	builder;
	ex_linear_term term[] = {
		{{1, EX_COLUMN_LEVEL_IS, 1, 0, 0, NAN}, 1, 3, 0.3},
		{{0, EX_COLUMN_VALUE, 0, 0, 0, NAN}, 0, 1, 0.1},
		{{1, EX_COLUMN_LEVEL_IS, 0, 0, 0, NAN}, 0, 2, NAN},
	};
	const double intercept[] = {5, 6};
	const double error[] = {0.5, NAN};
	const char *const levels[] = {"a", "b"};
	const ex_feature features[] = {
		{.name = "x",.name_length = 1},
		{.name = "c",.name_length = 1,.kind = EX_CATEGORICAL,.n_levels = 2,.levels = levels}
	};
	ex_model   *model;
	ex_model   *same = model_of(
		"{'family':'linear','features':['x',{'name':'c','levels':['a','b']}],'outputs':2,'intercept':[5,6],"
		"'intercept_standard_error':[0.5,null],'columns':["
		"{'feature':'x','coefficient':[1,0],'standard_error':[0.1,null]},"
		"{'feature':'c','level':'a','coefficient':[2,0]},"
		"{'feature':'c','level':'b','coefficient':[0,3],'standard_error':[null,0.3]}]}");

	ex_builder_init(&builder, host, EX_LINEAR);
	builder.n_outputs = 2;
	ex_put_feature(&builder, &features[0]);
	ex_put_feature(&builder, &features[1]);
	ex_default_output_names(&builder);
	is_status(host, ex_linear_put_terms(&builder, term, 3, intercept, error), EX_OK, "terms");
	is_status(host, ex_build(&builder, &model), EX_OK, "make a model");
	is_same(model->digest, same->digest, 16, "that is the same as a document's");
	term[2] = term[1];
	is_status(host, ex_linear_put_terms(&builder, term, 3, intercept, NULL), EX_INVALID,
			  "a coefficient that is given twice");
	term[2].output = 2;
	is_status(host, ex_linear_put_terms(&builder, term, 3, intercept, NULL), EX_INVALID,
			  "an output that does not exist");
	term[2].output = 0;
	term[2].column.feature = 2;
	is_status(host, ex_linear_put_terms(&builder, term, 3, intercept, NULL), EX_INVALID,
			  "a feature that does not exist");
}

/* ---------------------------------------------------------------- sums */

/* A document with p features and these coefficients. */
static ex_model *
dense_model(const double *coefficient, uint32_t p, double intercept, bool extra)
{
	ex_builder	builder;
	ex_column  *column = host->alloc(host, (p + 1) * sizeof(ex_column));
	double	   *w = host->alloc(host, (p + 1) * sizeof(double));
	ex_model   *model = NULL;

	ex_builder_init(&builder, host, EX_LINEAR);
	builder.n_outputs = 1;
	for (uint32_t f = 0; f <= p - !extra; f++)
	{
		char		name[16];
		ex_feature	feature = {.name = name,.missing = EX_MISSING_NATIVE};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "f%u", f);
		ex_put_feature(&builder, &feature);
		column[f] = (ex_column) {.feature = f,.kind = f < p ? EX_COLUMN_VALUE : EX_COLUMN_ISNULL,.missing = NAN};
		w[f] = f < p ? coefficient[f] : 0;
	}
	ex_default_output_names(&builder);
	if (ex_linear_put(&builder, &(ex_linear_design) {p + extra, column, w, &intercept, NULL, NULL}) != EX_OK ||
		ex_build(&builder, &model) != EX_OK)
	{
		printf("Bail out! %s\n", host->error.message);
		exit(2);
	}
	return model;
}

/* Error of a sum in units of 2^-53 times the sum of |terms|; long double has 64 bits. */
static double
sum_error(const double *w, const double *x, uint32_t p, double intercept, double raw)
{
	long double sum = intercept;
	long double size = fabsl(intercept);

	for (uint32_t i = 0; i < p; i++)
	{
		sum += (long double) w[i] * x[i];
		size += fabsl((long double) w[i] * x[i]);
	}
	return (double) (fabsl(sum - raw) / size * 0x1p53L);
}

static void
test_accuracy(void)
{
	enum {P = 37, N = 200};
	static double w[P];
	static double x[N * (P + 1)];
	static double dense[N * P];
	static double raw[N];
	static double general[N];
	static double single[N];
	const double cancelling[] = {1e16, 1, -1e16};
	const double ones[] = {1, 1, 1};
	double		worst = 0;
	ex_compiled *compiled;

	for (int j = 0; j < P; j++)
		w[j] = ldexp(random_unit() - 0.5, (int) random_below(60) - 30);
	for (int i = 0; i < N; i++)
		for (int j = 0; j <= P; j++)
		{
			x[i * (P + 1) + j] = j == P ? 0 : ldexp(random_unit() - 0.5, (int) random_below(20));
			if (j < P)
				dense[i * P + j] = x[i * (P + 1) + j];
		}
	compiled = compile(dense_model(w, P, 0.1, false));
	predict(compiled, dense, N, raw);
	for (int i = 0; i < N; i++)
		worst = fmax(worst, sum_error(w, dense + i * P, P, 0.1, raw[i]));
	ok(worst <= 2, "within %.2f unit roundoffs of the sum of |terms|", worst);
	for (int i = 0; i < N; i++)
		predict(compiled, dense + i * P, 1, &single[i]);
	is_same(single, raw, sizeof(raw), "one row and many: the same bits");
	predict(compile(dense_model(w, P, 0.1, true)), x, N, general);
	is_same(general, raw, sizeof(raw), "columns and plain values: the same bits");
	predict(compile(dense_model(cancelling, 3, 0, false)), ones, 1, raw);
	is_double(raw[0], 1, "1e16 + 1 - 1e16 is 1");
}

/* ---------------------------------------------------------------- range */

static void
test_range(void)
{
	ex_compiled *compiled = compile(model_of("{'family':'linear','features':['a','b'],'coefficients':{'a':1e308,'b':0}}"));
	ex_compiled *native = compile(model_of("{'family':'linear','features':[{'name':'a','missing':'native'},'b'],"
										   "'coefficients':{'a':1e308,'b':0}}"));
	double		raw;

	is_status(host, predict(compiled, (double[]) {10, 0}, 1, &raw), EX_RANGE, "a prediction that overflows");
	is_text(host->error.message, "prediction is out of range", "says so");
	is_text(host->error.detail, "", "and blames no feature");
	is_status(host, predict(compiled, (double[]) {0, INFINITY}, 1, &raw), EX_RANGE,
			  "infinity, although its coefficient is 0");
	is_text(host->error.detail, "Feature \"b\" is infinite.", "is blamed");
	is_status(host, predict(compiled, (double[]) {NAN, 0}, 1, &raw), EX_RANGE, "a missing value that is not allowed");
	is_text(host->error.detail, "Feature \"a\" is missing, which the model does not allow.", "is blamed");
	is_status(host, predict(native, (double[]) {NAN, 0}, 1, &raw), EX_OK, "a missing value that is allowed");
	is_double(raw, 0, "contributes nothing");
}

/* ---------------------------------------------------------------- structure */

typedef struct damage
{
	const char *what;
	ex_section_id section;
	size_t		element;
	double		value;
	ex_status	status;
	const char *message;
} damage;

/* Each changes one number of a valid model. */
static const damage damages[] = {
	{"feature out of range", EX_COLUMN_FEATURE, 0, 9, EX_INVALID, "column 1 has feature 10, but there are 3"},
	{"unknown kind", EX_COLUMN_KIND, 0, 4, EX_INVALID, "column of feature \"a\" has an unknown kind"},
	{"level of a number", EX_COLUMN_KIND, 0, 1, EX_INVALID, "column of feature \"a\" has a level, but the feature is not categorical"},
	{"value of a category", EX_COLUMN_KIND, 2, 0, EX_INVALID, "column of feature \"c\" takes the value of a categorical feature: it needs a level"},
	{"bin of a category", EX_COLUMN_KIND, 2, 2, EX_INVALID, "column of feature \"c\" has a level that does not exist"},
	{"level out of range", EX_COLUMN_LEVEL, 2, 2, EX_INVALID, "column of feature \"c\" has a level that does not exist"},
	{"level where none belongs", EX_COLUMN_LEVEL, 0, 1, EX_INVALID, "column of feature \"a\" has a level that does not exist"},
	{"empty bin", EX_COLUMN_LOW, 1, 5, EX_INVALID, "column of feature \"a\" has an empty bin"},
	{"bin without a limit", EX_COLUMN_HIGH, 1, NAN, EX_INVALID, "column of feature \"a\" has an empty bin"},
	{"limits where none belong", EX_COLUMN_HIGH, 0, 1, EX_INVALID, "column of feature \"a\" has an empty bin"},
	{"missing value against the policy", EX_COLUMN_MISSING, 0, 0, EX_INVALID, "column of feature \"a\" has a value for missing ones that contradicts the feature's policy"},
	{"no missing value where one is needed", EX_COLUMN_MISSING, 3, NAN, EX_INVALID, "column of feature \"m\" has a value for missing ones that contradicts the feature's policy"},
	{"columns out of order", EX_COLUMN_FEATURE, 0, 1, EX_INVALID, "column of feature \"c\" takes the value of a categorical feature: it needs a level"},
	{"coefficient NaN", EX_COEFFICIENT, 1, NAN, EX_RANGE, "coefficient of feature \"a\" for output \"y\" is out of range"},
	{"coefficient infinite", EX_COEFFICIENT, 2, INFINITY, EX_RANGE, "coefficient of feature \"c\" for output \"y\" is out of range"},
	{"intercept infinite", EX_INTERCEPT, 0, -INFINITY, EX_RANGE, "value of the intercept for output \"y\" is out of range"},
	{"negative standard error", EX_COEFFICIENT_SE, 4, -1, EX_RANGE, "standard error of the intercept for output \"y\" is out of range"},
	{"infinite standard error", EX_COEFFICIENT_SE, 0, INFINITY, EX_RANGE, "standard error of feature \"a\" for output \"y\" is out of range"},
	{"negative variance", EX_COEFFICIENT_COV, 6, -1, EX_INVALID, "covariance has a negative variance in row 2"},
	{"asymmetric covariance", EX_COEFFICIENT_COV, 1, 0.5, EX_INVALID, "covariance is not symmetric in row 1, column 2"},
};

static ex_model *
sound_model(void)
{
	return model_of(
		"{'family':'linear','features':['a',{'name':'c','levels':['x','y']},{'name':'m','missing':'native'}],"
		"'outputs':['y'],'intercept':1,'intercept_standard_error':0.5,'columns':["
		"{'feature':'a','coefficient':1,'standard_error':0.1},"
		"{'feature':'a','bin':[0,5],'coefficient':2,'standard_error':null},"
		"{'feature':'c','level':'y','coefficient':3},{'feature':'m','missing':0.5,'coefficient':4}],"
		"'covariance':[[1,0,0,0,0],[0,1,0,0,0],[0,0,1,0,0],[0,0,0,1,0],[0,0,0,0,1]]}");
}

static void
set_element(ex_builder *builder, ex_section_id section, size_t i, double value)
{
	char	   *data = builder->section[section].data;

	switch (ex_section_types[section])
	{
		case EX_U8:
			((uint8_t *) data)[i] = (uint8_t) value;
			break;
		case EX_U32:
			((uint32_t *) data)[i] = (uint32_t) value;
			break;
		default:
			((double *) data)[i] = value;
	}
}

static void
test_structure(void)
{
	static const ex_section_id required[] = {EX_COLUMN_KIND, EX_COLUMN_LEVEL, EX_COLUMN_LOW, EX_COLUMN_HIGH,
	EX_COLUMN_MISSING, EX_COEFFICIENT, EX_INTERCEPT};
	ex_builder	builder;
	ex_model   *model;

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
	{
		ex_builder_open(&builder, host, sound_model());
		set_element(&builder, damages[i].section, damages[i].element, damages[i].value);
		is_status(host, ex_build(&builder, &model), damages[i].status, "%s", damages[i].what);
		is_text(host->error.message, damages[i].message, "%s: message", damages[i].what);
	}
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
	{
		ex_builder_open(&builder, host, sound_model());
		ex_drop(&builder, required[i]);
		is_status(host, ex_build(&builder, &model), EX_INVALID, "without section %d", required[i]);
		ex_builder_open(&builder, host, sound_model());
		ex_put(&builder, required[i], &(double) {0}, 1);
		is_status(host, ex_build(&builder, &model), EX_INVALID, "with one element too many in section %d", required[i]);
	}
	ex_builder_open(&builder, host, sound_model());
	builder.section[EX_COEFFICIENT_SE].size -= 8;
	is_status(host, ex_build(&builder, &model), EX_INVALID, "with a standard error too few");
	ex_builder_open(&builder, host, sound_model());
	builder.section[EX_COEFFICIENT_COV].size -= 8;
	is_status(host, ex_build(&builder, &model), EX_INVALID, "with a covariance too few");
	ex_builder_open(&builder, host, sound_model());
	builder.aggregation = EX_MEAN;
	is_status(host, ex_build(&builder, &model), EX_INVALID, "with another aggregation");
	ex_builder_open(&builder, host, sound_model());
	for (int id = EX_COLUMN_FEATURE; id <= EX_COEFFICIENT_COV; id++)
		builder.section[id].size = 0;
	is_status(host, ex_build(&builder, &model), EX_INVALID, "without columns");
	is_text(host->error.message, "linear model has no coefficients", "says so");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_statsmodels("binomial_logit", "logit", 1);
	test_statsmodels("binomial_probit", "probit", 2);
	test_columns();
	test_order();
	test_terms();
	test_accuracy();
	test_range();
	test_structure();
	ex_arena_free(&arena);
	return unit_done();
}
