/*
 * linear_internal.h
 *		Shared by the files of the linear family; nobody else.
 */
#ifndef EX_LINEAR_INTERNAL_H
#define EX_LINEAR_INTERNAL_H

#include "linear.h"
#include "model_json.h"

/* What a compiled linear model keeps. */
typedef struct ex_linear_state
{
	ex_linear_view view;
	bool		identity;		/* column c is the value of feature c, for
								 * every feature */
	double	   *z;				/* columns of the row at hand */
	uint32_t	n_used;			/* features that have columns ... */
	uint32_t   *first;			/* ... and the first column of each, then
								 * n_columns */

	/* memos for the model's own background; NULL until asked for */
	double	   *mean;			/* E z_c */
	double	   *base;			/* expected raw prediction, per output */

	/* quadrature rule for response space; n_nodes = 0 until asked for */
	uint32_t	n_nodes;
	double	   *node;
	double	   *node_weight;
} ex_linear_state;

/* z_c of all columns into z */
extern void ex_linear_columns(const ex_linear_view *view, const double *x, double *z);

/* intercept[k] + sum of coefficient[k][c] * z[c], compensated, in a fixed order */
extern double ex_linear_raw(const ex_linear_view *view, uint32_t output, const double *z);

/*
 * E z_c of all columns over a background (linear_mean.c): from the statistics
 * of all rows that it has seen if they determine every column (values, levels
 * and missing indicators do, bins do not), otherwise from the weighted rows of
 * the sample.  NaN for a column that is never there and must not be missing.
 */
extern ex_status ex_linear_mean_columns(ex_host *host, const ex_linear_view *view,
										const ex_background *background, double *mean);

/* EX_RANGE, with a detail that names the feature to blame, if one is. */
extern ex_status ex_linear_out_of_range(ex_host *host, const ex_linear_view *view,
										const double *x, const char *message);

/* What the policy of the column's feature implies for missing values. */
extern double ex_implied_missing(const ex_column *column, ex_missing_policy policy, double impute);

/*
 * What is wrong with a column of this feature: its kind, an unused field that
 * is not 0, a value for missing ones that the policy forbids.  NULL: nothing.
 */
extern const char *ex_column_misfit(const ex_column *column, const ex_feature *feature);

/* Of a column in the JSON form: which of "level", "bin" and "indicator" makes it? */
extern ex_status ex_column_read_kind(ex_json *json, ex_level_index *levels, const char *where,
									 ex_json_value level, ex_json_value bin,
									 ex_json_value indicator, ex_column *column);

/* Writing columns as JSON. */
typedef struct ex_column_writer
{
	ex_host    *host;
	ex_buffer  *out;
	ex_linear_view view;
	const uint8_t *flags;		/* of the features */
	uint32_t   *first_level;	/* of each feature, among all level names */
} ex_column_writer;

extern ex_status ex_column_writer_open(ex_column_writer *writer, ex_host *host,
									   const ex_model *model, ex_buffer *out);

/* {"feature":"sex","level":"m" without the closing brace */
extern ex_status ex_column_write(ex_column_writer *writer, uint32_t c);

/* A bin of an encoded value, low < (x - center) / scale <= high, as one of x; may be empty. */
extern void ex_fold_interval(const ex_encoded_column *input, ex_column *bin);

/* Order of columns: negative, 0, positive. */
extern int	ex_column_compare(const ex_column *a, const ex_column *b);

#define EX_LINEAR_N_SHAP_METHODS 2
extern const ex_shap_method ex_linear_shap_methods[EX_LINEAR_N_SHAP_METHODS];

extern ex_status ex_linear_rescale_raw(ex_compiled *compiled, ex_host *host, const double *x,
									   const double *z0, size_t n, ex_outputs outputs,
									   void **scratch, double *raw0, double *contribution);
extern ex_status ex_linear_gradient_raw(ex_compiled *compiled, ex_host *host, const double *x,
										size_t n, const double *seed, double *gradient);

extern ex_status ex_linear_align(ex_builder *builder, const ex_model *model,
								 const ex_feature_map *map);
extern ex_status ex_linear_adapt(ex_builder *builder, uint32_t feature);
extern ex_status ex_linear_validate(ex_host *host, const ex_model *model);
extern ex_status ex_linear_read_json(ex_builder *builder, ex_json *json, ex_json_value document);
extern ex_status ex_linear_write_json(ex_host *host, const ex_model *model, ex_buffer *out);
extern ex_status ex_linear_fold(ex_host *host, const ex_model *encoded,
								const ex_encoding *encoding, ex_builder *builder);

#endif							/* EX_LINEAR_INTERNAL_H */
