/*
 * tree_family.c
 *		The tree family's table of operations, and making a tree model ready.
 */
#include "tree_family.h"
#include "tree_shap.h"

/*
 * Nodes lie level by level, so a level of m splits is followed by one of 2m
 * nodes.
 */
static uint32_t
depth_of_tree(const ex_node *root)
{
	const ex_node *node = root;
	uint32_t	depth = 0;
	uint32_t	level = 1;

	for (;;)
	{
		const ex_node *end = node + level;

		level = 0;
		for (; node < end; node++)
			level += EX_NODE_OP(node) == EX_LEAF ? 0 : 2;
		if (level == 0)
			return depth;
		depth++;
	}
}

static ex_status
compile_depths(ex_compiled *compiled, ex_tree_state *state)
{
	const ex_tree_view *view = &state->view;
	uint32_t   *depth;

	EX_TRY(EX_ALLOC(compiled->host, view->n_trees, &depth));
	for (uint32_t t = 0; t < view->n_trees; t++)
		depth[t] = depth_of_tree(view->node + view->root[t]);
	state->depth = depth;
	return EX_OK;
}

static ex_status
compile_scales(ex_compiled *compiled, ex_tree_state *state)
{
	const ex_tree_view *view = &state->view;
	bool		mean = compiled->model->aggregation == EX_MEAN;
	double	   *divisor;
	double	   *scale;

	EX_TRY(EX_ALLOC(compiled->host, view->n_outputs, &divisor));
	EX_TRY(EX_ALLOC(compiled->host, view->n_trees, &scale));
	for (uint32_t t = 0; mean && t < view->n_trees; t++)
		divisor[view->vector_leaves ? 0 : view->output[t]] += view->weight[t];
	for (uint32_t k = 0; k < view->n_outputs; k++)
	{
		if (mean && view->vector_leaves)
			divisor[k] = divisor[0];
		if (divisor[k] == 0)	/* a sum, or an output that no tree feeds */
			divisor[k] = 1;
	}
	for (uint32_t t = 0; t < view->n_trees; t++)
		scale[t] = view->weight[t] / divisor[view->vector_leaves ? 0 : view->output[t]];
	state->divisor = divisor;
	state->scale = scale;
	return EX_OK;
}

static ex_status
compile_tree(ex_compiled *compiled)
{
	ex_tree_state *state;

	EX_TRY(EX_ALLOC(compiled->host, 1, &state));
	ex_tree_open(compiled->model, &state->view);
	EX_TRY(compile_depths(compiled, state));
	EX_TRY(compile_scales(compiled, state));
	compiled->state = state;
	return EX_OK;
}

static const ex_section_id tree_sections[] = {
	EX_TREE_BASE, EX_TREE_ROOT, EX_TREE_OUTPUT, EX_TREE_WEIGHT, EX_TREE_NODE,
	EX_TREE_COVER, EX_TREE_GAIN, EX_TREE_SET_START, EX_TREE_SET_WORD,
	EX_TREE_LEAF_VECTOR, EX_TREE_LINEAR_START, EX_TREE_LINEAR_FEATURE,
	EX_TREE_LINEAR_COEF, EX_TREE_LINEAR_CONST
};

const ex_family ex_tree_family = {
	.id = EX_TREE,
	.name = "tree",
	.sections = tree_sections,
	.n_sections = sizeof(tree_sections) / sizeof(tree_sections[0]),
	.validate = ex_tree_validate,
	.read_json = ex_tree_read_json,
	.write_json = ex_tree_write_json,
	.fold = ex_tree_fold,
	.align = ex_tree_align,
	.compile = compile_tree,
	.predict_raw = ex_tree_predict_raw,
	.shap_methods = ex_tree_shap_methods,
	.n_shap_methods = EX_N_TREE_SHAP_METHODS
};
