/*
 * network_fold.c
 *		Folding preprocessing into a network.
 *
 * Input c of the encoded network is (g(z) - C) / S of one encoded feature
 * z = (op(x) - center) / scale.  Where that is again one column of x, scaled,
 * only the columns are written anew and the layers stay as they are:
 *
 *		op value			x scaled twice; an interval of z is one of x
 *		op level, bin		the dummy, scaled so that 0 and 1 become g's values
 *		op missing			the indicator, likewise
 *
 * Where it is not (a bin number is a sum of dummies; a constant is no column),
 * a dense layer in front makes the inputs from the columns:
 *
 *		op bin number		g(z_0) + sum over bins of (g(z_i) - g(z_0)) dummy
 *
 * An image that does not stay an image of features becomes a vector input and
 * a reshape layer.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "linear_internal.h"
#include "network_model.h"

/* How one input of the encoded network is made: base + sum of factor * column. */
typedef struct recipe
{
	size_t		first;			/* term */
	size_t		n_terms;
	double		base;
	bool		is_column;		/* one term, factor 1, base 0 */
} recipe;

typedef struct term
{
	ex_network_column column;
	double		factor;
} term;

typedef struct folding
{
	ex_host    *host;
	ex_builder *builder;
	const ex_model *encoded;
	ex_network_view view;
	ex_linear_view columns;		/* of the encoded network */
	const ex_encoded_column *input;
	ex_network_column outer;	/* g, C, S */
	recipe	   *recipe;
	uint32_t	at;				/* the input being folded */
	ex_buffer	terms;
} folding;

static ex_missing_policy
policy_of(const folding *fold, uint32_t feature)
{
	return (ex_missing_policy) ((const uint8_t *) fold->builder->section[EX_FEATURE_MISSING].data)[feature];
}

static ex_feature_kind
kind_of(const folding *fold, uint32_t feature)
{
	return (ex_feature_kind) ((const uint8_t *) fold->builder->section[EX_FEATURE_KIND].data)[feature];
}

/* What the network gets where op(x) = value. */
static double
outer_value(const folding *fold, double value)
{
	double		z = (value - fold->input->center) / fold->input->scale;

	return (ex_column_value(&fold->outer.column, z) - fold->outer.center) / fold->outer.scale;
}

/* What it gets where x is missing and its input has no answer. */
static double
outer_missing(const folding *fold)
{
	return (fold->outer.column.missing - fold->outer.center) / fold->outer.scale;
}

static ex_status
add_term(folding *fold, const ex_network_column *column, double factor)
{
	const term	term = {*column, factor};

	fold->recipe[fold->at].n_terms++;
	return ex_append(fold->host, &fold->terms, &term, sizeof(term));
}

/* Does a missing value reach the input as such? */
static bool
sees_missing(const folding *fold)
{
	return policy_of(fold, fold->input->feature) == EX_MISSING_NATIVE && !fold->input->imputes;
}

static ex_status
missing_forbidden(const folding *fold)
{
	ex_fail(fold->host, EX_INVALID, "input %u may be missing, which the model does not allow",
			fold->outer.column.feature + 1);
	ex_hint(fold->host, "Give the input an \"impute\".");
	return EX_INVALID;
}

/* One column that is the input; `missing`: its value, before scaling, where x is missing. */
static ex_status
put_column(folding *fold, ex_network_column column, double missing)
{
	column.column.feature = fold->input->feature;
	column.column.missing = NAN;
	if (sees_missing(fold))
	{
		if (isnan(missing))
			return missing_forbidden(fold);
		column.column.missing = missing;
	}
	else if (fold->input->imputes)
		column.column.missing = ex_column_value(&column.column, fold->input->impute);
	if (policy_of(fold, column.column.feature) != EX_MISSING_NATIVE)
		column.column.missing = NAN;	/* what the policy implies */
	fold->recipe[fold->at].is_column = true;
	return add_term(fold, &column, 1);
}

/* ----------------------------------------------------------------
 * Operations
 * ---------------------------------------------------------------- */

/* Nothing of x is left. */
static ex_status
fold_constant(folding *fold, double value)
{
	fold->recipe[fold->at].base = value;
	return EX_OK;
}

/* A column that is 0 or 1, for which the input has these two values. */
static ex_status
fold_dummy(folding *fold, ex_column dummy, double absent, double present, double missing)
{
	ex_network_column column = {.column = dummy};
	bool		plain = fold->outer.column.kind == EX_COLUMN_VALUE && fold->outer.center == 0 && fold->outer.scale == 1;

	if (absent == present && (!sees_missing(fold) || missing == absent))
		return fold_constant(fold, absent);
	if (absent == present)
		return isnan(missing) ? missing_forbidden(fold) :
			fold_dummy(fold, (ex_column) {.kind = EX_COLUMN_ISNULL}, absent, missing, missing);

	/* the scaling as given, where nothing stands between, to the last bit */
	column.center = plain ? fold->input->center : -absent / (present - absent);
	column.scale = plain ? fold->input->scale : 1 / (present - absent);
	return put_column(fold, column, missing == absent ? 0 : missing == present ? 1 :
					  column.center + missing * column.scale);
}

/* low < (x - center) / scale <= high as an interval of x */
static ex_column
interval(const folding *fold)
{
	ex_column	bin = fold->outer.column;

	ex_fold_interval(fold->input, &bin);
	return bin;
}

static ex_status
fold_number(folding *fold)
{
	const ex_encoded_column *input = fold->input;
	ex_network_column column = {.column = {.kind = EX_COLUMN_VALUE}};
	double		nothing = outer_value(fold, 0);

	switch (fold->outer.column.kind)
	{
		case EX_COLUMN_VALUE:
			column.center = input->center + fold->outer.center * input->scale;
			column.scale = input->scale * fold->outer.scale;
			return put_column(fold, column, column.center + outer_missing(fold) * column.scale);
		case EX_COLUMN_BIN:
			column.column = interval(fold);
			if (!(column.column.low < column.column.high))
				return fold_dummy(fold, column.column, nothing, nothing, outer_missing(fold));
			column.center = fold->outer.center;
			column.scale = fold->outer.scale;
			return put_column(fold, column, fold->outer.column.missing);
		default:
			return fold_dummy(fold, (ex_column) {.kind = EX_COLUMN_ISNULL}, nothing, nothing, outer_missing(fold));
	}
}

/* A boolean has two values, whatever the network makes of them. */
static ex_status
fold_boolean(folding *fold)
{
	if (fold->outer.column.kind == EX_COLUMN_VALUE)
		return fold_number(fold);
	return fold_dummy(fold, (ex_column) {.kind = EX_COLUMN_VALUE}, outer_value(fold, 0), outer_value(fold, 1),
					  outer_missing(fold));
}

/* A categorical feature passes through as it is: levels must be the same. */
static ex_status
fold_categorical(folding *fold)
{
	const uint32_t *levels = (const uint32_t *) fold->builder->section[EX_FEATURE_LEVELS].data;
	const uint32_t *encoded_levels = ex_get(fold->encoded, EX_FEATURE_LEVELS, NULL);
	uint32_t	f = fold->outer.column.feature;
	ex_network_column column = fold->outer;

	if (levels[fold->input->feature] != encoded_levels[f])
		return ex_fail(fold->host, EX_INVALID, "input %u has %u levels, but feature %u of the model has %u",
					   f + 1, levels[fold->input->feature], f + 1, encoded_levels[f]);
	return put_column(fold, column, fold->outer.column.missing);
}

static ex_status
fold_value(folding *fold)
{
	uint32_t	f = fold->input->feature;
	bool		categorical = kind_of(fold, f) == EX_CATEGORICAL;

	if (fold->outer.column.kind != EX_COLUMN_ISNULL &&
		categorical != (fold->outer.column.kind == EX_COLUMN_LEVEL_IS))
	{
		ex_fail(fold->host, EX_INVALID, categorical ? "input %u is categorical, but the model takes it as a number"
				: "input %u is a number, but the model takes it as categorical", fold->outer.column.feature + 1);
		ex_hint(fold->host, "Give one input with \"level\" for each level.");
		return EX_INVALID;
	}
	if (fold->outer.column.kind == EX_COLUMN_LEVEL_IS)
		return fold_categorical(fold);
	return kind_of(fold, f) == EX_BOOLEAN ? fold_boolean(fold) : fold_number(fold);
}

/*
 * Dummies of the bins above the lowest.  A missing value is in none of them;
 * what the input is for it, the indicator makes up.
 */
static ex_status
fold_bin_number(folding *fold)
{
	const ex_encoded_column *input = fold->input;
	bool		native = policy_of(fold, input->feature) == EX_MISSING_NATIVE;
	double		lowest = outer_value(fold, 0);

	fold->recipe[fold->at].base = lowest;
	for (uint32_t i = 0; i < input->n_edges; i++)
	{
		ex_network_column bin = {
			.column = {
				.feature = input->feature,
				.kind = EX_COLUMN_BIN,
				.low = input->edges[i],
				.high = i + 1 < input->n_edges ? input->edges[i + 1] : INFINITY,
				.missing = native ? 0 : NAN
			},
			.scale = 1
		};
		double		factor = outer_value(fold, i + 1) - lowest;

		if (native && input->imputes)
			bin.column.missing = ex_column_value(&bin.column, input->impute);
		if (factor != 0)
			EX_TRY(add_term(fold, &bin, factor));
	}
	if (sees_missing(fold) && isnan(outer_missing(fold)))
		return missing_forbidden(fold);
	if (sees_missing(fold) && outer_missing(fold) != lowest)
	{
		const ex_network_column indicator = {
			.column = {.feature = input->feature, .kind = EX_COLUMN_ISNULL, .missing = 1}, .scale = 1
		};

		return add_term(fold, &indicator, outer_missing(fold) - lowest);
	}
	return EX_OK;
}

/* 1 where x is missing: never, unless the policy leaves missing values to the model. */
static ex_status
fold_indicator(folding *fold)
{
	double		absent = outer_value(fold, 0);
	double		present = outer_value(fold, 1);

	if (policy_of(fold, fold->input->feature) != EX_MISSING_NATIVE)
		return fold_constant(fold, absent);
	return fold_dummy(fold, (ex_column) {.kind = EX_COLUMN_ISNULL}, absent, present, present);
}

static ex_status
fold_input(folding *fold, const ex_encoding *encoding, uint32_t c)
{
	const ex_encoded_column *input;
	double		absent;
	double		present;

	fold->at = c;
	fold->recipe[c].first = fold->terms.size / sizeof(term);
	ex_linear_get_column(&fold->columns, c, &fold->outer.column);
	fold->outer.center = fold->view.center[c];
	fold->outer.scale = fold->view.scale[c];
	fold->input = input = &encoding->column[fold->outer.column.feature];
	absent = outer_value(fold, 0);
	present = outer_value(fold, 1);
	switch (input->op)
	{
		case EX_ENCODE_LEVEL:
			/* a missing value is in no level */
			return fold_dummy(fold, (ex_column) {.kind = EX_COLUMN_LEVEL_IS, .level = input->level},
							  absent, present, absent);
		case EX_ENCODE_BIN:
			/* but its bin is unknown */
			return fold_dummy(fold, (ex_column) {.kind = EX_COLUMN_BIN, .low = input->low, .high = input->high},
							  absent, present, outer_missing(fold));
		case EX_ENCODE_BIN_NUMBER:
			return fold_bin_number(fold);
		case EX_ENCODE_MISSING:
			return fold_indicator(fold);
		default:
			return fold_value(fold);
	}
}

/* ----------------------------------------------------------------
 * The folded network
 * ---------------------------------------------------------------- */

/* Columns of the folded network, and whether they are the inputs of the encoded one. */
static ex_status
put_input(folding *fold, bool *direct)
{
	const term *term = (const struct term *) fold->terms.data;
	size_t		n = fold->terms.size / sizeof(struct term);
	ex_network_column *column;

	*direct = true;
	for (uint32_t c = 0; c < fold->view.n_columns; c++)
		*direct &= fold->recipe[c].is_column;
	if (n == 0)
		return ex_fail(fold->host, EX_INVALID, "network does not depend on any feature");
	EX_TRY(EX_ALLOC(fold->host, n, &column));
	for (size_t i = 0; i < n; i++)
		column[i] = term[i].column;
	return ex_network_put_input(fold->builder, column, n);
}

/* Is input c the value of feature c, for all features? */
static bool
keeps_pixels(const folding *fold)
{
	const term *term = (const struct term *) fold->terms.data;

	if (fold->builder->n_features != fold->view.n_columns)
		return false;
	for (uint32_t c = 0; c < fold->view.n_columns; c++)
	{
		const ex_column *column = &term[fold->recipe[c].first].column.column;

		if (!fold->recipe[c].is_column || column->kind != EX_COLUMN_VALUE || column->feature != c ||
			kind_of(fold, c) != EX_NUMERIC)
			return false;
	}
	return true;
}

static ex_status
put_image(folding *fold)
{
	const term *term = (const struct term *) fold->terms.data;
	ex_shape	shape = fold->view.input;
	const uint32_t size[] = {shape.channels, shape.height, shape.width};

	for (uint32_t c = 0; c < fold->view.n_columns; c++)
		EX_TRY(ex_network_put_column(fold->builder, &term[c].column));
	EX_TRY(ex_put(fold->builder, EX_IMAGE_SHAPE, size, 3));
	for (uint32_t c = 0; c < shape.channels; c++)
	{
		uint32_t	length;
		const char *name = ex_get_name(fold->encoded, EX_CHANNEL_NAME_START, c, &length);

		EX_TRY(ex_put_name(fold->builder, EX_CHANNEL_NAME_START, name, length));
	}
	return ex_network_put_input_layer(fold->builder, shape);
}

/* A name that no layer of the encoded network has. */
static void
free_name(const folding *fold, const char *wish, char name[48])
{
	bool		taken = true;

	snprintf(name, 48, "%s", wish);
	for (uint32_t try = 2; taken; try++)
	{
		taken = false;
		for (uint32_t i = 0; i < fold->view.n_layers && !taken; i++)
		{
			uint32_t	length;
			const char *text = ex_network_layer_name(&fold->view, i, &length);

			taken = length == strlen(name) && memcmp(text, name, length) == 0;
		}
		if (taken)
			snprintf(name, 48, "%s_%u", wish, try);
	}
}

/* The dense layer that makes inputs from columns. */
static ex_status
put_recipes(folding *fold)
{
	const term *term = (const struct term *) fold->terms.data;
	size_t		n = fold->terms.size / sizeof(struct term);
	uint32_t	units = fold->view.n_columns;
	char		name[48];
	ex_new_layer layer = {.kind = EX_LAYER_DENSE, .name = name, .shape = {units, 1, 1}};
	double	   *weight;

	if (units > EX_MAX_MODEL_SIZE / sizeof(float) / (n + 1))
		return ex_fail(fold->host, EX_LIMIT, "preprocessing of %u inputs from %zu columns is too large", units, n);
	free_name(fold, "preprocessing", name);
	layer.n_weights = units * (n + 1);
	EX_TRY(EX_ALLOC(fold->host, layer.n_weights, &weight));
	for (uint32_t c = 0; c < units; c++)
	{
		const recipe *recipe = &fold->recipe[c];

		for (size_t i = 0; i < recipe->n_terms; i++)
			weight[c * n + recipe->first + i] = term[recipe->first + i].factor;
		weight[units * n + c] = recipe->base;
	}
	layer.weight = weight;
	return ex_network_put_layer(fold->builder, &layer);
}

/* Layers of the encoded network behind those that have been put; its input is the last of these. */
static ex_status
copy_layers(folding *fold)
{
	uint32_t	shift = ex_network_count_layers(fold->builder) - 1;

	for (uint32_t i = 1; i < fold->view.n_layers; i++)
	{
		ex_layer	layer;
		uint32_t	length;
		const char *name = ex_network_layer_name(&fold->view, i, &length);
		char	   *copy;
		uint32_t   *input;
		double	   *weight;
		ex_new_layer new = {0};

		ex_network_layer(&fold->view, i, &layer);
		EX_TRY(EX_ALLOC(fold->host, (size_t) length + 1, &copy));
		memcpy(copy, name, length);
		EX_TRY(EX_ALLOC(fold->host, layer.n_inputs, &input));
		for (uint32_t k = 0; k < layer.n_inputs; k++)
			input[k] = layer.input[k] + shift;
		EX_TRY(EX_ALLOC(fold->host, layer.n_weights, &weight));
		for (uint32_t k = 0; k < layer.n_weights; k++)
			weight[k] = ex_network_weight(&fold->view, (size_t) layer.first_weight + k);
		new = (ex_new_layer) {
			.kind = layer.kind, .name = copy, .n_inputs = layer.n_inputs, .input = input,
			.shape = layer.shape, .number = layer.number, .weight = weight, .n_weights = layer.n_weights
		};
		memcpy(new.setting, layer.setting, sizeof(new.setting));
		EX_TRY(ex_network_put_layer(fold->builder, &new));
	}
	return EX_OK;
}

static ex_status
put_folded(folding *fold)
{
	ex_new_layer layer = {.kind = EX_LAYER_RESHAPE, .shape = fold->view.input};
	char		name[48];
	bool		direct;

	if (fold->view.is_image && keeps_pixels(fold))
	{
		EX_TRY(put_image(fold));
		return copy_layers(fold);
	}
	EX_TRY(put_input(fold, &direct));
	if (!direct)
		EX_TRY(put_recipes(fold));
	if (fold->view.is_image)
	{
		free_name(fold, "image", name);
		layer.name = name;
		EX_TRY(ex_network_put_layer(fold->builder, &layer));
	}
	return copy_layers(fold);
}

/* The link stays as it is: the encoded network has been finished once. */
ex_status
ex_network_fold(ex_host *host, const ex_model *encoded, const ex_encoding *encoding, ex_builder *builder)
{
	folding		fold = {.host = host, .builder = builder, .encoded = encoded};

	ex_network_open(encoded, &fold.view);
	ex_linear_open(encoded, &fold.columns);
	EX_TRY(EX_ALLOC(host, fold.view.n_columns, &fold.recipe));
	for (uint32_t c = 0; c < fold.view.n_columns; c++)
	{
		EX_TRY(ex_poll(host));
		EX_TRY(fold_input(&fold, encoding, c));
	}
	EX_TRY(put_folded(&fold));
	return ex_network_close(builder);
}
