/*
 * network.c
 *		Looking at a network.
 */
#include "network_model.h"

void
ex_network_open(const ex_model *model, ex_network_view *view)
{
	const uint32_t *image = ex_get(model, EX_IMAGE_SHAPE, NULL);
	uint32_t	n_f32;

	view->model = model;
	view->center = ex_get(model, EX_COLUMN_CENTER, &view->n_columns);
	view->scale = ex_get(model, EX_COLUMN_SCALE, NULL);
	view->is_image = image != NULL;
	view->input = (ex_shape) {view->n_columns, 1, 1};
	if (view->is_image)
		view->input = (ex_shape) {image[0], image[1], image[2]};
	view->kind = ex_get(model, EX_LAYER_KIND, &view->n_layers);
	view->name_start = ex_get(model, EX_LAYER_NAME_START, NULL);
	view->name_text = ex_get(model, EX_LAYER_NAME_TEXT, NULL);
	view->input_start = ex_get(model, EX_LAYER_INPUT_START, NULL);
	view->layer_input = ex_get(model, EX_LAYER_INPUT, NULL);
	view->shape = ex_get(model, EX_LAYER_SHAPE, NULL);
	view->setting = ex_get(model, EX_LAYER_SETTING, NULL);
	view->number = ex_get(model, EX_LAYER_NUMBER, NULL);
	view->weight_start = ex_get(model, EX_LAYER_WEIGHT_START, NULL);
	view->weight = ex_get(model, EX_LAYER_WEIGHT, &view->n_weights);
	view->weight_f32 = ex_get(model, EX_LAYER_WEIGHT_F32, &n_f32);
	if (view->weight_f32 != NULL)
		view->n_weights = n_f32;
}

void
ex_network_layer(const ex_network_view *view, uint32_t i, ex_layer *layer)
{
	const uint32_t *shape = view->shape + 3 * (size_t) i;

	layer->kind = (ex_layer_kind) view->kind[i];
	layer->n_inputs = view->input_start[i + 1] - view->input_start[i];
	layer->input = view->layer_input + view->input_start[i];
	layer->shape = (ex_shape) {shape[0], shape[1], shape[2]};
	layer->setting = view->setting + (size_t) EX_N_SETTINGS * i;
	layer->number = view->number[i];
	layer->first_weight = view->weight_start[i];
	layer->n_weights = view->weight_start[i + 1] - view->weight_start[i];
}

const char *
ex_network_layer_name(const ex_network_view *view, uint32_t i, uint32_t *length)
{
	*length = view->name_start[i + 1] - view->name_start[i];
	return view->name_text + view->name_start[i];
}
