/*
 * onnx_feature.c
 *		What becomes of the inputs of an ONNX graph: names, kinds, levels, and
 *		what missing values mean.
 *
 *	- A string is categorical; its levels are the categories that encoders name.
 *	- A number of which the model only asks whether it is one of some codes is
 *	  categorical with the levels 0, 1, ...: an encoder's codes cut fractions
 *	  off, as a cast to integers does; those of a tree do not.
 *	- Everything else is a number; codes of it are then intervals.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "onnx_internal.h"
#include "tree.h"

ex_status
onnx_level(onnx_reader *reader, uint32_t feature, ex_span name, uint32_t *level)
{
	ex_buffer  *levels = &reader->feature[feature].levels;
	const ex_span *known = (const ex_span *) levels->data;
	size_t		n = levels->size / sizeof(ex_span);

	EX_TRY(ex_poll(reader->host));
	for (*level = 0; *level < n; (*level)++)
		if (known[*level].size == name.size && memcmp(known[*level].data, name.data, name.size) == 0)
			return EX_OK;
	if (n > ONNX_MAX_CODE)
		return onnx_fail(reader, EX_LIMIT, "a feature has more than %d categories", ONNX_MAX_CODE + 1);
	return ex_append(reader->host, levels, &name, sizeof(name));
}

/* ----------------------------------------------------------------
 * Use
 * ---------------------------------------------------------------- */

static void
note_code(onnx_feature *feature, double code)
{
	if (!(code >= 0 && code <= ONNX_MAX_CODE && code == trunc(code)))
		feature->odd_code = true;
	else if (code > (double) feature->largest_code)
		feature->largest_code = (int64_t) code;
}

void
onnx_use_column(onnx_reader *reader, const onnx_column *column)
{
	onnx_feature *feature = &reader->feature[column->feature];

	if (column->op != ONNX_IS_CODE)
		return;
	feature->as_code = true;
	note_code(feature, (double) column->code);
	if (column->imputes)
		note_code(feature, trunc(column->impute));
}

void
onnx_use_order(onnx_reader *reader, const onnx_column *column)
{
	if (column->op == ONNX_VALUE)
		reader->feature[column->feature].as_number = true;
}

/* Only the input itself has levels; what was calculated from it is a number. */
void
onnx_use_member(onnx_reader *reader, const onnx_column *column, double member)
{
	onnx_feature *feature = &reader->feature[column->feature];

	if (column->op != ONNX_VALUE)
		return;
	feature->as_member = true;
	note_code(feature, member);
	for (const onnx_step *step = column->step; step != NULL; step = step->before)
		feature->as_number |= step->op != ONNX_ROUND;
}

void
onnx_use_affine(onnx_reader *reader, const onnx_column *column, const onnx_affine *affine)
{
	onnx_feature *feature = &reader->feature[column->feature];

	onnx_use_column(reader, column);
	onnx_use_order(reader, column);
	if (!affine->imputes)
	{
		feature->disagree = true;
		feature->any_fails |= column->op == ONNX_VALUE;
	}
	else
	{
		feature->disagree |= feature->any_imputes && feature->impute != affine->impute;
		feature->impute = affine->impute;
		feature->any_imputes = true;
	}
}

/* ----------------------------------------------------------------
 * Kinds and policies
 * ---------------------------------------------------------------- */

static ex_feature_kind
settle_kind(const onnx_feature *feature)
{
	if (feature->type == ONNX_STRING)
		return EX_CATEGORICAL;
	if ((feature->as_code || feature->as_member) && feature->as_code != feature->as_member &&
		!feature->as_number && !feature->odd_code)
		return EX_CATEGORICAL;
	return feature->type == ONNX_BOOL && !feature->as_code ? EX_BOOLEAN : EX_NUMERIC;
}

/* Trees say at every split where a missing value goes, layers do not. */
static ex_missing_policy
settle_missing(const onnx_feature *feature, bool trees)
{
	if (trees)
		return EX_MISSING_NATIVE;
	if (feature->any_fails || (feature->as_number && !feature->any_imputes))
		return EX_MISSING_ERROR;
	if (feature->any_imputes && !feature->disagree)
		return EX_MISSING_IMPUTE;
	return feature->any_imputes || feature->as_code || feature->type == ONNX_STRING ?
		EX_MISSING_NATIVE : EX_MISSING_ERROR;
}

void
onnx_settle_features(onnx_reader *reader, bool trees)
{
	for (uint32_t f = 0; f < reader->n_features; f++)
	{
		onnx_feature *feature = &reader->feature[f];

		feature->kind = settle_kind(feature);
		feature->missing = settle_missing(feature, trees);
	}
}

/* ----------------------------------------------------------------
 * Names
 * ---------------------------------------------------------------- */

/*
 * The user's name; else that of the graph's input, numbered if it has several
 * columns: f0, f1, ... where it is the only input.
 */
static ex_status
name_feature(onnx_reader *reader, uint32_t f, char **name)
{
	const onnx_feature *feature = &reader->feature[f];
	ex_span		port = reader->value[reader->input[feature->port].value].name;

	EX_TRY(EX_ALLOC(reader->host, port.size + 16, name));
	if (reader->options->n_features > 0)
		*name = (char *) reader->options->feature[f];
	else if (feature->siblings == 1)
		memcpy(*name, port.data, port.size);
	else if (reader->n_inputs == 1)
		snprintf(*name, 16, "f%u", feature->index);
	else
		snprintf(*name, port.size + 16, "%.*s_%u", (int) port.size, (const char *) port.data, feature->index);
	return EX_OK;
}

/* The texts of its levels; codes have none but where fractions are no level. */
static ex_status
name_levels(onnx_reader *reader, const onnx_feature *feature, ex_feature *out)
{
	const ex_span *text = (const ex_span *) feature->levels.data;
	bool		is_text = feature->type == ONNX_STRING;
	char	  **level;

	out->n_levels = is_text ? (uint32_t) (feature->levels.size / sizeof(ex_span)) : (uint32_t) feature->largest_code + 1;
	out->unknown = feature->strict ? EX_UNKNOWN_ERROR : EX_UNKNOWN_OTHER;
	if (is_text && out->n_levels == 0)
		return ex_fail(reader->host, EX_UNSUPPORTED, "ONNX graph: an input of strings is not encoded");
	if (feature->as_code && !is_text)
	{
		out->flags = EX_FEATURE_TRUNCATE;
		return EX_OK;
	}
	EX_TRY(EX_ALLOC(reader->host, out->n_levels, &level));
	for (uint32_t i = 0; i < out->n_levels; i++)
	{
		size_t		size = is_text ? text[i].size + 1 : 12;

		EX_TRY(EX_ALLOC(reader->host, size, &level[i]));
		if (is_text)
			memcpy(level[i], text[i].data, text[i].size);
		else
			snprintf(level[i], size, "%u", i);
	}
	out->levels = (const char *const *) level;
	return EX_OK;
}

ex_status
onnx_put_features(onnx_reader *reader, ex_builder *builder)
{
	for (uint32_t f = 0; f < reader->n_features; f++)
	{
		const onnx_feature *feature = &reader->feature[f];
		ex_feature	out = {.kind = feature->kind, .missing = feature->missing, .impute = feature->impute};
		char	   *name;

		EX_TRY(name_feature(reader, f, &name));
		out.name = name;
		out.name_length = strlen(name);
		if (out.kind == EX_CATEGORICAL)
			EX_TRY(name_levels(reader, feature, &out));
		EX_TRY(ex_put_feature(builder, &out));
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Columns
 * ---------------------------------------------------------------- */

/* Numbers that become this code when fractions are cut off: low < x <= high. */
static void
encode_code(const onnx_feature *feature, int64_t code, ex_encoded_column *encoded)
{
	double		first = code > 0 ? (double) code : nextafter((double) code - 1, INFINITY);
	double		beyond = code >= 0 ? (double) code + 1 : nextafter((double) code, INFINITY);

	encoded->op = EX_ENCODE_BIN;
	encoded->low = nextafter(first, -INFINITY);
	encoded->high = nextafter(beyond, -INFINITY);
	if (feature->type == ONNX_FLOAT)
	{
		/* the numbers that round to such a float32 */
		encoded->low = code > 0 ? ex_fold_float32((float) code, true) : ex_fold_float32((float) (code - 1), false);
		encoded->high = code >= 0 ? ex_fold_float32((float) (code + 1), true) : ex_fold_float32((float) code, false);
	}
}

void
onnx_encode_column(const onnx_reader *reader, const onnx_column *column, ex_encoded_column *encoded)
{
	const onnx_feature *feature = &reader->feature[column->feature];

	memset(encoded, 0, sizeof(*encoded));
	encoded->feature = column->feature;
	encoded->scale = 1;
	encoded->imputes = column->imputes;
	encoded->impute = column->op == ONNX_IS_CODE ? trunc(column->impute) : column->impute;
	if (column->op == ONNX_IS_LEVEL)
	{
		encoded->op = EX_ENCODE_LEVEL;
		encoded->level = column->level;
	}
	else if (column->op == ONNX_IS_CODE && feature->kind == EX_CATEGORICAL)
	{
		encoded->op = EX_ENCODE_LEVEL;
		encoded->level = (uint32_t) column->code;
	}
	else if (column->op == ONNX_IS_CODE)
		encode_code(feature, column->code, encoded);
}
