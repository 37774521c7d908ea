/*
 * background_attach.h
 *		Statistics of a background sample in the terms of a model.
 *
 * The rows of a sample are attached with ex_put_background, which derives
 * statistics from them; what the sample knows of all rows is better and takes
 * their place.
 */
#ifndef EX_BACKGROUND_ATTACH_H
#define EX_BACKGROUND_ATTACH_H

#include "background.h"
#include "model.h"

/* A feature and the sample's column that feeds it. */
typedef struct ex_attached_feature
{
	const ex_sample_column *column;
	const double *x;			/* what the column's i-th value is for the
								 * model: NaN as a missing value, -1 as an
								 * unknown level */
	double		missing;		/* what a missing value is: NaN, or the
								 * imputed value */
} ex_attached_feature;

/*
 * Replace count and statistics that ex_put_background has put; one entry of
 * attached[] for each feature, in order.  Numbers: moments of all rows, imputed
 * values included.  Levels: counts of all rows, or, where the column had too
 * many different values to count them, those of the sample's rows in
 * proportion.
 */
extern ex_status ex_attach_statistics(ex_builder *builder, const ex_sample *sample,
									  const ex_attached_feature *attached);

#endif							/* EX_BACKGROUND_ATTACH_H */
