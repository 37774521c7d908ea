/*
 * linear_shap.c
 *		Exact Shapley values of linear models, features independent.
 *
 * Raw space (Lundberg & Lee 2017, corollary 1):
 *
 *		phi_f = sum over the columns c of f: w_c (z_c(x) - E z_c)
 *		base  = intercept + sum over c: w_c E z_c
 *
 * where E z_c comes from one source for all columns of a model: from the
 * statistics of all rows that the background has seen if they determine every
 * column (values, levels and missing indicators do, bins do not), otherwise
 * from the weighted rows of the sample.  A reference row is its own mean.
 *
 * Response space, identity link: the same.  Log link: against one background
 * row the game is a product over features,
 *
 *		v(S) = exp(intercept) prod_{f in S} a_f prod_{f not in S} b_f,
 *
 * with a_f and b_f the exponentials of what f contributes to x and to the row.
 * Shapley weights are Beta integrals, so phi_f is an integral over [0, 1] of a
 * polynomial of degree m - 1 in m features (METHODS 1), which Gauss-Legendre
 * quadrature with ceil(m / 2) nodes gives exactly; then the mean over rows.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "coalition_exact.h"
#include "linear_internal.h"
#include "quadrature.h"
#include "sum.h"

#define MAX_PRODUCT_FEATURES 2048	/* of response space; quadrature nodes
									 * grow with it */

/* E z of all columns and the base value of all outputs. */
static ex_status
compute_means(ex_host *host, const ex_linear_view *view, const ex_background *background,
			  double *mean, double *base)
{
	EX_TRY(ex_linear_mean_columns(host, view, background, mean));
	for (uint32_t k = 0; k < view->n_outputs; k++)
	{
		base[k] = ex_linear_raw(view, k, mean);
		if (!isfinite(base[k]))
			return ex_linear_out_of_range(host, view, background->row, "base value is out of range");
	}
	return EX_OK;
}

static ex_status
expect(ex_compiled *compiled, ex_host *host, const ex_background *background,
	   const double **mean, const double **base)
{
	ex_linear_state *state = compiled->state;
	ex_host    *owner = background->own ? compiled->host : host;
	double	   *new_mean;
	double	   *new_base;

	if (!background->own || state->mean == NULL)
	{
		EX_TRY(EX_ALLOC(owner, state->view.n_columns, &new_mean));
		EX_TRY(EX_ALLOC(owner, state->view.n_outputs, &new_base));
		EX_TRY(compute_means(host, &state->view, background, new_mean, new_base));
		*mean = new_mean;
		*base = new_base;
		if (background->own)
		{
			state->mean = new_mean;
			state->base = new_base;
		}
		return EX_OK;
	}
	*mean = state->mean;
	*base = state->base;
	return EX_OK;
}

/*
 * Raw space.
 */

/* Values of one output; false if one of them is not a number. */
static bool
attribute_values(const double *w, const double *x, const double *mean, uint32_t n, double *phi)
{
	int			bad = 0;

	for (uint32_t f = 0; f < n; f++)
	{
		phi[f] = w[f] * (x[f] - mean[f]) + 0.0; /* +0.0: no -0 */
		bad |= !(fabs(phi[f]) <= DBL_MAX);
	}
	return bad == 0;
}

static bool
attribute_columns(const ex_linear_state *state, const double *w, const double *mean, double *phi)
{
	const ex_linear_view *view = &state->view;
	bool		finite = true;

	memset(phi, 0, view->n_features * sizeof(double));
	for (uint32_t u = 0; u < state->n_used; u++)
	{
		ex_sum		sum = {0, 0};
		uint32_t	f = view->feature[state->first[u]];

		for (uint32_t c = state->first[u]; c < state->first[u + 1]; c++)
			ex_sum_add(&sum, w[c] * (state->z[c] - mean[c]));
		phi[f] = ex_sum_total(&sum);
		finite &= isfinite(phi[f]) != 0;
	}
	return finite;
}

static ex_status
raw_values(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double *phi, double *base)
{
	ex_linear_state *state = compiled->state;
	const ex_linear_view *view = &state->view;
	const double *mean;
	const double *all_bases;
	bool		finite = state->identity;

	EX_TRY(expect(compiled, host, &call->background, &mean, &all_bases));
	memcpy(base, all_bases + call->outputs.first, call->outputs.count * sizeof(double));
	for (uint32_t i = 0; finite && i < call->outputs.count; i++)
		finite = attribute_values(view->coefficient + (size_t) (call->outputs.first + i) * view->n_columns,
								  call->x, mean, view->n_features, phi + (size_t) i * view->n_features);
	if (finite)
		return EX_OK;

	/* not one value per feature, or something is missing */
	ex_linear_columns(view, call->x, state->z);
	for (uint32_t i = 0; i < call->outputs.count; i++)
		if (!attribute_columns(state, view->coefficient +
							   (size_t) (call->outputs.first + i) * view->n_columns,
							   mean, phi + (size_t) i * view->n_features))
			return ex_linear_out_of_range(host, view, call->x, "attribution is out of range");
	return EX_OK;
}

/* Move the values phi[p], which stand at the start, to the diagonal of a p * p matrix. */
static void
spread_to_diagonal(double *phi, uint32_t p)
{
	for (uint32_t f = p; f-- > 0;)
	{
		double		value = phi[f];

		phi[f] = 0;
		phi[(size_t) f * p + f] = value;
	}
}

/* A linear model has no interactions: only main effects. */
static ex_status
raw_interactions(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
				 double *phi, double *base)
{
	uint32_t	p = compiled->model->n_features;

	memset(phi, 0, (size_t) call->outputs.count * p * p * sizeof(double));
	for (uint32_t i = 0; i < call->outputs.count; i++)
	{
		ex_shap_call one = *call;
		double	   *matrix = phi + (size_t) i * p * p;

		one.outputs = (ex_outputs) {call->outputs.first + i, 1};
		EX_TRY(raw_values(compiled, host, &one, matrix, base + i));
		spread_to_diagonal(matrix, p);
	}
	return EX_OK;
}

/*
 * Response space, log link.
 */

/*
 * The product game of one row against one background row.  Each feature's pair
 * (a, b) is divided by its larger one; the logarithm of what is taken out of
 * all pairs, and the intercept, is in `scale`.  So factors lie in (0, 1] and
 * nothing overflows that is not part of the result.
 */
typedef struct product_game
{
	uint32_t	m;				/* players: features with columns */
	uint32_t	n_nodes;
	const double *node;
	const double *node_weight;
	double	   *x;				/* m each: contribution to the row, to the
								 * background row, */
	double	   *row;
	double	   *a;				/* their exponentials, scaled, */
	double	   *b;
	double	   *gap;			/* and a - b */
	double	   *density;		/* n_nodes: weight times the product of all
								 * factors */
} product_game;

static ex_status
check_players(const ex_linear_state *state, ex_host *host)
{
	if (state->n_used <= MAX_PRODUCT_FEATURES)
		return EX_OK;
	ex_fail(host, EX_LIMIT, "model has too many features to explain its response");
	ex_detail(host, "It uses %u features; the limit is %d.", state->n_used, MAX_PRODUCT_FEATURES);
	ex_hint(host, "Use space => 'raw'.");
	return EX_LIMIT;
}

/* The rule with which m factors are integrated exactly, made once per model. */
static ex_status
prepare_rule(ex_compiled *compiled, ex_host *host)
{
	ex_linear_state *state = compiled->state;
	uint32_t	n = (state->n_used + 1) / 2;
	double	   *node;
	double	   *weight;

	EX_TRY(check_players(state, host));
	if (state->n_nodes > 0)
		return EX_OK;
	EX_TRY(EX_ALLOC(compiled->host, n, &node));
	EX_TRY(EX_ALLOC(compiled->host, n, &weight));
	ex_quadrature(n, node, weight);
	state->node = node;
	state->node_weight = weight;
	state->n_nodes = n;
	return EX_OK;
}

static ex_status
open_game(ex_compiled *compiled, ex_host *host, product_game *game)
{
	const ex_linear_state *state = compiled->state;
	double	   *scratch;

	EX_TRY(prepare_rule(compiled, host));
	game->m = state->n_used;
	game->n_nodes = state->n_nodes;
	game->node = state->node;
	game->node_weight = state->node_weight;
	EX_TRY(EX_ALLOC(host, (size_t) 5 * game->m + game->n_nodes, &scratch));
	game->x = scratch;
	game->row = game->x + game->m;
	game->a = game->row + game->m;
	game->b = game->a + game->m;
	game->gap = game->b + game->m;
	game->density = game->gap + game->m;
	return EX_OK;
}

/* What each used feature adds to the raw prediction of the row whose columns are z. */
static void
contributions(const ex_linear_state *state, uint32_t output, const double *z, double *out)
{
	const double *w = state->view.coefficient + (size_t) output * state->view.n_columns;

	for (uint32_t u = 0; u < state->n_used; u++)
	{
		ex_sum		sum = {0, 0};

		for (uint32_t c = state->first[u]; c < state->first[u + 1]; c++)
			ex_sum_add(&sum, w[c] * z[c]);
		out[u] = ex_sum_total(&sum);
	}
}

/* Scaled pairs; returns the logarithm of what was taken out. */
static double
scale_pairs(product_game *game, double intercept)
{
	ex_sum		scale = {intercept, 0};

	for (uint32_t u = 0; u < game->m; u++)
	{
		double		difference = game->x[u] - game->row[u];
		double		smaller = exp(-fabs(difference));

		game->a[u] = difference >= 0 ? 1 : smaller;
		game->b[u] = difference >= 0 ? smaller : 1;
		game->gap[u] = copysign(-expm1(-fabs(difference)), difference);
		ex_sum_add(&scale, fmax(game->x[u], game->row[u]));
	}
	return ex_sum_total(&scale);
}

/*
 * density[q] = weight_q * exp(scale) * prod over u of (t_q a_u + (1 - t_q) b_u).
 * The product may underflow where exp(scale) overflows although their product
 * is a number: powers of two are moved from one to the other on the way, and
 * the exponential is multiplied in as two halves.
 */
static void
compute_density(product_game *game, double scale)
{
	static const double step = 0x1p-512;
	static const double log_step = 354.89135644669199;	/* 512 log 2 */

	for (uint32_t q = 0; q < game->n_nodes; q++)
	{
		double		t = game->node[q];
		double		product = game->node_weight[q];
		int			steps = 0;
		double		half;

		for (uint32_t u = 0; u < game->m; u++)
		{
			product *= t * game->a[u] + (1 - t) * game->b[u];
			if (product < step)
			{
				product /= step;
				steps++;
			}
		}
		half = exp((scale - steps * log_step) / 2);
		game->density[q] = half * product * half;
	}
}

static double
factor(const product_game *game, uint32_t u, uint32_t q)
{
	return game->node[q] * game->a[u] + (1 - game->node[q]) * game->b[u];
}

static double
shapley_value(const product_game *game, uint32_t u)
{
	double		sum = 0;

	for (uint32_t q = 0; q < game->n_nodes; q++)
		sum += game->density[q] / factor(game, u, q);
	return game->gap[u] * sum;
}

/* Half of the Shapley interaction index of two players. */
static double
half_interaction(const product_game *game, uint32_t u, uint32_t v)
{
	double		sum = 0;

	for (uint32_t q = 0; q < game->n_nodes; q++)
		sum += game->density[q] / (factor(game, u, q) * factor(game, v, q));
	return 0.5 * game->gap[u] * game->gap[v] * sum;
}

/* Add a game, weighted, to the sums of all players (and, pairs not NULL, of all pairs). */
static ex_status
play(ex_host *host, const product_game *game, double weight, ex_sum *value, ex_sum *pairs)
{
	for (uint32_t u = 0; u < game->m; u++)
	{
		ex_sum_add(&value[u], weight * shapley_value(game, u));
		if (pairs == NULL)
			continue;
		EX_TRY(ex_poll(host));
		for (uint32_t v = u + 1; v < game->m; v++)
			ex_sum_add(&pairs[(size_t) u * game->m + v], weight * half_interaction(game, u, v));
	}
	return EX_OK;
}

/* Mean game over the background, for one output. */
static ex_status
play_all(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t output,
		 product_game *game, ex_sum *value, ex_sum *pairs)
{
	const ex_linear_state *state = compiled->state;
	const ex_background *background = &call->background;
	ex_sum		total = {0, 0};

	ex_linear_columns(&state->view, call->x, state->z);
	contributions(state, output, state->z, game->x);
	for (uint32_t i = 0; i < background->n; i++)
		ex_sum_add(&total, background->weight != NULL ? background->weight[i] : 1);
	for (uint32_t i = 0; i < background->n; i++)
	{
		double		weight = background->weight != NULL ? background->weight[i] : 1;
		double		scale;

		EX_TRY(ex_poll(host));
		ex_linear_columns(&state->view, background->row + (size_t) i * state->view.n_features, state->z);
		contributions(state, output, state->z, game->row);
		scale = scale_pairs(game, state->view.intercept[output]);
		compute_density(game, scale);
		EX_TRY(play(host, game, weight / ex_sum_total(&total), value, pairs));
	}
	return EX_OK;
}

/* From sums over players to values of features; false where one is not a number. */
static bool
collect_values(const ex_linear_state *state, const ex_sum *value, double *phi)
{
	bool		finite = true;

	memset(phi, 0, state->view.n_features * sizeof(double));
	for (uint32_t u = 0; u < state->n_used; u++)
	{
		double		total = ex_sum_total(&value[u]);

		phi[state->view.feature[state->first[u]]] = total;
		finite &= isfinite(total) != 0;
	}
	return finite;
}

static ex_status
log_values(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double *phi, double *base)
{
	const ex_linear_state *state = compiled->state;
	product_game game;
	ex_sum	   *value;

	EX_TRY(open_game(compiled, host, &game));
	EX_TRY(EX_ALLOC(host, game.m, &value));
	for (uint32_t i = 0; i < call->outputs.count; i++)
	{
		memset(value, 0, game.m * sizeof(ex_sum));
		EX_TRY(play_all(compiled, host, call, call->outputs.first + i, &game, value, NULL));
		if (!collect_values(state, value, phi + (size_t) i * state->view.n_features))
			return ex_linear_out_of_range(host, &state->view, call->x, "attribution is out of range");
	}
	return ex_mean_response(compiled, host, call->outputs, &call->background, base);
}

/* Off the diagonal the pairs, on it what is left of each value. */
static bool
collect_pairs(const ex_linear_state *state, const ex_sum *value, const ex_sum *pairs, double *phi)
{
	uint32_t	m = state->n_used;
	size_t		p = state->view.n_features;
	bool		finite = true;

	memset(phi, 0, p * p * sizeof(double));
	for (uint32_t u = 0; u < m; u++)
	{
		size_t		f = state->view.feature[state->first[u]];
		ex_sum		main = value[u];

		for (uint32_t v = 0; v < m; v++)
		{
			size_t		g = state->view.feature[state->first[v]];

			if (v == u)
				continue;
			phi[f * p + g] = ex_sum_total(&pairs[v > u ? (size_t) u * m + v : (size_t) v * m + u]);
			ex_sum_add(&main, -phi[f * p + g]);
		}
		phi[f * p + f] = ex_sum_total(&main);
		finite &= isfinite(phi[f * p + f]) != 0;
	}
	return finite;
}

static ex_status
log_interactions(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
				 double *phi, double *base)
{
	const ex_linear_state *state = compiled->state;
	size_t		p = state->view.n_features;
	product_game game;
	ex_sum	   *value;
	ex_sum	   *pairs;

	EX_TRY(open_game(compiled, host, &game));
	EX_TRY(EX_ALLOC(host, game.m, &value));
	EX_TRY(EX_ALLOC(host, (size_t) game.m * game.m, &pairs));
	for (uint32_t i = 0; i < call->outputs.count; i++)
	{
		memset(value, 0, game.m * sizeof(ex_sum));
		memset(pairs, 0, (size_t) game.m * game.m * sizeof(ex_sum));
		EX_TRY(play_all(compiled, host, call, call->outputs.first + i, &game, value, pairs));
		if (!collect_pairs(state, value, pairs, phi + i * p * p))
			return ex_linear_out_of_range(host, &state->view, call->x, "interaction is out of range");
	}
	return ex_mean_response(compiled, host, call->outputs, &call->background, base);
}

/*
 * The method.
 */

static bool
is_log_response(const ex_compiled *compiled, ex_space space)
{
	return space == EX_RESPONSE && compiled->model->link == EX_LINK_LOG;
}

static ex_status
check(ex_compiled *compiled, ex_host *host, ex_space space, const ex_background *background)
{
	ex_link		link = (ex_link) compiled->model->link;

	if (space == EX_RESPONSE && link != EX_LINK_IDENTITY && link != EX_LINK_LOG)
	{
		ex_fail(host, EX_UNSUPPORTED,
				"method \"linear\" cannot explain the response of a model with link \"%s\"",
				ex_link_names[link]);
		ex_detail(host, "Shapley values of the response have a closed form only for the links "
				  "identity and log.");
		ex_hint(host, "Use space => 'raw', or method => 'exact' where at most %d features vary.",
				EX_EXACT_MAX_PLAYERS);
		return EX_UNSUPPORTED;
	}
	EX_TRY(ex_need_background(host, background, "linear"));
	return is_log_response(compiled, space) ? check_players(compiled->state, host) : EX_OK;
}

static ex_status
values(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double *phi, double *base)
{
	if (is_log_response(compiled, call->space))
		return log_values(compiled, host, call, phi, base);
	return raw_values(compiled, host, call, phi, base);
}

static ex_status
interactions(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double *phi, double *base)
{
	if (is_log_response(compiled, call->space))
		return log_interactions(compiled, host, call, phi, base);
	return raw_interactions(compiled, host, call, phi, base);
}

static ex_status
base_value(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double *base)
{
	const double *mean;
	const double *all_bases;

	if (call->space == EX_RESPONSE && compiled->model->link != EX_LINK_IDENTITY)
		return ex_mean_response(compiled, host, call->outputs, &call->background, base);
	EX_TRY(expect(compiled, host, &call->background, &mean, &all_bases));
	memcpy(base, all_bases + call->outputs.first, call->outputs.count * sizeof(double));
	return EX_OK;
}

const ex_shap_method ex_linear_shap_methods[EX_LINEAR_N_SHAP_METHODS] = {
	{
		.name = "linear",
		.needs_background = true,
		.check = check,
		.values = values,
		.interactions = interactions,
		.base = base_value,
	},
	{EX_EXACT_METHOD, .only_by_name = true}
};
