/*
 * tree_shap.h
 *		Exact Shapley values and interactions of tree ensembles, raw space.
 *
 * 'tree_path_dependent': a feature that is absent follows both branches, in
 * proportion to their covers (Lundberg et al. 2020, algorithm 1's game).
 * 'tree_interventional': an absent feature takes its value from a background
 * row; the mean over the background.
 *
 * Both are exact to rounding: the error of a value, and what additivity
 * misses, stay below 1e-12 * sum over trees of max |leaf|.  Neither has a
 * closed form in response space unless the link is the identity.
 *
 * A value's bits depend on nothing but the model, the row and the background:
 * not on the processor, the outputs asked for, or what ran before.  (Rows that
 * are passed in, as `reference`, go another way than the model's own
 * background, and may round differently.)
 *
 * Time per row, D features on a path: path-dependent O(nodes * D / 2), or a
 * look-up per three splits in trees of up to 63 splits; interactions
 * O(nodes * D^2 / 2); interventional a look-up per three splits in such trees,
 * whatever the background, else O(background rows * leaves reached).
 *
 * Errors: EX_UNSUPPORTED without covers (path-dependent), with linear leaves
 * (path-dependent), in response space; EX_INVALID without a background
 * (interventional); EX_LIMIT with more than EX_SHAP_MAX_DISTINCT features on
 * one path.  The depth of a tree has no limit.
 */
#ifndef EX_TREE_SHAP_H
#define EX_TREE_SHAP_H

#include "family.h"

#define EX_SHAP_MAX_DISTINCT 64 /* different features on a path */

#define EX_N_TREE_SHAP_METHODS 3
extern const ex_shap_method ex_tree_shap_methods[EX_N_TREE_SHAP_METHODS];

/*
 * Which code runs the inner loops of models that are explained for the first
 * time from now on.  The results have the same bits; for tests of that.
 */
typedef enum ex_shap_processor
{
	EX_SHAP_BEST = 0,			/* what this processor can do */
	EX_SHAP_WITHOUT_AVX512,
	EX_SHAP_WITHOUT_BMI2,
	EX_SHAP_PORTABLE
} ex_shap_processor;

extern void ex_tree_shap_use(ex_shap_processor processor);

#endif							/* EX_TREE_SHAP_H */
