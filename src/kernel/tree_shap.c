/*
 * tree_shap.c
 *		The Shapley methods of the tree family.
 *
 * Outputs are explained one after the other and trees in their order, so the
 * bits of a value depend neither on the outputs asked for nor on what was
 * explained before.
 */
#include <string.h>

#include "coalition_exact.h"
#include "sum.h"
#include "tree_shap_internal.h"

/* Splits between two questions to the host whether to stop (about 1 ms). */
#define POLL_SPLITS 32768

/* Rows predicted at a time for the mean of a background. */
#define MEAN_TILE 64

/* Counts work and asks the host now and then. */
static ex_status
poll_work(ex_host *host, uint64_t *work, uint64_t done)
{
	*work += done;
	if (*work < POLL_SPLITS)
		return EX_OK;
	*work = 0;
	return ex_poll(host);
}

/* ----------------------------------------------------------------
 * Refusals
 * ---------------------------------------------------------------- */

static ex_status
check_space(const ex_compiled *compiled, ex_host *host, ex_space space)
{
	if (space == EX_RAW || compiled->model->link == EX_LINK_IDENTITY)
		return EX_OK;
	(void) ex_fail(host, EX_UNSUPPORTED,
				   "Shapley values of trees are exact in raw space only");
	ex_detail(host, "The link \"%s\" mixes the trees, so that the response is not a sum over them.",
			  ex_link_names[compiled->model->link]);
	ex_hint(host, "Use space => 'raw', or method => 'exact' where at most %d features vary.",
				EX_EXACT_MAX_PLAYERS);
	return EX_UNSUPPORTED;
}

static ex_status
check_size(ex_compiled *compiled, ex_host *host)
{
	ex_tree_shap_tables *tables;

	EX_TRY(ex_shap_tables(compiled, host, &tables));
	if (tables->distinct > EX_SHAP_MAX_DISTINCT)
	{
		(void) ex_fail(host, EX_LIMIT, "a path of the model splits on %u features, more than %d",
					   tables->distinct, EX_SHAP_MAX_DISTINCT);
		ex_hint(host, "Use a sampling method, or limit the depth of the trees.");
		return EX_LIMIT;
	}
	if (tables->beta == NULL)
		return ex_fail(host, EX_LIMIT, "a linear leaf of the model has too many features");
	return EX_OK;
}

static ex_status
check_path_dependent(ex_compiled *compiled, ex_host *host, ex_space space,
					 const ex_background *background)
{
	const ex_tree_view *view = &ex_tree_state_of(compiled)->view;

	(void) background;
	EX_TRY(check_space(compiled, host, space));
	if (view->cover == NULL)
	{
		(void) ex_fail(host, EX_UNSUPPORTED,
					   "method \"tree_path_dependent\" needs the covers of all nodes, which the model does not have");
		ex_hint(host, "Count them on background rows with explain.with_covers, or attach such rows with explain.with_background and use method => 'tree_interventional'.");
		return EX_UNSUPPORTED;
	}
	if (view->n_linear > 0)
	{
		(void) ex_fail(host, EX_UNSUPPORTED,
					   "method \"tree_path_dependent\" is not defined for trees with linear leaves");
		ex_hint(host, "Attach a background with with_background(model, background) and use method => 'tree_interventional'.");
		return EX_UNSUPPORTED;
	}
	return check_size(compiled, host);
}

static ex_status
check_interventional(ex_compiled *compiled, ex_host *host, ex_space space,
					 const ex_background *background)
{
	const ex_tree_view *view = &ex_tree_state_of(compiled)->view;

	EX_TRY(check_space(compiled, host, space));
	if (background->n == 0)
	{
		(void) ex_fail(host, EX_INVALID,
					   "method \"tree_interventional\" needs background rows, which the model does not have");
		ex_hint(host, "Attach them with explain.with_background(model, ...), or pass one row as reference => row%s.",
				view->cover == NULL && view->n_linear == 0 ?
				"; or count covers on such rows with explain.with_covers, for method => 'tree_path_dependent'" : "");
		return EX_INVALID;
	}
	return check_size(compiled, host);
}

/* ----------------------------------------------------------------
 * Path-dependent
 * ---------------------------------------------------------------- */

ex_status
ex_shap_frame_of_call(const ex_tree_shap_tables *tables, ex_host *host, void **frame)
{
	char	   *chunk;

	*frame = tables->frame;
	if (tables->frame != NULL)
		return EX_OK;
	EX_TRY(EX_ALLOC(host, tables->frame_size + 63, &chunk));
	*frame = (void *) (((uintptr_t) chunk + 63) & ~(uintptr_t) 63);
	return EX_OK;
}

/*
 * Walks all trees that feed output k: interactions, or values (into
 * tables->sum) of those that are not looked up.
 */
static ex_status
walk_trees(ex_tree_shap_tables *tables, ex_host *host, uint32_t k, double *pair)
{
	const ex_tree_view *view = &tables->family->view;
	ex_shap_walk walk = {
		.column = tables->column,.sum = tables->sum,.pair = pair,.n_features = view->n_features
	};
	uint64_t	work = 0;

	EX_TRY(ex_shap_frame_of_call(tables, host, &walk.frame));
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		const ex_shap_tree *tree = &tables->tree[t];

		if (tree->n_splits == 0 || !ex_shap_feeds(tables, t, k))
			continue;
		EX_TRY(poll_work(host, &work, tree->n_splits));
		if (pair == NULL && ex_shap_in_blocks(tables, t))
			continue;
		walk.split = tables->split + tree->first_split;
		walk.leaf = ex_shap_leaves(tables, t, k);
		walk.rule = tables->rule[tree->distinct];
		if (pair != NULL)
			tables->kernel->walk_pairs(&walk);
		else
			tables->kernel->walk(&walk);
	}
	return EX_OK;
}

static ex_status
path_dependent_output(ex_tree_shap_tables *tables, ex_host *host, uint32_t k, double *phi)
{
	uint32_t	p = tables->family->view.n_features;
	ex_shap_lookup lookup;

	memset(tables->sum, 0, (size_t) p * 4 * sizeof(double));
	EX_TRY(walk_trees(tables, host, k, NULL));
	for (uint32_t f = 0; f < p; f++)
	{
		const double *lane = tables->sum + (size_t) f * 4;

		phi[f] = (lane[0] + lane[2]) + (lane[1] + lane[3]);
	}
	if (!tables->blocks->path_dependent)
		return EX_OK;
	lookup = ex_shap_path_lookup(tables, k);
	EX_TRY(ex_shap_look_up(&lookup, host));
	for (uint32_t f = 0; f < p; f++)
		phi[f] += tables->blocks->sum[f];
	return EX_OK;
}

static ex_status
path_dependent_base(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double *base)
{
	ex_tree_shap_tables *tables;

	EX_TRY(ex_shap_tables(compiled, host, &tables));
	memcpy(base, tables->path_base + call->outputs.first, call->outputs.count * sizeof(double));
	return EX_OK;
}

static ex_status
path_dependent_values(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
					  double *phi, double *base)
{
	uint32_t	p = compiled->model->n_features;
	ex_tree_shap_tables *tables;
	ex_shap_blocks *blocks;

	EX_TRY(ex_shap_tables(compiled, host, &tables));
	EX_TRY(ex_shap_blocks_of(compiled, host, tables, &blocks));
	if (blocks->path_dependent)
		ex_shap_open_memos(compiled, blocks, &blocks->path_memos);
	ex_shap_columns(tables, call->x, tables->column);
	for (uint32_t i = 0; i < call->outputs.count; i++)
		EX_TRY(path_dependent_output(tables, host, call->outputs.first + i, phi + (size_t) i * p));
	return path_dependent_base(compiled, host, call, base);
}

/* ----------------------------------------------------------------
 * Interventional
 * ---------------------------------------------------------------- */

double
ex_shap_total_weight(const ex_background *background)
{
	ex_sum		total = {0, 0};

	for (uint32_t i = 0; i < background->n; i++)
		ex_sum_add(&total, ex_shap_weight(background, i));
	return ex_sum_total(&total);
}

/* The mean raw prediction of all outputs over a background. */
static ex_status
mean_prediction(ex_compiled *compiled, ex_host *host, const ex_background *background, double *mean)
{
	uint32_t	p = compiled->model->n_features;
	uint32_t	n_outputs = compiled->model->n_outputs;
	double		total = ex_shap_total_weight(background);
	ex_sum	   *sum;
	double	   *raw;

	EX_TRY(EX_ALLOC(host, n_outputs, &sum));
	EX_TRY(EX_ALLOC(host, (size_t) n_outputs * MEAN_TILE, &raw));
	for (uint32_t first = 0; first < background->n; first += MEAN_TILE)
	{
		uint32_t	n = background->n - first < MEAN_TILE ? background->n - first : MEAN_TILE;

		EX_TRY(ex_poll(host));
		EX_TRY(ex_tree_predict_raw(compiled, host, background->row + (size_t) first * p, n, raw));
		for (uint32_t i = 0; i < n * n_outputs; i++)
			ex_sum_add(&sum[i % n_outputs],
					   ex_shap_weight(background, first + i / n_outputs) * raw[i]);
	}
	for (uint32_t k = 0; k < n_outputs; k++)
		mean[k] = ex_sum_total(&sum[k]) / total;
	return EX_OK;
}

static ex_status
interventional_base(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double *base)
{
	uint32_t	n_outputs = compiled->model->n_outputs;
	ex_tree_shap_tables *tables;
	double	   *mean;

	EX_TRY(ex_shap_tables(compiled, host, &tables));
	mean = call->background.own ? tables->background_base : NULL;
	if (mean == NULL)
	{
		EX_TRY(EX_ALLOC(host, n_outputs, &mean));
		EX_TRY(mean_prediction(compiled, host, &call->background, mean));
		if (call->background.own)
		{
			EX_TRY(EX_ALLOC(compiled->host, n_outputs, &tables->background_base));
			memcpy(tables->background_base, mean, n_outputs * sizeof(double));
		}
	}
	memcpy(base, mean + call->outputs.first, call->outputs.count * sizeof(double));
	return EX_OK;
}

/* Do all background rows take part at once in tree t? */
static bool
has_profile(const ex_tree_shap_tables *tables, const ex_background *background, uint32_t t)
{
	return background->own && tables->blocks->small_of[t] >= 0;
}

/*
 * Against every background row in turn: interactions, and values of the trees
 * that have no profile.
 */
static ex_status
contest_rows(ex_tree_shap_tables *tables, ex_host *host, const ex_shap_call *call, bool pairs,
			 double *phi)
{
	const ex_background *background = &call->background;
	const ex_tree_view *view = &tables->family->view;
	size_t		size = pairs ? (size_t) view->n_features * view->n_features : view->n_features;
	double		total = ex_shap_total_weight(background);
	uint64_t	work = 0;

	for (uint32_t b = 0; b < background->n; b++)
	{
		const double *row = background->row + (size_t) b * view->n_features;
		ex_shap_contest contest = {
			call->x, tables->column, row, tables->other_column,
			ex_shap_weight(background, b) / total
		};

		ex_shap_columns(tables, row, tables->other_column);
		for (uint32_t i = 0; i < call->outputs.count; i++)
			for (uint32_t t = 0; t < view->n_trees; t++)
			{
				if (!ex_shap_feeds(tables, t, call->outputs.first + i) ||
					(!pairs && has_profile(tables, background, t)))
					continue;
				if (pairs)
					ex_shap_pair_interactions(tables, &contest, t, call->outputs.first + i,
											  phi + i * size);
				else
					ex_shap_pair_values(tables, &contest, t, call->outputs.first + i,
										phi + i * size);
				EX_TRY(poll_work(host, &work, tables->tree[t].n_splits));
			}
	}
	return EX_OK;
}

static ex_status
interventional_values(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
					  double *phi, double *base)
{
	uint32_t	p = compiled->model->n_features;
	ex_tree_shap_tables *tables;

	EX_TRY(ex_shap_tables(compiled, host, &tables));
	EX_TRY(interventional_base(compiled, host, call, base));
	ex_shap_columns(tables, call->x, tables->column);
	memset(phi, 0, (size_t) call->outputs.count * p * sizeof(double));
	if (!call->background.own)
		return contest_rows(tables, host, call, false, phi);

	EX_TRY(ex_shap_profile_of(compiled, host, tables, &call->background));
	for (uint32_t i = 0; i < call->outputs.count; i++)
	{
		ex_shap_lookup lookup = ex_shap_background_lookup(tables, call->outputs.first + i);

		EX_TRY(ex_shap_look_up(&lookup, host));
		memcpy(phi + (size_t) i * p, tables->blocks->sum, p * sizeof(double));
	}
	return tables->blocks->all_small ? EX_OK : contest_rows(tables, host, call, false, phi);
}

/* ----------------------------------------------------------------
 * Interactions
 * ---------------------------------------------------------------- */

/* Main effects: what of a feature's value its pairs leave over. */
void
ex_shap_put_main_effects(uint32_t p, const double *value, double *matrix)
{
	for (uint32_t i = 0; i < p; i++)
	{
		double		rest = value[i];

		for (uint32_t j = 0; j < p; j++)
			if (j != i)
				rest -= matrix[(size_t) i * p + j];
		matrix[(size_t) i * p + i] = rest;
	}
}

/* The walk leaves the two orders of a pair apart. */
void
ex_shap_share_pairs(uint32_t p, double *matrix)
{
	for (uint32_t i = 0; i < p; i++)
		for (uint32_t j = 0; j < i; j++)
		{
			double		half = 0.5 * (matrix[(size_t) i * p + j] + matrix[(size_t) j * p + i]);

			matrix[(size_t) i * p + j] = matrix[(size_t) j * p + i] = half;
		}
}

static ex_status
path_dependent_interactions(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
							double *phi, double *base)
{
	uint32_t	p = compiled->model->n_features;
	size_t		size = (size_t) p * p;
	ex_tree_shap_tables *tables;
	double	   *value;

	EX_TRY(ex_shap_tables(compiled, host, &tables));
	EX_TRY(EX_ALLOC(host, (size_t) call->outputs.count * p, &value));
	EX_TRY(path_dependent_values(compiled, host, call, value, base));
	memset(phi, 0, call->outputs.count * size * sizeof(double));
	for (uint32_t i = 0; i < call->outputs.count; i++)
	{
		EX_TRY(walk_trees(tables, host, call->outputs.first + i, phi + i * size));
		ex_shap_share_pairs(p, phi + i * size);
		ex_shap_put_main_effects(p, value + (size_t) i * p, phi + i * size);
	}
	return EX_OK;
}

static ex_status
interventional_interactions(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
							double *phi, double *base)
{
	uint32_t	p = compiled->model->n_features;
	size_t		size = (size_t) p * p;
	ex_tree_shap_tables *tables;
	double	   *value;

	EX_TRY(ex_shap_tables(compiled, host, &tables));
	EX_TRY(EX_ALLOC(host, (size_t) call->outputs.count * p, &value));
	EX_TRY(interventional_values(compiled, host, call, value, base));
	memset(phi, 0, call->outputs.count * size * sizeof(double));
	EX_TRY(contest_rows(tables, host, call, true, phi));
	for (uint32_t i = 0; i < call->outputs.count; i++)
		ex_shap_put_main_effects(p, value + (size_t) i * p, phi + i * size);
	return EX_OK;
}

const ex_shap_method ex_tree_shap_methods[EX_N_TREE_SHAP_METHODS] = {
	{
		.name = "tree_path_dependent",
		.needs_background = false,
		.check = check_path_dependent,
		.values = path_dependent_values,
		.values_tile = ex_shap_path_tile,
		.interactions_tile = ex_shap_path_pairs_tile,
		.interactions = path_dependent_interactions,
		.base = path_dependent_base
	},
	{
		.name = "tree_interventional",
		.needs_background = true,
		.check = check_interventional,
		.values = interventional_values,
		.values_tile = ex_shap_background_tile,
		.interactions = interventional_interactions,
		.base = interventional_base
	},
	{EX_EXACT_METHOD, .only_by_name = true}
};
