/*
 * game.c
 *		What a model is expected to predict when only some features are known.
 */
#include <math.h>
#include <string.h>

#include "game.h"

#define TILE 256				/* rows: what networks take at a time */
#define TILE_NUMBERS (1 << 20)	/* and no more than 8 MB of them */

static double
weight_of(const ex_background *background, uint32_t row)
{
	return background->weight != NULL ? background->weight[row] : 1;
}

static uint32_t
tile_rows(const ex_model *model)
{
	size_t		fit = TILE_NUMBERS / ((size_t) model->n_features + model->n_outputs);

	return fit < 1 ? 1 : fit > TILE ? TILE : (uint32_t) fit;
}

ex_status
ex_game_open(ex_game *game, ex_compiled *compiled, ex_host *host, const ex_shap_call *call)
{
	const ex_model *model = compiled->model;
	ex_sum		weight = {0, 0};

	game->compiled = compiled;
	game->host = host;
	game->call = call;
	game->tile = tile_rows(model);
	for (uint32_t b = 0; b < call->background.n; b++)
		ex_sum_add(&weight, weight_of(&call->background, b));
	game->weight = ex_sum_total(&weight);
	EX_TRY(EX_ALLOC(host, (size_t) game->tile * model->n_features, &game->row));
	EX_TRY(EX_ALLOC(host, (size_t) game->tile * model->n_outputs, &game->prediction));
	EX_TRY(EX_ALLOC(host, model->n_features, &game->known));
	return EX_ALLOC(host, call->outputs.count, &game->sum);
}

/* How far a run of coalitions has come: background row `row` of coalition `coalition`. */
typedef struct progress
{
	uint64_t	coalition;
	uint32_t	row;
} progress;

static void
step(const ex_game *game, progress *at)
{
	if (++at->row < game->call->background.n)
		return;
	at->row = 0;
	at->coalition++;
}

static void
build_rows(ex_game *game, progress *at, uint32_t n, ex_coalition coalition, const void *context)
{
	const double *x = game->call->x;
	uint32_t	p = game->compiled->model->n_features;

	for (uint32_t i = 0; i < n; i++, step(game, at))
	{
		const double *absent = game->call->background.row + (size_t) at->row * p;
		double	   *row = game->row + (size_t) i * p;

		if (i == 0 || at->row == 0)
			coalition(context, at->coalition, game->known);
		for (uint32_t f = 0; f < p; f++)
			row[f] = game->known[f] ? x[f] : absent[f];
	}
}

static ex_status
predict_rows(ex_game *game, uint32_t n)
{
	ex_compiled *compiled = game->compiled;
	uint32_t	k = compiled->model->n_outputs;

	EX_TRY(ex_poll(game->host));
	EX_TRY(compiled->family->predict_raw(compiled, game->host, game->row, n, game->prediction));
	if (game->call->space == EX_RESPONSE)
		for (uint32_t i = 0; i < n; i++)
			ex_response(compiled->model, game->prediction + (size_t) i * k,
						game->prediction + (size_t) i * k);
	return EX_OK;
}

/* Add predictions to the sums; write a value where a coalition is complete. */
static ex_status
add_rows(ex_game *game, progress *at, uint32_t n, double *value)
{
	const ex_background *background = &game->call->background;
	ex_outputs	outputs = game->call->outputs;

	for (uint32_t i = 0; i < n; i++, step(game, at))
	{
		const double *prediction = game->prediction + (size_t) i * game->compiled->model->n_outputs +
		outputs.first;
		double		weight = weight_of(background, at->row);

		if (at->row == 0)
			memset(game->sum, 0, outputs.count * sizeof(ex_sum));
		for (uint32_t k = 0; k < outputs.count; k++)
			ex_sum_add(&game->sum[k], weight * prediction[k]);
		if (at->row + 1 < background->n)
			continue;
		for (uint32_t k = 0; k < outputs.count; k++)
		{
			double		mean = ex_sum_total(&game->sum[k]) / game->weight;

			if (!isfinite(mean))
				return ex_fail(game->host, EX_RANGE, "prediction is out of range");
			value[at->coalition * outputs.count + k] = mean;
		}
	}
	return EX_OK;
}

ex_status
ex_game_play(ex_game *game, uint64_t n, ex_coalition coalition, const void *context, double *value)
{
	uint64_t	left = n * game->call->background.n;
	progress	built = {0, 0};
	progress	added = {0, 0};

	while (left > 0)
	{
		uint32_t	rows = left < game->tile ? (uint32_t) left : game->tile;

		build_rows(game, &built, rows, coalition, context);
		EX_TRY(predict_rows(game, rows));
		EX_TRY(add_rows(game, &added, rows, value));
		left -= rows;
	}
	return EX_OK;
}

static void
know_nothing(const void *context, uint64_t i, bool *known)
{
	const ex_model *model = context;

	(void) i;
	memset(known, 0, model->n_features * sizeof(bool));
}

ex_status
ex_game_base(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double *value)
{
	ex_game		game;

	EX_TRY(ex_game_open(&game, compiled, host, call));
	return ex_game_play(&game, 1, know_nothing, compiled->model, value);
}

ex_status
ex_find_varying(ex_host *host, const ex_shap_call *call, uint32_t n_features, bool *varies)
{
	const double *row = call->background.row;

	memset(varies, 0, n_features * sizeof(bool));
	for (uint32_t b = 0; b < call->background.n; b++, row += n_features)
	{
		if (b % 256 == 255)
			EX_TRY(ex_poll(host));
		for (uint32_t f = 0; f < n_features; f++)
			varies[f] |= memcmp(&row[f], &call->x[f], sizeof(double)) != 0;
	}
	return EX_OK;
}

ex_status
ex_need_background(ex_host *host, const ex_background *background, const char *method)
{
	if (background != NULL && background->n > 0)
		return EX_OK;
	ex_fail(host, EX_INVALID, "method \"%s\" needs a background", method);
	ex_hint(host, "Attach one with explain.with_background(model, ...) or give a reference row.");
	return EX_INVALID;
}
