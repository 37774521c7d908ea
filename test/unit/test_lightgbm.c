/*
 * test_lightgbm.c
 *		The reader of LightGBM's text form against LightGBM itself.
 *
 * test/data/models/lightgbm holds models with the predictions and path-
 * dependent SHAP values of LightGBM 4.6 (v2_cat: of 2.2.3).  Their rows sit
 * on thresholds and one ulp beside them, on +-1e-35f, on unseen categories.
 */
#include "family.h"
#include "golden.h"
#include "host_malloc.h"
#include "lightgbm.h"
#include "tree_family.h"
#include "unit.h"

#define DATA "test/data/models/lightgbm/"

static ex_arena arena;
static ex_host *host;

static ex_status
read_model(const char *text, size_t size, int iterations, ex_model **model, ex_lightgbm_note *note)
{
	ex_builder	builder;

	ex_builder_init(&builder, host, EX_TREE);
	EX_TRY(ex_lightgbm_read(host, text, size, iterations, &builder, note));
	return ex_build(&builder, model);
}

static ex_model *
model_of(const char *text)
{
	ex_lightgbm_note note;
	ex_model   *model;

	return read_model(text, strlen(text), -1, &model, &note) == EX_OK ? model : NULL;
}

/* ---------------------------------------------------------------- golden */

typedef struct golden
{
	const char *name;
	uint32_t	n_outputs;
	ex_link		link;
	double		link_param;
	bool		averaged;
	const char *output;			/* name of the first */
} golden;

static const golden goldens[] = {
	{"binary_rf", 1, EX_LINK_LOGIT, 1, true, "1"},
	{"binary_sigmoid2", 1, EX_LINK_LOGIT, 2, false, "1"},
	{"cat_binary", 1, EX_LINK_LOGIT, 1, false, "1"},
	{"cat_linear", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"constant_class", 4, EX_LINK_SOFTMAX, 1, false, "0"},
	{"custom", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"dart_binary", 1, EX_LINK_LOGIT, 1, false, "1"},
	{"gamma_unused_missing", 1, EX_LINK_LOG, 1, false, "0"},
	{"goss_l1_sqrt", 1, EX_LINK_SIGNED_SQUARE, 1, false, "0"},
	{"huge", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"linear_missing", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"linear_tree", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"multiclass", 3, EX_LINK_SOFTMAX, 1, false, "0"},
	{"ova_sigmoid", 3, EX_LINK_LOGIT, 1.5, false, "0"},
	{"pandas_named", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"pandas_ordered", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"poisson", 1, EX_LINK_LOG, 1, false, "0"},
	{"rank", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"reg_cat", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"reg_nan", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"reg_no_nan_in_train", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"reg_sqrt", 1, EX_LINK_SIGNED_SQUARE, 1, false, "0"},
	{"reg_zero_as_missing", 1, EX_LINK_IDENTITY, 1, false, "0"},
	{"rf_multiclass", 3, EX_LINK_SOFTMAX, 1, true, "0"},
	{"tweedie_zero", 1, EX_LINK_LOG, 1, false, "0"},
	{"v2_cat", 1, EX_LINK_LOGIT, 0.7, false, "1"},
	{"xent", 1, EX_LINK_LOGIT, 1, false, "0"},
	{"xentlambda", 1, EX_LINK_SOFTPLUS, 1, false, "0"}
};

/* Sum over trees of what the reached leaf gives, and of its absolute value, per output. */
static void
walk(const ex_tree_view *view, const double *x, double *sum, double *scale)
{
	for (uint32_t k = 0; k < view->n_outputs; k++)
		sum[k] = scale[k] = 0;
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		const ex_node *root = view->node + view->root[t];
		const ex_node *node = root;
		double		value;

		while (EX_NODE_OP(node) != EX_LEAF)
			node = root + node->left + !ex_goes_left(view, node, x[EX_NODE_FEATURE(node)]);
		value = ex_tree_leaf_value(view, node, x);
		sum[view->output[t]] += value;
		scale[view->output[t]] += fabs(value);
	}
}

static void
test_predictions(const golden *g, const ex_model *model, const golden_table *x,
				 const golden_table *pred)
{
	double	   *vectors = golden_vectors(host, model, x);
	uint32_t	n_outputs = model->n_outputs;
	ex_tree_view view;
	ex_compiled *compiled;
	double		raw[8];
	double		scale[8];
	double		predicted[8];
	double		response[8];
	double		walk_error = 0;
	double		raw_error = 0;
	double		response_error = 0;

	ex_tree_open(model, &view);
	is_status(host, ex_compile(host, model, 0, &compiled), EX_OK, "%s: compiles", g->name);
	for (size_t i = 0; i < x->rows; i++)
	{
		const double *expected = pred->value + i * 2 * n_outputs;
		double		divisor = g->averaged ? view.n_trees / n_outputs : 1;

		walk(&view, vectors + i * x->columns, raw, scale);
		if (compiled->family->predict_raw(compiled, host, vectors + i * x->columns, 1, predicted) != EX_OK)
			predicted[0] = NAN;
		ex_response(model, predicted, response);
		for (uint32_t k = 0; k < n_outputs; k++)
		{
			/* an infinite value is right if it is the same one */
			double		unit = isfinite(expected[k]) ? scale[k] : 1;
			double		off = raw[k] == expected[k] ? 0 : fabs(raw[k] - expected[k]) / unit;
			double		mean = expected[k] / divisor;
			double		mean_off = predicted[k] == mean ? 0 : fabs(predicted[k] - mean) * divisor / unit;
			double		want = expected[n_outputs + k];
			double		response_off = response[k] == want ? 0 : fabs(response[k] - want) / fabs(want);

			walk_error = fmax(walk_error, isnan(off) ? INFINITY : off);
			raw_error = fmax(raw_error, isnan(mean_off) ? INFINITY : mean_off);
			response_error = fmax(response_error, isnan(response_off) ? INFINITY : response_off);
		}
	}
	is_near(walk_error, 0, 1e-12, "%s: leaves of %zu rows, in units of the sum of |leaf|", g->name, x->rows);
	is_near(raw_error, 0, 1e-12, "%s: raw predictions", g->name);
	/* exp turns an absolute error of the margin into a relative one */
	is_near(response_error, 0, 1e-11, "%s: responses", g->name);
}

/* Path-dependent SHAP values, which rest on the covers. */
static void
test_contributions(const golden *g, const ex_model *model, const golden_table *x)
{
	char		path[256];
	golden_table contrib;
	double	   *vectors = golden_vectors(host, model, x);
	double	   *phi;
	double		base[8];
	double		error = 0;
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

			/* LightGBM gives sums where rf's prediction is a mean */
			double		divisor = g->averaged ? ((ex_tree_state *) compiled->state)->divisor[k] : 1;

			for (uint32_t f = 0; f < p; f++)
				error = fmax(error, fabs(phi[k * p + f] * divisor - expected[f]));
			error = fmax(error, fabs(base[k] * divisor - expected[p]));
		}
	}
	is_near(error, 0, 1e-11, "%s: SHAP values", g->name);
}

static void
test_golden(const golden *g)
{
	char		path[256];
	size_t		size;
	char	   *text;
	golden_table x;
	golden_table pred;
	ex_lightgbm_note note;
	ex_model   *model;
	uint32_t	length;
	const char *name;
	ex_tree_view view;

	snprintf(path, sizeof(path), DATA "%s.txt", g->name);
	text = golden_file(host, path, &size);
	if (!is_status(host, read_model(text, size, -1, &model, &note), EX_OK, "%s: read", g->name))
		return;
	snprintf(path, sizeof(path), DATA "%s.X.csv", g->name);
	x = golden_csv(host, path);
	snprintf(path, sizeof(path), DATA "%s.pred.csv", g->name);
	pred = golden_csv(host, path);
	name = ex_get_name(model, EX_OUTPUT_NAME_START, 0, &length);
	ex_tree_open(model, &view);
	ok(model->n_outputs == g->n_outputs && model->link == g->link &&
	   model->link_param == g->link_param && model->aggregation == (g->averaged ? EX_MEAN : EX_SUM) &&
	   length == strlen(g->output) && memcmp(name, g->output, length) == 0,
	   "%s: outputs, link, aggregation", g->name);
	is_int(model->n_features, (int64_t) x.columns, "%s: features", g->name);
	ok(view.cover != NULL && view.gain != NULL, "%s: covers and gains", g->name);
	test_predictions(g, model, &x, &pred);
	if (strstr(text, "is_linear=1") == NULL)
		test_contributions(g, model, &x);
}

/* ---------------------------------------------------------------- small models */

#define HEAD \
	"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n" \
	"max_feature_idx=1\nobjective=regression\nfeature_names=a b\n" \
	"feature_infos=[0:1] -1:0:5\ntree_sizes=1\n\n"
#define TREE \
	"Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nsplit_gain=5 3\n" \
	"threshold=0.5 0\ndecision_type=2 1\nleft_child=1 -1\nright_child=-3 -2\n" \
	"leaf_value=1 2 4\nleaf_weight=1 1 1\nleaf_count=3 4 5\n" \
	"internal_value=0 0\ninternal_weight=12 7\ninternal_count=12 7\n" \
	"cat_boundaries=0 1\ncat_threshold=33\nis_linear=0\nshrinkage=1\n\n\n"
#define TAIL \
	"end of trees\n\nfeature_importances:\na=1\nb=1\n\nparameters:\n[boosting: gbdt]\n" \
	"[categorical_feature: 1]\n\nend of parameters\n\npandas_categorical:null\n"

/* The small model with one part replaced; the first `from` becomes `to`. */
static char *
changed(const char *from, const char *to)
{
	static char text[8192];
	const char *all = HEAD TREE TAIL;
	const char *at = strstr(all, from);

	if (at == NULL)
	{
		printf("Bail out! \"%s\" is not in the model\n", from);
		exit(2);
	}
	snprintf(text, sizeof(text), "%.*s%s%s", (int) (at - all), all, to, at + strlen(from));
	return text;
}

static double
predict(const ex_model *model, double a, double b)
{
	double		x[2] = {golden_feature(model, 0, a), golden_feature(model, 1, b)};
	double		sum;
	double		scale;
	ex_tree_view view;

	ex_tree_open(model, &view);
	walk(&view, x, &sum, &scale);
	return sum;
}

static void
test_small(void)
{
	ex_model   *model = model_of(HEAD TREE TAIL);
	ex_feature	feature;
	ex_tree_view view;

	if (!ok(model != NULL, "small model"))
		return;
	is_double(predict(model, 0.5, 0), 1, "on the threshold, category in the set");
	is_double(predict(model, 0.5, 5.9), 1, "a fraction of a category is cut off");
	is_double(predict(model, 0.5, -0.5), 1, "a category in (-1, 0) reads as 0");
	is_double(predict(model, 0.5, 1), 2, "category not in the set");
	is_double(predict(model, 0.5, 4000), 2, "category beyond the bitmap");
	is_double(predict(model, 0.5, -1), 2, "negative category");
	is_double(predict(model, 0.5, NAN), 2, "missing category goes right");
	is_double(predict(model, nextafter(0.5, 1), 0), 4, "above the threshold");
	is_int(ex_get_feature(model, 1, &feature), EX_OK, "feature b");
	ok(feature.kind == EX_CATEGORICAL && feature.n_levels == 6 &&
	   feature.flags == (EX_FEATURE_TRUNCATE | EX_FEATURE_CODED) &&
	   feature.unknown == EX_UNKNOWN_OTHER && feature.missing == EX_MISSING_NATIVE,
	   "category with the codes 0 .. 5");
	ex_tree_open(model, &view);
	is_double(view.cover[0], 12, "cover of the root");
	is_double(view.gain[0], 5, "gain of the root");
}

static void
test_missing_types(void)
{
	ex_model   *model;

	model = model_of(changed("decision_type=2 1", "decision_type=2 1"));
	is_double(predict(model, NAN, 0), 1, "None: missing reads as 0, which is below 0.5");
	model = model_of(changed("threshold=0.5 0\ndecision_type=2 1", "threshold=-0.5 0\ndecision_type=2 1"));
	is_double(predict(model, NAN, 0), 4, "None: the same above -0.5, whatever default_left says");
	model = model_of(changed("decision_type=2 1", "decision_type=6 1"));
	is_double(predict(model, 1e-35, 0), 1, "Zero, default left: 1e-35 is missing");
	is_double(predict(model, NAN, 0), 1, "Zero: so is NaN");
	model = model_of(changed("decision_type=2 1", "decision_type=4 1"));
	is_double(predict(model, (double) -1e-35f, 0), 4, "Zero, default right");
	is_double(predict(model, 1e-34, 0), 1, "Zero: 1e-34 is a value");
	model = model_of(changed("decision_type=2 1", "decision_type=10 1"));
	is_double(predict(model, NAN, 0), 1, "NaN, default left");
	model = model_of(changed("decision_type=2 1", "decision_type=8 1"));
	is_double(predict(model, NAN, 0), 4, "NaN, default right");
	is_double(predict(model, 0, 0), 1, "NaN: 0 is a value");
	model = model_of(changed("threshold=0.5", "threshold=-1.0000000180025095e-35"));
	is_double(predict(model, -1.0000000180025095e-35, 0), 4, "-1e-35f is flushed to 0 before it is compared");
	is_double(predict(model, nextafter(-1.0000000180025095e-35, -1), 0), 1, "the double below is not");
	model = model_of(changed("threshold=0.5", "threshold=inf"));
	is_double(predict(model, INFINITY, 0), 1, "an infinite threshold");
}

static void
test_objectives(void)
{
	static const struct
	{
		const char *line;
		ex_link		link;
		double		param;
	}			cases[] = {
		{"objective=regression", EX_LINK_IDENTITY, 1},
		{"objective=regression sqrt", EX_LINK_SIGNED_SQUARE, 1},
		{"objective=quantile sqrt", EX_LINK_SIGNED_SQUARE, 1},
		{"objective=mape", EX_LINK_IDENTITY, 1},
		{"objective=fair", EX_LINK_IDENTITY, 1},
		{"objective=huber sqrt", EX_LINK_IDENTITY, 1},
		{"objective=poisson sqrt", EX_LINK_LOG, 1},
		{"objective=gamma", EX_LINK_LOG, 1},
		{"objective=tweedie", EX_LINK_LOG, 1},
		{"objective=binary sigmoid:0.25", EX_LINK_LOGIT, 0.25},
		{"objective=cross_entropy", EX_LINK_LOGIT, 1},
		{"objective=xentropy", EX_LINK_LOGIT, 1},
		{"objective=cross_entropy_lambda", EX_LINK_SOFTPLUS, 1},
		{"objective=lambdarank", EX_LINK_IDENTITY, 1},
		{"objective=rank_xendcg", EX_LINK_IDENTITY, 1},
		{"objective=custom", EX_LINK_IDENTITY, 1},
		{"something=else", EX_LINK_IDENTITY, 1}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ex_model   *model = model_of(changed("objective=regression", cases[i].line));

		ok(model != NULL && model->link == cases[i].link && model->link_param == cases[i].param,
		   "link of %s", cases[i].line);
	}
}

static void
is_level(const ex_model *model, uint32_t feature, uint32_t level, const char *expected)
{
	char		buf[12];
	char		text[64];
	uint32_t	length;
	const char *name = ex_level_name(model, feature, level, buf, &length);

	snprintf(text, sizeof(text), "%.*s", (int) length, name);
	is_text(text, expected, "level %u of feature %u", level, feature);
}

static void
test_pandas(void)
{
	size_t		size;
	char	   *text = golden_file(host, DATA "pandas_named.txt", &size);
	ex_lightgbm_note note;
	ex_model   *model;

	is_status(host, read_model(text, size, -1, &model, &note), EX_OK, "named categories");
	ok(!note.levels_unnamed, "all of them found their features");
	is_level(model, 1, 0, "bl\xc3\xa9,u");
	is_level(model, 1, 3, "vert \"x\"");
	is_level(model, 2, 2, "35");
	is_level(model, 3, 0, "one");

	text = golden_file(host, DATA "pandas_ordered.txt", &size);
	is_status(host, read_model(text, size, -1, &model, &note), EX_OK, "ordered categories");
	ok(note.levels_unnamed, "cannot be told from the others, and that is said");
	is_level(model, 1, 3, "3");

	model = model_of(changed("pandas_categorical:null",
							 "pandas_categorical:[[\"x\", 1.5, true, -0.0, 2.0, \"y\"]]"));
	is_level(model, 1, 1, "1.5");
	is_level(model, 1, 2, "true");
	is_level(model, 1, 3, "0");
	is_level(model, 1, 4, "2");
	model = model_of(changed("pandas_categorical:null", "pandas_categorical:[[\"x\", \"y\"]]"));
	is_level(model, 1, 5, "5");
	ok(model_of(changed("pandas_categorical:null", "pandas_categorical:[[\"x\"")) == NULL,
	   "broken JSON is an error");
}

static void
test_iterations(void)
{
	size_t		size;
	char	   *text = golden_file(host, DATA "multiclass.txt", &size);
	ex_lightgbm_note note;
	ex_model   *model;
	ex_tree_view view;

	is_status(host, read_model(text, size, 4, &model, &note), EX_OK, "4 of 10 iterations");
	ex_tree_open(model, &view);
	is_int(view.n_trees, 12, "are 12 trees");
	is_int(note.iterations, 10, "iterations in the file");
	is_int(note.iterations_used, 4, "iterations used");
	is_status(host, read_model(text, size, 11, &model, &note), EX_INVALID, "11 of 10 iterations");
	is_text(host->error.message, "iterations must be between 1 and 10, not 11", "which is said");
	is_status(host, read_model(text, size, 0, &model, &note), EX_INVALID, "no iterations");
	is_status(host, read_model(text, size, -2, &model, &note), EX_INVALID, "-2 iterations");
}

/* ---------------------------------------------------------------- bad input */

static void
refuses(const char *text, ex_status status, const char *message)
{
	ex_lightgbm_note note;
	ex_model   *model;

	is_status(host, read_model(text, strlen(text), -1, &model, &note), status, "refused: %s", message);
	ok(strstr(host->error.message, message) != NULL, "says: %s", message);
	if (strstr(host->error.message, message) == NULL)
		printf("#   says %s\n", host->error.message);
}

static void
test_other_things(void)
{
	refuses("", EX_SYNTAX, "LightGBM model is empty");
	refuses("{\"name\":\"tree\"}", EX_SYNTAX, "text is not a LightGBM model");
	ok(strstr(host->error.hint, "model_to_string()") != NULL, "JSON: hints at the text form");
	refuses("\\x80049500", EX_SYNTAX, "text is not a LightGBM model");
	ok(strstr(host->error.hint, "pickles") != NULL, "bytes: hints at pickles");
	refuses("PMML", EX_SYNTAX, "text is not a LightGBM model");
	ok(host->error.hint[0] != '\0', "anything else: has a hint");
	refuses(changed("version=v4", "version=v5"), EX_UNSUPPORTED, "version \"v5\" is not supported");
	refuses(changed("version=v4\n", ""), EX_UNSUPPORTED, "no version");
	refuses(changed("regression", "magic"), EX_UNSUPPORTED, "objective \"magic\" is not known");
}

static void
test_bad_header(void)
{
	refuses(changed("num_class=1\nnum_tree_per_iteration=1\n", ""), EX_SYNTAX, "no \"num_tree_per_iteration\"");
	refuses(changed("iteration=1", "iteration=x"), EX_SYNTAX, "invalid number at position 1: \"x\"");
	refuses(changed("iteration=1", "iteration=0"), EX_INVALID, "between 1 and");
	refuses(changed("iteration=1", "iteration=10001"), EX_LIMIT, "more than 10000 outputs");
	refuses(changed("iteration=1", "iteration=2"), EX_INVALID, "not a multiple of 2");
	refuses(changed("max_feature_idx=1", "max_feature_idx=2"), EX_SYNTAX, "describes 2 features, expected 3");
	refuses(changed("max_feature_idx=1", "max_feature_idx=0"), EX_INVALID, "\"split_feature\" of tree 0");
	refuses(changed("max_feature_idx=1", "max_feature_idx=65535"), EX_LIMIT, "more than 65535 features");
	refuses(changed("feature_names=a b", "feature_names=a a"), EX_INVALID, "\"a\"");
	refuses(changed("feature_names=a b", "feature_names=a b c"), EX_SYNTAX, "has 3 names, expected 2");
	refuses(changed("feature_names=a b\n", ""), EX_SYNTAX, "no \"feature_names\"");
	refuses(changed("-1:0:5", "none none"), EX_SYNTAX, "describes 3 features, expected 2");
	refuses(changed("-1:0:5", "0:?"), EX_SYNTAX, "\"feature_infos\"");
	refuses(changed("regression", "binary sigmoid:0"), EX_INVALID, "must be positive");
	refuses(changed("regression", "binary sigmoid:"), EX_SYNTAX, "invalid number");
	refuses(changed("regression", "multiclass num_class:3"), EX_INVALID, "does not go with 1 outputs");
	refuses(changed("tree_sizes=1", "tree_sizes=1 2"), EX_SYNTAX, "cut off");
	refuses(changed("tree_sizes=1\n\n" TREE, "\n"), EX_INVALID, "no trees");
	refuses(changed("end of trees", "end"), EX_SYNTAX, "cut off");
	refuses(changed("end of parameters", "end"), EX_SYNTAX, "cut off");
}

static void
test_bad_trees(void)
{
	refuses(changed("Tree=0", "Tree=1"), EX_SYNTAX, "tree 0 expected");
	refuses(changed("num_leaves=3", "num_leaves=0"), EX_INVALID, "\"num_leaves\" of tree 0");
	refuses(changed("num_leaves=3", "num_leaves=4"), EX_SYNTAX, "\"leaf_value\" of tree 0 of the LightGBM model has 3 numbers, expected 4");
	refuses(changed("num_leaves=3", "num_leaves=8000000"), EX_SYNTAX, "has 3 numbers, expected 8000000");
	refuses(changed("num_leaves=3", "num_leaves=2147483647"), EX_INVALID, "\"num_leaves\" of tree 0");
	refuses(changed("num_cat=1", "num_cat=3"), EX_INVALID, "\"num_cat\" of tree 0");
	refuses(changed("num_cat=1", "num_cat=0"), EX_INVALID, "category set 0 of node 1 of tree 0");
	refuses(changed("split_feature=0 1", "split_feature=0 2"), EX_INVALID, "\"split_feature\" of tree 0");
	refuses(changed("split_feature=0 1", "split_feature=0 -1"), EX_INVALID, "\"split_feature\" of tree 0");
	refuses(changed("threshold=0.5 0", "threshold=nan 0"), EX_INVALID, "threshold of node 0 of tree 0 is NaN");
	refuses(changed("threshold=0.5 0", "threshold=0x1p1 0"), EX_SYNTAX, "invalid number at position 1");
	refuses(changed("threshold=0.5 0", "threshold=0.5 0.5"), EX_INVALID, "category set 0.5 of node 1");
	refuses(changed("threshold=0.5 0", "threshold=0.5 1"), EX_INVALID, "category set 1 of node 1");
	refuses(changed("decision_type=2 1", "decision_type=14 1"), EX_INVALID, "missing type of node 0 of tree 0");
	refuses(changed("decision_type=2 1", "decision_type=2 1 1"), EX_SYNTAX, "has 3 numbers, expected 2");
	refuses(changed("left_child=1 -1", "left_child=2 -1"), EX_INVALID, "\"left_child\" of tree 0");
	refuses(changed("left_child=1 -1", "left_child=-4 -1"), EX_INVALID, "\"left_child\" of tree 0");
	refuses(changed("left_child=1 -1", "left_child=0 -1"), EX_INVALID, "of tree 0 has two parents or is its own ancestor");
	refuses(changed("left_child=1 -1", "left_child=1 -3"), EX_INVALID, "two parents");
	refuses(changed("left_child=1 -1", "left_child=-1 -1"), EX_INVALID, "tree 0");
	refuses(changed("leaf_value=1 2 4", "leaf_value=1 nan 4"), EX_RANGE, "of tree 0 is not finite");
	refuses(changed("leaf_value=1 2 4", "leaf_value=1 1e999 4"), EX_RANGE, "of tree 0 is not finite");
	refuses(changed("leaf_value=1 2 4\n", ""), EX_SYNTAX, "tree 0 of the LightGBM model has no \"leaf_value\"");
	refuses(changed("leaf_count=3 4 5", "leaf_count=3 4 -5"), EX_INVALID, "\"leaf_count\" of tree 0");
	refuses(changed("leaf_count=3 4 5", "leaf_count=3 4 50"), EX_INVALID, "do not add up");
	refuses(changed("cat_boundaries=0 1", "cat_boundaries=1 1"), EX_INVALID, "do not rise from 0");
	refuses(changed("cat_boundaries=0 1", "cat_boundaries=0 2"), EX_SYNTAX, "\"cat_threshold\" of tree 0");
	refuses(changed("cat_boundaries=0 1", "cat_boundaries=0 2000000000"), EX_SYNTAX, "\"cat_threshold\" of tree 0");
	refuses(changed("cat_threshold=33", "cat_threshold=4294967296"), EX_INVALID, "\"cat_threshold\" of tree 0");
	refuses(changed("split_feature=0 1", "split_feature=1 1"), EX_UNSUPPORTED, "a number in one node and a category in another");
	refuses(changed("is_linear=0", "is_linear=1"), EX_SYNTAX, "no \"leaf_const\"");
	refuses(changed("is_linear=0", "is_linear=1\nleaf_const=1 2 3\nnum_features=1 0 0\nleaf_features=2\nleaf_coeff=1"),
			EX_INVALID, "\"leaf_features\" of tree 0");
	refuses(changed("is_linear=0", "is_linear=1\nleaf_const=1 2 3\nnum_features=0 0 1\nleaf_features=1\nleaf_coeff=1"),
			EX_UNSUPPORTED, "feature \"b\"");
	refuses(changed("is_linear=0", "is_linear=1\nleaf_const=1 2 3\nnum_features=0 0 1\nleaf_features=0\nleaf_coeff=inf"),
			EX_RANGE, "of tree 0 is not finite");
}

/* Every cut of the text must be noticed, up to the last line that matters. */
static void
test_cuts(void)
{
	const char *text = HEAD TREE TAIL;
	size_t		enough = (size_t) (strstr(text, "end of parameters") - text) + strlen("end of parameters");
	size_t		wrong = 0;

	for (size_t size = 0; size < strlen(text); size++)
	{
		ex_lightgbm_note note;
		ex_model   *model;
		bool		read;

		/* a copy of its own size, so that AddressSanitizer sees a look beyond */
		char	   *cut = host->alloc(host, size);

		memcpy(cut, text, size);
		read = read_model(cut, size, -1, &model, &note) == EX_OK;

		/*
		 * between the line "end of trees" and the parameters nothing is
		 * missed
		 */
		if (read != (size >= enough) && strstr(text, "end of trees") + 12 > text + size)
			wrong++;
	}
	is_int((int64_t) wrong, 0, "every cut of the text is noticed");
}

static void
test_line_ends(void)
{
	const char *text = HEAD TREE TAIL;
	char	   *dos = host->alloc(host, 2 * strlen(text));
	size_t		size = 0;
	ex_lightgbm_note note;
	ex_model   *model;
	ex_model   *same = model_of(text);

	for (; *text != '\0'; text++)
	{
		if (*text == '\n')
			dos[size++] = '\r';
		dos[size++] = *text;
	}
	is_status(host, read_model(dos, size, -1, &model, &note), EX_OK, "line ends of DOS");
	is_same(model->digest, same->digest, 16, "give the same model");
}

/* No allocation's failure may do more than end the reading. */
static void
test_memory(void)
{
	const char *text = HEAD TREE TAIL;
	size_t		wrong = 0;
	long		n = 0;

	for (;; n++)
	{
		ex_arena	poor;
		ex_builder	builder;
		ex_model   *model;
		ex_lightgbm_note note;
		ex_status	status;

		ex_arena_init(&poor);
		poor.fail_after = n;
		ex_builder_init(&builder, &poor.host, EX_TREE);
		status = ex_lightgbm_read(&poor.host, text, strlen(text), -1, &builder, &note);
		if (status == EX_OK)
			status = ex_build(&builder, &model);
		wrong += status != EX_OK && status != EX_MEMORY;
		ex_arena_free(&poor);
		if (status == EX_OK)
			break;
	}
	ok(wrong == 0 && n > 10, "out of memory at each of %ld allocations", n);
}

int
main(void)
{
	host = ex_arena_init(&arena);
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++)
		test_golden(&goldens[i]);
	test_small();
	test_missing_types();
	test_objectives();
	test_pandas();
	test_iterations();
	test_other_things();
	test_bad_header();
	test_bad_trees();
	test_cuts();
	test_line_ends();
	test_memory();
	ex_arena_free(&arena);
	return unit_done();
}
