/*
 * model_edit.h
 *		Changed copies of models.
 *
 * Each function changes one thing in a builder that was opened from `model`;
 * ex_build then lays the copy out and validates it as a whole.  Names are
 * terminated UTF-8.
 *
 * Errors: EX_DIMENSION for a wrong number of values, EX_INVALID for names,
 * policies and numbers that are not allowed, EX_RANGE for numbers that are not
 * finite, EX_UNSUPPORTED where the model's family has no such thing.
 */
#ifndef EX_MODEL_EDIT_H
#define EX_MODEL_EDIT_H

#include "family.h"

/* param: positive; of logit and isolation, 1 for all others */
extern ex_status ex_edit_link(ex_builder *builder, ex_link link, double param);

/* Trees: raw predictions start here; one number per output. */
extern ex_status ex_edit_base(ex_builder *builder, const double *base, size_t n);

/* Trees: 'sum' or 'mean'; one weight per tree. */
extern ex_status ex_edit_aggregation(ex_builder *builder, const char *name);
extern ex_status ex_edit_tree_weights(ex_builder *builder, const double *weight, size_t n);

/* New names, one for each output or feature, in order. */
extern ex_status ex_edit_outputs(ex_builder *builder, const char *const *name, size_t n);
extern ex_status ex_edit_features(ex_builder *builder, const char *const *name, size_t n);

/*
 * Outputs as another model has them: names and link; of trees also base and
 * aggregation, which no node can tell.
 */
extern ex_status ex_edit_outputs_of(ex_builder *builder, const ex_model *other);

/* The feature's position by name; EX_INVALID lists what there is. */
extern ex_status ex_edit_find_feature(ex_builder *builder, const ex_model *model, const char *name,
									  uint32_t *feature);

/*
 * Names for the levels of a categorical feature, in order of their positions.
 * More names than levels add levels at the end, which are in no set yet.
 */
extern ex_status ex_edit_levels(ex_builder *builder, const ex_model *model, uint32_t feature,
								const char *const *name, size_t n);

/*
 * What a missing value means: 'error', 'native' (the model's own rule: the
 * missing side of splits; in linear models and networks it adds nothing); or a
 * value that takes its place: a number, 0 or 1, the position of a level.
 */
extern ex_status ex_edit_missing(ex_builder *builder, uint32_t feature, const char *policy);
extern ex_status ex_edit_imputation(ex_builder *builder, uint32_t feature, double value);

/* The value that a text stands for in a feature: number, true or false, level. */
extern ex_status ex_edit_value(ex_builder *builder, const ex_model *model, uint32_t feature,
							   const char *text, double *value);

/* What a level that the feature does not list means: 'error', 'other' or 'missing'. */
extern ex_status ex_edit_unknown(ex_builder *builder, const ex_model *model, uint32_t feature,
								 const char *policy);

#endif							/* EX_MODEL_EDIT_H */
