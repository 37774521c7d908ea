/*
 * model_align.h
 *		A model over the features of another one.
 *
 * Models that were made apart list their features in different orders, know
 * different levels, mean different things by a missing value.  Aligned, their
 * arrays can be compared position by position, and a model made anew from
 * rows gets back what rows do not say.
 */
#ifndef EX_MODEL_ALIGN_H
#define EX_MODEL_ALIGN_H

#include "model.h"

/* Where the features and levels of a model went. */
typedef struct ex_feature_map
{
	const uint32_t *feature;	/* p: position in the other model */
	const uint32_t *const *level;	/* p: position of each level; NULL unless
									 * categorical */
} ex_feature_map;

/*
 * The model rewritten over the features of `other` (names, order, kinds,
 * levels, policies), in a builder that is initialised here; features are
 * matched by name, levels too.  Predictions stay the same but for missing
 * values and unknown levels, which get the meaning they have in `other`.  A
 * background is dropped.
 *
 * EX_INVALID where `other` lacks a feature or level, or has one of another kind.
 */
extern ex_status ex_align_features(ex_host *host, const ex_model *model, const ex_model *other,
								   ex_builder *builder);

#endif							/* EX_MODEL_ALIGN_H */
