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
		double		error = fabs(raw[k] - expected[k]) / scale[k];
		double		want = expected[model->n_outputs + k];
		double		off = g->classes ? 0 : fabs(response[k] - want) / fmax(fabs(want), 1e-3);

		found->raw = fmax(found->raw, isnan(error) ? INFINITY : error);
		found->response = fmax(found->response, isnan(off) ? INFINITY : off);
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

int
main(void)
{
	host = ex_arena_init(&arena);
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++)
		test_golden(&goldens[i]);
	ex_arena_free(&arena);
	return unit_done();
}
