/*
 * coalition_exact.c
 *		Shapley values by enumerating all coalitions of the features that vary.
 */
#include <math.h>
#include <string.h>

#include "coalition_exact.h"

#define POLL_COALITIONS 65536

/*
 * The value of every coalition of one row after the other; bit j of its number:
 * player j is in.
 */
typedef struct enumeration
{
	ex_host    *host;
	ex_shap_call call;			/* of the row at hand */
	ex_game		game;
	uint32_t	n_features;
	bool	   *varies;			/* scratch: n_features */
	uint32_t	m;				/* players */
	uint32_t   *player;			/* their features, ascending */
	uint32_t	count;			/* outputs */
	ex_buffer	room;			/* for the values, kept for the next row */
	double	   *value;			/* 2^m * count */
	double		weight[EX_EXACT_MAX_PLAYERS];	/* by size of the coalition */
} enumeration;

ex_status
ex_exact_check(ex_compiled *compiled, ex_host *host, ex_space space, const ex_background *background)
{
	(void) compiled;
	(void) space;
	return ex_need_background(host, background, "exact");
}

/*
 * Players.
 */

static ex_status
find_players(enumeration *all)
{
	EX_TRY(ex_find_varying(all->host, &all->call, all->n_features, all->varies));
	all->m = 0;
	for (uint32_t f = 0; f < all->n_features; f++)
		if (all->varies[f])
			all->player[all->m++] = f;
	return EX_OK;
}

static ex_status
check_limits(const enumeration *all)
{
	if (all->m > EX_EXACT_MAX_PLAYERS)
	{
		ex_fail(all->host, EX_LIMIT, "too many features for method \"exact\"");
		ex_detail(all->host, "The row differs from the background in %u features; the limit is %d.",
				  all->m, EX_EXACT_MAX_PLAYERS);
		ex_hint(all->host, "Choose another method, or a reference row that differs in fewer features.");
		return EX_LIMIT;
	}
	if (((uint64_t) all->count << all->m) > EX_EXACT_MAX_VALUES)
	{
		ex_fail(all->host, EX_LIMIT, "too many features and outputs for method \"exact\"");
		ex_detail(all->host, "There are 2^%u coalitions for each of %u outputs; the limit is %d values.",
				  all->m, all->count, EX_EXACT_MAX_VALUES);
		ex_hint(all->host, "Choose one output with output => ....");
		return EX_LIMIT;
	}
	return EX_OK;
}

static void
know_players(const void *context, uint64_t i, bool *known)
{
	const enumeration *all = context;

	/* the others are the same in every row */
	memset(known, 0, all->n_features * sizeof(bool));
	for (uint32_t j = 0; j < all->m; j++)
		known[all->player[j]] = (i >> j) & 1;
}

static ex_status
open_enumeration(enumeration *all, ex_compiled *compiled, ex_host *host, const ex_shap_call *call)
{
	memset(all, 0, sizeof(*all));
	all->host = host;
	all->call = *call;
	all->n_features = compiled->model->n_features;
	all->count = call->outputs.count;
	EX_TRY(EX_ALLOC(host, all->n_features, &all->varies));
	EX_TRY(EX_ALLOC(host, all->n_features, &all->player));
	return ex_game_open(&all->game, compiled, host, &all->call);
}

/* Play all coalitions of a row. */
static ex_status
enumerate(enumeration *all, const double *x)
{
	size_t		size;

	all->call.x = x;
	EX_TRY(find_players(all));
	EX_TRY(check_limits(all));
	size = ((size_t) all->count << all->m) * sizeof(double);
	if (size > all->room.capacity)
		EX_TRY(ex_reserve(all->host, &all->room, size));
	all->value = (double *) all->room.data;
	return ex_game_play(&all->game, (uint64_t) 1 << all->m, know_players, all, all->value);
}

/*
 * Sums over coalitions.
 */

static double
value_of(const enumeration *all, uint32_t coalition, uint32_t k)
{
	return all->value[(size_t) coalition * all->count + k];
}

/* The i-th coalition without player j: a zero bit is put in. */
static uint32_t
without(uint32_t i, uint32_t j)
{
	uint32_t	low = ((uint32_t) 1 << j) - 1;

	return (i & low) | (i & ~low) << 1;
}

/*
 * weight[s] = s! (n - s - 1)! / n! = 1 / (n C(n - 1, s)), times `factor`.  The
 * binomials are whole numbers below 2^53, so each weight is rounded once.
 */
static void
set_weights(enumeration *all, uint32_t n, double factor)
{
	double		binomial = 1;

	for (uint32_t s = 0; s < n; s++)
	{
		all->weight[s] = factor / (n * binomial);
		binomial = binomial * (n - 1 - s) / (s + 1);
	}
}

static ex_status
player_value(const enumeration *all, uint32_t j, uint32_t k, double *phi)
{
	ex_sum		sum = {0, 0};

	for (uint32_t i = 0; i < (uint32_t) 1 << (all->m - 1); i++)
	{
		uint32_t	s = without(i, j);
		double		gain = value_of(all, s | (uint32_t) 1 << j, k) - value_of(all, s, k);

		if (i % POLL_COALITIONS == POLL_COALITIONS - 1)
			EX_TRY(ex_poll(all->host));
		ex_sum_add(&sum, all->weight[__builtin_popcount(s)] * gain);
	}
	*phi = ex_sum_total(&sum) + 0.0;	/* no -0 */
	if (!isfinite(*phi))
		return ex_fail(all->host, EX_RANGE, "attribution is out of range");
	return EX_OK;
}

/* phi[p] of one output */
static ex_status
output_values(enumeration *all, uint32_t k, double *phi)
{
	memset(phi, 0, all->n_features * sizeof(double));
	set_weights(all, all->m, 1);
	for (uint32_t j = 0; j < all->m; j++)
	{
		EX_TRY(ex_poll(all->host));
		EX_TRY(player_value(all, j, k, &phi[all->player[j]]));
	}
	return EX_OK;
}

/* i < j */
static ex_status
pair_value(const enumeration *all, uint32_t i, uint32_t j, uint32_t k, double *phi)
{
	uint32_t	with_i = (uint32_t) 1 << i;
	uint32_t	with_j = (uint32_t) 1 << j;
	ex_sum		sum = {0, 0};

	for (uint32_t n = 0; n < (uint32_t) 1 << (all->m - 2); n++)
	{
		uint32_t	s = without(without(n, i), j);
		double		gain = value_of(all, s | with_i, k) - value_of(all, s, k);
		double		gain_beside = value_of(all, s | with_i | with_j, k) - value_of(all, s | with_j, k);

		if (n % POLL_COALITIONS == POLL_COALITIONS - 1)
			EX_TRY(ex_poll(all->host));
		ex_sum_add(&sum, all->weight[__builtin_popcount(s)] * (gain_beside - gain));
	}
	*phi = ex_sum_total(&sum) + 0.0;
	if (!isfinite(*phi))
		return ex_fail(all->host, EX_RANGE, "interaction is out of range");
	return EX_OK;
}

/* Main effects: what is left of each value; the matrix has the pairs already. */
static void
put_diagonal(const enumeration *all, const double *value, double *matrix)
{
	size_t		p = all->n_features;

	for (uint32_t i = 0; i < all->m; i++)
	{
		size_t		f = all->player[i];
		ex_sum		rest = {value[f], 0};

		for (uint32_t j = 0; j < all->m; j++)
			if (j != i)
				ex_sum_add(&rest, -matrix[f * p + all->player[j]]);
		matrix[f * p + f] = ex_sum_total(&rest);
	}
}

/* matrix[p * p] of one output; value[p]: its Shapley values */
static ex_status
output_interactions(enumeration *all, uint32_t k, const double *value, double *matrix)
{
	size_t		p = all->n_features;

	memset(matrix, 0, p * p * sizeof(double));
	if (all->m > 1)
		set_weights(all, all->m - 1, 0.5);
	for (uint32_t i = 0; i < all->m; i++)
	{
		EX_TRY(ex_poll(all->host));
		for (uint32_t j = i + 1; j < all->m; j++)
		{
			size_t		f = all->player[i];
			size_t		g = all->player[j];

			EX_TRY(pair_value(all, i, j, k, &matrix[f * p + g]));
			matrix[g * p + f] = matrix[f * p + g];
		}
	}
	put_diagonal(all, value, matrix);
	return EX_OK;
}

/*
 * The method.
 */

/* The same for all rows: no feature is known. */
static void
put_base(const enumeration *all, double *base)
{
	for (uint32_t k = 0; k < all->count; k++)
		base[k] = value_of(all, 0, k);
}

static ex_status
row_values(enumeration *all, const double *x, double *phi)
{
	EX_TRY(enumerate(all, x));
	for (uint32_t k = 0; k < all->count; k++)
		EX_TRY(output_values(all, k, phi + (size_t) k * all->n_features));
	return EX_OK;
}

/* value[p]: scratch */
static ex_status
row_interactions(enumeration *all, const double *x, double *value, double *phi)
{
	size_t		p = all->n_features;

	EX_TRY(enumerate(all, x));
	for (uint32_t k = 0; k < all->count; k++)
	{
		EX_TRY(output_values(all, k, value));
		EX_TRY(output_interactions(all, k, value, phi + k * p * p));
	}
	return EX_OK;
}

ex_status
ex_exact_values(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
				double *phi, double *base)
{
	enumeration all;

	EX_TRY(open_enumeration(&all, compiled, host, call));
	EX_TRY(row_values(&all, call->x, phi));
	put_base(&all, base);
	return EX_OK;
}

ex_status
ex_exact_interactions(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
					  double *phi, double *base)
{
	enumeration all;
	double	   *value;

	EX_TRY(open_enumeration(&all, compiled, host, call));
	EX_TRY(EX_ALLOC(host, all.n_features, &value));
	EX_TRY(row_interactions(&all, call->x, value, phi));
	put_base(&all, base);
	return EX_OK;
}

ex_status
ex_exact_values_tile(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t n,
					 double *phi)
{
	enumeration all;

	EX_TRY(open_enumeration(&all, compiled, host, call));
	for (uint32_t i = 0; i < n; i++)
		EX_TRY(row_values(&all, call->x + (size_t) i * all.n_features,
						  phi + (size_t) i * all.count * all.n_features));
	return EX_OK;
}

ex_status
ex_exact_interactions_tile(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t n,
						   double *phi)
{
	size_t		p = compiled->model->n_features;
	enumeration all;
	double	   *value;

	EX_TRY(open_enumeration(&all, compiled, host, call));
	EX_TRY(EX_ALLOC(host, p, &value));
	for (uint32_t i = 0; i < n; i++)
		EX_TRY(row_interactions(&all, call->x + i * p, value, phi + i * all.count * p * p));
	return EX_OK;
}
