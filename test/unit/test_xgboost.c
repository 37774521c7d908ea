/*
 * test_xgboost.c
 *		The reader of XGBoost models against XGBoost itself.
 *
 * test/data/models/xgboost and xgboost34 hold models with the predictions and
 * path-dependent SHAP values of XGBoost 1.7.4 and 3.4.1.  Rows 17 to 20 sit on
 * thresholds and one ulp beside them, or have categories never seen.
 */
#include "family.h"
#include "golden.h"
#include "host_malloc.h"
#include "linear.h"
#include "tree.h"
#include "unit.h"
#include "xgboost.h"

#define DATA "test/data/models/"

static ex_arena arena;
static ex_host *host;

static ex_status
read_model(const void *data, size_t size, int iterations, ex_model **model, ex_xgboost_note *note)
{
	ex_builder	builder;
	ex_json_format format;

	EX_TRY(ex_xgboost_format(host, data, size, &format));
	EX_TRY(ex_xgboost_read(host, format, data, size, iterations, &builder, note));
	return ex_build(&builder, model);
}

/* ---------------------------------------------------------------- golden */

typedef struct golden
{
	const char *name;
	uint32_t	n_outputs;
	ex_link		link;
	const char *output;			/* name of the first */
	int			iterations;		/* the predictions are of */
	bool		classes;		/* pred holds the class, not a response */
} golden;

static const golden goldens[] = {
	{"xgboost/binary", 1, EX_LINK_LOGIT, "1", -1, false},
	{"xgboost/binary_earlystop", 1, EX_LINK_LOGIT, "1", 31, false},
	{"xgboost/binary_logitraw", 1, EX_LINK_IDENTITY, "1", -1, false},
	{"xgboost/cat_reg", 1, EX_LINK_IDENTITY, "0", -1, false},
	{"xgboost/multi_softmax_par2", 3, EX_LINK_SOFTMAX, "0", -1, true},
	{"xgboost/multi_softprob", 3, EX_LINK_SOFTMAX, "0", -1, false},
	{"xgboost/reg", 1, EX_LINK_IDENTITY, "0", -1, false},
	{"xgboost/reg_dart", 1, EX_LINK_IDENTITY, "0", -1, false},
	{"xgboost/reg_default_base", 1, EX_LINK_IDENTITY, "0", -1, false},
	{"xgboost/reg_gblinear", 1, EX_LINK_IDENTITY, "0", -1, false},
	{"xgboost/reg_poisson", 1, EX_LINK_LOG, "0", -1, false},
	{"xgboost/reg_rf", 1, EX_LINK_IDENTITY, "0", -1, false},
	{"xgboost34/binary", 1, EX_LINK_LOGIT, "1", -1, false},
	{"xgboost34/multi_softprob", 3, EX_LINK_SOFTMAX, "0", -1, false},
	{"xgboost34/multioutput", 3, EX_LINK_IDENTITY, "0", -1, false},
	{"xgboost34/reg", 1, EX_LINK_IDENTITY, "0", -1, false},
	{"xgboost34/reg_dart", 1, EX_LINK_IDENTITY, "0", -1, false}
};

/*
 * XGBoost's own sum: float32, in the order of the trees, from the base.  Also
 * the scale on which double predictions must agree: the sum of |leaf|.
 */
static void
sum_as_xgboost(const ex_tree_view *view, const double *x, float *sum, double *scale)
{
	for (uint32_t k = 0; k < view->n_outputs; k++)
	{
		sum[k] = (float) view->base[k];
		scale[k] = fabs(view->base[k]);
	}
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		const ex_node *root = view->node + view->root[t];
		const ex_node *node = root;
		bool		all = view->output[t] == EX_ALL_OUTPUTS;
		uint32_t	first = all ? 0 : view->output[t];

		while (EX_NODE_OP(node) != EX_LEAF)
			node = root + node->left + !ex_goes_left(view, node, x[EX_NODE_FEATURE(node)]);
		for (uint32_t k = 0; k < (all ? view->n_outputs : 1); k++)
		{
			double		value = all ? view->leaf_vector[(size_t) node->value * view->n_outputs + k]
				: node->value;
			float		leaf = (float) (value * view->weight[t]);

			sum[first + k] += leaf;
			scale[first + k] += fabs((double) leaf);
		}
	}
}

typedef struct agreement
{
	size_t		unequal;		/* float32 sums that are not the same bits */
	double		raw;			/* largest error in units of the sum of |leaf| */
	double		response;		/* largest relative error of the response */
} agreement;

/* Relative; where the library gives the class, whether the response of another is larger. */
static double
response_error(const golden *g, uint32_t k, const double *response, const double *expected)
{
	double		off;

	if (g->classes)
		return response[k] > response[(int) expected[0]];
	off = fabs(response[k] - expected[k]) / fmax(fabs(expected[k]), 1e-3);
	return isnan(off) ? INFINITY : off;
}

static void
compare_row(const golden *g, ex_compiled *compiled, const double *x, const double *expected,
			agreement *found)
{
	const ex_model *model = compiled->model;
	float		sum[8];
	double		scale[8];
	double		raw[8];
	double		response[8];

	if (model->family == EX_TREE)
	{
		ex_tree_view view;

		ex_tree_open(model, &view);
		sum_as_xgboost(&view, x, sum, scale);
		for (uint32_t k = 0; k < model->n_outputs; k++)
			found->unequal += (double) sum[k] != expected[k];
	}
	else
		scale[0] = 1000;		/* |base| + sum of |coefficient * x| */
	if (compiled->family->predict_raw(compiled, host, x, 1, raw) != EX_OK)
		raw[0] = NAN;
	ex_response(model, raw, response);
	for (uint32_t k = 0; k < model->n_outputs; k++)
	{
		double		error = fabs(raw[k] - expected[k]) / scale[model->family == EX_TREE ? k : 0];

		found->raw = fmax(found->raw, isnan(error) ? INFINITY : error);
		found->response = fmax(found->response, response_error(g, k, response, expected + model->n_outputs));
	}
}

static void
test_predictions(const golden *g, const ex_model *model, const golden_table *x,
				 const golden_table *pred)
{
	double	   *vectors = golden_vectors(host, model, x);
	agreement	found = {0, 0, 0};
	ex_compiled *compiled;

	if (!is_status(host, ex_compile(host, model, 0, &compiled), EX_OK, "%s: compiles", g->name))
		return;
	for (size_t i = 0; i < x->rows; i++)
		compare_row(g, compiled, vectors + i * x->columns, pred->value + i * pred->columns, &found);
	is_int((int64_t) found.unequal, 0, "%s: leaves of %zu rows summed in float32 give XGBoost's bits",
		   g->name, x->rows);
	is_near(found.raw, 0, 3e-7, "%s: raw predictions in units of the sum of |leaf|", g->name);
	is_near(found.response, 0, 2e-6, "%s: responses", g->name);
}

/* Path-dependent SHAP values, which rest on the covers; XGBoost computes them in float32. */
static void
test_contributions(const golden *g, const ex_model *model, const golden_table *x)
{
	char		path[256];
	golden_table contrib;
	double	   *vectors = golden_vectors(host, model, x);
	double	   *phi;
	double		base[8];
	double		error = 0;
	double		scale = 0;
	ex_compiled *compiled;
	const ex_shap_method *method = NULL;
	uint32_t	p = model->n_features;

	snprintf(path, sizeof(path), DATA "%s.contrib.csv", g->name);
	contrib = golden_csv(host, path);
	if (ex_compile(host, model, 1 << 20, &compiled) != EX_OK)
		return;
	for (int i = 0; i < compiled->family->n_shap_methods; i++)
		if (strcmp(compiled->family->shap_methods[i].name, "tree_path_dependent") == 0)
			method = &compiled->family->shap_methods[i];
	if (!ok(method != NULL, "%s: path-dependent method found", g->name))
		return;
	phi = host->alloc(host, sizeof(double) * p * model->n_outputs);
	for (size_t i = 0; i < x->rows; i++)
	{
		ex_shap_call call = {.x = vectors + i * p, .outputs = {0, model->n_outputs}, .space = EX_RAW};

		if (method->values(compiled, host, &call, phi, base) != EX_OK)
			error = INFINITY;
		for (uint32_t k = 0; k < model->n_outputs; k++)
		{
			const double *expected = contrib.value + (i * model->n_outputs + k) * (p + 1);

			for (uint32_t f = 0; f < p; f++)
			{
				error = fmax(error, fabs(phi[k * p + f] - expected[f]));
				scale = fmax(scale, fabs(expected[f]));
			}
			error = fmax(error, fabs(base[k] - expected[p]));
			scale = fmax(scale, fabs(expected[p]));
		}
	}
	is_near(error / scale, 0, 2e-6, "%s: SHAP values", g->name);
}

static void
test_shape(const golden *g, const ex_model *model, const golden_table *x)
{
	uint32_t	length;
	const char *name = ex_get_name(model, EX_OUTPUT_NAME_START, 0, &length);
	ex_tree_view view;

	ok(model->n_outputs == g->n_outputs && model->link == g->link &&
	   length == strlen(g->output) && memcmp(name, g->output, length) == 0,
	   "%s: outputs and link", g->name);
	is_int(model->n_features, (int64_t) x->columns, "%s: features", g->name);
	if (model->family == EX_TREE)
	{
		ex_tree_open(model, &view);
		ok(view.cover != NULL && view.gain != NULL, "%s: covers and gains", g->name);
	}
}

static void
test_golden(const golden *g)
{
	char		path[256];
	size_t		size;
	char	   *data;
	golden_table x;
	golden_table pred;
	ex_xgboost_note note;
	ex_model   *model;
	ex_model   *binary;

	snprintf(path, sizeof(path), DATA "%s.json", g->name);
	data = golden_file(host, path, &size);
	if (!is_status(host, read_model(data, size, g->iterations, &model, &note), EX_OK, "%s: read", g->name))
		return;
	snprintf(path, sizeof(path), DATA "%s.ubj", g->name);
	data = golden_file(host, path, &size);
	if (is_status(host, read_model(data, size, g->iterations, &binary, &note), EX_OK, "%s: read from UBJSON", g->name))
		is_same(binary->digest, model->digest, sizeof(model->digest), "%s: the same from UBJSON", g->name);

	snprintf(path, sizeof(path), DATA "%s.X.csv", g->name);
	x = golden_csv(host, path);
	snprintf(path, sizeof(path), DATA "%s.pred.csv", g->name);
	pred = golden_csv(host, path);
	test_shape(g, model, &x);
	test_predictions(g, model, &x, &pred);
	if (model->family == EX_TREE && g->iterations < 0)
		test_contributions(g, model, &x);
}

/* ---------------------------------------------------------------- small models */

/* Two features; tree 0: a < 0.5 ? 1 : b in {0, 2} ? 4 : 2. */
#define HEAD \
	"{\"learner\":{\"attributes\":{},\"feature_names\":[\"a\",\"b\"],\"feature_types\":[\"float\",\"c\"]," \
	"\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{\"num_parallel_tree\":\"1\",\"num_trees\":\"2\"}," \
	"\"tree_info\":[0,0],\"trees\":["
#define TREE \
	"{\"base_weights\":[0,0,0,0,0],\"categories\":[0,2],\"categories_nodes\":[2],\"categories_segments\":[0]," \
	"\"categories_sizes\":[2],\"default_left\":[1,0,0,0,0],\"id\":0,\"left_children\":[1,-1,3,-1,-1]," \
	"\"loss_changes\":[9,0,3,0,0],\"parents\":[2147483647,0,0,2,2],\"right_children\":[2,-1,4,-1,-1]," \
	"\"split_conditions\":[5E-1,1E0,NaN,2E0,4E0],\"split_indices\":[0,0,1,0,0],\"split_type\":[0,0,1,0,0]," \
	"\"sum_hessian\":[10,4,6,2,4],\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"2\"," \
	"\"num_nodes\":\"5\",\"size_leaf_vector\":\"1\"}}"
#define STUMP \
	",{\"default_left\":[0],\"id\":1,\"left_children\":[-1],\"right_children\":[-1],\"split_conditions\":[10]," \
	"\"split_indices\":[0],\"sum_hessian\":[10]}"
#define TAIL \
	"]},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"5E-1\",\"num_class\":\"0\"," \
	"\"num_feature\":\"2\",\"num_target\":\"1\"},\"objective\":{\"name\":\"reg:squarederror\"}}," \
	"\"version\":[2,1,0]}"

static char text[16384];

/* Put the small model into `text`. */
static void
start(void)
{
	strcpy(text, HEAD TREE STUMP TAIL);
}

/* The first `from` in `text` becomes `to`. */
static void
change(const char *from, const char *to)
{
	char	   *at = strstr(text, from);

	if (at == NULL)
	{
		printf("Bail out! \"%s\" is not in the model\n", from);
		exit(2);
	}
	memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
	memcpy(at, to, strlen(to));
}

static ex_model *
small_model(const char *what)
{
	ex_model   *model = NULL;
	ex_xgboost_note note;

	if (!is_status(host, read_model(text, strlen(text), -1, &model, &note), EX_OK, "%s: read", what))
		return NULL;
	return model;
}

static void
predicts(const ex_model *model, double a, double b, uint32_t k, double expected)
{
	double		x[2] = {a, b};
	double		raw[8] = {NAN};
	ex_compiled *compiled;

	if (model == NULL)
		return;
	if (ex_compile(host, model, 0, &compiled) == EX_OK)
		(void) compiled->family->predict_raw(compiled, host, x, 1, raw);
	is_double(raw[k], expected, "... (%g, %g) gives %g", a, b, expected);
}

static void
is_level(const ex_model *model, uint32_t feature, uint32_t level, const char *expected)
{
	char		buf[12];
	uint32_t	length;
	const char *name = ex_level_name(model, feature, level, buf, &length);

	ok(length == strlen(expected) && memcmp(name, expected, length) == 0,
	   "... level %u of feature %u is %s", level, feature, expected);
}

static void
is_output(const ex_model *model, uint32_t k, const char *expected)
{
	uint32_t	length;
	const char *name = ex_get_name(model, EX_OUTPUT_NAME_START, k, &length);

	ok(length == strlen(expected) && memcmp(name, expected, length) == 0,
	   "... output %u is %s", k, expected);
}

static void
test_small(void)
{
	ex_model   *model;
	ex_feature	feature;

	start();
	if ((model = small_model("small model")) == NULL)
		return;
	predicts(model, 0.4, 1, 0, 11.5);
	predicts(model, 0.6, 0, 0, 14.5);	/* in the set: right */
	predicts(model, 0.6, 1, 0, 12.5);
	predicts(model, 0.6, 2, 0, 14.5);
	predicts(model, 0.6, -1, 0, 12.5);	/* unknown: left */
	predicts(model, NAN, 0, 0, 11.5);
	predicts(model, 0.6, NAN, 0, 14.5);
	predicts(model, 0.5, 1, 0, 12.5);	/* strictly below */
	predicts(model, nextafter(0.5, 0), 1, 0, 12.5);	/* rounds to 0.5 */
	predicts(model, nextafterf(0.5f, 0), 1, 0, 11.5);
	ok(ex_get_feature(model, 0, &feature) == EX_OK && feature.kind == EX_NUMERIC &&
	   feature.missing == EX_MISSING_NATIVE, "... a number that may be missing");
	ok(ex_get_feature(model, 1, &feature) == EX_OK && feature.kind == EX_CATEGORICAL &&
	   feature.n_levels == 3 && feature.unknown == EX_UNKNOWN_OTHER &&
	   (feature.flags & EX_FEATURE_CODED), "... and codes up to the largest one tested");

	start();
	change("\"default_left\":[1,0,0,0,0]", "\"default_left\":[false,false,true,false,false]");
	change("\"feature_names\":[\"a\",\"b\"],\"feature_types\":[\"float\",\"c\"],", "");
	change("\"gbtree_model_param\":{\"num_parallel_tree\":\"1\",\"num_trees\":\"2\"},", "");
	change(",\"version\":[2,1,0]", "");
	model = small_model("version 1.0: booleans, no names, no types, no counts");
	predicts(model, NAN, 1, 0, 12.5);
	predicts(model, 1, NAN, 0, 12.5);
	is_int(ex_find_feature(model, "f1", 2), 1, "... features are named by number");

	start();
	change("{\"learner\"", "{\"Config\":{},\"Model\":{\"learner\"");
	change("[2,1,0]}", "[2,1,0]}}");
	model = small_model("snapshot of a pickled booster");
	predicts(model, 0.6, 0, 0, 14.5);
}

static void
test_categories(void)
{
	ex_model   *model;
	ex_feature	feature;

	start();
	change("\"tree_info\"", "\"cats\":{\"enc\":[{\"offsets\":[],\"values\":[]},{\"offsets\":[0,3,5,7],"
		   "\"values\":[114,101,100,-61,-87,103,114]}],\"feature_segments\":[0,0,3],\"sorted_idx\":[1,2,0]},\"tree_info\"");
	if ((model = small_model("names of categories")) == NULL)
		return;
	is_level(model, 1, 0, "red");
	is_level(model, 1, 1, "\xc3\xa9");
	is_level(model, 1, 2, "gr");
	predicts(model, 0.6, 2, 0, 14.5);

	start();
	change("\"tree_info\"", "\"cats\":{\"enc\":[{\"offsets\":[],\"values\":[]},{\"type\":15,\"values\":[10,-20,30,40]}]},\"tree_info\"");
	if ((model = small_model("categories that are integers")) == NULL)
		return;
	is_level(model, 1, 1, "-20");
	ok(ex_get_feature(model, 1, &feature) == EX_OK && feature.n_levels == 4, "... also those no split tests");
}

static void
test_vectors(void)
{
	ex_model   *model;

	/* before 3.2: the vector of node i is row i of base_weights */
	start();
	change(STUMP, "");
	change("[0,0]", "[0]");
	change("\"num_trees\":\"2\"", "\"num_trees\":\"1\"");
	change("\"num_target\":\"1\"", "\"num_target\":\"2\"");
	change("\"5E-1\"", "\"[5E-1,-1E0]\"");
	change("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"2\"");
	change("\"base_weights\":[0,0,0,0,0]", "\"base_weights\":[0,0,1,10,0,0,2,20,4,40]");
	change("\"loss_changes\":[9,0,3,0,0],", "");
	change("\"sum_hessian\":[10,4,6,2,4],", "");
	model = small_model("vector leaves before 3.2, without covers");
	predicts(model, 0.4, 0, 0, 1.5);
	predicts(model, 0.4, 0, 1, 9);
	predicts(model, 0.6, 1, 1, 19);
	predicts(model, 0.6, 2, 1, 39);

	/* since: right_children of a leaf is its row in leaf_weights */
	change("\"base_weights\":[0,0,1,10,0,0,2,20,4,40]", "\"base_weights\":[0],\"leaf_weights\":[4,40,2,20,1,10]");
	change("\"right_children\":[2,-1,4,-1,-1]", "\"right_children\":[2,2,4,1,0]");
	change("[2,1,0]", "[3,2,0]");
	model = small_model("vector leaves since 3.2");
	predicts(model, 0.4, 0, 1, 9);
	predicts(model, 0.6, 1, 0, 2.5);
	predicts(model, 0.6, 2, 1, 39);
}

static void
test_dart(void)
{
	ex_model   *model;

	start();
	change("{\"model\"", "{\"gbtree\":{\"model\"");
	change("\"name\":\"gbtree\"", "\"name\":\"gbtree\"},\"weight_drop\":[2,5E-1],\"name\":\"dart\"");
	model = small_model("dart before 3.4");
	predicts(model, 0.6, 0, 0, 0.5 + 8 + 5);

	start();
	change("\"tree_info\"", "\"weight_drop\":[2,5E-1],\"tree_info\"");
	model = small_model("dart since 3.4");
	predicts(model, 0.6, 0, 0, 0.5 + 8 + 5);
}

/* Outputs and base scores of objectives; expected margins are XGBoost's float32 formulas. */
static void
test_objectives(void)
{
	static const struct
	{
		const char *objective;
		const char *base;
		const char *version;
		ex_link		link;
		double		margin;
	}			cases[] = {
		{"reg:logistic", "2.5E-1", "2,1,0", EX_LINK_LOGIT, -0x1.193ea8p+0},
		{"binary:logistic", "[2.5E-1]", "3,1,0", EX_LINK_LOGIT, -0x1.193ea8p+0},
		{"binary:logistic", "1E-10", "2,1,0", EX_LINK_LOGIT, -0x1.7069e2p+4},
		{"binary:logistic", "0", "3,2,0", EX_LINK_LOGIT, -0x1.ba18a8p+3},
		{"binary:logitraw", "2.5E-1", "2,1,0", EX_LINK_IDENTITY, 0.25},
		{"binary:hinge", "2.5E-1", "2,1,0", EX_LINK_STEP, 0.25},
		{"count:poisson", "2", "2,1,0", EX_LINK_LOG, 0x1.62e43p-1},
		{"reg:gamma", "2", "2,1,0", EX_LINK_LOG, 0x1.62e43p-1},
		{"reg:tweedie", "2", "2,1,0", EX_LINK_LOG, 0x1.62e43p-1},
		{"survival:cox", "2", "2,1,0", EX_LINK_LOG, 0x1.62e43p-1},
		{"survival:aft", "2", "2,1,0", EX_LINK_LOG, 0x1.62e43p-1},
		{"reg:linear", "-3", "1,0,0", EX_LINK_IDENTITY, -3},
		{"reg:squaredlogerror", "0.5", "1,0,0", EX_LINK_IDENTITY, 0.5},
		{"reg:pseudohubererror", "0.5", "1,0,0", EX_LINK_IDENTITY, 0.5},
		{"reg:absoluteerror", "0.5", "1,0,0", EX_LINK_IDENTITY, 0.5},
		{"reg:quantileerror", "0.5", "2,0,0", EX_LINK_IDENTITY, 0.5},
		{"reg:expectileerror", "0.5", "3,3,0", EX_LINK_CUMULATIVE_SOFTPLUS, 0.5},
		{"rank:pairwise", "0.5", "1,0,0", EX_LINK_IDENTITY, 0.5},
		{"rank:ndcg", "0.5", "1,0,0", EX_LINK_IDENTITY, 0.5},
		{"rank:map", "0.5", "1,0,0", EX_LINK_IDENTITY, 0.5},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ex_model   *model;
		char		base[32];

		start();
		change("reg:squarederror", cases[i].objective);
		change("2,1,0", cases[i].version);
		snprintf(base, sizeof(base), "\"%s\"", cases[i].base);
		change("\"5E-1\"", base);
		if ((model = small_model(cases[i].objective)) == NULL)
			continue;
		is_int(model->link, cases[i].link, "... link");
		is_double(*(const double *) ex_get(model, EX_TREE_BASE, NULL), cases[i].margin, "... base");
		is_output(model, 0, strncmp(cases[i].objective, "binary:", 7) == 0 ? "1" : "0");
	}
}

/* Objectives with several outputs. */
static void
test_outputs(void)
{
	ex_model   *model;
	double		response[2];
	double		raw[2] = {3, 2};
	const double *base;

	start();
	change("reg:squarederror", "reg:expectileerror");
	change("\"num_target\":\"1\"", "\"num_target\":\"2\"");
	change("\"5E-1\"", "\"[1E0,3E0]\"");
	if ((model = small_model("two expectiles")) != NULL)
	{
		base = ex_get(model, EX_TREE_BASE, NULL);
		is_double(base[0], 1, "... first base");
		is_near(base[1], log(expm1(2 - 1e-6)), 3e-7, "... second base");
		ex_response(model, base, response);
		is_near(response[1], 3, 1e-6, "... the response of the base is the base score");
	}

	start();
	change("reg:squarederror", "reg:quantileerror");
	change("\"num_target\":\"1\"", "\"num_target\":\"2\"");
	change("[2,1,0]", "[3,4,0]");
	if ((model = small_model("two quantiles since 3.4")) != NULL)
	{
		ex_response(model, raw, response);
		ok(response[0] == 2 && response[1] == 3, "... do not cross");
	}
	change("[3,4,0]", "[3,3,0]");
	if ((model = small_model("two quantiles before")) != NULL)
	{
		ex_response(model, raw, response);
		ok(response[0] == 3 && response[1] == 2, "... may cross");
	}

	start();
	change("reg:squarederror", "multi:softprob");
	change("\"num_class\":\"0\"", "\"num_class\":\"2\"");
	change("[0,0]", "[1,0]");
	change("\"attributes\":{}", "\"attributes\":{\"scikit_learn\":\"{\\\"classes_\\\": [\\\"no\\\", 7.0]}\"}");
	if ((model = small_model("class labels")) != NULL)
	{
		is_output(model, 0, "no");
		is_output(model, 1, "7");
		predicts(model, 0.6, 0, 1, 4.5);
		predicts(model, 0.6, 0, 0, 10.5);
	}

	start();
	change("reg:squarederror", "binary:logistic");
	change("\"attributes\":{}", "\"attributes\":{\"scikit_learn\":\"{\\\"_le\\\": {\\\"classes_\\\": [\\\"bad\\\", \\\"good\\\"]}}\"}");
	if ((model = small_model("label of the positive class")) != NULL)
		is_output(model, 0, "good");
}

static void
test_iterations(void)
{
	ex_model   *model;
	ex_xgboost_note note;
	size_t		size;
	char	   *data = golden_file(host, DATA "xgboost/binary_earlystop.json", &size);
	golden_table x = golden_csv(host, DATA "xgboost/binary_earlystop.X.csv");
	golden_table pred = golden_csv(host, DATA "xgboost/binary_earlystop.pred.csv");
	double		worst = 0;

	if (!is_status(host, read_model(data, size, -1, &model, &note), EX_OK, "early stopping: read"))
		return;
	ok(note.iterations == 31 && note.iterations_used == 26 && note.stopped_early, "... noted");
	for (size_t i = 0; i < x.rows; i++)
	{
		ex_compiled *compiled;
		double		raw = NAN;

		if (ex_compile(host, model, 0, &compiled) == EX_OK)
			(void) compiled->family->predict_raw(compiled, host, x.value + i * x.columns, 1, &raw);
		ex_response(model, &raw, &raw);
		worst = fmax(worst, fabs(raw / pred.value[i * pred.columns + 2] - 1));
	}
	is_near(worst, 0, 2e-6, "... scikit-learn's predictions");
	is_status(host, read_model(data, size, 1, &model, &note), EX_OK, "one iteration");
	ok(note.iterations_used == 1 && !note.stopped_early, "... noted");
	is_status(host, read_model(data, size, 32, &model, &note), EX_INVALID, "too many iterations");
	is_text(host->error.message, "iterations must be between 1 and 31, not 32", "... said");
	is_status(host, read_model(data, size, 0, &model, &note), EX_INVALID, "no iterations");

	/* two trees for each class and round */
	data = golden_file(host, DATA "xgboost/multi_softmax_par2.json", &size);
	is_status(host, read_model(data, size, 2, &model, &note), EX_OK, "parallel trees, two iterations");
	is_int(note.iterations, 6, "... of six");
	ex_get(model, EX_TREE_OUTPUT, &note.iterations);
	is_int(note.iterations, 12, "... twelve trees");
	data = golden_file(host, DATA "xgboost/reg_gblinear.json", &size);
	is_status(host, read_model(data, size, 1, &model, &note), EX_INVALID, "iterations of a linear booster");
}

/* Nodes that pruning removed stay in the arrays. */
static void
test_deleted(void)
{
	ex_model   *model;
	ex_tree_view view;

	start();
	change("\"left_children\":[1,-1,3,-1,-1]", "\"left_children\":[1,-1,-1,-1,-1]");
	change("\"right_children\":[2,-1,4,-1,-1]", "\"right_children\":[2,-1,-1,-1,-1]");
	change("\"split_conditions\":[5E-1,1E0,NaN,2E0,4E0]", "\"split_conditions\":[5E-1,1E0,3E0,2E0,4E0]");
	change("\"split_indices\":[0,0,1,0,0]", "\"split_indices\":[0,0,0,2147483647,2147483647]");
	change("\"categories_nodes\":[2],\"categories_segments\":[0],\"categories_sizes\":[2]",
		   "\"categories_nodes\":[],\"categories_segments\":[],\"categories_sizes\":[]");
	if ((model = small_model("pruned tree")) == NULL)
		return;
	predicts(model, 0.6, 0, 0, 13.5);
	ex_tree_open(model, &view);
	is_int(view.n_nodes, 4, "... without the removed nodes");
}

/* ---------------------------------------------------------------- bad input */

static void
test_bad(void)
{
	static const struct
	{
		const char *from;
		const char *to;
		ex_status	status;
		const char *message;
	}			cases[] = {
		{"\"left_children\":[1,", "\"left_children\":[0,", EX_INVALID, "node 0 of tree 0 has two parents or is its own ancestor"},
		{"\"left_children\":[1,", "\"left_children\":[5,", EX_INVALID, "child -1 of node 0 of tree 0 does not exist"},
		{"\"left_children\":[1,", "\"left_children\":[-2,", EX_INVALID, "element 1 of \"left_children\" of tree 0 must be an integer between -1 and"},
		{"\"left_children\":[1,", "\"left_children\":[2147483648,", EX_INVALID, "element 1 of \"left_children\" of tree 0"},
		{"\"left_children\":[1,-1,3", "\"left_children\":[1,-1,1", EX_INVALID, "node 1 of tree 0 has two parents"},
		{"\"left_children\":[1,-1,3,-1,-1]", "\"left_children\":[1,-1,3,-1]", EX_INVALID, "\"right_children\" of tree 0 has 5 elements, but the tree has 4 nodes"},
		{"\"left_children\":[1,-1,3,-1,-1]", "\"left_children\":[-1,-1,3,-1,-1]", EX_INVALID, "node 0 of tree 0 has a right child but no left one"},
		{"\"left_children\":[1,-1,3,-1,-1]", "\"left_children\":[]", EX_INVALID, "tree 0 must have between 1 and"},
		{"\"left_children\"", "\"left\"", EX_INVALID, "tree 0 has no key \"left_children\""},
		{"\"right_children\":[2,-1,4,-1,-1]", "\"right_children\":[2,-1,-1,-1,-1]", EX_INVALID, "child -1 of node 2 of tree 0 does not exist"},
		{"\"split_indices\":[0,0,1,", "\"split_indices\":[2,0,1,", EX_INVALID, "node 0 of tree 0 splits on feature 2, but the model has 2 features"},
		{"\"split_indices\":[0,0,1,", "\"split_indices\":[-1,0,1,", EX_INVALID, "element 1 of \"split_indices\" of tree 0"},
		{"\"split_indices\":[0,0,1,", "\"split_indices\":[0,0,0,", EX_UNSUPPORTED, "feature \"a\" is split by category and by number"},
		{"\"split_indices\":[0,0,1,0,", "\"split_indices\":[0,0,1,2147483647,", EX_INVALID, "child -1 of node 2 of tree 0 does not exist"},
		{"[5E-1,1E0,NaN,2E0,", "[NaN,1E0,NaN,2E0,", EX_INVALID, "threshold of node 0 of tree 0 is NaN"},
		{"[5E-1,1E0,NaN,2E0,", "[5E-1,Infinity,NaN,2E0,", EX_RANGE, "value of leaf 1 of tree 0 is not finite"},
		{"[5E-1,1E0,NaN,2E0,", "[5E-1,1e39,NaN,2E0,", EX_RANGE, "element 2 of \"split_conditions\" of tree 0 is out of range for type real: 1e39"},
		{"[5E-1,1E0,NaN,2E0,", "[5E-1,\"x\",NaN,2E0,", EX_INVALID, "element 2 of \"split_conditions\" of tree 0 must be a number, not a string"},
		{"\"sum_hessian\":[10,", "\"sum_hessian\":[11,", EX_INVALID, "covers of the children of node 0 of tree 0 do not add up to its own"},
		{"\"sum_hessian\":[10,", "\"sum_hessian\":[-10,", EX_INVALID, "cover of node 0 of tree 0 is negative or infinite"},
		{"\"categories\":[0,2]", "\"categories\":[0]", EX_INVALID, "categories of node 2 of tree 0 are empty or not within \"categories\""},
		{"\"categories\":[0,2]", "\"categories\":[0,-1]", EX_INVALID, "element 2 of \"categories\" of tree 0"},
		{"\"categories\":[0,2]", "\"categories\":[0,16777216]", EX_INVALID, "element 2 of \"categories\" of tree 0"},
		{"\"categories_nodes\":[2]", "\"categories_nodes\":[5]", EX_INVALID, "tree 0 has categories for node 5, which does not exist"},
		{"\"categories_nodes\":[2]", "\"categories_nodes\":[0]", EX_INVALID, "node 0 of tree 0 has categories, but splits on a number"},
		{"\"categories_nodes\":[2]", "\"categories_nodes\":[]", EX_INVALID, "of tree 0 differ in length"},
		{"\"categories_segments\":[0]", "\"categories_segments\":[2147483647]", EX_INVALID, "categories of node 2 of tree 0 are empty"},
		{"\"categories_nodes\":[2],\"categories_segments\":[0],\"categories_sizes\":[2]",
		"\"categories_nodes\":[2,0],\"categories_segments\":[0,0],\"categories_sizes\":[2,2]", EX_INVALID, "lists of categories of tree 0 overlap"},
		{"\"categories_sizes\":[2]", "\"categories_sizes\":[0]", EX_INVALID, "categories of node 2 of tree 0 are empty"},
		{"\"id\":1", "\"id\":0", EX_INVALID, "tree 1 has the id 0"},
		{"\"num_nodes\":\"5\"", "\"num_nodes\":\"6\"", EX_INVALID, "tree 0 has 5 nodes, but its \"num_nodes\" is 6"},
		{"\"num_nodes\":\"5\"", "\"num_nodes\":\"five\"", EX_INVALID, "\"num_nodes\" must be an integer between"},
		{"\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"3\"", EX_INVALID, "leaves of tree 0 have 3 values, but the model has 1 outputs"},
		{"\"num_trees\":\"2\"", "\"num_trees\":\"3\"", EX_INVALID, "\"trees\" has 2 elements, but there are 3 trees"},
		{"\"tree_info\":[0,0]", "\"tree_info\":[0]", EX_INVALID, "\"tree_info\" has 1 elements, but there are 2 trees"},
		{"\"tree_info\":[0,0]", "\"tree_info\":[0,1]", EX_INVALID, "element 2 of \"tree_info\" must be an integer between 0 and 0"},
		{"\"tree_info\"", "\"iteration_indptr\":[0,1],\"tree_info\"", EX_INVALID, "\"iteration_indptr\" does not cover all the trees"},
		{"\"tree_info\"", "\"iteration_indptr\":[0,2,1],\"tree_info\"", EX_INVALID, "\"iteration_indptr\" does not divide the trees into rounds"},
		{"\"tree_info\"", "\"weight_drop\":[1],\"tree_info\"", EX_INVALID, "\"weight_drop\" has 1 elements, but there are 2 trees"},
		{"\"tree_info\"", "\"weight_drop\":[1,NaN],\"tree_info\"", EX_RANGE, "weight of tree 1 is not finite"},
		{"\"tree_info\"", "\"tree_info\":[],\"tree_info\"", EX_DUPLICATE_KEY, "key \"tree_info\" of the booster's model is given twice"},
		{"\"tree_info\"", "\"cats\":{\"enc\":[{}]},\"tree_info\"", EX_INVALID, "\"enc\" has 1 elements, but the model has 2 features"},
		{"\"tree_info\"", "\"cats\":{\"enc\":[{\"offsets\":[],\"values\":[]},{\"offsets\":[0,5],\"values\":[97]}]},\"tree_info\"", EX_INVALID, "\"offsets\" of \"cats\" do not divide its \"values\""},
		{"\"tree_info\"", "\"cats\":{\"enc\":[{\"offsets\":[],\"values\":[]},{\"offsets\":[0,1],\"values\":[97]}]},\"tree_info\"", EX_INVALID, "trees test category 2 of feature \"b\", but \"cats\" has only 1"},
		{"\"tree_info\"", "\"cats\":{\"enc\":[{\"offsets\":[],\"values\":[]},{\"offsets\":[0,1],\"values\":[0]}]},\"tree_info\"", EX_INVALID, "the name of a category contains a zero byte"},
		{"[\"a\",\"b\"]", "[\"a\"]", EX_INVALID, "\"feature_names\" has 1 elements, but the model has 2 features"},
		{"[\"a\",\"b\"]", "[\"a\",7]", EX_INVALID, "name of feature 1 must be a string"},
		{"\"num_feature\":\"2\",\"num_target\"", "\"num_feature\":\"0\",\"num_target\"", EX_INVALID, "XGBoost model has no features"},
		{"\"num_feature\":\"2\",\"num_target\"", "\"num_feature\":\"65536\",\"num_target\"", EX_LIMIT, "XGBoost model has 65536 features (limit 65535)"},
		{"\"num_class\":\"0\"", "\"num_class\":\"10001\"", EX_LIMIT, "XGBoost model has 10001 outputs (limit 10000)"},
		{"\"num_class\":\"0\"", "\"num_class\":\"-1\"", EX_INVALID, "\"num_class\" must be an integer between"},
		{"\"base_score\":\"5E-1\"", "\"base_score\":\"half\"", EX_INVALID, "\"base_score\" must be 1 or 1 numbers, not \"half\""},
		{"\"base_score\":\"5E-1\"", "\"base_score\":\"[1,2]\"", EX_INVALID, "\"base_score\" must be 1 or 1 numbers, not \"[1,2]\""},
		{"\"base_score\":\"5E-1\"", "\"base_score\":\"1e99\"", EX_RANGE, "is out of range for objective \"reg:squarederror\""},
		{"\"base_score\":\"5E-1\",", "", EX_INVALID, "\"base_score\" must be 1 or 1 numbers"},
		{"reg:squarederror", "reg:mystery", EX_UNSUPPORTED, "XGBoost objective \"reg:mystery\" is not supported"},
		{"\"objective\"", "\"objection\"", EX_INVALID, "\"learner\" has no key \"objective\""},
		{"\"name\":\"gbtree\"", "\"name\":\"gbforest\"", EX_UNSUPPORTED, "XGBoost booster \"gbforest\" is not supported"},
		{"\"name\":\"gbtree\"", "\"name\":\"dart\"", EX_INVALID, "XGBoost model has no booster"},
		{"\"name\":\"gbtree\"", "\"name\":\"gblinear\"", EX_INVALID, "the booster's model has no key \"weights\""},
		{"{\"learner\"", "{\"teacher\"", EX_INVALID, "XGBoost model has no object \"learner\""},
		{"\"version\"", "\"version", EX_SYNTAX, "invalid JSON document"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ex_model   *model;
		ex_xgboost_note note;

		start();
		change(cases[i].from, cases[i].to);
		is_status(host, read_model(text, strlen(text), -1, &model, &note), cases[i].status, "bad: %s", cases[i].to);
		if (!ok(strstr(host->error.message, cases[i].message) != NULL, "... says: %s", cases[i].message))
			printf("#   %s\n", host->error.message);
	}
}

/* The small model with its trees replaced by none. */
static void
test_no_trees(void)
{
	ex_model   *model;
	ex_xgboost_note note;

	start();
	change(TREE, "");
	change(STUMP, "");
	is_status(host, read_model(text, strlen(text), -1, &model, &note), EX_INVALID, "no trees");
	is_text(host->error.message, "XGBoost model has no trees", "... said");
}

static void
test_formats(void)
{
	static const struct
	{
		const char *data;
		size_t		size;
		ex_status	status;
		const char *message;
	}			cases[] = {
		{"", 0, EX_SYNTAX, "XGBoost model is empty"},
		{"\x80\x04\x95", 3, EX_INVALID, "XGBoost model is a Python pickle, not JSON or UBJSON"},
		{"binf\0\0", 6, EX_INVALID, "XGBoost model is in the old binary format, not JSON or UBJSON"},
		{"\\x7b4c", 6, EX_INVALID, "XGBoost model is hexadecimal text, not JSON or UBJSON"},
		{"eyJsZWFybmVy", 12, EX_INVALID, "XGBoost model is base64 text, not JSON or UBJSON"},
		{"e0wAAAAA", 8, EX_INVALID, "XGBoost model is base64 text, not JSON or UBJSON"},
		{"\x1f\x8b\x08", 3, EX_INVALID, "XGBoost model is a compressed file, not JSON or UBJSON"},
		{"[{\"nodeid\":0}]", 14, EX_INVALID, "XGBoost model is an array, not JSON or UBJSON"},
		{"booster[0]:", 11, EX_INVALID, "XGBoost model is a text dump, not JSON or UBJSON"},
		{"tree\nversion=v4", 15, EX_INVALID, "XGBoost model is a LightGBM model, not JSON or UBJSON"},
		{"hello", 5, EX_SYNTAX, "XGBoost model is neither JSON nor UBJSON"},
		{"\0\0\0\x3f", 4, EX_BINARY, "XGBoost model is neither JSON nor UBJSON"},
	};
	ex_json_format format;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		is_status(host, ex_xgboost_format(host, cases[i].data, cases[i].size, &format),
				  cases[i].status, "format %zu", i);
		is_text(host->error.message, cases[i].message, "... said");
		ok(i == 0 || host->error.hint[0] != '\0', "... with a hint");
	}
	ok(ex_xgboost_format(host, "\n {\"a\"", 6, &format) == EX_OK && format == EX_FORMAT_JSON, "JSON after blanks");
	ok(ex_xgboost_format(host, "{L\0\0\0\0\0\0\0\7", 10, &format) == EX_OK && format == EX_FORMAT_UBJSON, "UBJSON");
	ok(ex_xgboost_format(host, "{learner", 8, &format) == EX_OK && format == EX_FORMAT_JSON, "bad JSON is not UBJSON");
}

/* Every allocation in turn fails: the reader says so and nothing else. */
static void
test_memory(void)
{
	ex_arena	scarce;
	long		n = 0;
	ex_status	status;
	size_t		wrong = 0;

	start();
	do
	{
		ex_builder	builder;
		ex_xgboost_note note;
		ex_model   *model;
		ex_host    *poor = ex_arena_init(&scarce);

		scarce.fail_after = n++;
		status = ex_xgboost_read(poor, EX_FORMAT_JSON, text, strlen(text), -1, &builder, &note);
		if (status == EX_OK)
			status = ex_build(&builder, &model);
		wrong += status != EX_OK && status != EX_MEMORY;
		ex_arena_free(&scarce);
	} while (status != EX_OK && n < 10000);
	ok(status == EX_OK && wrong == 0, "each of %ld allocations may fail", n - 1);
}

int
main(void)
{
	host = ex_arena_init(&arena);
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++)
		test_golden(&goldens[i]);
	test_small();
	test_categories();
	test_vectors();
	test_dart();
	test_objectives();
	test_outputs();
	test_iterations();
	test_deleted();
	test_bad();
	test_no_trees();
	test_formats();
	test_memory();
	ex_arena_free(&arena);
	return unit_done();
}
