/*
 * onnx_internal.h
 *		Shared by the files that read ONNX models; nobody else.
 *
 *		onnx_file.c		bytes to nodes, attributes and names
 *		onnx_tensor.c	tensors, and operators on constants
 *		onnx_column.c	operators that prepare columns
 *		onnx_feature.c	what becomes of the inputs of the graph
 *		onnx_tree.c		tree ensembles: nodes
 *		onnx_ensemble.c tree ensembles: attributes, outputs, folding
 *		onnx_layer.c	numeric operators as layers of a network
 *		onnx_window.c	convolutions and pools among them
 *		onnx_build.c	layers to a network or linear model
 *		onnx.c			the walk over the graph
 */
#ifndef EX_ONNX_INTERNAL_H
#define EX_ONNX_INTERNAL_H

#include "fold.h"
#include "network.h"
#include "onnx.h"
#include "protobuf.h"

#define ONNX_MAX_DIMS		8
#define ONNX_NO_VALUE		UINT32_MAX	/* an optional input that is absent */

/* Numbers in all constants, and columns in all values, of one graph. */
#define ONNX_MAX_NUMBERS	(32 * 1024 * 1024)
#define ONNX_MAX_COLUMNS	(4 * 1024 * 1024)

/* TensorProto.DataType */
typedef enum onnx_type
{
	ONNX_UNKNOWN = 0,
	ONNX_FLOAT = 1,
	ONNX_UINT8 = 2,
	ONNX_INT8 = 3,
	ONNX_UINT16 = 4,
	ONNX_INT16 = 5,
	ONNX_INT32 = 6,
	ONNX_INT64 = 7,
	ONNX_STRING = 8,
	ONNX_BOOL = 9,
	ONNX_FLOAT16 = 10,
	ONNX_DOUBLE = 11,
	ONNX_UINT32 = 12,
	ONNX_UINT64 = 13,
	ONNX_BFLOAT16 = 16,
	ONNX_OTHER = 255			/* sequences and maps */
} onnx_type;

typedef struct onnx_dims
{
	uint32_t	n;
	int64_t		size[ONNX_MAX_DIMS];	/* -1: not known */
} onnx_dims;

static inline onnx_dims
onnx_dims_of(uint32_t n, int64_t a, int64_t b, int64_t c)
{
	onnx_dims	dims = {n, {a, b, c}};

	return dims;
}

typedef struct onnx_tensor
{
	onnx_type	type;
	onnx_dims	dims;
	size_t		count;
	const double *number;		/* one of these two */
	const ex_span *text;
} onnx_tensor;

/* ----------------------------------------------------------------
 * The file
 * ---------------------------------------------------------------- */

typedef struct onnx_attribute
{
	ex_span		name;
	ex_pb_message content;
} onnx_attribute;

typedef struct onnx_node
{
	ex_span		name;
	ex_span		operator;
	ex_span		domain;
	uint32_t	position;		/* in the graph, from 1 */
	bool		needed;			/* for the chosen output */
	uint32_t	n_inputs;
	uint32_t	n_outputs;
	uint32_t	n_attributes;
	uint32_t   *input;			/* numbers of values */
	uint32_t   *output;
	onnx_attribute *attribute;
} onnx_node;

/* An input or output of the graph. */
typedef struct onnx_port
{
	uint32_t	value;
	onnx_type	type;
	bool		has_shape;
	onnx_dims	dims;
} onnx_port;

/* ----------------------------------------------------------------
 * Values
 * ---------------------------------------------------------------- */

/* What happens to a column between the input and here; newest first. */
typedef enum onnx_step_op
{
	ONNX_ROUND,					/* to float32 */
	ONNX_TRUNCATE,				/* to an integer */
	ONNX_ADD,
	ONNX_SUBTRACT,
	ONNX_SUBTRACT_FROM,			/* number - x */
	ONNX_MULTIPLY,
	ONNX_DIVIDE,
	ONNX_ABOVE,					/* x > number: 1 or 0 */
	ONNX_IMPUTE					/* number where x is missing */
} onnx_step_op;

typedef struct onnx_step
{
	const struct onnx_step *before;
	onnx_step_op op;
	bool		single;			/* the result is rounded to float32 */
	double		number;
} onnx_step;

typedef enum onnx_column_op
{
	ONNX_VALUE,					/* the feature itself; of a text, the table's
								 * number of its level */
	ONNX_IS_CODE,				/* truncated, it is `code`: 1 or 0 */
	ONNX_IS_LEVEL				/* a text is `level`: 1 or 0 */
} onnx_column_op;

/* Numbers of the levels of a text; of those beyond, and of unknown ones, `other`. */
typedef struct onnx_table
{
	uint32_t	n;
	const double *number;
	double		other;
} onnx_table;

typedef struct onnx_column
{
	onnx_column_op op;
	uint32_t	feature;
	int64_t		code;
	uint32_t	level;
	const onnx_table *table;	/* of a text: its numbers; or NULL */
	bool		imputes;		/* is_code, is_level: what is missing is that */
	double		impute;
	const onnx_step *step;
} onnx_column;

/* A feature, as far as the graph tells. */
typedef struct onnx_feature
{
	uint32_t	port;
	uint32_t	index;			/* within it */
	uint32_t	siblings;		/* columns it has */
	onnx_type	type;
	bool		strict;			/* unknown levels are errors */
	ex_buffer	levels;			/* of texts: ex_span, in the order seen */
	/* how the columns that reach the model use it */
	bool		as_number;
	bool		as_code;		/* is it this code? (onnx_column) */
	bool		as_member;		/* is it one of these numbers? (trees) */
	bool		odd_code;		/* one that cannot be a level */
	int64_t		largest_code;
	bool		any_imputes;
	bool		any_fails;		/* a column has no answer for missing values */
	bool		disagree;
	double		impute;
	ex_feature_kind kind;
	ex_missing_policy missing;
} onnx_feature;

/* One layer of a network to be; input layers are selections of columns. */
typedef struct onnx_layer
{
	ex_new_layer spec;			/* inputs are numbers of onnx_layers */
	ex_shape	shape;
	double	   *weight;			/* of spec, to be changed */
	const onnx_column *column;	/* of a selection; NULL: the image */
	bool		wanted;
	uint32_t	number;			/* in the network */
} onnx_layer;

typedef struct onnx_ensemble onnx_ensemble;

typedef enum onnx_kind
{
	ONNX_NOTHING = 0,			/* not computed yet */
	ONNX_CONSTANT,
	ONNX_COLUMNS,
	ONNX_LAYER,
	ONNX_TREES
} onnx_kind;

/* Steps on the way to a GELU, x * 0.5 * (1 + erf(x / sqrt 2)). */
typedef enum onnx_erf
{
	ONNX_NO_ERF = 0,
	ONNX_ERF,					/* erf(x / sqrt 2) */
	ONNX_ERF_PLUS_1,
	ONNX_GELU_TWICE				/* x (1 + erf(x / sqrt 2)) */
} onnx_erf;

typedef struct onnx_value
{
	ex_span		name;
	onnx_kind	kind;
	uint32_t	uses;			/* by needed nodes */
	onnx_type	type;
	onnx_dims	dims;			/* of one row: without the batch (constants:
								 * as they are) */
	const onnx_tensor *constant;
	const onnx_column *column;	/* product of dims */
	uint32_t	layer;
	onnx_ensemble *trees;

	/* of scores */
	bool		is_label;		/* stands for the label that they choose */
	bool		one_vs_rest;	/* normalised to sum 1 */
	bool		exponential;	/* exp of the layer: only as the last step */
	const onnx_tensor *label;	/* class labels; or NULL */

	/* of layers */
	bool		shared;			/* other values stand for the same layer */
	bool		is_nhwc;		/* the image itself, before it is transposed */
	int32_t		pad[4];			/* zeros around, not yet taken by a
								 * convolution: top, left, bottom, right */
	onnx_erf	erf;			/* layer stands for x */
} onnx_value;

typedef struct onnx_reader
{
	ex_host    *host;
	const ex_onnx_options *options;
	ex_builder *builder;
	ex_pb_message file;

	int64_t		opset;			/* of ai.onnx */
	onnx_node  *node;
	uint32_t	n_nodes;
	onnx_port  *input;			/* without those that are initialisers */
	uint32_t	n_inputs;
	onnx_port  *output;
	uint32_t	n_outputs;
	onnx_value *value;
	uint32_t	n_values;
	uint32_t	result;			/* the chosen output */
	const onnx_node *current;	/* for messages */

	size_t		numbers;		/* in constants so far */
	size_t		columns;		/* in values so far */
	int64_t		traced_rows;	/* the number of rows that the file is fixed
								 * to */

	ex_buffer	features;		/* onnx_feature: there may be an input for
								 * each */
	onnx_feature *feature;		/* the same */
	uint32_t	n_features;
	bool		is_image;
	uint32_t	image_layer;
	ex_buffer	layers;			/* onnx_layer */
	onnx_value	scratch;		/* output of nodes that have none */
} onnx_reader;

/* ----------------------------------------------------------------
 * onnx_file.c
 * ---------------------------------------------------------------- */

/* Nodes, values, ports; initialisers become constants. */
extern ex_status onnx_open(onnx_reader *reader, const void *data, size_t size);

extern bool onnx_is(ex_span text, const char *word);

/* Printing a name: onnx_name(span) for "%.*s", of at most 100 bytes. */
#define ONNX_NAME(span)		(int) ((span).size < 100 ? (span).size : 100), (const char *) (span).data

/* Newest versions of the operators of ai.onnx and ai.onnx.ml that are known. */
#define ONNX_LAST_OPSET		24
#define ONNX_LAST_ML_OPSET	5

/* An error about the current node. */
extern ex_status onnx_fail(onnx_reader *reader, ex_status status, const char *format,...)
			__attribute__((format(printf, 3, 4)));

/* Attributes of the current node, or a default where it has none. */
extern const onnx_attribute *onnx_find(const onnx_reader *reader, const char *name);
extern ex_status onnx_integer(onnx_reader *reader, const char *name, int64_t missing, int64_t *value);
extern ex_status onnx_float(onnx_reader *reader, const char *name, double missing, double *value);
extern ex_status onnx_text(onnx_reader *reader, const char *name, const char *missing, ex_span *value);

/* Lists; absent ones are empty.  Floats are widened to double. */
extern ex_status onnx_integers(onnx_reader *reader, const char *name, const int64_t **value, size_t *n);
extern ex_status onnx_floats(onnx_reader *reader, const char *name, const double **value, size_t *n);
extern ex_status onnx_texts(onnx_reader *reader, const char *name, const ex_span **value, size_t *n);
extern ex_status onnx_tensor_attribute(onnx_reader *reader, const char *name, const onnx_tensor **value);

/* ----------------------------------------------------------------
 * onnx_tensor.c
 * ---------------------------------------------------------------- */

/* A TensorProto; its name goes to *name. */
extern ex_status onnx_read_tensor(onnx_reader *reader, ex_pb_message content, onnx_tensor *tensor,
								  ex_span *name);

/* Product of the dimensions; EX_LIMIT beyond `limit`, EX_INVALID if one is not known. */
extern ex_status onnx_count(onnx_reader *reader, const onnx_dims *dims, size_t limit, size_t *count);

/* An operator all of whose inputs are constants; *known is false if it is not one of those calculated. */
extern ex_status onnx_constant_node(onnx_reader *reader, bool *known);

/* A new constant as output i of the current node; number[count] is taken over. */
extern ex_status onnx_set_constant(onnx_reader *reader, uint32_t i, onnx_type type, const onnx_dims *dims,
								   double *number, const ex_span *text);

/* ----------------------------------------------------------------
 * Values (onnx.c)
 * ---------------------------------------------------------------- */

/* Input i of the current node: NULL if it is absent. */
extern onnx_value *onnx_in(const onnx_reader *reader, uint32_t i);

/* The same, which must be there; and must be a constant. */
extern ex_status onnx_need(onnx_reader *reader, uint32_t i, onnx_value **value);
extern ex_status onnx_need_constant(onnx_reader *reader, uint32_t i, const onnx_tensor **tensor);

/* Integers of a constant input, or else of an attribute (as older opsets have it). */
extern ex_status onnx_int_argument(onnx_reader *reader, uint32_t i, const char *attribute,
								   const int64_t **value, size_t *n);

/* Output 0 of the current node becomes this. */
extern onnx_value *onnx_set(onnx_reader *reader, const onnx_value *like);

/* classlabels_strings or classlabels_int64s (and _ints) of the current node; or NULL. */
extern ex_status onnx_class_labels(onnx_reader *reader, const onnx_tensor **label);

/* A dimension argument, negative ones from the end, as one of `n`. */
extern ex_status onnx_axis(onnx_reader *reader, int64_t axis, uint32_t n, uint32_t *out);

/*
 * The shape that a reshaping operator (Reshape, Flatten, Squeeze, Unsqueeze)
 * gives its input, batch first; count stays the same.
 */
extern ex_status onnx_reshaped(onnx_reader *reader, const onnx_dims *in, onnx_dims *out);

/* The dimensions of a value with its batch, of 1 row, in front. */
extern onnx_dims onnx_with_batch(const onnx_value *value);

/* Without it; EX_UNSUPPORTED where rows would be mixed. */
extern ex_status onnx_without_batch(onnx_reader *reader, const onnx_dims *dims, onnx_dims *out);

/* ----------------------------------------------------------------
 * onnx_column.c
 * ---------------------------------------------------------------- */

/* Columns of an input of the graph. */
extern ex_status onnx_input_columns(onnx_reader *reader, uint32_t port, uint32_t first_feature, size_t n);

/* An operator on columns; *known is false if it is not one of those. */
extern ex_status onnx_column_node(onnx_reader *reader, bool *known);

/* What the steps make of a value of the column before them. */
extern double onnx_run_steps(const onnx_step *step, double x);

/* The column where its feature is missing; and where it is this level (-1: an unknown one). */
extern double onnx_column_missing(const onnx_column *column);
extern double onnx_column_at_level(const onnx_column *column, int64_t level);

/*
 * The test "column <= limit" ("column < limit" if strict), as a test on the
 * column before its steps: x <= *threshold, or the opposite where *inverted.
 */
extern void onnx_fold_limit(const onnx_column *column, double limit, bool strict,
							double *threshold, bool *inverted);

/*
 * A column of a linear model or network: EX_UNSUPPORTED if it is not an
 * affine function of one.
 */
typedef struct onnx_affine
{
	bool		above;			/* 1 or 0 by x > threshold, before the rest */
	double		threshold;
	bool		imputes;
	double		impute;			/* of the feature */
	double		center;
	double		scale;			/* 0: the column is the constant -center */
} onnx_affine;

extern ex_status onnx_affine_column(onnx_reader *reader, const onnx_column *column, onnx_affine *affine);

/* ----------------------------------------------------------------
 * onnx_feature.c: what becomes of the inputs
 * ---------------------------------------------------------------- */

/* Levels beyond this many are not made of codes. */
#define ONNX_MAX_CODE		65535

/* The position of a level of a text, new ones last. */
extern ex_status onnx_level(onnx_reader *reader, uint32_t feature, ex_span name, uint32_t *level);

/* Note that a column reaches the model; of a value, how: compared, or as a member of a set. */
extern void onnx_use_column(onnx_reader *reader, const onnx_column *column);
extern void onnx_use_order(onnx_reader *reader, const onnx_column *column);
extern void onnx_use_member(onnx_reader *reader, const onnx_column *column, double member);

/* Note what an affine column does with missing values. */
extern void onnx_use_affine(onnx_reader *reader, const onnx_column *column, const onnx_affine *affine);

/* Settle kinds; then the features can be put, and columns encoded (without their steps). */
extern void onnx_settle_features(onnx_reader *reader, bool trees);
extern ex_status onnx_put_features(onnx_reader *reader, ex_builder *builder);
extern void onnx_encode_column(const onnx_reader *reader, const onnx_column *column,
							   ex_encoded_column *encoded);

/* ----------------------------------------------------------------
 * Trees
 * ---------------------------------------------------------------- */

/* Comparisons; the numbers are those of TreeEnsemble (version 5). */
typedef enum onnx_mode
{
	ONNX_LEQ = 0,
	ONNX_LT,
	ONNX_GTE,
	ONNX_GT,
	ONNX_EQ,
	ONNX_NEQ,
	ONNX_MEMBER,
	ONNX_LEAF
} onnx_mode;

#define ONNX_NO_NODE		UINT32_MAX

/* What a leaf adds to an output. */
typedef struct onnx_weight
{
	uint32_t	node;
	uint32_t	target;
	double		value;
} onnx_weight;

typedef struct onnx_tree_node
{
	onnx_mode	mode;
	bool		tracks;			/* a missing value takes the yes branch */
	uint32_t	feature;		/* column */
	uint32_t	yes;			/* nodes */
	uint32_t	no;
	uint32_t	parents;
	uint32_t	or_else;		/* node whose members count as well */
	const double *member;		/* EQ and MEMBER: one or several; others: the
								 * threshold */
	size_t		n_members;
	uint32_t	first_weight;	/* leaves: of onnx_ensemble.weight */
	uint32_t	n_weights;
} onnx_tree_node;

struct onnx_ensemble
{
	const onnx_column *column;	/* what it reads */
	size_t		n_columns;
	onnx_tree_node *node;
	uint32_t	n_nodes;
	uint32_t   *root;
	uint32_t	n_trees;
	onnx_weight *weight;		/* those of a leaf side by side */
	size_t		n_weights;
	uint32_t	n_targets;
	double	   *base;			/* per target */
	bool		average;
	bool		is_final;		/* link is set: no arithmetic any more */
	ex_link		link;
	double		factor;			/* of all trees */
};

/* onnx_ensemble.c: from attributes to an ensemble, and to a model */
extern ex_status onnx_ensemble_node(onnx_reader *reader, bool *known);

/* An operator on what trees have put out. */
extern ex_status onnx_score_node(onnx_reader *reader, bool *known);
extern ex_status onnx_build_trees(onnx_reader *reader, const onnx_value *result);

/* onnx_tree.c: check and settle nodes; then note what they ask of columns; then add the trees. */
extern ex_status onnx_settle_nodes(onnx_reader *reader, onnx_ensemble *ensemble);
extern void onnx_use_nodes(onnx_reader *reader, const onnx_ensemble *ensemble);
extern ex_status onnx_add_trees(onnx_reader *reader, const onnx_ensemble *ensemble, ex_builder *builder);

/* ----------------------------------------------------------------
 * Layers
 * ---------------------------------------------------------------- */

extern ex_status onnx_layer_node(onnx_reader *reader, bool *known);

/* onnx_window.c: operators that slide a window over an image, and pool it */
extern ex_status onnx_window_node(onnx_reader *reader, bool *known);

/* A layer that reads these; weights are taken over.  Its number goes to *number. */
extern ex_status onnx_add_layer(onnx_reader *reader, ex_new_layer *spec, const uint32_t *input,
								uint32_t n_inputs, double *weight, uint32_t *number);

/* The same with one input, as output 0 of the current node, of these dimensions. */
extern ex_status onnx_set_layer(onnx_reader *reader, ex_new_layer *spec, uint32_t input,
								double *weight, const onnx_dims *dims);

extern onnx_layer *onnx_layer_at(const onnx_reader *reader, uint32_t number);

/* Input i as a layer whose numbers are in order; as one of this shape. */
extern ex_status onnx_need_layer(onnx_reader *reader, uint32_t i, onnx_value **value);
extern ex_status onnx_shaped(onnx_reader *reader, const onnx_value *value, ex_shape shape, uint32_t *layer);

/* (c, h, w) of c, (c, w) and (c, h, w): vectors, sequences, images. */
extern ex_shape onnx_shape(const onnx_dims *dims);

/* An image, as one value of the graph's inputs. */
extern ex_status onnx_input_image(onnx_reader *reader, uint32_t port, ex_shape shape, bool is_nhwc);
extern ex_status onnx_build_layers(onnx_reader *reader, const onnx_value *result);

/* Columns become a layer; others stay. */
extern ex_status onnx_to_layer(onnx_reader *reader, onnx_value *value);

/* Output names: the user's, class labels, or numbers. */
extern ex_status onnx_put_output_names(onnx_reader *reader, ex_builder *builder, const onnx_value *result);

#endif							/* EX_ONNX_INTERNAL_H */
