/*
 * onnx_column.c
 *		Operators of ONNX graphs that prepare columns one by one.
 *
 * A column is a function of one feature: the feature itself or a test of it,
 * and a list of steps that follow.  Every step is monotone in floating-point
 * arithmetic, rounding included; so a comparison of the result is one of the
 * feature, and trees over prepared columns can be folded exactly.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_internal.h"
#include "tree.h"

/* ----------------------------------------------------------------
 * Steps
 * ---------------------------------------------------------------- */

static double
run_step(const onnx_step *step, double x)
{
	double		y = x;

	switch (step->op)
	{
		case ONNX_ROUND:
			break;
		case ONNX_TRUNCATE:
			y = trunc(x);
			break;
		case ONNX_ADD:
			y = x + step->number;
			break;
		case ONNX_SUBTRACT:
			y = x - step->number;
			break;
		case ONNX_SUBTRACT_FROM:
			y = step->number - x;
			break;
		case ONNX_MULTIPLY:
			y = x * step->number;
			break;
		case ONNX_DIVIDE:
			y = x / step->number;
			break;
		case ONNX_ABOVE:
			y = x > step->number;
			break;
		case ONNX_IMPUTE:
			y = isnan(x) ? step->number : x;
			break;
	}
	return step->single ? (double) (float) y : y;
}

/* Lists are short but their length is the file's: no recursion. */
#define INLINE_STEPS 32

double
onnx_run_steps(const onnx_step *step, double x)
{
	const onnx_step *list[INLINE_STEPS];
	int			n = 0;

	for (; step != NULL; step = step->before)
		list[n++] = step;		/* add_step sees to it that they fit */
	while (n > 0)
		x = run_step(list[--n], x);
	return x;
}

static int
count_steps(const onnx_step *step)
{
	int			n = 0;

	for (; step != NULL; step = step->before)
		n++;
	return n;
}

static ex_status
add_step(onnx_reader *reader, onnx_column *column, onnx_step_op op, bool single, double number)
{
	onnx_step  *step;

	if (count_steps(column->step) == INLINE_STEPS)
		return onnx_fail(reader, EX_LIMIT, "a column is prepared in more than %d steps", INLINE_STEPS);
	if (isnan(number) && op != ONNX_IMPUTE)
		return onnx_fail(reader, EX_RANGE, "a constant is not a number");
	EX_TRY(EX_ALLOC(reader->host, 1, &step));
	*step = (onnx_step) {column->step, op, single, number};
	column->step = step;
	return EX_OK;
}

double
onnx_column_missing(const onnx_column *column)
{
	double		x = NAN;

	if (column->op == ONNX_IS_CODE)
		x = column->imputes && trunc(column->impute) == (double) column->code;
	else if (column->op == ONNX_IS_LEVEL)
		x = column->imputes && column->impute == column->level;
	else if (column->table != NULL)
		x = column->table->other;
	return onnx_run_steps(column->step, x);
}

double
onnx_column_at_level(const onnx_column *column, int64_t level)
{
	double		x = (double) level;

	if (column->table != NULL)
		x = level >= 0 && level < column->table->n ? column->table->number[level] : column->table->other;
	return onnx_run_steps(column->step, x);
}

/* ----------------------------------------------------------------
 * Comparisons
 * ---------------------------------------------------------------- */

typedef struct limit_test
{
	const onnx_step *step;
	double		limit;
	bool		strict;
	bool		decreasing;
} limit_test;

/* A test that small x pass: that on the column, or its opposite where the steps decrease. */
static bool
limit_passes(const void *context, double x)
{
	const limit_test *test = context;
	double		z = onnx_run_steps(test->step, x);
	bool		below = test->strict ? z < test->limit : z <= test->limit;

	if (isnan(z))				/* infinity - infinity */
		return x < 0;
	return below != test->decreasing;
}

static bool
decreases(const onnx_step *step)
{
	bool		decreasing = false;

	for (; step != NULL; step = step->before)
		if (step->op == ONNX_SUBTRACT_FROM ||
			((step->op == ONNX_MULTIPLY || step->op == ONNX_DIVIDE) && step->number < 0))
			decreasing = !decreasing;
	return decreasing;
}

void
onnx_fold_limit(const onnx_column *column, double limit, bool strict,
				double *threshold, bool *inverted)
{
	const onnx_step *step = column->step;
	limit_test	test = {step, limit, strict, decreases(step)};

	*inverted = test.decreasing;
	if (step == NULL)
		*threshold = strict ? nextafter(limit, -INFINITY) : limit;
	else if (step->before == NULL && step->op == ONNX_ROUND && !strict)
		*threshold = ex_fold_float32_le(limit);
	else if (step->before == NULL && step->op == ONNX_ROUND && (double) (float) limit == limit)
		*threshold = ex_fold_float32((float) limit, true);
	else
		*threshold = ex_fold_monotone(limit_passes, &test);
}

/* ----------------------------------------------------------------
 * Affine columns
 * ---------------------------------------------------------------- */

/* 1 where the column so far is above a number; then steps begin anew. */
static ex_status
make_above(onnx_reader *reader, const onnx_column *column, const onnx_step *step, onnx_affine *affine)
{
	onnx_column before = *column;
	bool		inverted;

	if (affine->above || column->op != ONNX_VALUE)
		return onnx_fail(reader, EX_UNSUPPORTED, "a column that is 0 or 1 already is made binary again");
	before.step = step->before;
	onnx_fold_limit(&before, step->number, false, &affine->threshold, &inverted);
	affine->above = true;
	affine->center = inverted ? 1 : 0;
	affine->scale = inverted ? -1 : 1;
	return EX_OK;
}

/* One more step after (x - center) / scale. */
static ex_status
append_affine(onnx_reader *reader, const onnx_column *column, const onnx_step *step, onnx_affine *affine)
{
	switch (step->op)
	{
		case ONNX_ROUND:
			return EX_OK;
		case ONNX_ADD:
			affine->center -= affine->scale * step->number;
			return EX_OK;
		case ONNX_SUBTRACT:
			affine->center += affine->scale * step->number;
			return EX_OK;
		case ONNX_SUBTRACT_FROM:
			affine->center += affine->scale * step->number;
			affine->scale = -affine->scale;
			return EX_OK;
		case ONNX_MULTIPLY:
			affine->scale /= step->number;
			return EX_OK;
		case ONNX_DIVIDE:
			affine->scale *= step->number;
			return EX_OK;
		case ONNX_ABOVE:
			return make_above(reader, column, step, affine);
		case ONNX_IMPUTE:
			if (!affine->imputes && !affine->above)
				affine->impute = step->number * affine->scale + affine->center;
			affine->imputes = true;
			return EX_OK;
		case ONNX_TRUNCATE:
			break;
	}
	return onnx_fail(reader, EX_UNSUPPORTED, "a column that is cast to integers cannot be used as a number here");
}

ex_status
onnx_affine_column(onnx_reader *reader, const onnx_column *column, onnx_affine *affine)
{
	const onnx_step *list[INLINE_STEPS];
	int			n = 0;

	memset(affine, 0, sizeof(*affine));
	affine->scale = 1;
	affine->imputes = column->imputes;
	affine->impute = column->impute;
	if (reader->feature[column->feature].type == ONNX_STRING && column->op == ONNX_VALUE)
		return onnx_fail(reader, EX_UNSUPPORTED, "numbers of the levels of a text can be used by tree ensembles only");
	for (const onnx_step *step = column->step; step != NULL; step = step->before)
		list[n++] = step;
	while (n > 0)
		EX_TRY(append_affine(reader, column, list[--n], affine));
	if (!isfinite(affine->center) || !isfinite(affine->scale) || affine->scale == 0)
	{
		(void) onnx_fail(reader, EX_UNSUPPORTED, "a column before this node is multiplied by 0, or divided by 0 or infinity");
		ex_hint(reader->host, "Leave the column out of the graph, or give it the weight 0 in the model itself.");
		return EX_UNSUPPORTED;
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Making columns
 * ---------------------------------------------------------------- */

static ex_status
new_columns(onnx_reader *reader, size_t n, onnx_column **column)
{
	reader->columns += n;
	if (n > EX_MAX_FEATURES)
		return onnx_fail(reader, EX_LIMIT, "more than %d columns", EX_MAX_FEATURES);
	if (reader->columns > ONNX_MAX_COLUMNS)
		return onnx_fail(reader, EX_LIMIT, "values of the graph have more than %d columns in all", ONNX_MAX_COLUMNS);
	EX_TRY(ex_poll(reader->host));
	return EX_ALLOC(reader->host, n, column);
}

static size_t
count_columns(const onnx_value *value)
{
	size_t		n = 1;

	for (uint32_t i = 0; i < value->dims.n; i++)
		n *= (size_t) value->dims.size[i];
	return n;
}

/* Copies of the columns of an input, to be changed. */
static ex_status
copy_columns(onnx_reader *reader, const onnx_value *in, size_t *n, onnx_column **column)
{
	*n = count_columns(in);
	EX_TRY(new_columns(reader, *n, column));
	if (*n > 0)
		memcpy(*column, in->column, *n * sizeof(onnx_column));
	return EX_OK;
}

static onnx_value *
set_columns(onnx_reader *reader, const onnx_value *like, const onnx_column *column)
{
	onnx_value *out = onnx_set(reader, like);

	out->column = column;
	return out;
}

/* A vector of n columns. */
static void
set_vector(onnx_reader *reader, const onnx_value *like, const onnx_column *column, size_t n)
{
	onnx_value *out = onnx_set(reader, like);

	out->column = column;
	out->dims = onnx_dims_of(1, (int64_t) n, 1, 1);
}

ex_status
onnx_input_columns(onnx_reader *reader, uint32_t port, uint32_t first_feature, size_t n)
{
	const onnx_port *input = &reader->input[port];
	onnx_value *value = &reader->value[input->value];
	onnx_column *column;

	EX_TRY(new_columns(reader, n, &column));
	for (size_t i = 0; i < n; i++)
	{
		column[i].feature = first_feature + (uint32_t) i;
		if (input->type == ONNX_FLOAT)
			EX_TRY(add_step(reader, &column[i], ONNX_ROUND, true, 0));
	}
	value->kind = ONNX_COLUMNS;
	value->type = input->type;
	value->column = column;
	value->dims = onnx_dims_of(1, (int64_t) n, 1, 1);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Arithmetic
 * ---------------------------------------------------------------- */

/* Element i of a list that has one for each of n, or one for all. */
static ex_status
check_list(onnx_reader *reader, const char *name, size_t count, size_t n)
{
	if (count == 1 || count == n)
		return EX_OK;
	return onnx_fail(reader, EX_INVALID, "\"%s\" has %zu elements for %zu columns", name, count, n);
}

static ex_status
scale_columns(onnx_reader *reader, const onnx_value *in)
{
	onnx_column *column;
	const double *offset;
	const double *scale;
	size_t		n_offsets;
	size_t		n_scales;
	size_t		n;

	EX_TRY(copy_columns(reader, in, &n, &column));
	EX_TRY(onnx_floats(reader, "offset", &offset, &n_offsets));
	EX_TRY(onnx_floats(reader, "scale", &scale, &n_scales));
	EX_TRY(check_list(reader, "offset", n_offsets, n));
	EX_TRY(check_list(reader, "scale", n_scales, n));
	for (size_t i = 0; i < n; i++)
	{
		if (in->type != ONNX_FLOAT)
			EX_TRY(add_step(reader, &column[i], ONNX_ROUND, true, 0));
		EX_TRY(add_step(reader, &column[i], ONNX_SUBTRACT, true, offset[n_offsets == 1 ? 0 : i]));
		EX_TRY(add_step(reader, &column[i], ONNX_MULTIPLY, true, scale[n_scales == 1 ? 0 : i]));
	}
	set_columns(reader, in, column)->type = ONNX_FLOAT;
	return EX_OK;
}

static bool
find_arithmetic(ex_span operator, bool constant_first, onnx_step_op *op)
{
	if (onnx_is(operator, "Add"))
		*op = ONNX_ADD;
	else if (onnx_is(operator, "Mul"))
		*op = ONNX_MULTIPLY;
	else if (onnx_is(operator, "Sub"))
		*op = constant_first ? ONNX_SUBTRACT_FROM : ONNX_SUBTRACT;
	else if (onnx_is(operator, "Div") && !constant_first)
		*op = ONNX_DIVIDE;
	else
		return false;
	return true;
}

/* A constant with one number for all columns, or one for each. */
static ex_status
calculate_columns(onnx_reader *reader, const onnx_value *in, const onnx_tensor *constant, onnx_step_op op)
{
	onnx_column *column;
	size_t		n;

	EX_TRY(copy_columns(reader, in, &n, &column));
	EX_TRY(check_list(reader, "constant", constant->count, n));
	if (constant->number == NULL || in->type == ONNX_STRING)
		return onnx_fail(reader, EX_INVALID, "strings cannot be calculated with");
	for (size_t i = 0; i < n; i++)
		EX_TRY(add_step(reader, &column[i], op, in->type == ONNX_FLOAT,
						constant->number[constant->count == 1 ? 0 : i]));
	set_columns(reader, in, column);
	return EX_OK;
}

/* Columns and a constant that has as many numbers, or one? */
static bool
is_simple(const onnx_value *columns, const onnx_value *constant)
{
	size_t		n = count_columns(columns);

	return constant->constant->count == 1 ||
		(constant->constant->count == n && columns->dims.n == 1 && constant->dims.n >= 1 &&
		 constant->dims.size[constant->dims.n - 1] == (int64_t) n);
}

static ex_status
arithmetic_node(onnx_reader *reader, bool *known)
{
	const onnx_value *a = onnx_in(reader, 0);
	const onnx_value *b = onnx_in(reader, 1);
	bool		constant_first = a != NULL && a->kind == ONNX_CONSTANT;
	onnx_step_op op;

	*known = a != NULL && b != NULL && find_arithmetic(reader->current->operator, constant_first, &op) &&
		((a->kind == ONNX_COLUMNS && b->kind == ONNX_CONSTANT && is_simple(a, b)) ||
		 (constant_first && b->kind == ONNX_COLUMNS && is_simple(b, a)));
	if (!*known)
		return EX_OK;
	return constant_first ? calculate_columns(reader, b, a->constant, op) :
		calculate_columns(reader, a, b->constant, op);
}

static ex_status
cast_columns(onnx_reader *reader, const onnx_value *in)
{
	onnx_column *column;
	int64_t		to;
	size_t		n;
	bool		real;

	EX_TRY(onnx_integer(reader, "to", ONNX_FLOAT, &to));
	if (to == (int64_t) in->type)
	{
		set_columns(reader, in, in->column);
		return EX_OK;
	}
	real = to == ONNX_FLOAT || to == ONNX_DOUBLE;
	if (in->type == ONNX_STRING || (!real && to != ONNX_INT64 && to != ONNX_INT32))
		return onnx_fail(reader, EX_UNSUPPORTED, "columns of type %d cannot be cast to type %lld", in->type, (long long) to);
	EX_TRY(copy_columns(reader, in, &n, &column));
	for (size_t i = 0; i < n; i++)
	{
		if (to == ONNX_FLOAT)
			EX_TRY(add_step(reader, &column[i], ONNX_ROUND, true, 0));
		if (!real && (in->type == ONNX_FLOAT || in->type == ONNX_DOUBLE))
			EX_TRY(add_step(reader, &column[i], ONNX_TRUNCATE, false, 0));
	}
	set_columns(reader, in, column)->type = (onnx_type) to;
	return EX_OK;
}

static ex_status
binarize_columns(onnx_reader *reader, const onnx_value *in)
{
	onnx_column *column;
	double		threshold;
	size_t		n;

	EX_TRY(onnx_float(reader, "threshold", 0, &threshold));
	EX_TRY(copy_columns(reader, in, &n, &column));
	for (size_t i = 0; i < n; i++)
		EX_TRY(add_step(reader, &column[i], ONNX_ABOVE, false, threshold));
	set_columns(reader, in, column);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Missing values
 * ---------------------------------------------------------------- */

/* Whole numbers have no NaN: their marker of a missing value is a number. */
static ex_status
refuse_marker(onnx_reader *reader, double marker)
{
	(void) onnx_fail(reader, EX_UNSUPPORTED, "missing values are marked by %g, not by NaN", marker);
	ex_hint(reader->host, "Export the imputer for float inputs with NaN as the missing value.");
	return EX_UNSUPPORTED;
}

static ex_status
impute_columns(onnx_reader *reader, const onnx_value *in)
{
	onnx_column *column;
	const double *value;
	const int64_t *integer;
	double		marker;
	size_t		n_values;
	size_t		n_integers;
	size_t		n;

	EX_TRY(onnx_floats(reader, "imputed_value_floats", &value, &n_values));
	EX_TRY(onnx_integers(reader, "imputed_value_int64s", &integer, &n_integers));
	EX_TRY(onnx_float(reader, "replaced_value_float", 0, &marker));
	if (n_values == 0 && n_integers > 0)
		return refuse_marker(reader, 0);
	if (!isnan(marker))
		return refuse_marker(reader, marker);
	EX_TRY(copy_columns(reader, in, &n, &column));
	EX_TRY(check_list(reader, "imputed_value_floats", n_values, n));
	for (size_t i = 0; i < n; i++)
		if (column[i].op == ONNX_VALUE)
			EX_TRY(add_step(reader, &column[i], ONNX_IMPUTE, false, value[n_values == 1 ? 0 : i]));
	set_columns(reader, in, column);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Categories
 * ---------------------------------------------------------------- */

/* What is imputed before a code is asked for; EX_UNSUPPORTED after other steps. */
static ex_status
take_steps(onnx_reader *reader, onnx_column *column)
{
	for (const onnx_step *step = column->step; step != NULL; step = step->before)
	{
		if (step->op == ONNX_IMPUTE)
		{
			column->imputes = true;
			column->impute = step->number;
		}
		else if (step->op != ONNX_ROUND && step->op != ONNX_TRUNCATE)
			return onnx_fail(reader, EX_UNSUPPORTED, "categories of a column that is calculated");
	}
	column->step = NULL;
	return EX_OK;
}

/* The level that a table gives this number. */
static ex_status
level_of_number(onnx_reader *reader, const onnx_table *table, int64_t code, uint32_t *level)
{
	for (uint32_t i = 0; i < table->n; i++)
		if (table->number[i] == (double) code)
		{
			*level = i;
			return EX_OK;
		}
	return onnx_fail(reader, EX_UNSUPPORTED, "no label has the number %lld", (long long) code);
}

typedef struct categories
{
	const int64_t *code;
	const ex_span *name;
	size_t		n;
} categories;

/* Category i of a column that is not encoded yet. */
static ex_status
make_dummy(onnx_reader *reader, const categories *of, size_t i, onnx_column *column)
{
	onnx_feature *feature = &reader->feature[column->feature];

	if (column->op != ONNX_VALUE)
		return onnx_fail(reader, EX_UNSUPPORTED, "a column is encoded twice");
	if ((feature->type == ONNX_STRING && column->table == NULL) != (of->name != NULL))
		return onnx_fail(reader, EX_UNSUPPORTED, "categories and column are not of the same type");
	EX_TRY(take_steps(reader, column));
	if (of->name != NULL)
	{
		column->op = ONNX_IS_LEVEL;
		return onnx_level(reader, column->feature, of->name[i], &column->level);
	}
	if (column->table != NULL)
	{
		column->op = ONNX_IS_LEVEL;
		EX_TRY(level_of_number(reader, column->table, of->code[i], &column->level));
		column->table = NULL;
		return EX_OK;
	}
	column->op = ONNX_IS_CODE;
	column->code = of->code[i];
	return EX_OK;
}

static ex_status
read_categories(onnx_reader *reader, categories *of)
{
	size_t		n_names;

	EX_TRY(onnx_integers(reader, "cats_int64s", &of->code, &of->n));
	EX_TRY(onnx_texts(reader, "cats_strings", &of->name, &n_names));
	if (n_names > 0)
		of->n = n_names;
	else
		of->name = NULL;
	if (of->n == 0)
		return onnx_fail(reader, EX_INVALID, "it has no categories");
	for (size_t i = 0; i < of->n && n_names == 0; i++)
		if (llabs(of->code[i]) > INT64_C(1) << 24)
			return onnx_fail(reader, EX_UNSUPPORTED, "category %lld is too large", (long long) of->code[i]);
	return EX_OK;
}

static ex_status
one_hot_columns(onnx_reader *reader, const onnx_value *in)
{
	categories	cats;
	onnx_value *out;
	onnx_column *column;
	int64_t		zeros;
	size_t		n = count_columns(in);

	EX_TRY(read_categories(reader, &cats));
	EX_TRY(onnx_integer(reader, "zeros", 1, &zeros));
	if (in->dims.n >= ONNX_MAX_DIMS - 1 || cats.n > EX_MAX_FEATURES)
		return onnx_fail(reader, EX_LIMIT, "too many categories or dimensions");
	EX_TRY(new_columns(reader, n * cats.n, &column));
	for (size_t i = 0; i < n; i++)
	{
		reader->feature[in->column[i].feature].strict |= zeros == 0;
		for (size_t j = 0; j < cats.n; j++)
		{
			column[i * cats.n + j] = in->column[i];
			EX_TRY(make_dummy(reader, &cats, j, &column[i * cats.n + j]));
		}
	}
	out = onnx_set(reader, in);
	out->type = ONNX_FLOAT;
	out->column = column;
	out->dims.size[out->dims.n++] = (int64_t) cats.n;
	return EX_OK;
}

/* Numbers of labels, as float or integer. */
static ex_status
read_labels(onnx_reader *reader, const ex_span **key, const double **value, size_t *n, double *other, bool *real)
{
	const int64_t *integer;
	double	   *number;
	int64_t		default_integer;
	size_t		n_values;

	EX_TRY(onnx_texts(reader, "keys_strings", key, n));
	EX_TRY(onnx_floats(reader, "values_floats", value, &n_values));
	EX_TRY(onnx_float(reader, "default_float", -0.0, other));
	*real = n_values > 0;
	if (!*real)
	{
		EX_TRY(onnx_integers(reader, "values_int64s", &integer, &n_values));
		EX_TRY(onnx_integer(reader, "default_int64", -1, &default_integer));
		EX_TRY(EX_ALLOC(reader->host, n_values, &number));
		for (size_t i = 0; i < n_values; i++)
			number[i] = (double) integer[i];
		*value = number;
		*other = (double) default_integer;
	}
	if (*n == 0 || *n != n_values)
		return onnx_fail(reader, EX_UNSUPPORTED, "only strings can be encoded as numbers (keys_strings, and values_int64s or values_floats)");
	return EX_OK;
}

/* The table of one feature: levels that have no number yet get the default. */
static ex_status
make_table(onnx_reader *reader, uint32_t feature, const ex_span *key, const double *value, size_t n,
		   double other, const onnx_table **out)
{
	onnx_table *table;
	double	   *number;

	EX_TRY(EX_ALLOC(reader->host, 1, &table));
	EX_TRY(EX_ALLOC(reader->host, n + reader->feature[feature].levels.size / sizeof(ex_span), &number));
	*table = (onnx_table) {.number = number, .other = other};
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	level;

		EX_TRY(onnx_level(reader, feature, key[i], &level));
		while (table->n <= level)
			number[table->n++] = other;
		number[level] = value[i];
	}
	*out = table;
	return EX_OK;
}

static ex_status
label_columns(onnx_reader *reader, const onnx_value *in)
{
	onnx_column *column;
	const ex_span *key;
	const double *value;
	double		other;
	bool		real;
	size_t		n_labels;
	size_t		n;

	EX_TRY(read_labels(reader, &key, &value, &n_labels, &other, &real));
	EX_TRY(copy_columns(reader, in, &n, &column));
	for (size_t i = 0; i < n; i++)
	{
		if (reader->feature[column[i].feature].type != ONNX_STRING || column[i].op != ONNX_VALUE || column[i].table != NULL)
			return onnx_fail(reader, EX_UNSUPPORTED, "a column of numbers is encoded");
		EX_TRY(make_table(reader, column[i].feature, key, value, n_labels, other, &column[i].table));
	}
	set_columns(reader, in, column)->type = real ? ONNX_FLOAT : ONNX_INT64;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Choosing and joining
 * ---------------------------------------------------------------- */

/* Columns of a vector by number; negative ones count from the end. */
static ex_status
pick_columns(onnx_reader *reader, const onnx_value *in, const double *index, size_t n)
{
	size_t		n_columns = count_columns(in);
	onnx_column *column;

	EX_TRY(new_columns(reader, n, &column));
	for (size_t i = 0; i < n; i++)
	{
		double		wanted = index[i] < 0 ? index[i] + (double) n_columns : index[i];

		if (!(wanted >= 0 && wanted < (double) n_columns))
			return onnx_fail(reader, EX_INVALID, "column %.0f is out of range: there are %zu", index[i], n_columns);
		column[i] = in->column[(size_t) wanted];
	}
	set_vector(reader, in, column, n);
	return EX_OK;
}

/* Rows are the axis before the last: of vectors, columns are axis 1. */
static ex_status
expect_vector(onnx_reader *reader, const onnx_value *in, int64_t axis)
{
	if (in->dims.n == 1 && (axis == 1 || axis == -1))
		return EX_OK;
	return onnx_fail(reader, EX_UNSUPPORTED, "columns can be chosen along axis 1 of a matrix only");
}

static ex_status
gather_columns(onnx_reader *reader, const onnx_value *in, int64_t axis)
{
	const onnx_tensor *index;

	EX_TRY(onnx_need_constant(reader, 1, &index));
	EX_TRY(expect_vector(reader, in, axis));
	if (index->number == NULL)
		return onnx_fail(reader, EX_INVALID, "the indices are no numbers");
	return pick_columns(reader, in, index->number, index->count);
}

static ex_status
slice_columns(onnx_reader *reader, const onnx_value *in)
{
	const int64_t *argument[4];
	size_t		count[4];
	int64_t		n = (int64_t) count_columns(in);
	int64_t		bound[2];
	onnx_column *column;

	EX_TRY(onnx_int_argument(reader, 1, "starts", &argument[0], &count[0]));
	EX_TRY(onnx_int_argument(reader, 2, "ends", &argument[1], &count[1]));
	EX_TRY(onnx_int_argument(reader, 3, "axes", &argument[2], &count[2]));
	EX_TRY(onnx_int_argument(reader, 4, NULL, &argument[3], &count[3]));
	if (count[0] != 1 || count[1] != 1 || count[2] != 1 || (count[3] == 1 && argument[3][0] != 1))
		return onnx_fail(reader, EX_UNSUPPORTED, "columns can be sliced along one axis, with step 1");
	EX_TRY(expect_vector(reader, in, argument[2][0]));
	for (int i = 0; i < 2; i++)
	{
		bound[i] = argument[i][0] < 0 ? argument[i][0] + n : argument[i][0];
		bound[i] = bound[i] < 0 ? 0 : bound[i] > n ? n : bound[i];
	}
	if (bound[1] <= bound[0])
		return onnx_fail(reader, EX_INVALID, "no columns remain");
	EX_TRY(new_columns(reader, (size_t) (bound[1] - bound[0]), &column));
	memcpy(column, in->column + bound[0], (size_t) (bound[1] - bound[0]) * sizeof(onnx_column));
	set_vector(reader, in, column, (size_t) (bound[1] - bound[0]));
	return EX_OK;
}

/* All inputs one after the other. */
static ex_status
join_columns(onnx_reader *reader, const onnx_dims *dims)
{
	const onnx_value *first = onnx_in(reader, 0);
	onnx_value *out;
	onnx_column *column;
	size_t		n = 0;
	size_t		used = 0;

	for (uint32_t i = 0; i < reader->current->n_inputs; i++)
		n += count_columns(onnx_in(reader, i));
	EX_TRY(new_columns(reader, n, &column));
	for (uint32_t i = 0; i < reader->current->n_inputs; i++)
	{
		const onnx_value *in = onnx_in(reader, i);
		size_t		count = count_columns(in);

		if (count > 0)
			memcpy(column + used, in->column, count * sizeof(onnx_column));
		used += count;
	}
	out = onnx_set(reader, first);
	out->column = column;
	if (dims != NULL)
		out->dims = *dims;
	else
		out->dims = onnx_dims_of(1, (int64_t) n, 1, 1);
	return EX_OK;
}

/* Columns stay together only if all axes before the one have one element. */
static ex_status
concat_columns(onnx_reader *reader)
{
	onnx_dims	dims = onnx_in(reader, 0)->dims;
	int64_t		axis;
	uint32_t	at;

	EX_TRY(onnx_integer(reader, "axis", 1, &axis));
	EX_TRY(onnx_axis(reader, axis, dims.n + 1, &at));
	if (at == 0)
		return onnx_fail(reader, EX_UNSUPPORTED, "rows cannot be concatenated");
	for (uint32_t i = 0; i < dims.n; i++)
	{
		int64_t		total = 0;

		for (uint32_t j = 0; j < reader->current->n_inputs; j++)
		{
			const onnx_dims *part = &onnx_in(reader, j)->dims;

			if (part->n != dims.n || (i + 1 != at && part->size[i] != dims.size[i]))
				return onnx_fail(reader, EX_INVALID, "dimensions of the inputs do not fit together");
			total += part->size[i];
		}
		if (i + 1 < at && dims.size[i] != 1)
			return onnx_fail(reader, EX_UNSUPPORTED, "columns can be concatenated along axis 1 of a matrix only");
		if (i + 1 == at)
			dims.size[i] = total;
	}
	return join_columns(reader, &dims);
}

static bool
all_columns(const onnx_reader *reader)
{
	for (uint32_t i = 0; i < reader->current->n_inputs; i++)
		if (onnx_in(reader, i) == NULL || onnx_in(reader, i)->kind != ONNX_COLUMNS)
			return false;
	return reader->current->n_inputs > 0;
}

/* ----------------------------------------------------------------
 * The operators
 * ---------------------------------------------------------------- */

static ex_status
reshape_columns(onnx_reader *reader, const onnx_value *in)
{
	onnx_dims	with_batch = onnx_with_batch(in);
	onnx_dims	dims;
	onnx_value *out;

	EX_TRY(onnx_reshaped(reader, &with_batch, &dims));
	out = onnx_set(reader, in);
	return onnx_without_batch(reader, &dims, &out->dims);
}

static ex_status
refuse_normalizer(onnx_reader *reader)
{
	(void) onnx_fail(reader, EX_UNSUPPORTED, "a row is normalised, which mixes its features");
	ex_hint(reader->host, "Normalise the rows in SQL and export the model without this step.");
	return EX_UNSUPPORTED;
}

static ex_status
first_is_columns(onnx_reader *reader, bool *known)
{
	ex_span		operator = reader->current->operator;
	const onnx_value *in = onnx_in(reader, 0);
	int64_t		axis = -1;

	if (onnx_is(operator, "Identity") || onnx_is(operator, "Dropout"))
		return onnx_set(reader, in), EX_OK;
	if (onnx_is(operator, "Reshape") || onnx_is(operator, "Flatten") ||
		onnx_is(operator, "Squeeze") || onnx_is(operator, "Unsqueeze"))
		return reshape_columns(reader, in);
	if (onnx_is(operator, "Cast"))
		return cast_columns(reader, in);
	if (onnx_is(operator, "Scaler"))
		return scale_columns(reader, in);
	if (onnx_is(operator, "Imputer"))
		return impute_columns(reader, in);
	if (onnx_is(operator, "Binarizer"))
		return binarize_columns(reader, in);
	if (onnx_is(operator, "OneHotEncoder"))
		return one_hot_columns(reader, in);
	if (onnx_is(operator, "LabelEncoder"))
		return label_columns(reader, in);
	if (onnx_is(operator, "Normalizer"))
		return refuse_normalizer(reader);
	if (onnx_is(operator, "ArrayFeatureExtractor"))
		return gather_columns(reader, in, -1);
	if (onnx_is(operator, "Slice"))
		return slice_columns(reader, in);
	if (onnx_is(operator, "Gather"))
	{
		EX_TRY(onnx_integer(reader, "axis", 0, &axis));
		return gather_columns(reader, in, axis);
	}
	*known = false;
	return EX_OK;
}

ex_status
onnx_column_node(onnx_reader *reader, bool *known)
{
	ex_span		operator = reader->current->operator;

	EX_TRY(arithmetic_node(reader, known));
	if (*known)
		return EX_OK;
	*known = true;
	if (all_columns(reader) && onnx_is(operator, "Concat"))
		return concat_columns(reader);
	if (all_columns(reader) && onnx_is(operator, "FeatureVectorizer"))
		return join_columns(reader, NULL);
	if (onnx_in(reader, 0) != NULL && onnx_in(reader, 0)->kind == ONNX_COLUMNS)
		return first_is_columns(reader, known);
	*known = false;
	return EX_OK;
}
