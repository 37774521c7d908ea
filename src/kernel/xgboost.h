/*
 * xgboost.h
 *		Reading XGBoost models from JSON and UBJSON, versions 1.0 to 3.4.
 *
 * How the fields map (FORMATS 1.1):
 *		gbtree, dart			tree family; dart's weight_drop is the tree's weight
 *		gblinear				linear family; a missing value contributes nothing
 *		split on a number		float32(x) < t, folded into x <= t' in double
 *		split on a category		XGBoost sends the set right and everything else
 *								left; here sets go left, so children are swapped
 *		base_score				through the objective's link onto the margin scale,
 *								in float32 as XGBoost does
 *		sum_hessian, loss_changes	cover and gain
 *		several targets			one tree per output, or vector leaves (two layouts:
 *								base_weights before 3.2, leaf_weights since)
 *		cats (3.1)				names of categories; without them levels are codes
 *		early stopping			the attribute best_iteration, as scikit-learn's
 *								predict() does
 * Random forests need no averaging: the leaves are scaled in the file.
 */
#ifndef EX_XGBOOST_H
#define EX_XGBOOST_H

#include "json.h"
#include "model.h"

/* What a caller may want to tell the user. */
typedef struct ex_xgboost_note
{
	uint32_t	iterations;		/* boosting rounds in the file; 0 for gblinear */
	uint32_t	iterations_used;
	bool		stopped_early;	/* fewer are used because the file names the
								 * best one */
} ex_xgboost_note;

/*
 * JSON or UBJSON?  EX_SYNTAX if the bytes are text and neither, EX_BINARY if
 * they are not text and neither; what can be recognised (pickle, the old
 * binary form, dumps, hexadecimal or base64 text, compressed files) is
 * EX_INVALID with a hint that says what to do.
 */
extern ex_status ex_xgboost_format(ex_host *host, const void *data, size_t size,
								   ex_json_format *format);

/*
 * Fill a builder, which is initialised here, with the model.
 *
 * iterations: boosting rounds to use, 1 .. rounds in the file; -1 for all, or
 * up to the best one where the file names it.
 *
 * Errors: EX_SYNTAX, EX_BINARY, EX_ENCODING for documents that do not parse;
 * EX_INVALID, EX_RANGE, EX_DUPLICATE_KEY, EX_NULL for content that cannot be
 * right (naming tree and node); EX_UNSUPPORTED for boosters and objectives
 * that are not known; EX_LIMIT for more than a model may have.
 */
extern ex_status ex_xgboost_read(ex_host *host, ex_json_format format,
								 const void *data, size_t size, int iterations,
								 ex_builder *builder, ex_xgboost_note *note);

#endif							/* EX_XGBOOST_H */
