/*
 * occlusion.h
 *		What a prediction loses when a part of the input is put out.
 *
 *		value(W) = f(x) - mean over background rows b of f(b on W, x elsewhere)
 *
 * (Zeiler & Fergus 2014), f the raw prediction or the response.  With one
 * background row that row is the baseline; with all of them the features of W
 * are averaged out.  A part in which x has the baseline's values (its bytes)
 * gets exactly 0, without a prediction.  For any family: the parts are
 * coalitions of the game (game.h).  The values do not add up to anything.
 *
 * Parts are groups of features (feature_groups.h), or windows that move over
 * an image; each pixel then gets the mean over the windows that cover it, and
 * NaN where none does.
 */
#ifndef EX_OCCLUSION_H
#define EX_OCCLUSION_H

#include "feature_groups.h"
#include "game.h"
#include "network.h"

/*
 * value[outputs.count * n] for n parts; `keep` says which features part i
 * leaves as they are.  EX_RANGE where a prediction is not finite.
 */
extern ex_status ex_occlude(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
							uint32_t n, ex_coalition keep, const void *context, double *value);

/* `keep` for parts made of features: context is an ex_feature_groups. */
typedef struct ex_group_parts
{
	const ex_feature_groups *groups;
	uint32_t	n_features;
} ex_group_parts;

extern void ex_keep_other_groups(const void *context, uint64_t i, bool *known);

/*
 * Windows of height * width pixels (at most those of the image), `stride_...`
 * pixels apart, the last ones clipped: ceil((N - size) / stride) + 1 along an
 * axis of N.  A window covers all channels, or one of them.
 */
typedef struct ex_windows
{
	ex_shape	image;
	uint32_t	height;
	uint32_t	width;
	uint32_t	stride_height;
	uint32_t	stride_width;
	bool		per_channel;
	uint32_t	rows;			/* of windows: set by ex_windows_init */
	uint32_t	columns;
} ex_windows;

/* Cuts sizes to the image, counts; returns the number of windows.  Sizes and strides >= 1. */
extern uint32_t ex_windows_init(ex_windows *windows);

/* `keep` for windows: context is an ex_windows. */
extern void ex_keep_outside(const void *context, uint64_t i, bool *known);

/* pixel[features of the image] from the values of all windows. */
extern ex_status ex_windows_to_pixels(ex_host *host, const ex_windows *windows, const double *value,
									  double *pixel);

#endif							/* EX_OCCLUSION_H */
