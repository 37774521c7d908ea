/*
 * lightgbm.h
 *		Reading LightGBM models from their text form.
 *
 * The text form is what Booster.save_model(), Booster.model_to_string() and
 * the command line's output_model write: versions v2 (LightGBM 2.1) to v4.
 * Its JSON dump holds the same in three times the space and is not read.
 *
 * How the fields map (FORMATS 1.2; tree.h of LightGBM for the decisions):
 *		split on a number		x <= threshold in double, as it stands; features
 *								flush |x| <= 1e-35f to 0 as LightGBM's reader of
 *								rows does
 *		missing type None		a missing value compares as 0: the side of 0 is
 *								the default side, whatever default_left says
 *		missing type Zero		|x| <= 1e-35f is missing too
 *		split on a category		in the bitmap: left; everything else, missing and
 *								unknown values included: right
 *		leaf_const, leaf_coeff	linear leaves, leaf_value if a feature is missing
 *		internal_count, leaf_count, split_gain		cover and gain
 *		average_output (rf)		mean of the trees; LightGBM's raw_score=True gives
 *								the sum instead
 * Leaf values contain learning rate, dart's weights and the initial score
 * already: base is 0 and all weights are 1.
 */
#ifndef EX_LIGHTGBM_H
#define EX_LIGHTGBM_H

#include "model.h"

/* What a caller may want to tell the user. */
typedef struct ex_lightgbm_note
{
	uint32_t	iterations;		/* boosting rounds in the file */
	uint32_t	iterations_used;

	/*
	 * The file lists pandas categories, but not which features they belong to
	 * (ordered categories are numbers to LightGBM): levels are codes.
	 */
	bool		levels_unnamed;
} ex_lightgbm_note;

/*
 * Fill a fresh builder (of family EX_TREE) from the text.
 *
 * iterations: rounds to keep, 1 .. rounds in the file, or -1 for all (early
 * stopping is not recorded in the text: LightGBM's own predictors use all).
 *
 * Errors: EX_SYNTAX for text that is not a complete LightGBM model, EX_INVALID
 * and EX_RANGE for one whose content cannot be right (naming tree and node),
 * EX_UNSUPPORTED for versions and objectives that are not known, EX_LIMIT for
 * more features, outputs or levels than a model may have.
 */
extern ex_status ex_lightgbm_read(ex_host *host, const char *text, size_t size, int iterations,
								  ex_builder *builder, ex_lightgbm_note *note);

#endif							/* EX_LIGHTGBM_H */
