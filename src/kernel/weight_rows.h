/*
 * weight_rows.h
 *		A network from the rows of a weight table.
 *
 * One row per weight, in any order.  What a multilayer perceptron needs:
 *
 *		layer			layers are in the order of their numbers, without gaps
 *		unit			of the layer that the weight belongs to: a number, or a name
 *		input			what the weight multiplies: in a layer that reads the model's
 *						input the name of a feature, otherwise a unit of the layer
 *						before; null or '(bias)': the bias of the unit
 *		weight			null in rows that only describe their layer
 *		activation		behind the layer: relu, tanh, sigmoid (logistic), ..., any
 *						kind of layer without weights and shape; identity, linear
 *						or null: none
 *
 * Other layers, columns that stand in any row of theirs (others may be null):
 *
 *		kind			as ex_layer_kind_names, or flatten; null: dense
 *		layer_name		of the layer
 *		sources			numbers of the layers that it reads; null: the one before.
 *						0 is the model's input, unless the table has a layer 0
 *		kernel, stride, dilation	{height, width}, or one number for both; stride
 *						null: 1, of pooling as the kernel
 *		padding			{top, left, bottom, right}, {vertical, horizontal}, or one
 *		group_count		of a convolution
 *		counts_padding	of average pooling
 *		number			leaky_relu: slope, 0.01; elu: alpha, 1; batch_norm:
 *						epsilon, 1e-5; of the activation where the kind has none
 *		shape			of a reshape {channels, height, width}, null: flat; of a
 *						permute the axes, from 0; of an image {height, width}
 *		link			of the model; null: a last sigmoid or softmax becomes it
 *
 * In conv2d, unit is the output channel, input the input channel, kernel_y and
 * kernel_x the position, from 0.  In batch_norm, unit is the channel and input
 * one of gamma, beta, mean, variance; in affine, scale or shift.
 *
 * Rows of kind input, indicator or image, in the lowest layer, describe the
 * input; without them its columns are the features that the weights name.
 *
 *		input			one row per column: unit is its name for other layers (null:
 *						its feature's), input its feature; level: 1 if x is the
 *						level; low, high: 1 if low < x <= high; center, scale:
 *						z = (column - center) / scale; missing_value: the column
 *						where its feature is missing
 *		indicator		likewise, the column is 1 where its feature is missing
 *		image			one row per channel: input is its name, shape the size of the
 *						image, center, scale, missing_value as above; its features
 *						are the pixels, "channel[y,x]".  Rows with kernel_y and
 *						kernel_x are for pixels in which these are different
 *
 * Units and features are ordered by name: whole numbers by size, then texts by
 * their bytes; so the model does not depend on the order of the rows.  Numbers
 * of units have no gaps.  Where they are numbers in both, a layer may count
 * its inputs from 0 or 1 whatever the other one does.  Outputs are called
 * like the units of the last layer, unless these are just counted.
 *
 * Every weight must be there: one of 0 needs a row too; only the bias may be
 * left out, for all units of a layer.
 */
#ifndef EX_WEIGHT_ROWS_H
#define EX_WEIGHT_ROWS_H

#include "model.h"
#include "table_rows.h"

extern const ex_table ex_weight_table;

/* Words of the table that are no kind of layer (ex_layer_kind_names). */
#define EX_INDICATOR_WORD "indicator"
#define EX_IMAGE_WORD "image"
#define EX_BIAS_WORD "(bias)"

/* Parameters of layers that have some for each channel; NULL: not of this kind. */
extern const char *const *ex_unit_parameters(int layer_kind, int *n);

/*
 * The model that a set of rows describes, in a builder that is initialised
 * here.  EX_NULL and EX_RANGE for weights that are no numbers, EX_INVALID for
 * repeated, missing or contradicting rows and layers that do not fit together,
 * EX_BINARY for bytes that are no rows.
 */
extern ex_status ex_network_from_rows(ex_host *host, const void *bytes, size_t size,
									  ex_builder *builder);

#endif							/* EX_WEIGHT_ROWS_H */
