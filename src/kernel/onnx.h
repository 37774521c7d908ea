/*
 * onnx.h
 *		Reading models from ONNX files.
 *
 * A file holds a graph of operators.  It is evaluated once with stand-ins for
 * values (abstract interpretation): what does not depend on a row is
 * calculated, what prepares single columns (scaling, imputing, one-hot) is
 * remembered as such, and what remains decides the family:
 *
 *		TreeEnsemble...				tree; preprocessing folded into splits
 *		LinearRegressor, LinearClassifier, one Gemm or MatMul	linear
 *		other numeric operators		network; columns are its input
 *
 * so that explanations speak of the inputs of the graph.  doc/onnx.md lists
 * the operators; semantics are those of https://onnx.ai/onnx/operators/ and,
 * where these are silent (binary classifiers with one score, missing values
 * in comparisons), of onnxruntime.
 *
 * Thresholds are folded so that every row takes the branch that it takes in
 * float32 arithmetic; sums are float64.
 */
#ifndef EX_ONNX_H
#define EX_ONNX_H

#include "model.h"

/* What the user says about the model; counts of 0: nothing. */
typedef struct ex_onnx_options
{
	const char *const *feature; /* names, terminated */
	size_t		n_features;
	const char *const *output;
	size_t		n_outputs;
	const char *const *channel; /* of an image */
	size_t		n_channels;
	const char *graph_output;	/* output of a node; NULL: that of the graph
								 * which has scores */
} ex_onnx_options;

/*
 * A builder, which is initialised here, with the model.
 *
 * Errors: EX_BINARY and EX_ENCODING for bytes that are no ONNX file or a
 * damaged one, EX_INVALID, EX_RANGE for contents that cannot be right,
 * EX_UNSUPPORTED for operators, attributes and combinations that are not
 * read (naming node and operator), EX_LIMIT, EX_DIMENSION for names whose
 * number is not that of the graph.
 */
extern ex_status ex_onnx_read(ex_host *host, const void *data, size_t size,
							  const ex_onnx_options *options, ex_builder *builder);

#endif							/* EX_ONNX_H */
