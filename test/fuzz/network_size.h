/*
 * network_size.h
 *		How much running a network takes, for fuzz targets: a short document can
 *		pad an image to millions of pixels, which is allowed but slow.
 */
#ifndef NETWORK_SIZE_H
#define NETWORK_SIZE_H

#include "network.h"

#define MOST_ACTIVATIONS 20000

/* Are there too many numbers in all layers together?  (other families have none) */
static inline bool
network_is_large(const ex_model *model)
{
	uint32_t	n;
	const uint32_t *shape = ex_get(model, EX_LAYER_SHAPE, &n);
	size_t		size = 0;

	for (uint32_t i = 0; i + 2 < n; i += 3)
		size += ex_shape_size((ex_shape) {shape[i], shape[i + 1], shape[i + 2]});
	return size > MOST_ACTIVATIONS;
}

#endif							/* NETWORK_SIZE_H */
