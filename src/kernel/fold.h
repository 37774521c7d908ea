/*
 * fold.h
 *		Preprocessing, absorbed into a model.
 *
 * A pipeline feeds a model with columns made from the user's features:
 * standardised, imputed, one-hot, binned.  Folding rewrites a model over
 * columns as a model over the original features, so that predictions are the
 * same and explanations speak of what the user knows.
 *
 * Column c of the encoded model is
 *
 *		z_c = (op(x_f) - center) / scale	(computed in double, in this order)
 *
 * where a missing x_f is first replaced by `impute` if the column imputes.
 */
#ifndef EX_FOLD_H
#define EX_FOLD_H

#include "json.h"
#include "model.h"

typedef enum ex_encode_op
{
	EX_ENCODE_VALUE = 0,		/* x */
	EX_ENCODE_LEVEL,			/* x is the level: 1 or 0; missing (not
								 * imputed), unknown: 0 */
	EX_ENCODE_BIN,				/* low < x <= high: 1 or 0 (-Infinity is in a
								 * bin without lower end) */
	EX_ENCODE_BIN_NUMBER,		/* number of edges below x: 0 .. n_edges */
	EX_ENCODE_MISSING			/* x is missing: 1 or 0 */
} ex_encode_op;

typedef struct ex_encoded_column
{
	uint32_t	feature;
	ex_encode_op op;
	bool		imputes;
	double		impute;			/* value or level position */
	uint32_t	level;
	double		low;
	double		high;
	const double *edges;
	uint32_t	n_edges;
	double		center;			/* 0 */
	double		scale;			/* 1; not 0, finite */
} ex_encoded_column;

typedef struct ex_encoding
{
	uint32_t	n_columns;		/* = features of the encoded model */
	const ex_encoded_column *column;
} ex_encoding;

/*
 * The JSON form of an encoding, {"features": [...], "inputs": [...]}:
 * features as in the model form; inputs in the order of the encoded columns,
 * each {"feature": name} with
 *		"level": name | "bin": [low, high] | "edges": [...] | "indicator": true,
 *		"impute": number or level name, "center": number, "scale": number.
 */
extern ex_status ex_encoding_read(ex_builder *builder, ex_json *json, ex_json_value features,
								  ex_json_value inputs, ex_encoding *encoding);

/* z_c for one column; NaN where x is missing and the column neither imputes nor tests it. */
extern double ex_encode(const ex_encoded_column *column, double x);

/*
 * The encoded model rewritten over the features already put into `builder`.
 * Outputs, link and aggregation are carried over; a background is not.
 */
extern ex_status ex_fold(ex_host *host, const ex_model *encoded, const ex_encoding *encoding,
						 ex_builder *builder);

/*
 * Largest double x that passes a test which all x below one pass and none
 * above, by bisection on the ordering of doubles; -Infinity if there is none.
 */
extern double ex_fold_monotone(bool (*passes) (const void *context, double x), const void *context);

/* Largest double x with (x - center) / scale <= limit (scale > 0), by bisection on the
 * ordering of doubles; -Infinity if there is none. */
extern double ex_fold_affine(double limit, double center, double scale);

#endif							/* EX_FOLD_H */
