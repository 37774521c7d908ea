/*
 * xgboost_predict.c
 *		Predictions of the kernels for xgboost_fuzz.py.
 *
 *		xgboost_predict MODEL ITERATIONS < rows > predictions
 *
 * rows: doubles, n * p, NaN = missing.  predictions: doubles, for each row
 * four groups of K: the float32 sum that XGBoost computes, the raw prediction,
 * the response, and the sum of |leaf| that errors are measured by.
 */
#include <stdio.h>

#include "../unit/golden.h"
#include "family.h"
#include "host_malloc.h"
#include "linear.h"
#include "tree.h"
#include "xgboost.h"

static int
fail(const ex_host *host)
{
	fprintf(stderr, "%s\n", host->error.message);
	return 1;
}

/* XGBoost adds leaves in float32, tree by tree, from the base. */
static void
sum_trees(const ex_model *model, const double *x, double *sum, double *scale)
{
	ex_tree_view view;

	ex_tree_open(model, &view);
	for (uint32_t k = 0; k < view.n_outputs; k++)
	{
		sum[k] = view.base[k];
		scale[k] = fabs(view.base[k]);
	}
	for (uint32_t t = 0; t < view.n_trees; t++)
	{
		const ex_node *root = view.node + view.root[t];
		const ex_node *node = root;
		uint32_t	k = view.output[t];

		while (EX_NODE_OP(node) != EX_LEAF)
			node = root + node->left + !ex_goes_left(&view, node, x[EX_NODE_FEATURE(node)]);
		sum[k] = (float) sum[k] + (float) (node->value * view.weight[t]);
		scale[k] += fabs(node->value * view.weight[t]);
	}
}

static void
scale_linear(const ex_model *model, const double *x, double *scale)
{
	ex_linear_view view;

	ex_linear_open(model, &view);
	for (uint32_t k = 0; k < view.n_outputs; k++)
	{
		scale[k] = fabs(view.intercept[k]) + 1;
		for (uint32_t c = 0; c < view.n_columns; c++)
			scale[k] += fabs(view.coefficient[(size_t) k * view.n_columns + c] *
							 ex_linear_column(&view, c, x[view.feature[c]]));
	}
}

static ex_status
predict_rows(ex_host *host, const ex_model *model)
{
	uint32_t	p = model->n_features;
	uint32_t	n_outputs = model->n_outputs;
	ex_compiled *compiled;
	double	   *x;
	double	   *out;

	EX_TRY(ex_compile(host, model, 1 << 20, &compiled));
	EX_TRY(EX_ALLOC(host, p, &x));
	EX_TRY(EX_ALLOC(host, (size_t) 4 * n_outputs, &out));
	while (fread(x, sizeof(double), p, stdin) == p)
	{
		for (uint32_t f = 0; f < p; f++)
			x[f] = golden_feature(model, f, x[f]);
		EX_TRY(compiled->family->predict_raw(compiled, host, x, 1, out + n_outputs));
		ex_response(model, out + n_outputs, out + (size_t) 2 * n_outputs);
		if (model->family == EX_TREE)
			sum_trees(model, x, out, out + (size_t) 3 * n_outputs);
		else
			scale_linear(model, x, out + (size_t) 3 * n_outputs);
		fwrite(out, sizeof(double), (size_t) 4 * n_outputs, stdout);
	}
	return EX_OK;
}

int
main(int argc, char **argv)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_xgboost_note note;
	ex_json_format format;
	ex_model   *model;
	size_t		size;
	char	   *data;

	if (argc != 3)
		return 2;
	data = golden_file(host, argv[1], &size);
	if (ex_xgboost_format(host, data, size, &format) != EX_OK ||
		ex_xgboost_read(host, format, data, size, atoi(argv[2]), &builder, &note) != EX_OK ||
		ex_build(&builder, &model) != EX_OK || predict_rows(host, model) != EX_OK)
		return fail(host);
	ex_arena_free(&arena);
	return 0;
}
