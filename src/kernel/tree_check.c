/*
 * tree_check.c
 *		Structural validation of untrusted tree sections.
 *
 * What ex_tree_add guarantees about a model is proved here again for bytes
 * that came from elsewhere (recv, a damaged table): after EX_OK no kernel can
 * read outside a section, divide by zero or fail to end.  Anything that the
 * canonical layout of tree.c would not have written is refused, so that equal
 * models have equal bytes.
 */
#include <math.h>
#include <string.h>

#include "tree_family.h"

/* What one pass over the nodes has to know and to count. */
typedef struct check
{
	ex_host    *host;
	ex_tree_view view;
	const uint8_t *kind;		/* of the features */
	const uint32_t *levels;
	uint32_t	n_sets;
	uint32_t	n_set_words;
	uint32_t	sets_seen;
	uint32_t	linear_seen;
	uint32_t	leaves_seen;
} check;

static ex_status
bad(ex_host *host, const char *what)
{
	return ex_fail(host, EX_INVALID, "invalid tree model: %s", what);
}

static ex_status
bad_node(check *c, uint32_t tree, uint32_t i, const char *what)
{
	return ex_fail(c->host, EX_INVALID, "invalid tree model: node %u of tree %u %s",
				   i, tree, what);
}

/* A required section of `count` elements. */
static ex_status
need(ex_host *host, const ex_model *model, ex_section_id id, uint64_t count)
{
	uint32_t	have;

	if (ex_get(model, id, &have) == NULL || have != count)
		return bad(host, "a section is missing or has the wrong length");
	return EX_OK;
}

/*
 * Offsets of lists (sets, linear leaves): from 0, ascending, up to the end.
 * An empty table of lists is not written at all.
 */
static ex_status
check_starts(ex_host *host, const uint32_t *start, uint32_t n_lists, uint32_t n_elements)
{
	if (n_lists == 0 || start[0] != 0 || start[n_lists] != n_elements)
		return bad(host, "lists do not fill their section");
	for (uint32_t i = 0; i < n_lists; i++)
		if (start[i] > start[i + 1])
			return bad(host, "lists are not in order");
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Trees
 * ---------------------------------------------------------------- */

static ex_status
check_base(check *c, const ex_model *model)
{
	EX_TRY(need(c->host, model, EX_TREE_BASE, model->n_outputs));
	for (uint32_t k = 0; k < model->n_outputs; k++)
		if (!isfinite(c->view.base[k]))
			return ex_fail(c->host, EX_RANGE, "base of output %u is not finite", k);
	return EX_OK;
}

static ex_status
check_outputs(check *c)
{
	const ex_tree_view *view = &c->view;

	for (uint32_t t = 0; t < view->n_trees; t++)
		if (view->vector_leaves ? view->output[t] != EX_ALL_OUTPUTS :
			view->output[t] >= view->n_outputs)
			return ex_fail(c->host, EX_INVALID, "output of tree %u does not exist", t);
	return EX_OK;
}

/* An average needs weights that can be divided by. */
static ex_status
check_weights(check *c, const ex_model *model)
{
	const ex_tree_view *view = &c->view;
	bool		mean = model->aggregation == EX_MEAN;
	double		sum = 0;

	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		if (!isfinite(view->weight[t]))
			return ex_fail(c->host, EX_RANGE, "weight of tree %u is not finite", t);
		if (mean && !(view->weight[t] > 0))
			return ex_fail(c->host, EX_INVALID,
						   "weight of tree %u must be positive, since trees are averaged", t);
		sum += view->weight[t];
	}
	if (mean && !isfinite(sum))
		return ex_fail(c->host, EX_RANGE, "sum of the trees' weights is out of range");
	return EX_OK;
}

static ex_status
check_trees(check *c, const ex_model *model)
{
	const ex_tree_view *view = &c->view;
	uint32_t	count;

	if (ex_get(model, EX_TREE_ROOT, &count) == NULL || count < 2)
	{
		(void) ex_fail(c->host, EX_INVALID, "model has no trees");
		ex_hint(c->host, "A constant is a tree that is one leaf.");
		return EX_INVALID;
	}
	EX_TRY(need(c->host, model, EX_TREE_OUTPUT, view->n_trees));
	EX_TRY(need(c->host, model, EX_TREE_WEIGHT, view->n_trees));
	if (view->n_nodes > EX_MAX_NODES)
		return ex_fail(c->host, EX_LIMIT, "model has more than %d nodes", EX_MAX_NODES);
	EX_TRY(check_starts(c->host, view->root, view->n_trees, view->n_nodes));
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		uint32_t	n = view->root[t + 1] - view->root[t];

		if (n == 0)
			return ex_fail(c->host, EX_INVALID, "tree %u has no nodes", t);
		if (n > EX_MAX_TREE_NODES)
			return ex_fail(c->host, EX_LIMIT, "tree %u has more than %d nodes",
						   t, EX_MAX_TREE_NODES);
	}
	EX_TRY(check_outputs(c));
	return check_weights(c, model);
}

/* ----------------------------------------------------------------
 * Side tables
 * ---------------------------------------------------------------- */

static ex_status
open_sets(check *c, const ex_model *model)
{
	uint32_t	starts;

	(void) ex_get(model, EX_TREE_SET_START, &starts);
	(void) ex_get(model, EX_TREE_SET_WORD, &c->n_set_words);
	if ((c->view.set_start == NULL) != (c->view.set_word == NULL))
		return bad(c->host, "sets without words");
	if (c->view.set_start == NULL)
		return EX_OK;
	if (starts < 2)
		return bad(c->host, "the table of sets is empty");
	c->n_sets = starts - 1;
	return check_starts(c->host, c->view.set_start, c->n_sets, c->n_set_words);
}

static ex_status
check_linear_terms(check *c, uint32_t n_terms)
{
	for (uint32_t i = 0; i < n_terms; i++)
	{
		if (c->view.linear_feature[i] >= c->view.n_features ||
			c->kind[c->view.linear_feature[i]] == EX_CATEGORICAL)
			return bad(c->host, "a linear leaf uses a feature that is categorical or does not exist");
		if (!isfinite(c->view.linear_coef[i]))
			return ex_fail(c->host, EX_RANGE, "coefficient of a linear leaf is not finite");
	}
	for (uint32_t i = 0; i < c->view.n_linear; i++)
		if (!isfinite(c->view.linear_const[i]))
			return ex_fail(c->host, EX_RANGE, "constant of a linear leaf is not finite");
	return EX_OK;
}

static ex_status
check_linear(check *c, const ex_model *model)
{
	uint32_t	starts;
	uint32_t	n_terms;

	(void) ex_get(model, EX_TREE_LINEAR_START, &starts);
	(void) ex_get(model, EX_TREE_LINEAR_FEATURE, &n_terms);
	if (c->view.linear_start == NULL)
		return c->view.linear_feature == NULL && c->view.linear_coef == NULL &&
			c->view.linear_const == NULL ? EX_OK : bad(c->host, "linear leaves without a table");
	if (starts < 2 || c->view.linear_feature == NULL)
		return bad(c->host, "the table of linear leaves is empty");
	if (c->view.vector_leaves)
		return bad(c->host, "leaves are vectors and linear models at once");
	EX_TRY(need(c->host, model, EX_TREE_LINEAR_COEF, n_terms));
	EX_TRY(need(c->host, model, EX_TREE_LINEAR_CONST, c->view.n_linear));
	EX_TRY(check_starts(c->host, c->view.linear_start, c->view.n_linear, n_terms));
	return check_linear_terms(c, n_terms);
}

static ex_status
check_leaf_vectors(check *c, const ex_model *model)
{
	uint32_t	count;

	if (ex_get(model, EX_TREE_LEAF_VECTOR, &count) == NULL)
		return EX_OK;
	if (c->view.n_outputs < 2 ||
		count != (uint64_t) c->leaves_seen * c->view.n_outputs)
		return bad(c->host, "leaf vectors have the wrong length");
	for (uint32_t i = 0; i < count; i++)
		if (!isfinite(c->view.leaf_vector[i]))
			return ex_fail(c->host, EX_RANGE, "value of a leaf is not finite");
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Nodes
 * ---------------------------------------------------------------- */

static ex_status
check_leaf(check *c, uint32_t tree, uint32_t i, const ex_node *node)
{
	if (node->info != 0)
		return bad_node(c, tree, i, "is a leaf with flags");
	if (c->view.vector_leaves)
	{
		if (node->value != c->leaves_seen)
			return bad_node(c, tree, i, "does not name the next leaf vector");
	}
	else if (!isfinite(node->value))
		return ex_fail(c->host, EX_RANGE, "value of leaf %u of tree %u is not finite", i, tree);
	c->leaves_seen++;

	if (node->left == -1)
		return EX_OK;
	if (node->left < 0 || (uint32_t) node->left != c->linear_seen ||
		c->linear_seen >= c->view.n_linear)
		return bad_node(c, tree, i, "does not name the next linear leaf");
	c->linear_seen++;
	return EX_OK;
}

/* Every bit of a set must be a level, and the last word must have one. */
static ex_status
check_set(check *c, uint32_t tree, uint32_t i, const ex_node *node, uint32_t levels)
{
	uint32_t	first;
	uint32_t	words;
	uint32_t	last;

	if (node->value != c->sets_seen || c->sets_seen >= c->n_sets)
		return bad_node(c, tree, i, "does not name the next set");
	first = c->view.set_start[c->sets_seen];
	words = c->view.set_start[c->sets_seen + 1] - first;
	c->sets_seen++;
	if (words == 0)
		return EX_OK;
	last = c->view.set_word[first + words - 1];
	if (last == 0)
		return bad_node(c, tree, i, "has a set with an unused word");
	if (words - 1 > levels / 32 || (words - 1 == levels / 32 && last >> (levels % 32) != 0))
		return bad_node(c, tree, i, "has a set with a level that its feature does not have");
	return EX_OK;
}

static ex_status
check_split(check *c, uint32_t tree, uint32_t i, const ex_node *node)
{
	uint32_t	feature = EX_NODE_FEATURE(node);
	bool		categorical;

	if (feature >= c->view.n_features)
		return bad_node(c, tree, i, "tests a feature that does not exist");
	if (node->info & ~(0x0fffffffu | EX_NODE_DEFAULT_LEFT | EX_NODE_ZERO_MISSING))
		return bad_node(c, tree, i, "has unknown flags");
	categorical = c->kind[feature] == EX_CATEGORICAL;
	switch (EX_NODE_OP(node))
	{
		case EX_LE:
			if (categorical)
				return bad_node(c, tree, i, "compares a categorical feature with a threshold");
			if (isnan(node->value))
				return bad_node(c, tree, i, "has NaN as threshold");
			return EX_OK;
		case EX_IN:
			if (!categorical)
				return bad_node(c, tree, i, "tests a feature that is not categorical for a set of levels");
			return check_set(c, tree, i, node, c->levels[feature]);
		case EX_ISNULL:
			if (node->value != 0 || (node->info & EX_NODE_DEFAULT_LEFT))
				return bad_node(c, tree, i, "has members that its operation does not use");
			return EX_OK;
		case EX_LEAF:
			break;
	}
	return bad_node(c, tree, i, "has an unknown operation");
}

/*
 * Breadth-first order with adjacent children leaves no choice: the children
 * of the j-th split are nodes 2j + 1 and 2j + 2.  Insisting on it proves one
 * parent each, children after parents and no node that cannot be reached.
 */
static ex_status
check_tree(check *c, uint32_t tree)
{
	const ex_node *root = c->view.node + c->view.root[tree];
	uint32_t	n = c->view.root[tree + 1] - c->view.root[tree];
	uint32_t	next = 1;

	for (uint32_t i = 0; i < n; i++)
	{
		if (i >= next)
			return bad_node(c, tree, i, "cannot be reached from the root");
		if (EX_NODE_OP(root + i) == EX_LEAF)
			EX_TRY(check_leaf(c, tree, i, root + i));
		else
		{
			EX_TRY(check_split(c, tree, i, root + i));
			if (root[i].left < 0 || (uint32_t) root[i].left != next)
				return bad_node(c, tree, i, "does not have its children in breadth-first order");
			next += 2;
		}
	}
	return next == n ? EX_OK : ex_fail(c->host, EX_INVALID,
									   "invalid tree model: tree %u lacks children", tree);
}

static ex_status
check_covers(check *c, uint32_t tree)
{
	const ex_node *root = c->view.node + c->view.root[tree];
	const double *cover = c->view.cover + c->view.root[tree];
	uint32_t	n = c->view.root[tree + 1] - c->view.root[tree];

	for (uint32_t i = 0; i < n; i++)
		if (!(cover[i] >= 0) || isinf(cover[i]))
			return bad_node(c, tree, i, "has a cover that is negative or not finite");
	for (uint32_t i = 0; i < n; i++)
		if (EX_NODE_OP(root + i) != EX_LEAF &&
			!ex_tree_covers_add_up(cover[i], cover[root[i].left], cover[root[i].left + 1]))
			return bad_node(c, tree, i, "has a cover that is not the sum of its children's");
	return EX_OK;
}

static ex_status
check_gains(check *c, uint32_t tree)
{
	for (uint32_t i = c->view.root[tree]; i < c->view.root[tree + 1]; i++)
	{
		double		gain = c->view.gain[i];

		if (EX_NODE_OP(c->view.node + i) == EX_LEAF ? gain != 0 : isinf(gain))
			return bad_node(c, tree, i - c->view.root[tree], "has an impossible gain");
	}
	return EX_OK;
}

static ex_status
check_nodes(check *c, const ex_model *model)
{
	if (c->view.cover != NULL)
		EX_TRY(need(c->host, model, EX_TREE_COVER, c->view.n_nodes));
	if (c->view.gain != NULL)
		EX_TRY(need(c->host, model, EX_TREE_GAIN, c->view.n_nodes));
	for (uint32_t t = 0; t < c->view.n_trees; t++)
	{
		EX_TRY(check_tree(c, t));
		if (c->view.cover != NULL)
			EX_TRY(check_covers(c, t));
		if (c->view.gain != NULL)
			EX_TRY(check_gains(c, t));
		EX_TRY(ex_poll(c->host));
	}
	if (c->sets_seen != c->n_sets || c->linear_seen != c->view.n_linear)
		return bad(c->host, "sets or linear leaves that no node uses");
	return EX_OK;
}

ex_status
ex_tree_validate(ex_host *host, const ex_model *model)
{
	check		c = {.host = host};

	ex_tree_open(model, &c.view);
	c.kind = ex_get(model, EX_FEATURE_KIND, NULL);
	c.levels = ex_get(model, EX_FEATURE_LEVELS, NULL);
	EX_TRY(check_base(&c, model));
	EX_TRY(check_trees(&c, model));
	EX_TRY(open_sets(&c, model));
	EX_TRY(check_linear(&c, model));
	EX_TRY(check_nodes(&c, model));
	return check_leaf_vectors(&c, model);
}
