/*
 * model.h
 *		The one container in which every model of every family lives.
 *
 * A model is a header followed by sections: flat arrays of fixed-width
 * numbers, 8-byte aligned, addressed by offset, without pointers, in native
 * byte order with zeroed padding.  Stored bytes are therefore executable after
 * one copy, and input/output, digest, validation of sizes and the wire form
 * are written once for all families.
 *
 *	+-----------+-------------------+-----------+-----------+---
 *	| ex_model  | ex_section[n]     | section 0 | section 1 | ...
 *	+-----------+-------------------+-----------+-----------+---
 *
 * The wire form (send/recv) is the same content in little-endian order
 * without alignment; the digest is the first 128 bits of SHA-256 over the wire
 * form of everything but the digest itself.  Two models are equal exactly if
 * their digests are.
 */
#ifndef EX_MODEL_H
#define EX_MODEL_H

#include "host.h"

#define EX_MODEL_MAGIC		0x4d505845	/* "EXPM" */
#define EX_MODEL_VERSION	1

/* Published limits; 54000 beyond. */
#define EX_MAX_FEATURES		65535
#define EX_MAX_OUTPUTS		10000
#define EX_MAX_LEVELS		(1 << 24)	/* of one feature, as in XGBoost */
#define EX_MAX_NODES		(16 * 1024 * 1024)
#define EX_MAX_MODEL_SIZE	((size_t) 256 * 1024 * 1024)
#define EX_MAX_TEXT_SIZE	((size_t) 400 * 1000 * 1000)	/* JSON form */
#define EX_MAX_BACKGROUND	1000000 /* rows */
#define EX_MAX_NAME			1024	/* bytes of a feature, level or output
									 * name */

typedef enum ex_family_id
{
	EX_LINEAR = 1,
	EX_TREE = 2,
	EX_NETWORK = 3
	/* additive, kernel, composite follow */
} ex_family_id;

/* Inverse links: response = link^-1(raw).  Text names: ex_link_names. */
typedef enum ex_link
{
	EX_LINK_IDENTITY = 0,
	EX_LINK_LOGIT,				/* 1 / (1 + exp(-param * raw)) */
	EX_LINK_LOG,				/* exp(raw) */
	EX_LINK_PROBIT,				/* standard normal distribution function */
	EX_LINK_CLOGLOG,			/* 1 - exp(-exp(raw)) */
	EX_LINK_INVERSE,			/* 1 / raw */
	EX_LINK_SOFTMAX,			/* over all outputs */
	EX_LINK_OVR,				/* one-vs-rest: logit each, divided by their
								 * sum */
	EX_LINK_SIGNED_SQUARE,		/* sign(raw) raw^2: LightGBM reg_sqrt */
	EX_LINK_SOFTPLUS,			/* log(1 + exp(raw)): LightGBM
								 * cross_entropy_lambda */
	EX_LINK_STEP,				/* raw > 0: XGBoost binary:hinge */
	EX_LINK_ISOLATION,			/* -2^(-raw / param): isolation forest */
	EX_LINK_CUMULATIVE_SOFTPLUS,	/* XGBoost reg:expectileerror, over all
									 * outputs */
	EX_LINK_SORTED,				/* ascending over all outputs: XGBoost
								 * reg:quantileerror */
	EX_N_LINKS
} ex_link;

extern const char *const ex_link_names[EX_N_LINKS];

/* The link of a name; EX_INVALID with the valid names in the hint. */
extern ex_status ex_find_link(ex_host *host, const char *name, size_t length, ex_link *link);

typedef enum ex_feature_kind
{
	EX_NUMERIC = 0,
	EX_BOOLEAN,					/* 0 or 1 */
	EX_CATEGORICAL				/* 0-based position in the list of levels */
} ex_feature_kind;

/* What a missing value (SQL NULL) of a feature means. */
typedef enum ex_missing_policy
{
	EX_MISSING_ERROR = 0,		/* 22004 */
	EX_MISSING_NATIVE,			/* the model handles NaN itself */
	EX_MISSING_IMPUTE			/* replaced by feature_impute */
} ex_missing_policy;

/* What a level that the model does not list means. */
typedef enum ex_unknown_policy
{
	EX_UNKNOWN_ERROR = 0,		/* 22023 */
	EX_UNKNOWN_OTHER,			/* in no set, no dummy set: code -1 */
	EX_UNKNOWN_MISSING			/* as a missing value */
} ex_unknown_policy;

/* Bits of feature_flags */
#define EX_FEATURE_CODED	0x1 /* levels are the codes 0..n-1 and have no
								 * names */
#define EX_FEATURE_FLUSH	0x2 /* |x| <= 1e-35f reads as 0 (LightGBM) */
#define EX_FEATURE_TRUNCATE 0x4 /* a code of (-1,0) reads as 0 (LightGBM);
								 * else unknown */

/* Types of section elements; the width decides byte swapping. */
typedef enum ex_type
{
	EX_U8 = 1,
	EX_I32,
	EX_U32,
	EX_F64,
	EX_NODE,					/* ex_node: f64, i32, u32 */
	EX_F32
} ex_type;

/*
 * All sections of all families.  A family lists those it uses; the type of a
 * section is fixed (ex_section_types).  Numbers are part of the stored and
 * wire form: append only, never renumber.
 *
 * p = features, K = outputs.  "names" sections come as pairs: *_START (count
 * + 1 byte offsets, u32) and *_TEXT (UTF-8 bytes without terminators).
 */
typedef enum ex_section_id
{
	/* features, all families */
	EX_FEATURE_NAME_START = 0,	/* u32[p+1] */
	EX_FEATURE_NAME_TEXT,		/* u8[] */
	EX_FEATURE_KIND,			/* u8[p] ex_feature_kind */
	EX_FEATURE_MISSING,			/* u8[p] ex_missing_policy */
	EX_FEATURE_UNKNOWN,			/* u8[p] ex_unknown_policy */
	EX_FEATURE_FLAGS,			/* u8[p] */
	EX_FEATURE_IMPUTE,			/* f64[p]; NaN where the policy is not impute */
	EX_FEATURE_LEVELS,			/* u32[p] number of levels, 0 unless
								 * categorical */
	EX_LEVEL_NAME_START,		/* u32[sum of levels of features not CODED +
								 * 1] */
	EX_LEVEL_NAME_TEXT,			/* u8[] */
	/* outputs, all families */
	EX_OUTPUT_NAME_START,		/* u32[K+1] */
	EX_OUTPUT_NAME_TEXT,		/* u8[] */
	/* background, optional, all families */
	EX_BACKGROUND_ROW,			/* f64[n*p] row-major feature vectors, NaN =
								 * missing */
	EX_BACKGROUND_WEIGHT,		/* f64[n] > 0 */
	EX_BACKGROUND_STAT,			/* f64[p*EX_N_STATS] of all rows seen */
	EX_BACKGROUND_LEVEL,		/* f64[sum of levels] counts of all rows seen */
	EX_BACKGROUND_COUNT,		/* f64[1] rows seen */
	/* linear (kernel/linear.h) */
	EX_COLUMN_FEATURE,			/* u32[C] */
	EX_COLUMN_KIND,				/* u8[C] ex_column_kind */
	EX_COLUMN_LEVEL,			/* u32[C] level position, for
								 * EX_COLUMN_LEVEL_IS */
	EX_COLUMN_LOW,				/* f64[C] low < x <= high, for EX_COLUMN_BIN */
	EX_COLUMN_HIGH,				/* f64[C] */
	EX_COLUMN_MISSING,			/* f64[C] value of the column when the feature
								 * is NaN */
	EX_COEFFICIENT,				/* f64[K*C] output-major */
	EX_INTERCEPT,				/* f64[K] */
	EX_COEFFICIENT_SE,			/* f64[K*(C+1)] standard errors, intercept
								 * last; NaN unknown; optional */
	EX_COEFFICIENT_COV,			/* f64[(K*(C+1))^2]; optional */
	/* tree (kernel/tree.h) */
	EX_TREE_BASE,				/* f64[K] on the margin scale */
	EX_TREE_ROOT,				/* u32[T+1] first node of each tree, then the
								 * end */
	EX_TREE_OUTPUT,				/* u32[T] output fed; EX_ALL_OUTPUTS for
								 * vector leaves */
	EX_TREE_WEIGHT,				/* f64[T] */
	EX_TREE_NODE,				/* node[N] */
	EX_TREE_COVER,				/* f64[N]; optional */
	EX_TREE_GAIN,				/* f64[N]; optional, NaN unknown */
	EX_TREE_SET_START,			/* u32[S+1] first word of each category set */
	EX_TREE_SET_WORD,			/* u32[] bitmaps */
	EX_TREE_LEAF_VECTOR,		/* f64[L*K] when leaves are vectors */
	EX_TREE_LINEAR_START,		/* u32[M+1] terms of each linear leaf */
	EX_TREE_LINEAR_FEATURE,		/* u32[] */
	EX_TREE_LINEAR_COEF,		/* f64[] */
	EX_TREE_LINEAR_CONST,		/* f64[M]; the node's value is the fall-back
								 * for missing */

	/*
	 * network (kernel/network.h); its input layer has the columns of the
	 * linear family, EX_COLUMN_FEATURE .. EX_COLUMN_MISSING, as well
	 */
	EX_COLUMN_CENTER,			/* f64[C] */
	EX_COLUMN_SCALE,			/* f64[C] finite, not 0 */
	EX_IMAGE_SHAPE,				/* u32[3] channels, height, width; optional */
	EX_CHANNEL_NAME_START,		/* u32[channels+1]; with EX_IMAGE_SHAPE */
	EX_CHANNEL_NAME_TEXT,		/* u8[] */
	EX_LAYER_NAME_START,		/* u32[L+1] */
	EX_LAYER_NAME_TEXT,			/* u8[] */
	EX_LAYER_KIND,				/* u8[L] ex_layer_kind */
	EX_LAYER_INPUT_START,		/* u32[L+1] */
	EX_LAYER_INPUT,				/* u32[] layers read, each below the reader */
	EX_LAYER_SHAPE,				/* u32[L*3] channels, height, width of the
								 * output */
	EX_LAYER_SETTING,			/* i32[L*EX_N_SETTINGS] */
	EX_LAYER_NUMBER,			/* f64[L] */
	EX_LAYER_WEIGHT_START,		/* u32[L+1] first weight of each layer */
	EX_LAYER_WEIGHT,			/* f64[W], or ... */
	EX_LAYER_WEIGHT_F32,		/* f32[W] where every weight is a float32 */
	EX_N_SECTIONS
} ex_section_id;

extern const uint8_t ex_section_types[EX_N_SECTIONS];
extern size_t ex_type_size(ex_type type);

/* Statistics of one feature over all background rows seen. */
enum
{
	EX_STAT_N,					/* rows with a value */
	EX_STAT_MEAN,				/* of the value (boolean: share of true); NaN
								 * for categorical */
	EX_STAT_SD,					/* sample standard deviation, n - 1; NaN where
								 * n < 2 */
	EX_STAT_MIN,
	EX_STAT_MAX,
	EX_STAT_MISSING,			/* share of missing values, 0..1 */
	EX_N_STATS
};

typedef struct ex_section
{
	uint32_t	id;				/* ascending */
	uint32_t	count;			/* elements */
	uint32_t	offset;			/* bytes from the start of ex_model, 8-aligned */
	uint32_t	reserved;		/* 0 */
} ex_section;

typedef struct ex_model
{
	uint32_t	varlena;		/* PostgreSQL's length word; not part of the
								 * digest */
	uint32_t	magic;
	uint16_t	version;
	uint16_t	family;			/* ex_family_id */
	uint32_t	size;			/* whole value in bytes, with the header */
	uint8_t		digest[16];
	uint32_t	n_features;
	uint32_t	n_outputs;
	uint16_t	link;			/* ex_link */
	uint16_t	aggregation;	/* ex_aggregation; sum unless tree */
	uint32_t	n_sections;
	double		link_param;		/* 1 where the link has none */
	ex_section	section[];
} ex_model;

typedef enum ex_aggregation
{
	EX_SUM = 0,
	EX_MEAN						/* divide the (weighted) sum of trees by the
								 * sum of weights */
} ex_aggregation;

/* Start and element count of a section; NULL and 0 where the model has none. */
extern const void *ex_get(const ex_model *model, ex_section_id id, uint32_t *count);

/* The i-th string of a names pair; not terminated. */
extern const char *ex_get_name(const ex_model *model, ex_section_id start, uint32_t i,
							   uint32_t *length);

/*
 * A model under construction: one growing buffer per section.  Importers,
 * the JSON reader, aggregates and with_...() functions all fill a builder;
 * ex_build turns it into a validated model.
 */
typedef struct ex_builder
{
	ex_host    *host;
	ex_family_id family;
	uint32_t	n_features;
	uint32_t	n_outputs;
	ex_link		link;
	double		link_param;
	ex_aggregation aggregation;
	ex_buffer	section[EX_N_SECTIONS];
	bool		present[EX_N_SECTIONS];
} ex_builder;

extern void ex_builder_init(ex_builder *builder, ex_host *host, ex_family_id family);

/* Start from an existing model (copies its sections). */
extern ex_status ex_builder_open(ex_builder *builder, ex_host *host, const ex_model *model);

/* Drop a section / append elements (size is count * element width). */
extern void ex_drop(ex_builder *builder, ex_section_id id);
extern ex_status ex_put(ex_builder *builder, ex_section_id id, const void *elements, size_t count);
extern ex_status ex_put_u8(ex_builder *builder, ex_section_id id, uint8_t value);
extern ex_status ex_put_u32(ex_builder *builder, ex_section_id id, uint32_t value);
extern ex_status ex_put_f64(ex_builder *builder, ex_section_id id, double value);
extern size_t ex_put_count(const ex_builder *builder, ex_section_id id);

/* Append one string to a names pair (writes the leading 0 offset itself). */
extern ex_status ex_put_name(ex_builder *builder, ex_section_id start, const char *text, size_t length);

/* A feature as importers describe it; levels NULL with n_levels > 0 means CODED. */
typedef struct ex_feature
{
	const char *name;
	size_t		name_length;
	ex_feature_kind kind;
	ex_missing_policy missing;
	ex_unknown_policy unknown;
	uint8_t		flags;
	double		impute;
	uint32_t	n_levels;
	const char *const *levels;	/* n_levels strings, terminated */
} ex_feature;

/* Appends one feature to all feature sections and counts it. */
extern ex_status ex_put_feature(ex_builder *builder, const ex_feature *feature);

/* Reads feature i back (levels stay NULL; use ex_level_name). */
extern ex_status ex_get_feature(const ex_model *model, uint32_t i, ex_feature *feature);

/* Position of a feature/output/level by exact bytes; -1 if there is none. */
extern int32_t ex_find_feature(const ex_model *model, const char *name, size_t length);
extern int32_t ex_find_output(const ex_model *model, const char *name, size_t length);
extern int32_t ex_find_level(const ex_model *model, uint32_t feature, const char *name, size_t length);

/* Name of a level; for CODED features the decimal code, written to buf. */
extern const char *ex_level_name(const ex_model *model, uint32_t feature, uint32_t level,
								 char buf[12], uint32_t *length);

/* Appends output names "0", "1", ... up to n_outputs where none were put. */
extern ex_status ex_default_output_names(ex_builder *builder);

/*
 * Attach a background of n rows (feature vectors, n * p) that are all there
 * is: count, statistics and level counts are computed from them.  weight: how
 * often each row occurs; NULL: once.  Replaces a background that was there.
 */
extern ex_status ex_put_background(ex_builder *builder, const double *row, uint32_t n,
								   const double *weight);

/*
 * Lay out, validate and sign the model.  *model is one chunk of the host of
 * model->size bytes whose first word is left 0 for PostgreSQL's length.
 */
extern ex_status ex_build(ex_builder *builder, ex_model **model);

/*
 * Validate untrusted bytes completely: header, section directory, sizes,
 * names, the family's structure and, last, the digest.  After EX_OK any
 * kernel may run on them.
 */
extern ex_status ex_validate(ex_host *host, const ex_model *model, size_t size);

/* Only the digest: has a stored value changed since it was built? */
extern ex_status ex_verify_digest(ex_host *host, const ex_model *model, size_t size);

/* Wire form, little-endian, versioned. */
extern ex_status ex_wire_write(ex_host *host, const ex_model *model, ex_buffer *out);
extern ex_status ex_wire_read(ex_host *host, const void *data, size_t size, ex_model **model);

#endif							/* EX_MODEL_H */
