/*
 * network_graph.h
 *		What a network's graph says about its layers and units, for people.
 */
#ifndef EX_NETWORK_GRAPH_H
#define EX_NETWORK_GRAPH_H

#include "network.h"

/* Layers on the longest way from the input to each layer; 0 for the input. */
extern ex_status ex_network_ranks(ex_host *host, const ex_network_view *view, uint32_t **rank);

/* Is unit i of the layer still unit i of its only input: activations, scaling, reshape? */
extern bool ex_keeps_units(const ex_layer *layer);

/* The layer that unit i of this one comes from: back over those that keep units. */
extern uint32_t ex_unit_origin(const ex_network_view *view, uint32_t layer);

/* Are the layer's units the model's outputs, but for layers that keep units? */
extern bool ex_units_are_outputs(const ex_network_view *view, uint32_t layer);

/*
 * A multilayer perceptron: vectors all the way, each layer reads the one
 * before, is dense or keeps units.
 */
extern bool ex_is_perceptron(const ex_network_view *view);

/* Columns of the input and outputs of dense layers. */
extern uint64_t ex_perceptron_units(const ex_network_view *view);

#endif							/* EX_NETWORK_GRAPH_H */
