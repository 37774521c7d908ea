/*
 * network_graph.c
 *		What a network's graph says about its layers and units, for people.
 */
#include "network_graph.h"

ex_status
ex_network_ranks(ex_host *host, const ex_network_view *view, uint32_t **rank)
{
	EX_TRY(EX_ALLOC(host, view->n_layers, rank));
	for (uint32_t i = 1; i < view->n_layers; i++)
	{
		ex_layer	layer;

		ex_network_layer(view, i, &layer);
		for (uint32_t j = 0; j < layer.n_inputs; j++)
		{
			uint32_t	before = (*rank)[layer.input[j]];

			if ((*rank)[i] < before + 1)
				(*rank)[i] = before + 1;
		}
	}
	return EX_OK;
}

bool
ex_keeps_units(const ex_layer *layer)
{
	switch (layer->kind)
	{
		case EX_LAYER_BATCH_NORM:
		case EX_LAYER_AFFINE:
		case EX_LAYER_RESHAPE:
			return true;
		default:
			return layer->kind >= EX_LAYER_RELU;
	}
}

uint32_t
ex_unit_origin(const ex_network_view *view, uint32_t i)
{
	ex_layer	layer;

	for (ex_network_layer(view, i, &layer); i > 0 && ex_keeps_units(&layer); ex_network_layer(view, i, &layer))
		i = layer.input[0];
	return i;
}

bool
ex_units_are_outputs(const ex_network_view *view, uint32_t i)
{
	uint32_t	last = view->n_layers - 1;
	ex_layer	layer;

	while (last > i)
	{
		ex_network_layer(view, last, &layer);
		if (!ex_keeps_units(&layer))
			return false;
		last = layer.input[0];
	}
	return last == i;
}

bool
ex_is_perceptron(const ex_network_view *view)
{
	if (view->is_image)
		return false;
	for (uint32_t i = 1; i < view->n_layers; i++)
	{
		ex_layer	layer;

		ex_network_layer(view, i, &layer);
		if (layer.n_inputs != 1 || layer.input[0] != i - 1 ||
			ex_shape_size(layer.shape) != layer.shape.channels ||
			(layer.kind != EX_LAYER_DENSE && !ex_keeps_units(&layer)))
			return false;
	}
	return true;
}

uint64_t
ex_perceptron_units(const ex_network_view *view)
{
	uint64_t	units = view->n_columns;

	for (uint32_t i = 1; i < view->n_layers; i++)
	{
		ex_layer	layer;

		ex_network_layer(view, i, &layer);
		if (layer.kind == EX_LAYER_DENSE)
			units += layer.shape.channels;
	}
	return units;
}
