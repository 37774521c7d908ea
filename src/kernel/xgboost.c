/*
 * xgboost.c
 *		The frame of an XGBoost model: parameters, objective, features,
 *		outputs, and the linear booster.  Trees are read by xgboost_tree.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linear.h"
#include "xgboost_internal.h"

/* Distance that XGBoost keeps from the ends of a scale (kRtEps). */
#define XGB_EPSILON		1e-6f

/* Version in which a behaviour began. */
#define VERSION(major, minor)	((major) * 100 + (minor))

/*
 * Formats.
 */

static bool
starts_with(const uint8_t *data, size_t size, const char *text)
{
	return size >= strlen(text) && memcmp(data, text, strlen(text)) == 0;
}

/* Something that people have at hand when they look for a model file. */
static ex_status
mistaken(ex_host *host, const char *what, const char *hint)
{
	ex_fail(host, EX_INVALID, "XGBoost model is %s, not JSON or UBJSON", what);
	ex_hint(host, "%s", hint);
	return EX_INVALID;
}

#define SAVE_HINT	"Save it with Booster.save_model('model.json') or Booster.save_model('model.ubj')."

static ex_status
unknown_format(ex_host *host, const uint8_t *data, size_t size)
{
	bool		text = true;

	for (size_t i = 0; i < size && i < 64; i++)
		text = text && (data[i] >= 0x20 || (data[i] >= '\t' && data[i] <= '\r'));
	ex_fail(host, text ? EX_SYNTAX : EX_BINARY, "XGBoost model is neither JSON nor UBJSON");
	ex_hint(host, "%s", SAVE_HINT);
	return text ? EX_SYNTAX : EX_BINARY;
}

static ex_status
recognise(ex_host *host, const uint8_t *data, size_t size)
{
	if (size >= 2 && data[0] == 0x80 && data[1] >= 1 && data[1] <= 5)
		return mistaken(host, "a Python pickle", "Unpickle it in Python and use save_model('model.json'); "
						"pickles can run code and are not read.");
	if (starts_with(data, size, "binf") || starts_with(data, size, "bs64"))
		return mistaken(host, "in the old binary format", "Load it with an XGBoost version before 3.1 and "
						"use save_model('model.json').");
	if (starts_with(data, size, "\\x"))
		return mistaken(host, "hexadecimal text", "Pass the bytes themselves as bytea, for example "
						"decode(substr(model, 3), 'hex').");
	if (starts_with(data, size, "eyJ") || starts_with(data, size, "e0w") ||
		starts_with(data, size, "ewo"))
		return mistaken(host, "base64 text", "Decode it with decode(model, 'base64').");
	if (starts_with(data, size, "\x1f\x8b") || starts_with(data, size, "PK\x03\x04") ||
		starts_with(data, size, "\x28\xb5\x2f\xfd"))
		return mistaken(host, "a compressed file", "Decompress it first.");
	if (starts_with(data, size, "booster[") || starts_with(data, size, "["))
		return mistaken(host, data[0] == '[' ? "an array" : "a text dump",
						"Dumps, as get_dump() and dump_model() make them, lose base score, objective and precision. "
						SAVE_HINT);
	if (starts_with(data, size, "tree\n") || starts_with(data, size, "tree\r\n"))
		return mistaken(host, "a LightGBM model", "Use explain.lightgbm_model().");
	return unknown_format(host, data, size);
}

/*
 * What follows the brace of a UBJSON object: the type and value of a key's
 * length (or of a count), whose first byte is no letter in any real model.
 */
static bool
is_binary_object(const uint8_t *at, size_t size)
{
	if (size < 2 || *at == '\0' || strchr("iUIlL#$N", *at) == NULL)
		return false;
	return strchr("#$N", *at) != NULL || at[1] < 0x20;
}

ex_status
ex_xgboost_format(ex_host *host, const void *bytes, size_t size, ex_json_format *format)
{
	const uint8_t *data = bytes;
	size_t		i = 0;

	if (size == 0)
		return ex_fail(host, EX_SYNTAX, "XGBoost model is empty");
	while (i < size && (data[i] == ' ' || (data[i] >= '\t' && data[i] <= '\r')))
		i++;
	if (i == size || data[i] != '{')
		return recognise(host, data + i, size - i);

	*format = is_binary_object(data + i + 1, size - i - 1) ? EX_FORMAT_UBJSON : EX_FORMAT_JSON;
	return EX_OK;
}

/*
 * Parameters.
 */

/* All of a string as an integer. */
static bool
parse_integer(const char *text, size_t length, int64_t *out)
{
	double		value;

	if (!ex_parse_double(text, length, &value) || fabs(value) > 1e15 || value != trunc(value))
		return false;
	*out = (int64_t) value;
	return true;
}

ex_status
xgb_integer(xgb_reader *reader, ex_json_value object, const char *key,
			int64_t low, int64_t high, int64_t missing, int64_t *out)
{
	ex_json_value value = ex_json_get(&reader->json, object, key);
	const char *text;
	size_t		length;
	char		where[64];

	*out = missing;
	if (value.at == NULL)
		return EX_OK;
	snprintf(where, sizeof(where), "\"%s\"", key);
	if (ex_json_typeof(&reader->json, value) != EX_JSON_STRING)
		return ex_json_integer(&reader->json, value, where, low, high, out);
	EX_TRY(ex_json_string(&reader->json, value, &text, &length));
	if (!parse_integer(text, length, out) || *out < low || *out > high)
		return ex_fail(reader->host, EX_INVALID,
					   "%s must be an integer between %lld and %lld, not \"%s\"",
					   where, (long long) low, (long long) high, text);
	return EX_OK;
}

/*
 * Objectives.
 */

typedef enum base_scale
{
	BASE_MARGIN,				/* base_score is a margin */
	BASE_LOGIT,
	BASE_LOG,
	BASE_EXPECTILE				/* differences of neighbouring outputs */
} base_scale;

typedef struct xgb_objective
{
	const char *name;
	ex_link		link;
	base_scale	base;
} xgb_objective;

static const xgb_objective objectives[] = {
	{"reg:squarederror", EX_LINK_IDENTITY, BASE_MARGIN},
	{"reg:linear", EX_LINK_IDENTITY, BASE_MARGIN},
	{"reg:squaredlogerror", EX_LINK_IDENTITY, BASE_MARGIN},
	{"reg:pseudohubererror", EX_LINK_IDENTITY, BASE_MARGIN},
	{"reg:absoluteerror", EX_LINK_IDENTITY, BASE_MARGIN},
	{"reg:quantileerror", EX_LINK_IDENTITY, BASE_MARGIN},
	{"reg:expectileerror", EX_LINK_CUMULATIVE_SOFTPLUS, BASE_EXPECTILE},
	{"reg:logistic", EX_LINK_LOGIT, BASE_LOGIT},
	{"reg:gamma", EX_LINK_LOG, BASE_LOG},
	{"reg:tweedie", EX_LINK_LOG, BASE_LOG},
	{"binary:logistic", EX_LINK_LOGIT, BASE_LOGIT},
	{"binary:logitraw", EX_LINK_IDENTITY, BASE_MARGIN},
	{"binary:hinge", EX_LINK_STEP, BASE_MARGIN},
	{"count:poisson", EX_LINK_LOG, BASE_LOG},
	{"survival:cox", EX_LINK_LOG, BASE_LOG},
	{"survival:aft", EX_LINK_LOG, BASE_LOG},
	{"multi:softmax", EX_LINK_SOFTMAX, BASE_MARGIN},
	{"multi:softprob", EX_LINK_SOFTMAX, BASE_MARGIN},
	{"rank:pairwise", EX_LINK_IDENTITY, BASE_MARGIN},
	{"rank:ndcg", EX_LINK_IDENTITY, BASE_MARGIN},
	{"rank:map", EX_LINK_IDENTITY, BASE_MARGIN},
};

#define N_OBJECTIVES	(sizeof(objectives) / sizeof(objectives[0]))

static ex_status
read_objective(xgb_reader *reader, const xgb_objective **found)
{
	ex_json_value name = ex_json_get(&reader->json, reader->objective, "name");
	const char *text;
	size_t		length;

	if (ex_json_typeof(&reader->json, name) != EX_JSON_STRING)
		return ex_fail(reader->host, EX_INVALID, "XGBoost model does not name its objective");
	EX_TRY(ex_json_string(&reader->json, name, &text, &length));
	for (size_t i = 0; i < N_OBJECTIVES; i++)
		if (strcmp(objectives[i].name, text) == 0)
		{
			*found = &objectives[i];
			return EX_OK;
		}
	ex_fail(reader->host, EX_UNSUPPORTED, "XGBoost objective \"%s\" is not supported", text);
	ex_hint(reader->host, "Its link from margin to prediction is not known here.");
	return EX_UNSUPPORTED;
}

/* Numbers of a text like 5E-1, [1E0,2E0] or (1, 2); how many there were, 0 if it is none. */
static uint32_t
parse_floats(const char *at, float *value, uint32_t most)
{
	uint32_t	n = 0;

	for (at += strspn(at, " [("); *at != '\0' && n < most; n++)
	{
		size_t		length = strcspn(at, " ]),");

		if (!ex_parse_float(at, length, &value[n]))
			return 0;
		at += length;
		at += strspn(at, " ]),");
	}
	return *at == '\0' ? n : 0;
}

/* base_score of each output; a single one holds for all. */
static ex_status
read_base_score(xgb_reader *reader)
{
	ex_json_value value = ex_json_get(&reader->json, reader->parameters, "base_score");
	const char *text = "";
	size_t		length;
	uint32_t	n = 0;

	EX_TRY(EX_ALLOC(reader->host, reader->n_outputs, &reader->base));
	if (ex_json_typeof(&reader->json, value) == EX_JSON_NUMBER)
	{
		EX_TRY(ex_json_float(&reader->json, value, "\"base_score\"", reader->base));
		n = 1;
	}
	else if (ex_json_typeof(&reader->json, value) == EX_JSON_STRING)
	{
		EX_TRY(ex_json_string(&reader->json, value, &text, &length));
		n = parse_floats(text, reader->base, reader->n_outputs);
	}
	if (n != 1 && n != reader->n_outputs)
		return ex_fail(reader->host, EX_INVALID,
					   "\"base_score\" must be 1 or %u numbers, not \"%s\"",
					   reader->n_outputs, text);
	for (; n < reader->n_outputs; n++)
		reader->base[n] = reader->base[0];
	return EX_OK;
}

/* Inverse of log(1 + exp(x)), as XGBoost computes it. */
static float
inverse_softplus(float x)
{
	x = fmaxf(x, XGB_EPSILON);
	return x + logf(-expm1f(-x));
}

static float
base_margin(const xgb_reader *reader, base_scale scale, float score)
{
	switch (scale)
	{
		case BASE_LOGIT:
			if (reader->version >= VERSION(3, 2))
				score = fminf(fmaxf(score, XGB_EPSILON), 1.0f - XGB_EPSILON);
			return -logf(1.0f / score - 1.0f);
		case BASE_LOG:
			return logf(score);
		default:
			return score;
	}
}

/* From the scale of predictions to margins; float32, because XGBoost adds that number. */
static ex_status
convert_base(xgb_reader *reader, const xgb_objective *objective)
{
	if (objective->base == BASE_EXPECTILE)
		for (uint32_t k = reader->n_outputs - 1; k > 0; k--)
			reader->base[k] = inverse_softplus(reader->base[k] - reader->base[k - 1] - XGB_EPSILON);
	for (uint32_t k = 0; k < reader->n_outputs; k++)
	{
		float		score = reader->base[k];

		reader->base[k] = base_margin(reader, objective->base, score);
		if (!isfinite(reader->base[k]))
			return ex_fail(reader->host, EX_RANGE,
						   "\"base_score\" %g of an XGBoost model is out of range for objective \"%s\"",
						   (double) score, objective->name);
	}
	return EX_OK;
}

/* Since 3.4 quantiles are sorted, so that they do not cross. */
static ex_link
link_of(const xgb_reader *reader, const xgb_objective *objective)
{
	if (strcmp(objective->name, "reg:quantileerror") == 0 && reader->n_outputs > 1 &&
		reader->version >= VERSION(3, 4))
		return EX_LINK_SORTED;
	return objective->link;
}

/*
 * Outputs.
 */

/* The classes that scikit-learn's wrapper stored (1.x): a document in a string. */
static ex_status
read_classes(xgb_reader *reader, ex_json *json, ex_json_value *classes)
{
	ex_json_value meta = ex_json_get(&reader->json, reader->attributes, "scikit_learn");
	ex_json_value root;
	const char *text;
	size_t		length;

	*classes = (ex_json_value) {.at = NULL};
	if (ex_json_typeof(&reader->json, meta) != EX_JSON_STRING)
		return EX_OK;
	EX_TRY(ex_json_string(&reader->json, meta, &text, &length));
	EX_TRY(ex_json_open(json, reader->host, EX_FORMAT_JSON, text, length, &root));
	*classes = ex_json_get(json, root, "classes_");
	if (classes->at == NULL)
		*classes = ex_json_get(json, ex_json_get(json, root, "_le"), "classes_");
	return EX_OK;
}

/* A class label, which is a string or a number. */
static ex_status
put_label(xgb_reader *reader, ex_json *json, ex_json_value label)
{
	const char *text;
	size_t		length;
	double		value;
	char		buf[32];

	if (ex_json_typeof(json, label) == EX_JSON_STRING)
		EX_TRY(ex_json_string(json, label, &text, &length));
	else
	{
		EX_TRY(ex_json_number(json, label, "a class label", &value));
		if (!isfinite(value))
			return ex_fail(reader->host, EX_RANGE, "a class label is not finite");
		length = (size_t) ex_print_double(reader->host, value, buf);
		text = buf;
	}
	return ex_put_name(reader->builder, EX_OUTPUT_NAME_START, text, length);
}

/*
 * Class labels where the file has them; the one output of a binary model is
 * its positive class.
 */
static ex_status
put_output_names(xgb_reader *reader, const xgb_objective *objective)
{
	bool		binary = strncmp(objective->name, "binary:", 7) == 0 && reader->n_outputs == 1;
	ex_json		json;
	ex_json_value classes;
	ex_json_cursor cursor;
	ex_json_value label;

	EX_TRY(read_classes(reader, &json, &classes));
	if (classes.at != NULL && (objective->link == EX_LINK_SOFTMAX || binary) &&
		ex_json_count(&json, classes) == (binary ? 2 : reader->n_outputs))
	{
		ex_json_begin(&json, classes, &cursor);
		if (binary)
			ex_json_next(&json, &cursor, &label);
		while (ex_json_next(&json, &cursor, &label))
			EX_TRY(put_label(reader, &json, label));
		return EX_OK;
	}
	if (binary)
		return ex_put_name(reader->builder, EX_OUTPUT_NAME_START, "1", 1);
	return ex_default_output_names(reader->builder);
}

/*
 * Features.
 */

/* What the file says of the features; arrays are empty where it says nothing. */
typedef struct feature_lists
{
	ex_json_cursor names;
	ex_json_cursor types;
	ex_json_cursor categories;	/* cats.enc */
	bool		named;
	bool		typed;
	bool		encoded;
} feature_lists;

static ex_status
begin_list(xgb_reader *reader, ex_json_value list, const char *key, ex_json_cursor *cursor, bool *given)
{
	size_t		count = ex_json_count(&reader->json, list);

	*given = count > 0;
	ex_json_begin(&reader->json, list, cursor);
	if (count == 0 || count == reader->n_features)
		return EX_OK;
	return ex_fail(reader->host, EX_INVALID, "\"%s\" has %zu elements, but the model has %u features",
				   key, count, reader->n_features);
}

/* Names of categories as one run of bytes and where each begins; XGBoost writes bytes as int8. */
static ex_status
read_text_levels(xgb_reader *reader, ex_json_value offsets, ex_json_value values,
				 uint32_t *n_levels, const char ***levels)
{
	int32_t    *start;
	int32_t    *byte;
	size_t		n_starts;
	size_t		n_bytes;

	EX_TRY(ex_json_integers(&reader->json, offsets, "\"offsets\" of \"cats\"", 0, INT32_MAX, &start, &n_starts));
	EX_TRY(ex_json_integers(&reader->json, values, "\"values\" of \"cats\"", -128, 255, &byte, &n_bytes));
	*n_levels = n_starts > 0 ? (uint32_t) n_starts - 1 : 0;
	EX_TRY(EX_ALLOC(reader->host, *n_levels, levels));
	for (uint32_t i = 0; i < *n_levels; i++)
	{
		char	   *text;

		if (start[i] > start[i + 1] || (size_t) start[i + 1] > n_bytes)
			return ex_fail(reader->host, EX_INVALID, "\"offsets\" of \"cats\" do not divide its \"values\"");
		EX_TRY(EX_ALLOC(reader->host, (size_t) (start[i + 1] - start[i]) + 1, &text));
		for (int32_t j = start[i]; j < start[i + 1]; j++)
			text[j - start[i]] = (char) (uint8_t) byte[j];
		if (strlen(text) != (size_t) (start[i + 1] - start[i]))
			return ex_fail(reader->host, EX_INVALID, "the name of a category contains a zero byte");
		(*levels)[i] = text;
	}
	return EX_OK;
}

/* Categories that are integers: their decimal form is their name. */
static ex_status
read_number_levels(xgb_reader *reader, ex_json_value values, uint32_t *n_levels, const char ***levels)
{
	ex_json_cursor cursor;
	ex_json_value value;

	*n_levels = (uint32_t) ex_json_count(&reader->json, values);
	EX_TRY(EX_ALLOC(reader->host, *n_levels, levels));
	ex_json_begin(&reader->json, values, &cursor);
	for (uint32_t i = 0; ex_json_next(&reader->json, &cursor, &value); i++)
	{
		char	   *text;
		int64_t		number;

		EX_TRY(ex_json_integer(&reader->json, value, "\"values\" of \"cats\"",
							   -(INT64_C(1) << 53), INT64_C(1) << 53, &number));
		EX_TRY(EX_ALLOC(reader->host, 24, &text));
		snprintf(text, 24, "%lld", (long long) number);
		(*levels)[i] = text;
	}
	return EX_OK;
}

static ex_status
read_levels(xgb_reader *reader, ex_json_value encoding, uint32_t *n_levels, const char ***levels)
{
	ex_json_value offsets;
	ex_json_value values;
	ex_json_member members[] = {
		{"offsets", EX_JSON_ARRAY, false, &offsets},
		{"values", EX_JSON_ARRAY, true, &values},
	};

	EX_TRY(ex_json_read_object(&reader->json, encoding, "\"cats\"", members, 2, false));
	if (offsets.at != NULL)
		return read_text_levels(reader, offsets, values, n_levels, levels);
	return read_number_levels(reader, values, n_levels, levels);
}

/* Number or category?  The trees' own tests decide; the declared type, where there are none. */
static ex_status
choose_kind(xgb_reader *reader, uint32_t i, bool declared, ex_feature *feature)
{
	bool		tested = reader->largest_code != NULL && reader->largest_code[i] >= 0;
	bool		numeric = reader->numeric == NULL || reader->numeric[i];

	if (tested && numeric)
		return ex_fail(reader->host, EX_UNSUPPORTED,
					   "feature \"%s\" is split by category and by number", feature->name);
	feature->kind = tested || (declared && !numeric) ? EX_CATEGORICAL : EX_NUMERIC;
	if (feature->kind == EX_NUMERIC)
	{
		feature->levels = NULL;
		feature->n_levels = 0;
		return EX_OK;
	}
	if (feature->n_levels == 0)
	{
		feature->levels = NULL;
		feature->n_levels = tested ? (uint32_t) reader->largest_code[i] + 1 : 1;
	}
	if (tested && (uint32_t) reader->largest_code[i] >= feature->n_levels)
		return ex_fail(reader->host, EX_INVALID,
					   "trees test category %d of feature \"%s\", but \"cats\" has only %u",
					   reader->largest_code[i], feature->name, feature->n_levels);
	return EX_OK;
}

static ex_status
put_feature(xgb_reader *reader, uint32_t i, feature_lists *lists)
{
	ex_json    *json = &reader->json;
	ex_feature	feature = {.missing = EX_MISSING_NATIVE, .unknown = EX_UNKNOWN_OTHER};
	const char **levels = NULL;
	ex_json_value value;
	bool		declared = false;
	char		number[16];

	snprintf(number, sizeof(number), "f%u", i);
	feature.name = number;
	feature.name_length = strlen(number);
	if (lists->named && ex_json_next(json, &lists->names, &value))
	{
		if (ex_json_typeof(json, value) != EX_JSON_STRING)
			return ex_fail(reader->host, EX_INVALID, "name of feature %u must be a string", i);
		EX_TRY(ex_json_string(json, value, &feature.name, &feature.name_length));
	}
	if (lists->typed && ex_json_next(json, &lists->types, &value))
		declared = ex_json_equals(json, value, "c");
	if (lists->encoded && ex_json_next(json, &lists->categories, &value))
		EX_TRY(read_levels(reader, value, &feature.n_levels, &levels));
	feature.levels = levels;
	EX_TRY(choose_kind(reader, i, declared || feature.n_levels > 0, &feature));
	return ex_put_feature(reader->builder, &feature);
}

static ex_status
put_features(xgb_reader *reader)
{
	ex_json    *json = &reader->json;
	ex_json_value categories = ex_json_get(json, reader->cats, "enc");
	feature_lists lists;

	EX_TRY(begin_list(reader, reader->feature_names, "feature_names", &lists.names, &lists.named));
	EX_TRY(begin_list(reader, reader->feature_types, "feature_types", &lists.types, &lists.typed));
	EX_TRY(begin_list(reader, categories, "enc", &lists.categories, &lists.encoded));
	for (uint32_t i = 0; i < reader->n_features; i++)
		EX_TRY(put_feature(reader, i, &lists));
	return EX_OK;
}

/*
 * The linear booster: weights feature-major, the biases last.
 */

static ex_status
read_linear(xgb_reader *reader)
{
	uint32_t	p = reader->n_features;
	uint32_t	n_outputs = reader->n_outputs;
	ex_json_value weights;
	ex_json_member members[] = {{"weights", EX_JSON_ARRAY, true, &weights}};
	ex_buffer	buffer = {NULL, 0, 0};
	const float *weight;
	size_t		count;

	if (reader->iterations >= 0)
		return ex_fail(reader->host, EX_INVALID, "a linear booster has no iterations to choose from");
	EX_TRY(ex_json_read_object(&reader->json, reader->model, "the booster's model", members, 1, false));
	EX_TRY(ex_json_read_floats(&reader->json, weights, "\"weights\"", &buffer, &count));
	if (count != ((size_t) p + 1) * n_outputs)
		return ex_fail(reader->host, EX_INVALID,
					   "\"weights\" has %zu elements, but %u features and %u outputs need %zu",
					   count, p, n_outputs, ((size_t) p + 1) * n_outputs);
	weight = (const float *) buffer.data;
	for (size_t i = 0; i < count; i++)
		if (!isfinite(weight[i]))
			return ex_fail(reader->host, EX_RANGE, "element %zu of \"weights\" is not finite", i + 1);

	for (uint32_t f = 0; f < p; f++)
		EX_TRY(ex_linear_put_column(reader->builder, f, EX_COLUMN_VALUE, 0, 0, 0, 0));
	for (uint32_t k = 0; k < n_outputs; k++)
	{
		for (uint32_t f = 0; f < p; f++)
			EX_TRY(ex_put_f64(reader->builder, EX_COEFFICIENT, weight[(size_t) f * n_outputs + k]));

		/* XGBoost adds the base of the first output to all of them */
		EX_TRY(ex_put_f64(reader->builder, EX_INTERCEPT,
						  (double) weight[(size_t) p * n_outputs + k] + reader->base[0]));
	}
	return EX_OK;
}

/*
 * The document.
 */

static ex_status
read_version(xgb_reader *reader, ex_json_value version)
{
	int32_t    *number;
	size_t		count = 0;

	if (version.at != NULL)
		EX_TRY(ex_json_integers(&reader->json, version, "\"version\"", 0, 9999, &number, &count));
	if (count >= 2)
		reader->version = VERSION(number[0], number[1]);
	return EX_OK;
}

/* The root, or the model in the snapshot that a pickled booster contains. */
static ex_status
read_root(xgb_reader *reader, ex_json_value root, ex_json_value *learner)
{
	ex_json_value snapshot;
	ex_json_value version;
	const ex_json_member members[] = {
		{"learner", EX_JSON_OBJECT, false, learner},
		{"version", EX_JSON_ARRAY, false, &version},
		{"Model", EX_JSON_OBJECT, false, &snapshot},
	};

	EX_TRY(ex_json_read_object(&reader->json, root, "XGBoost model", members, 3, false));
	if (snapshot.at != NULL)
		EX_TRY(ex_json_read_object(&reader->json, snapshot, "XGBoost model", members, 2, false));
	if (learner->at == NULL)
	{
		ex_fail(reader->host, EX_INVALID, "XGBoost model has no object \"learner\"");
		ex_hint(reader->host, "%s", SAVE_HINT);
		return EX_INVALID;
	}
	return read_version(reader, version);
}

static ex_status
open_document(xgb_reader *reader, ex_json_format format, const void *data, size_t size)
{
	ex_json_value root;
	ex_json_value learner;
	const ex_json_member members[] = {
		{"attributes", EX_JSON_OBJECT, false, &reader->attributes},
		{"feature_names", EX_JSON_ARRAY, false, &reader->feature_names},
		{"feature_types", EX_JSON_ARRAY, false, &reader->feature_types},
		{"learner_model_param", EX_JSON_OBJECT, true, &reader->parameters},
		{"objective", EX_JSON_OBJECT, true, &reader->objective},
		{"gradient_booster", EX_JSON_OBJECT, true, &reader->booster},
	};

	EX_TRY(ex_json_open(&reader->json, reader->host, format, data, size, &root));
	EX_TRY(read_root(reader, root, &learner));
	return ex_json_read_object(&reader->json, learner, "\"learner\"", members, 6, false);
}

static ex_status
read_shape(xgb_reader *reader)
{
	ex_json_value parameters = reader->parameters;
	int64_t		n_features;
	int64_t		n_classes;
	int64_t		n_targets;

	EX_TRY(xgb_integer(reader, parameters, "num_feature", 0, INT32_MAX, 0, &n_features));
	EX_TRY(xgb_integer(reader, parameters, "num_class", 0, INT32_MAX, 0, &n_classes));
	EX_TRY(xgb_integer(reader, parameters, "num_target", 0, INT32_MAX, 1, &n_targets));
	if (n_features == 0)
		return ex_fail(reader->host, EX_INVALID, "XGBoost model has no features");
	if (n_features > EX_MAX_FEATURES)
		return ex_fail(reader->host, EX_LIMIT, "XGBoost model has %lld features (limit %d)",
					   (long long) n_features, EX_MAX_FEATURES);
	if (n_classes < n_targets)
		n_classes = n_targets;
	if (n_classes < 1)
		n_classes = 1;
	if (n_classes > EX_MAX_OUTPUTS)
		return ex_fail(reader->host, EX_LIMIT, "XGBoost model has %lld outputs (limit %d)",
					   (long long) n_classes, EX_MAX_OUTPUTS);
	reader->n_features = (uint32_t) n_features;
	reader->n_outputs = (uint32_t) n_classes;
	return EX_OK;
}

/* Which booster, and where its model is. */
static ex_status
open_booster(xgb_reader *reader, bool *linear)
{
	ex_json    *json = &reader->json;
	ex_json_value name;
	ex_json_value gbtree;
	const ex_json_member members[] = {
		{"name", EX_JSON_STRING, true, &name},
		{"model", EX_JSON_OBJECT, false, &reader->model},
		{"gbtree", EX_JSON_OBJECT, false, &gbtree},
		{"weight_drop", EX_JSON_ARRAY, false, &reader->weight_drop},
	};
	const char *text;
	size_t		length;

	EX_TRY(ex_json_read_object(json, reader->booster, "\"gradient_booster\"", members, 4, false));
	*linear = ex_json_equals(json, name, "gblinear");
	if (ex_json_equals(json, name, "dart"))
		reader->model = ex_json_get(json, gbtree, "model");
	else if (!*linear && !ex_json_equals(json, name, "gbtree"))
	{
		EX_TRY(ex_json_string(json, name, &text, &length));
		return ex_fail(reader->host, EX_UNSUPPORTED, "XGBoost booster \"%s\" is not supported", text);
	}
	if (reader->model.at == NULL)
		return ex_fail(reader->host, EX_INVALID, "XGBoost model has no booster");
	return EX_OK;
}

ex_status
ex_xgboost_read(ex_host *host, ex_json_format format, const void *data, size_t size,
				int iterations, ex_builder *builder, ex_xgboost_note *note)
{
	xgb_reader	reader = {.host = host, .builder = builder, .note = note, .iterations = iterations};
	const xgb_objective *objective = NULL;
	bool		linear = false;

	memset(note, 0, sizeof(*note));
	EX_TRY(open_document(&reader, format, data, size));
	EX_TRY(read_shape(&reader));
	EX_TRY(read_objective(&reader, &objective));
	EX_TRY(read_base_score(&reader));
	EX_TRY(convert_base(&reader, objective));
	EX_TRY(open_booster(&reader, &linear));

	ex_builder_init(builder, host, linear ? EX_LINEAR : EX_TREE);
	builder->n_outputs = reader.n_outputs;
	builder->link = link_of(&reader, objective);
	EX_TRY(put_output_names(&reader, objective));
	EX_TRY(linear ? read_linear(&reader) : xgb_read_trees(&reader));
	return put_features(&reader);
}
