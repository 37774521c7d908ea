/*
 * network_run.h
 *		Running a compiled network: forward, and backward by several rules.
 *
 * One row runs on the project's own kernels (fixed order of summation: the
 * lanes of a vector are different outputs, so every path has the same bits).
 * Many rows at once go through matrix products (matrix.h), which may be a
 * BLAS: equal to the row kernels to rounding, not to the bit.
 *
 * Numbers live in a workspace: for each layer its output for each row,
 * row-major, value[layer][row][shape].  A workspace belongs to one call; it
 * is as large as the rows asked for, so callers work in tiles of
 * EX_NETWORK_TILE rows or fewer (ex_network_tile says how many fit 32 MB).
 */
#ifndef EX_NETWORK_RUN_H
#define EX_NETWORK_RUN_H

#include "network.h"

/* What is kept of a compiled network (network_compile.c). */
typedef struct ex_network_state ex_network_state;

typedef struct ex_network_work ex_network_work;

#define EX_NETWORK_TILE 256

extern const ex_network_view *ex_network_compiled_view(const ex_network_state *state);

/* Rows (1 .. EX_NETWORK_TILE) whose workspace stays within 32 MB. */
extern uint32_t ex_network_tile(const ex_network_state *state);

/* A workspace for up to `rows` rows, forward and backward, in host's memory. */
extern ex_status ex_network_work_create(const ex_network_state *state, ex_host *host, uint32_t rows,
										ex_network_work **work);

/*
 * z[n * C] from feature vectors x[n * p].  EX_RANGE, naming the feature, where
 * a column is NaN or infinite.
 */
extern ex_status ex_network_encode(const ex_network_state *state, ex_host *host, const double *x,
								   size_t n, double *z);

/*
 * Forward n rows of columns z[n * C].  Afterwards ex_network_value gives the
 * output of any layer, n * size numbers; the last layer's is raw[n * K].
 * EX_RANGE where an output is not finite.  n = 1 uses the row kernels.
 */
extern ex_status ex_network_forward(const ex_network_state *state, ex_host *host,
									ex_network_work *work, const double *z, uint32_t n);
extern const double *ex_network_value(const ex_network_work *work, uint32_t layer);

/* How a unit passes relevance back, given its input a and upstream r. */
typedef enum ex_backward_rule
{
	EX_RULE_GRADIENT = 0,		/* r f'(a) */
	EX_RULE_GUIDED,				/* ReLU: r [a > 0] [r > 0]; Springenberg 2015 */
	EX_RULE_DECONVNET,			/* ReLU: r [r > 0]; Zeiler & Fergus 2014 */
	EX_RULE_RESCALE				/* r (f(a) - f(a0)) / (a - a0), without loss
								 * where they are close, f'(a) where they are
								 * equal; DeepLIFT, Shrikumar 2017; max
								 * pooling by the cross-maximum rule */
} ex_backward_rule;

/*
 * Backward for the rows of the last forward call: dz[n * C] of
 * sum over k of seed[row][k] * raw[row][k].
 *
 * reference: for EX_RULE_RESCALE a workspace with the forward pass of the
 * reference rows, as many as there are rows, or one row for all of them; NULL
 * for other rules.  EX_RULE_GUIDED and EX_RULE_DECONVNET: EX_UNSUPPORTED for a
 * network without ReLU.  EX_RULE_RESCALE: a product of layers is shared out
 * half and half (rescale of each factor at the mean of the other); softmax
 * inside the network: EX_UNSUPPORTED.
 */
extern ex_status ex_network_backward(const ex_network_state *state, ex_host *host,
									 ex_network_work *work, const ex_network_work *reference,
									 ex_backward_rule rule, const double *seed, double *dz);

/* Gradient with respect to the output of `layer` (the last backward call), n * size. */
extern const double *ex_network_gradient(const ex_network_work *work, uint32_t layer);

/*
 * Rows of features from rows of columns: adds up dz[c] * d z_c / d x_f over
 * the value columns of each numeric feature; other features get 0.
 * gradient[n * p].
 */
extern void ex_network_decode(const ex_network_state *state, const double *x, const double *dz,
							  size_t n, double *gradient);

/* ex_family operations */
extern ex_status ex_network_compile(ex_compiled *compiled);
extern ex_status ex_network_predict_raw(ex_compiled *compiled, ex_host *host, const double *x,
										size_t n, double *raw);
extern ex_status ex_network_gradient_raw(ex_compiled *compiled, ex_host *host, const double *x,
										 size_t n, const double *seed, double *gradient);
extern ex_status ex_network_relevance_raw(ex_compiled *compiled, ex_host *host, const double *x,
										  size_t n, int rule, const double *seed,
										  double *relevance);
extern ex_status ex_network_rescale_raw(ex_compiled *compiled, ex_host *host, const double *x,
										const double *z0, size_t n, ex_outputs outputs,
										void **scratch, double *raw0, double *contribution);

#define EX_NETWORK_N_SHAP_METHODS 2
extern const ex_shap_method ex_network_shap_methods[EX_NETWORK_N_SHAP_METHODS];

#endif							/* EX_NETWORK_RUN_H */
