/*
 * lightgbm.c
 *		Reading LightGBM models from their text form: see lightgbm.h.
 *
 * The text is lines of key=value: a header, one block per tree, and a tail.
 * Lines are read in place; the numbers of one tree go through scratch buffers
 * that the next tree uses again, so memory beyond the model is that of the
 * largest tree.  Trees come first and features last, because only the trees
 * tell which features are categories and how many levels are in use.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "lightgbm.h"
#include "tree.h"

/* A piece of the text. */
typedef struct slice
{
	const char *at;				/* NULL: absent */
	size_t		size;
} slice;

typedef struct field
{
	const char *key;
	slice	   *value;
} field;

#define N_FIELDS(fields) ((int) (sizeof(fields) / sizeof((fields)[0])))

typedef struct file_header
{
	slice		version;
	slice		num_tree_per_iteration;
	slice		num_class;
	slice		max_feature_idx;
	slice		objective;
	slice		average_output;
	slice		feature_names;
	slice		feature_infos;
	slice		tree_sizes;
} file_header;

/* What the lines behind the trees say. */
typedef struct file_tail
{
	slice		categorical_feature;	/* positions, "0,3" */
	slice		pandas_categorical; /* JSON */
} file_tail;

typedef struct block
{
	slice		num_leaves;
	slice		num_cat;
	slice		split_feature;
	slice		split_gain;
	slice		threshold;
	slice		decision_type;
	slice		left_child;
	slice		right_child;
	slice		leaf_value;
	slice		leaf_count;
	slice		internal_count;
	slice		cat_boundaries;
	slice		cat_threshold;
	slice		is_linear;
	slice		leaf_const;
	slice		num_features;
	slice		leaf_features;
	slice		leaf_coeff;
} block;

/* The numbers of one tree; all but words and nodes are doubles as read. */
typedef struct tree_numbers
{
	ex_buffer	split_feature;
	ex_buffer	split_gain;
	ex_buffer	threshold;
	ex_buffer	decision_type;
	ex_buffer	left_child;
	ex_buffer	right_child;
	ex_buffer	leaf_value;
	ex_buffer	leaf_count;
	ex_buffer	internal_count;
	ex_buffer	cat_boundaries;
	ex_buffer	cat_threshold;
	ex_buffer	leaf_const;
	ex_buffer	num_features;
	ex_buffer	leaf_features;
	ex_buffer	leaf_coeff;
	ex_buffer	words;			/* uint32_t: category bitmaps */
	ex_buffer	linear_features;	/* uint32_t */
	ex_buffer	nodes;			/* ex_raw_node */
} tree_numbers;

/* How trees and header use a feature. */
typedef struct feature_use
{
	bool		number;			/* compared with a threshold or in a linear
								 * leaf */
	bool		category;		/* looked up in a bitmap */
	bool		listed;			/* categorical by feature_infos */
	uint32_t	n_codes;		/* codes seen are below */
	uint32_t	n_set_codes;	/* codes in bitmaps are below */
	const char *const *levels;	/* names of pandas, or NULL */
	uint32_t	n_levels;
} feature_use;

typedef struct reader
{
	ex_host    *host;
	ex_builder *builder;
	const char *at;				/* next line */
	const char *end;
	file_header header;
	file_tail	tail;
	uint32_t	n_features;
	uint32_t	n_outputs;
	feature_use *use;			/* n_features */
	char		where[32];		/* "header" or "tree 3" */
	tree_numbers scratch;
} reader;

/* decision_type of a node */
#define CATEGORICAL_BIT		1
#define DEFAULT_LEFT_BIT	2
#define MISSING_TYPE(bits)	(((bits) >> 2) & 3)

enum
{
	MISSING_NONE,
	MISSING_ZERO,
	MISSING_NAN,
	MISSING_UNDEFINED
};

/* ----------------------------------------------------------------
 * Errors
 * ---------------------------------------------------------------- */

/* Text for a message: cut to a readable length. */
#define SHOWN(piece) (int) ((piece).size < 60 ? (piece).size : 60), (piece).at

static ex_status
hint_whole_text(ex_host *host, ex_status status)
{
	ex_hint(host, "Pass the whole text that save_model() or model_to_string() of LightGBM wrote.");
	return status;
}

static ex_status
missing_key(reader *r, const char *key)
{
	(void) ex_fail(r->host, EX_SYNTAX, "%s of the LightGBM model has no \"%s\"", r->where, key);
	return hint_whole_text(r->host, EX_SYNTAX);
}

static ex_status
bad_number(reader *r, const char *key, size_t i, slice token)
{
	return ex_fail(r->host, EX_SYNTAX, "\"%s\" of %s of the LightGBM model has an invalid number at position %zu: \"%.*s\"",
				   key, r->where, i + 1, SHOWN(token));
}

/* ----------------------------------------------------------------
 * Lines, fields and tokens
 * ---------------------------------------------------------------- */

static bool
next_line(reader *r, slice *line)
{
	const char *stop;

	if (r->at >= r->end)
		return false;
	stop = memchr(r->at, '\n', (size_t) (r->end - r->at));
	if (stop == NULL)
		stop = r->end;
	line->at = r->at;
	line->size = (size_t) (stop - r->at);
	r->at = stop < r->end ? stop + 1 : stop;
	if (line->size > 0 && line->at[line->size - 1] == '\r')
		line->size--;
	return true;
}

static bool
starts_with(slice line, const char *prefix)
{
	size_t		size = strlen(prefix);

	return line.size >= size && memcmp(line.at, prefix, size) == 0;
}

static bool
equals(slice piece, const char *text)
{
	return piece.size == strlen(text) && memcmp(piece.at, text, piece.size) == 0;
}

/* Put the value of a key=value line where the table says; other keys are not needed. */
static void
store(const field *fields, int n_fields, slice line)
{
	const char *equal = memchr(line.at, '=', line.size);
	slice		key = {line.at, equal != NULL ? (size_t) (equal - line.at) : line.size};
	slice		value = {line.at + line.size, 0};

	if (equal != NULL)
	{
		value.at = equal + 1;
		value.size = line.size - key.size - 1;
	}
	for (int i = 0; i < n_fields; i++)
		if (equals(key, fields[i].key))
			*fields[i].value = value;
}

/* The next token of a list; empty ones are skipped. */
static bool
next_token(slice *list, char separator, slice *token)
{
	const char *stop;

	while (list->size > 0 && *list->at == separator)
	{
		list->at++;
		list->size--;
	}
	if (list->size == 0)
		return false;
	stop = memchr(list->at, separator, list->size);
	token->at = list->at;
	token->size = stop != NULL ? (size_t) (stop - list->at) : list->size;
	list->at += token->size;
	list->size -= token->size;
	return true;
}

static size_t
count_tokens(slice list, char separator)
{
	slice		token;
	size_t		n = 0;

	while (next_token(&list, separator, &token))
		n++;
	return n;
}

/* ----------------------------------------------------------------
 * Numbers
 * ---------------------------------------------------------------- */

/* A decimal number, inf or nan; strtod alone would take hexadecimal ones too. */
static bool
parse_number(slice token, double *value)
{
	char		text[64];
	char	   *stop;

	if (token.size == 0 || token.size >= sizeof(text))
		return false;
	for (size_t i = 0; i < token.size; i++)
		if (token.at[i] == 'x' || token.at[i] == 'X' || token.at[i] == '(' ||
			strchr(" \t\v\f", token.at[i]) != NULL)
			return false;
	memcpy(text, token.at, token.size);
	text[token.size] = '\0';
	*value = strtod(text, &stop);
	return stop == text + token.size;
}

static bool
is_integer(double value, double low, double high)
{
	return value >= low && value <= high && value == floor(value);
}

/* One integer of the header or of a block. */
static ex_status
read_integer(reader *r, slice value, const char *key, double low, double high, double *out)
{
	if (value.at == NULL)
		return missing_key(r, key);
	if (!parse_number(value, out) || *out != floor(*out))
		return bad_number(r, key, 0, value);
	if (!is_integer(*out, low, high))
		return ex_fail(r->host, EX_INVALID, "\"%s\" of %s of the LightGBM model must be between %.0f and %.0f, not %.0f",
					   key, r->where, low, high, *out);
	return EX_OK;
}

/* Exactly n numbers into a buffer of doubles. */
static ex_status
read_numbers(reader *r, slice list, const char *key, size_t n, ex_buffer *out)
{
	slice		token;
	double		value;
	size_t		i = 0;

	out->size = 0;
	if (list.at == NULL)
		return n == 0 ? EX_OK : missing_key(r, key);
	while (next_token(&list, ' ', &token))
	{
		if (!parse_number(token, &value))
			return bad_number(r, key, i, token);
		if (i++ < n)
			EX_TRY(ex_append(r->host, out, &value, sizeof(value)));
	}
	if (i == n)
		return EX_OK;
	(void) ex_fail(r->host, EX_SYNTAX, "\"%s\" of %s of the LightGBM model has %zu numbers, expected %zu",
				   key, r->where, i, n);
	return hint_whole_text(r->host, EX_SYNTAX);
}

static ex_status
read_integers(reader *r, slice list, const char *key, size_t n, double low, double high,
			  ex_buffer *out)
{
	EX_TRY(read_numbers(r, list, key, n, out));
	for (size_t i = 0; i < n; i++)
	{
		double		value = ((const double *) out->data)[i];

		if (!is_integer(value, low, high))
			return ex_fail(r->host, EX_INVALID,
						   "\"%s\" of %s of the LightGBM model has %g at position %zu, allowed are whole numbers from %.0f to %.0f",
						   key, r->where, value, i + 1, low, high);
	}
	return EX_OK;
}

static inline double
number_at(const ex_buffer *numbers, size_t i)
{
	return ((const double *) numbers->data)[i];
}

/* ----------------------------------------------------------------
 * Header
 * ---------------------------------------------------------------- */

/* Is this some other thing that people try?  Then say what to do instead. */
static ex_status
not_lightgbm(reader *r, slice line)
{
	ex_host    *host = r->host;

	if (line.size == 0)
	{
		(void) ex_fail(host, EX_SYNTAX, "LightGBM model is empty");
		return hint_whole_text(host, EX_SYNTAX);
	}
	(void) ex_fail(host, EX_SYNTAX, "text is not a LightGBM model");
	if (starts_with(line, "\\x"))
	{
		ex_detail(host, "It begins with \"\\x\", as bytea does.");
		ex_hint(host, "Convert bytes to text with convert_from(..., 'UTF8'); pickles cannot be read.");
	}
	else if (line.at[0] == '{')
	{
		ex_detail(host, "It begins with \"{\", as JSON does.");
		ex_hint(host, "Pass the text form, from save_model() or model_to_string(), instead of dump_model(); XGBoost models are read by explain.xgboost_model().");
	}
	else if (!ex_valid_utf8(line.at, line.size))
	{
		bool		pickle = (uint8_t) line.at[0] == 0x80;

		(void) ex_fail(host, EX_SYNTAX, "LightGBM model is %s, not text",
					   pickle ? "a Python pickle" : "binary data");
		ex_hint(host, pickle ?
				"Unpickle it in Python and use booster_.save_model('model.txt'); pickles can run code and are not read." :
				"Pass the text that save_model() or model_to_string() of LightGBM wrote.");
	}
	else
	{
		ex_detail(host, "The first line must be \"tree\", not \"%.*s\".", SHOWN(line));
		return hint_whole_text(host, EX_SYNTAX);
	}
	return EX_SYNTAX;
}

static ex_status
check_version(reader *r)
{
	slice		version = r->header.version;

	if (version.at == NULL)
		(void) ex_fail(r->host, EX_UNSUPPORTED, "LightGBM model has no version");
	else if (equals(version, "v2") || equals(version, "v3") || equals(version, "v4"))
		return EX_OK;
	else
		(void) ex_fail(r->host, EX_UNSUPPORTED, "LightGBM model version \"%.*s\" is not supported",
					   SHOWN(version));
	ex_hint(r->host, "Versions v2 to v4 are supported; load the model with LightGBM 2.1 to 4 and save it again.");
	return EX_UNSUPPORTED;
}

/* Lines up to the first tree, which stays unread. */
static ex_status
read_header(reader *r)
{
	file_header *h = &r->header;
	const field fields[] = {
		{"version", &h->version},
		{"num_class", &h->num_class},
		{"num_tree_per_iteration", &h->num_tree_per_iteration},
		{"max_feature_idx", &h->max_feature_idx},
		{"objective", &h->objective},
		{"average_output", &h->average_output},
		{"feature_names", &h->feature_names},
		{"feature_infos", &h->feature_infos},
		{"tree_sizes", &h->tree_sizes}
	};
	slice		line = {NULL, 0};
	double		value;

	if (!next_line(r, &line) || !equals(line, "tree"))
		return not_lightgbm(r, line);
	while (r->at < r->end && !starts_with((slice) {r->at, (size_t) (r->end - r->at)}, "Tree="))
	{
		(void) next_line(r, &line);
		store(fields, N_FIELDS(fields), line);
	}
	EX_TRY(check_version(r));

	EX_TRY(read_integer(r, h->num_tree_per_iteration.at != NULL ? h->num_tree_per_iteration : h->num_class,
						"num_tree_per_iteration", 1, 2147483647, &value));
	if (value > EX_MAX_OUTPUTS)
		return ex_fail(r->host, EX_LIMIT, "LightGBM model has more than %d outputs", EX_MAX_OUTPUTS);
	r->n_outputs = (uint32_t) value;
	EX_TRY(read_integer(r, h->max_feature_idx, "max_feature_idx", 0, 2147483646, &value));
	if (value >= EX_MAX_FEATURES)
		return ex_fail(r->host, EX_LIMIT, "LightGBM model has more than %d features", EX_MAX_FEATURES);
	r->n_features = (uint32_t) value + 1;
	return EX_ALLOC(r->host, r->n_features, &r->use);
}

/* ----------------------------------------------------------------
 * Objective
 * ---------------------------------------------------------------- */

/* What may follow an objective's name. */
#define TAKES_SQRT		0x1		/* "sqrt": trained on the root of the target */
#define TAKES_SIGMOID	0x2		/* "sigmoid:2" */
#define TAKES_CLASSES	0x4		/* "num_class:3" */

typedef struct known_objective
{
	const char *name;
	ex_link		link;
	int			options;
} known_objective;

static const known_objective objectives[] = {
	{"regression", EX_LINK_IDENTITY, TAKES_SQRT},
	{"regression_l1", EX_LINK_IDENTITY, TAKES_SQRT},
	{"huber", EX_LINK_IDENTITY, 0},
	{"fair", EX_LINK_IDENTITY, TAKES_SQRT},
	{"quantile", EX_LINK_IDENTITY, TAKES_SQRT},
	{"mape", EX_LINK_IDENTITY, TAKES_SQRT},
	{"poisson", EX_LINK_LOG, 0},
	{"gamma", EX_LINK_LOG, 0},
	{"tweedie", EX_LINK_LOG, 0},
	{"binary", EX_LINK_LOGIT, TAKES_SIGMOID},
	{"multiclass", EX_LINK_SOFTMAX, TAKES_CLASSES},
	{"multiclassova", EX_LINK_LOGIT, TAKES_CLASSES | TAKES_SIGMOID},
	{"cross_entropy", EX_LINK_LOGIT, 0},
	{"xentropy", EX_LINK_LOGIT, 0}, /* its name in v2 */
	{"cross_entropy_lambda", EX_LINK_SOFTPLUS, 0},
	{"xentlambda", EX_LINK_SOFTPLUS, 0},	/* its name in v2 */
	{"lambdarank", EX_LINK_IDENTITY, 0},
	{"rank_xendcg", EX_LINK_IDENTITY, 0},
	/* a function of the user's: LightGBM gives raw values */
	{"custom", EX_LINK_IDENTITY, 0},
	{"none", EX_LINK_IDENTITY, 0}
};

static ex_status
find_objective(reader *r, slice name, const known_objective **kind)
{
	for (int i = 0; i < N_FIELDS(objectives); i++)
		if (equals(name, objectives[i].name))
		{
			*kind = &objectives[i];
			return EX_OK;
		}
	(void) ex_fail(r->host, EX_UNSUPPORTED, "LightGBM objective \"%.*s\" is not known", SHOWN(name));
	ex_hint(r->host, "Replace the name in the line \"objective=...\" by custom to get raw values.");
	return EX_UNSUPPORTED;
}

/* The number behind the colon of "sigmoid:2" or "num_class:3". */
static ex_status
read_option(reader *r, slice token, double *value)
{
	size_t		name = (size_t) ((const char *) memchr(token.at, ':', token.size) - token.at) + 1;

	if (!parse_number((slice) {token.at + name, token.size - name}, value))
		return bad_number(r, "objective", 0, token);
	return EX_OK;
}

static ex_status
apply_option(reader *r, const known_objective *kind, slice token)
{
	double		value;

	if ((kind->options & TAKES_SQRT) && equals(token, "sqrt"))
		r->builder->link = EX_LINK_SIGNED_SQUARE;
	else if ((kind->options & TAKES_SIGMOID) && starts_with(token, "sigmoid:"))
	{
		EX_TRY(read_option(r, token, &value));
		if (!(value > 0) || isinf(value))
			return ex_fail(r->host, EX_INVALID,
						   "sigmoid parameter of the LightGBM model must be positive, not %g", value);
		r->builder->link_param = value;
	}
	else if ((kind->options & TAKES_CLASSES) && starts_with(token, "num_class:"))
	{
		EX_TRY(read_option(r, token, &value));
		if (value != r->n_outputs)
			return ex_fail(r->host, EX_INVALID,
						   "objective of the LightGBM model has %g classes, but a round has %u trees",
						   value, r->n_outputs);
	}
	return EX_OK;
}

/* Link and output names from "binary sigmoid:1"; raw values without an objective. */
static ex_status
apply_objective(reader *r)
{
	ex_builder *builder = r->builder;
	slice		rest = r->header.objective;
	const known_objective *kind;
	slice		token;

	builder->n_outputs = r->n_outputs;
	builder->aggregation = r->header.average_output.at != NULL ? EX_MEAN : EX_SUM;
	for (uint32_t k = 0; k < r->n_outputs; k++)
		EX_TRY(ex_put_f64(builder, EX_TREE_BASE, 0));
	if (next_token(&rest, ' ', &token))
	{
		EX_TRY(find_objective(r, token, &kind));
		builder->link = kind->link;
		if ((kind->options & TAKES_CLASSES) ? r->n_outputs < 2 :
			r->n_outputs > 1 && kind->link != EX_LINK_IDENTITY)
			return ex_fail(r->host, EX_INVALID, "LightGBM objective \"%s\" does not go with %u outputs",
						   kind->name, r->n_outputs);
		while (next_token(&rest, ' ', &token))
			EX_TRY(apply_option(r, kind, token));
		/* the probability is that of class 1 */
		if (strcmp(kind->name, "binary") == 0)
			EX_TRY(ex_put_name(builder, EX_OUTPUT_NAME_START, "1", 1));
	}
	return ex_default_output_names(builder);
}

/* ----------------------------------------------------------------
 * Trees
 * ---------------------------------------------------------------- */

/* Lines of one block, from its "Tree=" line up to a blank one. */
static void
read_block(reader *r, block *b)
{
	const field fields[] = {
		{"num_leaves", &b->num_leaves},
		{"num_cat", &b->num_cat},
		{"split_feature", &b->split_feature},
		{"split_gain", &b->split_gain},
		{"threshold", &b->threshold},
		{"decision_type", &b->decision_type},
		{"left_child", &b->left_child},
		{"right_child", &b->right_child},
		{"leaf_value", &b->leaf_value},
		{"leaf_count", &b->leaf_count},
		{"internal_count", &b->internal_count},
		{"cat_boundaries", &b->cat_boundaries},
		{"cat_threshold", &b->cat_threshold},
		{"is_linear", &b->is_linear},
		{"leaf_const", &b->leaf_const},
		{"num_features", &b->num_features},
		{"leaf_features", &b->leaf_features},
		{"leaf_coeff", &b->leaf_coeff}
	};
	slice		line;

	memset(b, 0, sizeof(*b));
	while (next_line(r, &line) && line.size > 0)
		store(fields, N_FIELDS(fields), line);
}

/* Category bitmaps: words of set i are boundaries[i] .. boundaries[i + 1] - 1. */
static ex_status
read_sets(reader *r, const block *b, uint32_t n_sets)
{
	tree_numbers *s = &r->scratch;
	double		last = 0;
	size_t		n_words;

	s->words.size = 0;
	if (n_sets == 0)
		return EX_OK;
	EX_TRY(read_integers(r, b->cat_boundaries, "cat_boundaries", (size_t) n_sets + 1,
						 0, 2147483647, &s->cat_boundaries));
	for (size_t i = 0; i <= n_sets; i++)
	{
		if (number_at(&s->cat_boundaries, i) < last || (i == 0 && number_at(&s->cat_boundaries, 0) != 0))
			return ex_fail(r->host, EX_INVALID, "\"cat_boundaries\" of %s of the LightGBM model do not rise from 0",
						   r->where);
		last = number_at(&s->cat_boundaries, i);
	}
	n_words = (size_t) last;
	EX_TRY(read_integers(r, b->cat_threshold, "cat_threshold", n_words, 0, 4294967295.0,
						 &s->cat_threshold));
	EX_TRY(ex_reserve(r->host, &s->words, n_words * sizeof(uint32_t)));
	for (size_t i = 0; i < n_words; i++)
	{
		uint32_t	word = (uint32_t) number_at(&s->cat_threshold, i);

		EX_TRY(ex_append(r->host, &s->words, &word, sizeof(word)));
	}
	return EX_OK;
}

/* Numbers of the inner nodes, n_leaves - 1 of each. */
static ex_status
read_splits(reader *r, const block *b, uint32_t n_leaves)
{
	tree_numbers *s = &r->scratch;
	size_t		n = n_leaves - 1;
	double		last_leaf = -(double) n_leaves;
	double		last_split = (double) n - 1;

	EX_TRY(read_integers(r, b->split_feature, "split_feature", n, 0, r->n_features - 1.0,
						 &s->split_feature));
	EX_TRY(read_numbers(r, b->threshold, "threshold", n, &s->threshold));
	EX_TRY(read_integers(r, b->decision_type, "decision_type", n, -128, 127, &s->decision_type));
	EX_TRY(read_integers(r, b->left_child, "left_child", n, last_leaf, last_split, &s->left_child));
	EX_TRY(read_integers(r, b->right_child, "right_child", n, last_leaf, last_split, &s->right_child));
	s->split_gain.size = s->internal_count.size = 0;
	if (b->split_gain.at != NULL)
		EX_TRY(read_numbers(r, b->split_gain, "split_gain", n, &s->split_gain));
	if (b->internal_count.at != NULL)
		EX_TRY(read_integers(r, b->internal_count, "internal_count", n, 0, 2147483647, &s->internal_count));
	return EX_OK;
}

/* Linear models of the leaves, one after the other. */
static ex_status
read_linear(reader *r, const block *b, uint32_t n_leaves)
{
	tree_numbers *s = &r->scratch;
	double		total = 0;

	EX_TRY(read_numbers(r, b->leaf_const, "leaf_const", n_leaves, &s->leaf_const));
	EX_TRY(read_integers(r, b->num_features, "num_features", n_leaves, 0, r->n_features, &s->num_features));
	for (uint32_t i = 0; i < n_leaves; i++)
		total += number_at(&s->num_features, i);
	EX_TRY(read_integers(r, b->leaf_features, "leaf_features", (size_t) total, 0, r->n_features - 1.0,
						 &s->leaf_features));
	EX_TRY(read_numbers(r, b->leaf_coeff, "leaf_coeff", (size_t) total, &s->leaf_coeff));
	s->linear_features.size = 0;
	for (size_t i = 0; i < (size_t) total; i++)
	{
		uint32_t	feature = (uint32_t) number_at(&s->leaf_features, i);

		r->use[feature].number = true;
		EX_TRY(ex_append(r->host, &s->linear_features, &feature, sizeof(feature)));
	}
	return EX_OK;
}

/* Children are splits from 0, or leaves as -1, -2, ...; leaves follow the splits in our order. */
static int32_t
child_index(double child, uint32_t n_leaves)
{
	return child >= 0 ? (int32_t) child : (int32_t) (n_leaves - 2 - child);
}

static void
note_set(feature_use *use, const uint32_t *set, uint32_t n_words)
{
	while (n_words > 0 && set[n_words - 1] == 0)
		n_words--;
	use->category = true;
	if (n_words > 0)
	{
		uint32_t	top = 31;

		while (!(set[n_words - 1] >> top & 1))
			top--;
		if (use->n_set_codes < (n_words - 1) * 32 + top + 1)
			use->n_set_codes = (n_words - 1) * 32 + top + 1;
	}
}

static ex_status
category_split(reader *r, uint32_t i, uint32_t n_sets, ex_raw_node *node)
{
	const tree_numbers *s = &r->scratch;
	double		set = number_at(&s->threshold, i);
	size_t		first;

	if (!is_integer(set, 0, n_sets - 1.0))
		return ex_fail(r->host, EX_INVALID,
					   "category set %g of node %u of %s of the LightGBM model does not exist", set, i, r->where);
	first = (size_t) number_at(&s->cat_boundaries, (size_t) set);
	node->op = EX_IN;
	node->set_words = (uint32_t) (number_at(&s->cat_boundaries, (size_t) set + 1) - (double) first);
	if (node->set_words > 0)
		node->set = (const uint32_t *) s->words.data + first;
	if (node->set_words > EX_MAX_LEVELS / 32)
		return ex_fail(r->host, EX_LIMIT,
					   "category set of node %u of %s of the LightGBM model has codes above %d",
					   i, r->where, EX_MAX_LEVELS - 1);
	note_set(&r->use[node->feature], node->set, node->set_words);
	return EX_OK;
}

static ex_status
number_split(reader *r, uint32_t i, int decision, ex_raw_node *node)
{
	node->op = EX_LE;
	node->threshold = number_at(&r->scratch.threshold, i);
	r->use[node->feature].number = true;
	switch (MISSING_TYPE(decision))
	{
		case MISSING_NONE:
			/* default_left means nothing here: a missing value is read as 0 */
			node->default_left = 0 <= node->threshold;
			return EX_OK;
		case MISSING_ZERO:
			node->zero_missing = true;
			break;
		case MISSING_NAN:
			break;
		default:
			return ex_fail(r->host, EX_INVALID,
						   "missing type of node %u of %s of the LightGBM model is not known", i, r->where);
	}
	node->default_left = (decision & DEFAULT_LEFT_BIT) != 0;
	return EX_OK;
}

static ex_status
split_node(reader *r, uint32_t i, uint32_t n_leaves, uint32_t n_sets, ex_raw_node *node)
{
	const tree_numbers *s = &r->scratch;
	int			decision = (int) number_at(&s->decision_type, i);

	node->feature = (uint32_t) number_at(&s->split_feature, i);
	node->left = child_index(number_at(&s->left_child, i), n_leaves);
	node->right = child_index(number_at(&s->right_child, i), n_leaves);
	node->gain = s->split_gain.size > 0 ? number_at(&s->split_gain, i) : NAN;
	node->cover = s->internal_count.size > 0 ? number_at(&s->internal_count, i) : NAN;
	if (isinf(node->gain))
		node->gain = NAN;		/* forced splits */
	if (decision & CATEGORICAL_BIT)
		return category_split(r, i, n_sets, node);
	return number_split(r, i, decision, node);
}

/* Leaf i; *term is the first of its linear terms and moves on. */
static void
leaf_node(reader *r, uint32_t i, bool linear, size_t *term, ex_raw_node *node)
{
	const tree_numbers *s = &r->scratch;

	node->op = EX_LEAF;
	node->left = node->right = -1;
	node->value = number_at(&s->leaf_value, i);
	node->cover = s->leaf_count.size > 0 ? number_at(&s->leaf_count, i) : NAN;
	node->gain = NAN;
	if (linear)
	{
		node->linear = true;
		node->linear_const = number_at(&s->leaf_const, i);
		node->n_linear = (uint32_t) number_at(&s->num_features, i);
		if (node->n_linear > 0)
		{
			node->linear_feature = (const uint32_t *) s->linear_features.data + *term;
			node->linear_coef = (const double *) s->leaf_coeff.data + *term;
			*term += node->n_linear;
		}
	}
}

/* The numbers of a block into scratch; counts come back. */
static ex_status
read_tree_numbers(reader *r, const block *b, uint32_t *n_leaves, uint32_t *n_sets, bool *linear)
{
	tree_numbers *s = &r->scratch;
	double		leaves;
	double		sets;
	double		flag = 0;

	EX_TRY(read_integer(r, b->num_leaves, "num_leaves", 1, EX_MAX_NODES / 2, &leaves));
	EX_TRY(read_integer(r, b->num_cat, "num_cat", 0, leaves - 1, &sets));
	if (b->is_linear.at != NULL)
		EX_TRY(read_integer(r, b->is_linear, "is_linear", 0, 1, &flag));
	*n_leaves = (uint32_t) leaves;
	*n_sets = (uint32_t) sets;
	*linear = flag != 0;

	EX_TRY(read_numbers(r, b->leaf_value, "leaf_value", *n_leaves, &s->leaf_value));
	s->leaf_count.size = 0;
	/* a tree of one leaf may have an empty list */
	if (b->leaf_count.at != NULL && (*n_leaves > 1 || count_tokens(b->leaf_count, ' ') > 0))
		EX_TRY(read_integers(r, b->leaf_count, "leaf_count", *n_leaves, 0, 2147483647, &s->leaf_count));
	if (*n_leaves > 1)
		EX_TRY(read_splits(r, b, *n_leaves));
	EX_TRY(read_sets(r, b, *n_sets));
	return *linear ? read_linear(r, b, *n_leaves) : EX_OK;
}

static ex_status
read_tree(reader *r, uint32_t number)
{
	tree_numbers *s = &r->scratch;
	block		b;
	uint32_t	n_leaves;
	uint32_t	n_sets;
	bool		linear;
	size_t		term = 0;
	ex_raw_node *node;
	ex_raw_tree tree = {.output = number % r->n_outputs, .weight = 1, .label = r->where};

	read_block(r, &b);
	EX_TRY(read_tree_numbers(r, &b, &n_leaves, &n_sets, &linear));
	tree.n_nodes = 2 * n_leaves - 1;
	s->nodes.size = 0;
	EX_TRY(ex_reserve(r->host, &s->nodes, tree.n_nodes * sizeof(ex_raw_node)));
	node = (ex_raw_node *) s->nodes.data;
	memset(node, 0, tree.n_nodes * sizeof(ex_raw_node));
	for (uint32_t i = 0; i + 1 < n_leaves; i++)
		EX_TRY(split_node(r, i, n_leaves, n_sets, node++));
	for (uint32_t i = 0; i < n_leaves; i++)
		leaf_node(r, i, linear, &term, node++);

	/* a constant tree may come without a count: nothing is divided by it */
	tree.node = (const ex_raw_node *) s->nodes.data;
	if (n_leaves == 1 && s->leaf_count.size == 0)
		((ex_raw_node *) s->nodes.data)->cover = 0;
	return ex_tree_add(r->builder, &tree);
}

/* Trees of the rounds to keep are added, the others only counted. */
static ex_status
read_trees(reader *r, int iterations, uint32_t *n_trees)
{
	slice		line = {NULL, 0};
	block		skipped;
	double		number;
	double		most = iterations > 0 ? (double) iterations * r->n_outputs : INFINITY;

	*n_trees = 0;
	for (;;)
	{
		const char *start = r->at;

		if (!next_line(r, &line))
			return EX_OK;
		if (line.size == 0)
			continue;
		if (!starts_with(line, "Tree="))
		{
			r->at = start;
			return EX_OK;
		}
		snprintf(r->where, sizeof(r->where), "tree %u", *n_trees);
		if (!parse_number((slice) {line.at + 5, line.size - 5}, &number) || number != *n_trees)
			return ex_fail(r->host, EX_SYNTAX, "%s expected in the LightGBM model, found \"%.*s\"",
						   r->where, SHOWN(line));
		if (*n_trees < most)
			EX_TRY(read_tree(r, *n_trees));
		else
			read_block(r, &skipped);
		++*n_trees;
	}
}

/* ----------------------------------------------------------------
 * Behind the trees
 * ---------------------------------------------------------------- */

static ex_status
cut_off(reader *r, const char *what)
{
	(void) ex_fail(r->host, EX_SYNTAX, "LightGBM model is cut off");
	ex_detail(r->host, "The line \"%s\" is missing.", what);
	return hint_whole_text(r->host, EX_SYNTAX);
}

static ex_status
read_tail(reader *r)
{
	static const char list[] = "[categorical_feature: ";
	static const char pandas[] = "pandas_categorical:";
	bool		trees_end = equals(r->header.version, "v2");
	bool		parameters = false;
	slice		line;

	while (next_line(r, &line))
	{
		if (equals(line, "end of trees"))
			trees_end = true;
		else if (equals(line, "parameters:"))
			parameters = true;
		else if (equals(line, "end of parameters"))
			parameters = false;
		else if (starts_with(line, list) && line.at[line.size - 1] == ']')
			r->tail.categorical_feature = (slice) {line.at + sizeof(list) - 1, line.size - sizeof(list)};
		else if (starts_with(line, pandas))
			r->tail.pandas_categorical = (slice) {line.at + sizeof(pandas) - 1, line.size - sizeof(pandas) + 1};
	}
	if (!trees_end)
		return cut_off(r, "end of trees");
	return parameters ? cut_off(r, "end of parameters") : EX_OK;
}

static ex_status
check_tree_count(reader *r, uint32_t n_trees, int iterations, ex_lightgbm_note *note)
{
	ex_host    *host = r->host;

	if (r->header.tree_sizes.at != NULL && count_tokens(r->header.tree_sizes, ' ') != n_trees)
	{
		(void) ex_fail(host, EX_SYNTAX, "LightGBM model is cut off");
		ex_detail(host, "The header lists %zu trees, the text has %u.",
				  count_tokens(r->header.tree_sizes, ' '), n_trees);
		return hint_whole_text(host, EX_SYNTAX);
	}
	if (n_trees == 0)
		return ex_fail(host, EX_INVALID, "LightGBM model has no trees");
	if (n_trees % r->n_outputs != 0)
		return ex_fail(host, EX_INVALID, "LightGBM model has %u trees, not a multiple of %u a round",
					   n_trees, r->n_outputs);
	note->iterations = n_trees / r->n_outputs;
	note->iterations_used = iterations > 0 ? (uint32_t) iterations : note->iterations;
	if (note->iterations_used > note->iterations)
		return ex_fail(host, EX_INVALID, "iterations must be between 1 and %u, not %d",
					   note->iterations, iterations);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Features
 * ---------------------------------------------------------------- */

/* feature_infos: "[low:high]" for numbers, "2:0:5" for the codes of a category, "none". */
static ex_status
read_infos(reader *r)
{
	slice		list = r->header.feature_infos;
	slice		info;
	slice		token;
	double		code;
	uint32_t	i = 0;

	if (list.at == NULL)
		return EX_OK;
	while (next_token(&list, ' ', &info))
	{
		if (i < r->n_features && info.at[0] != '[' && !equals(info, "none"))
		{
			feature_use *use = &r->use[i];

			use->listed = true;
			while (next_token(&info, ':', &token))
			{
				if (!parse_number(token, &code) || code != floor(code))
					return bad_number(r, "feature_infos", i, token);
				if (code >= use->n_codes && code < EX_MAX_LEVELS)
					use->n_codes = (uint32_t) code + 1;
			}
		}
		i++;
	}
	if (i != r->n_features)
		return ex_fail(r->host, EX_SYNTAX, "\"feature_infos\" of the LightGBM model describes %u features, expected %u",
					   i, r->n_features);
	return EX_OK;
}

static bool
is_categorical(const feature_use *use)
{
	return use->category || use->levels != NULL || (use->listed && !use->number);
}

/*
 * Which features do the lists of pandas' categories belong to?  They come in
 * column order, but columns of ordered categories, which LightGBM takes for
 * numbers, are among them.  So the numbers must agree: with the parameter
 * categorical_feature, or else with the features that the trees and
 * feature_infos know as categories.  Gives how many there are, and the first
 * `room` of them.
 */
static uint32_t
categorical_features(const reader *r, uint32_t *feature, uint32_t room)
{
	slice		list = r->tail.categorical_feature;
	slice		token;
	double		value;
	uint32_t	n = 0;

	if (list.size > 0)
	{
		while (next_token(&list, ',', &token))
		{
			if (!parse_number(token, &value) || !is_integer(value, 0, r->n_features - 1.0) ||
				(n > 0 && n <= room && value <= feature[n - 1]))
				return 0;		/* not a list of positions */
			if (n < room)
				feature[n] = (uint32_t) value;
			n++;
		}
		return n;
	}
	for (uint32_t i = 0; i < r->n_features; i++)
		if (is_categorical(&r->use[i]))
		{
			if (n < room)
				feature[n] = i;
			n++;
		}
	return n;
}

/* One category as text: strings as they are, numbers as short as possible. */
static ex_status
level_text(ex_json *json, ex_json_value value, const char **text)
{
	ex_host    *host = json->host;
	char	   *copy;
	char		buf[64];
	size_t		length;
	double		number;

	switch (ex_json_typeof(json, value))
	{
		case EX_JSON_STRING:
			return ex_json_string(json, value, text, &length);
		case EX_JSON_BOOL:
			*text = ex_json_bool(json, value) ? "true" : "false";
			return EX_OK;
		case EX_JSON_NUMBER:
			EX_TRY(ex_json_number(json, value, "pandas_categorical", &number));
			if (is_integer(number, -9007199254740992.0, 9007199254740992.0))
				length = (size_t) snprintf(buf, sizeof(buf), "%.0f", number + 0.0);
			else
				length = (size_t) ex_print_double(host, number, buf);
			EX_TRY(ex_alloc(host, length + 1, 1, (void **) &copy));
			memcpy(copy, buf, length);
			*text = copy;
			return EX_OK;
		default:
			return ex_fail(host, EX_INVALID, "\"pandas_categorical\" of the LightGBM model has a category that is neither text nor a number");
	}
}

static ex_status
read_levels(ex_json *json, ex_json_value list, feature_use *use)
{
	size_t		n = ex_json_count(json, list);
	const char **level;
	ex_json_cursor cursor;
	ex_json_value value;

	if (n > EX_MAX_LEVELS)
		return ex_fail(json->host, EX_LIMIT, "a feature of the LightGBM model has more than %d categories",
					   EX_MAX_LEVELS);
	EX_TRY(EX_ALLOC(json->host, n, &level));
	ex_json_begin(json, list, &cursor);
	for (size_t i = 0; ex_json_next(json, &cursor, &value); i++)
		EX_TRY(level_text(json, value, &level[i]));
	use->levels = level;
	use->n_levels = (uint32_t) n;
	return EX_OK;
}

/* Can feature i have these categories? */
static bool
levels_fit(const reader *r, uint32_t i, size_t n)
{
	const feature_use *use = &r->use[i];

	return !use->number && n > 0 && use->n_codes <= n && use->n_set_codes <= n;
}

static ex_status
read_pandas(reader *r, ex_lightgbm_note *note)
{
	slice		text = r->tail.pandas_categorical;
	ex_json		json;
	ex_json_value root;
	ex_json_value list;
	ex_json_cursor cursor;
	uint32_t   *feature;
	uint32_t	n;
	bool		fit;

	if (text.size == 0)
		return EX_OK;
	EX_TRY(ex_json_open(&json, r->host, EX_FORMAT_JSON, text.at, text.size, &root));
	if (ex_json_typeof(&json, root) != EX_JSON_ARRAY || ex_json_count(&json, root) == 0)
		return EX_OK;
	n = (uint32_t) ex_json_count(&json, root);
	EX_TRY(EX_ALLOC(r->host, n, &feature));
	fit = categorical_features(r, feature, n) == n;
	ex_json_begin(&json, root, &cursor);
	for (uint32_t i = 0; fit && ex_json_next(&json, &cursor, &list); i++)
		fit = ex_json_typeof(&json, list) == EX_JSON_ARRAY &&
			levels_fit(r, feature[i], ex_json_count(&json, list));
	note->levels_unnamed = !fit;
	if (!fit)
		return EX_OK;
	ex_json_begin(&json, root, &cursor);
	for (uint32_t i = 0; ex_json_next(&json, &cursor, &list); i++)
		EX_TRY(read_levels(&json, list, &r->use[feature[i]]));
	return EX_OK;
}

static ex_status
put_feature(reader *r, uint32_t i, slice name)
{
	const feature_use *use = &r->use[i];
	ex_feature	feature = {
		.name = name.at,
		.name_length = name.size,
		.kind = EX_NUMERIC,
		.missing = EX_MISSING_NATIVE,
		.unknown = EX_UNKNOWN_OTHER,
		.flags = EX_FEATURE_FLUSH
	};

	if (use->category && use->number)
		return ex_fail(r->host, EX_UNSUPPORTED, "feature \"%.*s\" of the LightGBM model is a number in one node and a category in another",
					   SHOWN(name));
	if (is_categorical(use))
	{
		uint32_t	n_codes = use->n_codes > use->n_set_codes ? use->n_codes : use->n_set_codes;

		feature.kind = EX_CATEGORICAL;
		feature.flags = EX_FEATURE_TRUNCATE;
		feature.levels = use->levels;
		feature.n_levels = use->levels != NULL ? use->n_levels : n_codes > 0 ? n_codes : 1;
	}
	return ex_put_feature(r->builder, &feature);
}

static ex_status
put_features(reader *r)
{
	slice		names = r->header.feature_names;
	slice		name;
	uint32_t	i = 0;

	if (names.at == NULL)
		return missing_key(r, "feature_names");
	while (next_token(&names, ' ', &name))
	{
		if (i < r->n_features)
			EX_TRY(put_feature(r, i, name));
		i++;
	}
	if (i != r->n_features)
		return ex_fail(r->host, EX_SYNTAX, "\"feature_names\" of the LightGBM model has %u names, expected %u",
					   i, r->n_features);
	return EX_OK;
}

/* ---------------------------------------------------------------- */

ex_status
ex_lightgbm_read(ex_host *host, const char *text, size_t size, int iterations,
				 ex_builder *builder, ex_lightgbm_note *note)
{
	reader		r = {.host = host, .builder = builder, .at = text, .end = text + size, .where = "header"};
	uint32_t	n_trees;

	memset(note, 0, sizeof(*note));
	if (iterations == 0 || iterations < -1)
		return ex_fail(host, EX_INVALID, "iterations must be positive, not %d", iterations);
	EX_TRY(read_header(&r));
	EX_TRY(apply_objective(&r));
	EX_TRY(read_trees(&r, iterations, &n_trees));
	EX_TRY(check_tree_count(&r, n_trees, iterations, note));
	EX_TRY(read_tail(&r));
	snprintf(r.where, sizeof(r.where), "header");
	EX_TRY(read_infos(&r));
	EX_TRY(read_pandas(&r, note));
	return put_features(&r);
}
