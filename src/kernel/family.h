/*
 * family.h
 *		A family of models as a small table of operations.
 *
 * What differs between families is here and nowhere else; a method asks a
 * family for what it offers (a prediction, a closed form) and never for its
 * name.  To add a family: one folder of kernels, one ex_family, one line in
 * family.c.
 */
#ifndef EX_FAMILY_H
#define EX_FAMILY_H

#include "fold.h"
#include "json.h"
#include "model.h"
#include "model_align.h"

/*
 * A model made ready to run: the value itself plus whatever the family
 * derives from it.  Owned by the model cache in the server; `host` allocates
 * in the memory of the entry and lives as long.  Derived tables are memos:
 * they may make a result faster, never different.
 */
typedef struct ex_compiled
{
	const ex_model *model;
	const struct ex_family *family;
	ex_host    *host;
	void	   *state;			/* the family's own */
	size_t		table_bytes;	/* derived tables so far */
	size_t		table_limit;	/* and how far they may grow */
} ex_compiled;

/* Which outputs a call wants: first .. first + count - 1. */
typedef struct ex_outputs
{
	uint32_t	first;
	uint32_t	count;
} ex_outputs;

typedef enum ex_space
{
	EX_RAW = 0,
	EX_RESPONSE
} ex_space;

/*
 * Background rows to explain against: the model's own, or the one row of
 * `reference =>`.  n * p values, row-major, as feature vectors.
 */
typedef struct ex_background
{
	const double *row;
	const double *weight;		/* n positive weights; NULL: all 1 */
	uint32_t	n;
	const double *stat;			/* p * EX_N_STATS of all rows seen; NULL
								 * without */
	const double *level;		/* counts per level of all rows seen; NULL
								 * without */
	bool		own;			/* the model's own: memos may be kept for it */
} ex_background;

typedef struct ex_shap_call
{
	const double *x;			/* p values, NaN = missing */
	ex_outputs	outputs;
	ex_space	space;
	ex_background background;	/* n = 0 where the method needs none */
} ex_shap_call;

/*
 * A closed form for Shapley values that a family offers.
 *
 * check: EX_OK if the method can run on this model in this space with this
 * background; otherwise EX_UNSUPPORTED / EX_INVALID with message and hint in
 * host->error.
 * check_auto: may 'auto' take it as well?  For methods whose cost depends on
 * the model: EX_UNSUPPORTED with a hint where it would be too high.  NULL: yes.
 * values:	phi[outputs.count * p] and base[outputs.count]; overwrites both.
 * interactions: phi[outputs.count * p * p]: half of the Shapley interaction
 * index off the diagonal, main effects on it, so that rows sum to the value
 * of the feature.  NULL: the method has none.
 * base:	base[outputs.count] alone.
 */
typedef struct ex_shap_method
{
	const char *name;			/* 'linear', 'tree_path_dependent', ... */
	bool		needs_background;
	bool		only_by_name;	/* 'auto' never takes it: an approximation, or
								 * slower than another one */
	ex_status	(*check) (ex_compiled *compiled, ex_host *host, ex_space space,
						  const ex_background *background);
	ex_status	(*check_auto) (ex_compiled *compiled, ex_host *host,
							   const ex_background *background);
	ex_status	(*values) (ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
						   double *phi, double *base);
	ex_status	(*interactions) (ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
								 double *phi, double *base);
	ex_status	(*base) (ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
						 double *base);

	/*
	 * Values of n rows at once, call->x[n * p], with the bits that `values`
	 * gives each: phi[n * outputs.count * p].  NULL: the method has no kernel
	 * for tiles.  So for interactions, phi[n * outputs.count * p * p].
	 */
	ex_status	(*values_tile) (ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
								uint32_t n, double *phi);
	ex_status	(*interactions_tile) (ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
									  uint32_t n, double *phi);
} ex_shap_method;

/* Values (interactions) of n rows, by the method's kernel for tiles or one after the other. */
extern ex_status ex_shap_values_tile(const ex_shap_method *method, ex_compiled *compiled, ex_host *host,
									 const ex_shap_call *call, uint32_t n, double *phi);
extern ex_status ex_shap_interactions_tile(const ex_shap_method *method, ex_compiled *compiled,
										   ex_host *host, const ex_shap_call *call, uint32_t n,
										   double *phi);

typedef struct ex_family
{
	ex_family_id id;
	const char *name;			/* as in the JSON form */
	const ex_section_id *sections;	/* own sections, in order ... */
	int			n_sections;
	bool		infers_outputs; /* their number follows from the rest of a
								 * document */

	/*
	 * structure of the family's sections; header and common ones are valid
	 * already
	 */
	ex_status	(*validate) (ex_host *host, const ex_model *model);

	/*
	 * Features of a document without "features", such as the pixels of an
	 * image; *found: are there any?  (optional)
	 */
	ex_status	(*read_features) (ex_builder *builder, ex_json *json, ex_json_value document,
								  bool *found);

	/* Would read_features find the features of this model?  (optional) */
	bool		(*implies_features) (const ex_model *model);

	/* JSON members beyond the common ones */
	ex_status	(*read_json) (ex_builder *builder, ex_json *json, ex_json_value document);
	ex_status	(*write_json) (ex_host *host, const ex_model *model, ex_buffer *out);

	/* fold columns made from original features into the model (fold.h) */
	ex_status	(*fold) (ex_host *host, const ex_model *encoded, const ex_encoding *encoding,
						 ex_builder *builder);

	/*
	 * the model over other features, which are in the builder already
	 * (model_align.h)
	 */
	ex_status	(*align) (ex_builder *builder, const ex_model *model, const ex_feature_map *map);

	/*
	 * a feature's policy has changed: bring what depends on it in line
	 * (optional)
	 */
	ex_status	(*adapt) (ex_builder *builder, uint32_t feature);

	ex_status	(*compile) (ex_compiled *compiled);

	/* raw[n * K] for n feature vectors x[n * p] */
	ex_status	(*predict_raw) (ex_compiled *compiled, ex_host *host, const double *x, size_t n,
								double *raw);

	/*
	 * Derivatives of sum over k of seed[row][k] * raw[row][k] with respect to
	 * the features, gradient[n * p].  Of numeric features only: others get 0
	 * (gradient.h takes differences for them), and so does one whose value is
	 * missing.  NULL: the family has none (trees are flat almost everywhere).
	 */
	ex_status	(*gradient_raw) (ex_compiled *compiled, ex_host *host, const double *x, size_t n,
								 const double *seed, double *gradient);

	/*
	 * The same by another rule of passing back (ex_backward_rule of
	 * network_run.h: guided backpropagation, deconvnet).  NULL: the family has
	 * no units to which one applies.
	 */
	ex_status	(*relevance_raw) (ex_compiled *compiled, ex_host *host, const double *x, size_t n,
								  int rule, const double *seed, double *relevance);

	/*
	 * DeepLIFT (deeplift.h): what the features of one row contribute to raw[k]
	 * - raw0[i][k] by the rescale rule, against n reference points in columns,
	 * z0[n * C] (baseline.h).  raw0[n * K]; contribution[(i * outputs.count +
	 * k) * p], k counted from outputs.first.  *scratch, NULL at first, is the
	 * family's own for calls that follow (with n no larger, at best).  NULL: the
	 * family has none.
	 */
	ex_status	(*rescale_raw) (ex_compiled *compiled, ex_host *host, const double *x,
								const double *z0, size_t n, ex_outputs outputs,
								void **scratch, double *raw0, double *contribution);

	/*
	 * closed forms, best first: 'auto' takes the first that can run (see
	 * shap.c)
	 */
	const ex_shap_method *shap_methods;
	int			n_shap_methods;
} ex_family;

extern const ex_family *ex_family_by_id(uint32_t id);
extern const ex_family *ex_family_by_name(const char *name, size_t length);
extern int	ex_family_count(void);
extern const ex_family *ex_family_at(int i);

/* Make a validated model ready to run; *compiled lives in host's memory. */
extern ex_status ex_compile(ex_host *host, const ex_model *model, size_t table_limit,
							ex_compiled **compiled);

/*
 * response[K] from raw[K] (finite); softmax and its like need all outputs at
 * once; both may be the same array.  A response beyond float8 is infinite:
 * check before showing it.
 */
extern void ex_response(const ex_model *model, const double *raw, double *response);

/*
 * derivative[m] = d response[output] / d raw[m] at raw[K] (link_derivative.c).
 * EX_UNSUPPORTED for links without one (step, sorted).
 */
extern ex_status ex_response_derivative(ex_host *host, const ex_model *model, const double *raw,
										uint32_t output, double *derivative);

/* second[m * K + l] = d^2 response[output] / d raw[m] d raw[l] */
extern ex_status ex_response_second_derivative(ex_host *host, const ex_model *model,
											   const double *raw, uint32_t output, double *second);

/*
 * Mean response over the (weighted) rows of a background: the base value in
 * response space of every family and method.  mean[outputs.count].
 * EX_INVALID without rows, EX_RANGE where it is not finite.
 */
extern ex_status ex_mean_response(ex_compiled *compiled, ex_host *host, ex_outputs outputs,
								  const ex_background *background, double *mean);

/* The model's own background, n = 0 where it has none. */
extern void ex_own_background(const ex_model *model, ex_background *background);

#endif							/* EX_FAMILY_H */
