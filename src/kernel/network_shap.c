/*
 * network_shap.c
 *		The methods of Shapley values that networks have.
 *
 * There is no closed form.  'exact' enumerates coalitions (coalition_exact.h);
 * 'deep' is DeepSHAP, the mean of DeepLIFT attributions over the background
 * (deeplift.h): quick for any number of features, with the right sum, but an
 * approximation, so that 'auto' never takes it.
 */
#include "coalition_exact.h"
#include "deeplift.h"
#include "network_run.h"

/* What 'auto' may cost: multiplications for one row explained, about 50 ms. */
#define AUTO_WORK ((double) (1 << 27))

/* What putting a row together costs besides, in multiplications. */
#define ROW_WORK 512

/* Multiplications of one forward pass, about. */
static double
work_of_row(const ex_network_view *view)
{
	double		work = ROW_WORK;

	for (uint32_t i = 1; i < view->n_layers; i++)
	{
		ex_layer	layer;

		ex_network_layer(view, i, &layer);
		work += (double) ex_shape_size(layer.shape);
		if (layer.kind == EX_LAYER_DENSE)
			work += layer.n_weights;
		else if (layer.kind == EX_LAYER_CONV2D)
			work += (double) layer.n_weights * layer.shape.height * layer.shape.width;
	}
	return work;
}

/* By the model's shape alone: all features counted, whether they vary or not. */
static ex_status
check_auto(ex_compiled *compiled, ex_host *host, const ex_background *background)
{
	const ex_model *model = compiled->model;
	ex_network_view view;

	ex_network_open(model, &view);
	if (model->n_features <= EX_EXACT_MAX_PLAYERS &&
		(double) ((uint32_t) 1 << model->n_features) * background->n * work_of_row(&view) <= AUTO_WORK)
		return EX_OK;
	ex_fail(host, EX_UNSUPPORTED, "model is too large to enumerate all coalitions of features by default");
	ex_detail(host, "That would be 2^%u predictions for each background row.", model->n_features);
	ex_hint(host, "Use method => 'deep' for an approximation, or method => 'exact' where at most %d features vary.",
			EX_EXACT_MAX_PLAYERS);
	return EX_UNSUPPORTED;
}

static ex_status
check_deep(ex_compiled *compiled, ex_host *host, ex_space space, const ex_background *background)
{
	EX_TRY(ex_need_background(host, background, "deep"));
	return ex_deeplift_check(compiled, host, space);
}

static ex_deeplift_call
deeplift_call(const ex_shap_call *call)
{
	return (ex_deeplift_call)
	{
		.x = call->x, .outputs = call->outputs, .space = call->space, .background = call->background
	};
}

static ex_status
deep_values(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double *phi, double *base)
{
	ex_deeplift_call deeplift = deeplift_call(call);

	return ex_deeplift(compiled, host, &deeplift, 1, phi, base);
}

static ex_status
deep_values_tile(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t n, double *phi)
{
	ex_deeplift_call deeplift = deeplift_call(call);
	double	   *base;

	EX_TRY(EX_ALLOC(host, call->outputs.count, &base));
	return ex_deeplift(compiled, host, &deeplift, n, phi, base);
}

const ex_shap_method ex_network_shap_methods[EX_NETWORK_N_SHAP_METHODS] = {
	{
		EX_EXACT_METHOD,
		.check_auto = check_auto
	},
	{
		.name = "deep",
		.needs_background = true,
		.only_by_name = true,
		.check = check_deep,
		.values = deep_values,
		.values_tile = deep_values_tile,
		.base = ex_game_base
	}
};
