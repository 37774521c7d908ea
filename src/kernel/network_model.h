/*
 * network_model.h
 *		Shared by the files that build, check, read, write and fold networks (those
 *		that run them share network_internal.h);
 *		nobody else.
 */
#ifndef EX_NETWORK_MODEL_H
#define EX_NETWORK_MODEL_H

#include "model_json.h"
#include "network.h"

/* "layer "hidden"", clipped to whole characters, for messages. */
#define EX_WHERE_SIZE 128
extern void ex_network_where(const char *name, size_t length, char where[EX_WHERE_SIZE]);

/*
 * What is left of validation once the shapes are known: are the settings in
 * range, and those that the kind has no use for 0?
 */
extern ex_status ex_network_check_settings(ex_host *host, const ex_layer *layer, const char *where);

/*
 * Weights that a layer needs, UINT64_MAX where they pass every limit; of an
 * affine layer the most there can be.
 */
extern uint64_t ex_network_weight_count(const ex_layer *layer, const ex_shape *input);

/* EX_LIMIT where no model could hold that many. */
extern ex_status ex_network_check_weight_limit(ex_host *host, const ex_layer *layer,
											   const ex_shape *input, const char *where);

/* Sizes of the dimensions of the weights without their bias; how many there are. */
extern int	ex_network_weight_dimensions(const ex_layer *layer, const ex_shape *input, size_t size[4]);

/* EX_LIMIT where one row's numbers in all layers are too many. */
extern ex_status ex_network_count_activations(ex_host *host, ex_shape shape, const char *where,
											  uint64_t *total);

/* What a column is worth where its feature is missing, as its policy implies. */
extern double ex_network_implied_missing(const ex_network_column *column, ex_missing_policy policy,
										 double impute);

/* One column; a missing value that is NaN is what the policy implies. */
extern ex_status ex_network_put_column(ex_builder *builder, const ex_network_column *column);

/* Layer 0, once its columns are put. */
extern ex_status ex_network_put_input_layer(ex_builder *builder, ex_shape shape);

/* Layers put so far, with the input; shape of one of them. */
extern uint32_t ex_network_count_layers(const ex_builder *builder);
extern ex_shape ex_network_put_shape(const ex_builder *builder, uint32_t layer);

/* "dense_3": the name of a layer that was given none. */
extern int	ex_network_default_name(ex_layer_kind kind, uint32_t layer, char name[48]);

/*
 * An image input over the features that are there; center, scale, missing: one
 * per pixel, or NULL.
 */
extern ex_status ex_network_put_image_input(ex_builder *builder, const char *const *channel,
											ex_shape shape, const double *center,
											const double *scale, const double *missing);

/* Numeric features "channel[y,x]", one per pixel. */
extern ex_status ex_network_put_pixels(ex_builder *builder, const char *const *channel,
									   ex_shape shape);

/* "channel[y,x]"; its length, EX_MAX_NAME at most. */
extern int	ex_network_pixel_name(const char *channel, size_t length, uint32_t y, uint32_t x,
								  char name[EX_MAX_NAME + 32]);

/* ex_network_finish without turning a last layer into the link. */
extern ex_status ex_network_close(ex_builder *builder);

extern ex_status ex_network_validate(ex_host *host, const ex_model *model);
extern ex_status ex_network_read_features(ex_builder *builder, ex_json *json, ex_json_value document,
										  bool *found);
extern bool ex_network_implies_features(const ex_model *model);
extern ex_status ex_network_read_json(ex_builder *builder, ex_json *json, ex_json_value document);
extern ex_status ex_network_write_json(ex_host *host, const ex_model *model, ex_buffer *out);
extern ex_status ex_network_fold(ex_host *host, const ex_model *encoded,
								 const ex_encoding *encoding, ex_builder *builder);
extern ex_status ex_network_align(ex_builder *builder, const ex_model *model,
								  const ex_feature_map *map);
extern ex_status ex_network_adapt(ex_builder *builder, uint32_t feature);

#endif							/* EX_NETWORK_MODEL_H */
