/*
 * linear_fold.c
 *		Folding preprocessing into a linear model.
 *
 * A column g(z) of the encoded model over z = (op(x) - center) / scale is, for
 * a given x, a constant plus multiples of columns of x:
 *
 *		op value:		g affine in x, or the dummy of an interval of x
 *		op level, bin:	g(z0) + (g(z1) - g(z0)) * dummy
 *		op bin number:	g(z0) + sum over bins of (g(zi) - g(z0)) * dummy
 *		op missing:		g(z0) + (g(z1) - g(z0)) * indicator
 *
 * So folded coefficients are a linear map J of the encoded ones, which also
 * carries their covariance: J V J'.  Standard errors without a covariance
 * survive where a folded coefficient comes from a single encoded one.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linear_internal.h"
#include "sum.h"

#define INTERCEPT UINT32_MAX	/* "feature" of pieces that add to the
								 * intercept; sorts last */

/* An entry of J: coefficient of `column` += factor / divisor * coefficient of `source`. */
typedef struct piece
{
	ex_column	column;
	uint32_t	source;			/* column of the encoded model; n_columns: its
								 * intercept */
	double		factor;
	double		divisor;
} piece;

typedef struct folding
{
	ex_host    *host;
	const ex_builder *builder;
	ex_linear_view view;		/* the encoded model */
	ex_buffer	pieces;
	uint32_t	source;			/* the column being folded */
	const ex_encoded_column *input; /* what it is a function of */
	ex_column	outer;			/* g */
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

static ex_status
add_piece(folding *fold, const ex_column *column, double factor, double divisor)
{
	piece piece = {*column, fold->source, factor, divisor};

	if (factor == 0)
		return EX_OK;
	return ex_append(fold->host, &fold->pieces, &piece, sizeof(piece));
}

static ex_status
add_constant(folding *fold, double factor, double divisor)
{
	const ex_column intercept = {.feature = INTERCEPT};

	return add_piece(fold, &intercept, factor, divisor);
}

/* A multiple of a column; for missing values it counts as if the input imputed, or as 0. */
static ex_status
add_column(folding *fold, ex_column column, double factor, double divisor)
{
	column.feature = fold->input->feature;
	column.missing = NAN;
	if (policy_of(fold, column.feature) == EX_MISSING_NATIVE)
		column.missing = fold->input->imputes ? ex_column_value(&column, fold->input->impute) : 0;
	return add_piece(fold, &column, factor, divisor);
}

/* What is added where the feature is missing. */
static ex_status
add_for_missing(folding *fold, double factor, double divisor)
{
	ex_column	indicator = {.feature = fold->input->feature, .kind = EX_COLUMN_ISNULL, .missing = 1};

	if (policy_of(fold, indicator.feature) != EX_MISSING_NATIVE)
		return EX_OK;
	return add_piece(fold, &indicator, factor, divisor);
}

/* g of the encoded number that op(x) = value becomes */
static double
outer_value(const folding *fold, double value)
{
	return ex_column_value(&fold->outer, (value - fold->input->center) / fold->input->scale);
}

/*
 * A missing feature that is neither imputed nor tested makes z itself missing:
 * g then has its own value for that.  What the columns of x say instead is
 * `constant`; the difference goes to the indicator.
 */
static ex_status
add_missing_encoded(folding *fold, double constant, double divisor)
{
	if (fold->input->imputes)
		return EX_OK;
	EX_TRY(add_for_missing(fold, fold->outer.missing, 1));
	return add_for_missing(fold, -constant, divisor);
}

/*
 * Operations.
 */

/* Largest double below x. */
static double
below(double x)
{
	return nextafter(x, -INFINITY);
}

void
ex_fold_interval(const ex_encoded_column *input, ex_column *bin)
{
	double		low = bin->low;
	double		high = bin->high;

	if (input->scale > 0)
	{
		bin->low = ex_fold_affine(low, input->center, input->scale);
		bin->high = ex_fold_affine(high, input->center, input->scale);
	}
	else
	{
		/* -high <= (x - center) / |scale| < -low */
		bin->low = ex_fold_affine(below(-high), input->center, -input->scale);
		bin->high = ex_fold_affine(below(-low), input->center, -input->scale);
	}
}

/* A boolean has two values, so any function of it is affine. */
static ex_status
fold_boolean(folding *fold)
{
	double		at_false = outer_value(fold, 0);
	const ex_column value = {.kind = EX_COLUMN_VALUE};

	EX_TRY(add_constant(fold, at_false, 1));
	EX_TRY(add_column(fold, value, outer_value(fold, 1) - at_false, 1));
	return add_missing_encoded(fold, at_false, 1);
}

static ex_status
fold_affine_value(folding *fold)
{
	const ex_column value = {.kind = EX_COLUMN_VALUE};

	EX_TRY(add_constant(fold, -fold->input->center, fold->input->scale));
	EX_TRY(add_column(fold, value, 1, fold->input->scale));
	return add_missing_encoded(fold, -fold->input->center, fold->input->scale);
}

static ex_status
fold_bin(folding *fold)
{
	ex_column	bin = fold->outer;

	ex_fold_interval(fold->input, &bin);
	if (bin.low < bin.high)
		EX_TRY(add_column(fold, bin, 1, 1));
	return add_missing_encoded(fold, 0, 1);
}

/* A categorical feature passes through as it is: levels must be the same. */
static ex_status
fold_level(folding *fold)
{
	const uint32_t *levels = (const uint32_t *) fold->builder->section[EX_FEATURE_LEVELS].data;
	const uint32_t *encoded_levels = ex_get(fold->view.model, EX_FEATURE_LEVELS, NULL);
	uint32_t	f = fold->input->feature;
	ex_column	level = {.kind = EX_COLUMN_LEVEL_IS, .level = fold->outer.level};

	if (levels[f] != encoded_levels[fold->outer.feature])
		return ex_fail(fold->host, EX_INVALID,
					   "input %u has %u levels, but feature %u of the model has %u",
					   fold->outer.feature + 1, levels[f], fold->outer.feature + 1,
					   encoded_levels[fold->outer.feature]);
	EX_TRY(add_column(fold, level, 1, 1));
	return add_missing_encoded(fold, 0, 1);
}

static ex_status
fold_value(folding *fold)
{
	uint32_t	f = fold->input->feature;
	bool		categorical = kind_of(fold, f) == EX_CATEGORICAL;

	if (categorical != (fold->outer.kind == EX_COLUMN_LEVEL_IS) && fold->outer.kind != EX_COLUMN_ISNULL)
	{
		ex_fail(fold->host, EX_INVALID, categorical ? "input %u is categorical, but the model takes it as a number"
				: "input %u is a number, but the model takes it as categorical", fold->outer.feature + 1);
		ex_hint(fold->host, "Give one input with \"level\" for each level.");
		return EX_INVALID;
	}
	if (fold->outer.kind == EX_COLUMN_ISNULL)
		return add_missing_encoded(fold, 0, 1);
	if (kind_of(fold, f) == EX_BOOLEAN)
		return fold_boolean(fold);
	switch (fold->outer.kind)
	{
		case EX_COLUMN_VALUE:
			return fold_affine_value(fold);
		case EX_COLUMN_BIN:
			return fold_bin(fold);
		default:
			return fold_level(fold);
	}
}

/* op is 0 or 1 */
static ex_status
fold_dummy(folding *fold, ex_column dummy)
{
	double		absent = outer_value(fold, 0);

	EX_TRY(add_constant(fold, absent, 1));
	EX_TRY(add_column(fold, dummy, outer_value(fold, 1) - absent, 1));

	/* a missing feature is in no level, but its bin is unknown */
	return dummy.kind == EX_COLUMN_BIN ? add_missing_encoded(fold, absent, 1) : EX_OK;
}

static ex_status
fold_bin_number(folding *fold)
{
	const ex_encoded_column *input = fold->input;
	double		first = outer_value(fold, 0);

	EX_TRY(add_constant(fold, first, 1));
	for (uint32_t i = 0; i < input->n_edges; i++)
	{
		const ex_column bin = {
			.kind = EX_COLUMN_BIN,
			.low = input->edges[i],
			.high = i + 1 < input->n_edges ? input->edges[i + 1] : INFINITY
		};

		EX_TRY(add_column(fold, bin, outer_value(fold, i + 1) - first, 1));
	}
	return add_missing_encoded(fold, first, 1);
}

static ex_status
fold_indicator(folding *fold)
{
	double		present = outer_value(fold, 0);

	EX_TRY(add_constant(fold, present, 1));
	return add_for_missing(fold, outer_value(fold, 1) - present, 1);
}

static ex_status
fold_column(folding *fold, const ex_encoding *encoding, uint32_t c)
{
	fold->source = c;
	ex_linear_get_column(&fold->view, c, &fold->outer);
	fold->input = &encoding->column[fold->outer.feature];
	switch (fold->input->op)
	{
		case EX_ENCODE_LEVEL:
			return fold_dummy(fold, (ex_column) {.kind = EX_COLUMN_LEVEL_IS, .level = fold->input->level});
		case EX_ENCODE_BIN:
			return fold_dummy(fold, (ex_column) {.kind = EX_COLUMN_BIN,
													  .low = fold->input->low, .high = fold->input->high});
		case EX_ENCODE_BIN_NUMBER:
			return fold_bin_number(fold);
		case EX_ENCODE_MISSING:
			return fold_indicator(fold);
		default:
			return fold_value(fold);
	}
}

/*
 * Merging.
 */

static int
compare_pieces(const void *a, const void *b)
{
	const piece *left = a;
	const piece *right = b;
	int			order = ex_column_compare(&left->column, &right->column);

	if (order != 0)
		return order;
	return left->source < right->source ? -1 : left->source > right->source;
}

static piece *
sort_pieces(folding *fold, size_t *n)
{
	*n = fold->pieces.size / sizeof(piece);
	if (*n > 0)
		qsort(fold->pieces.data, *n, sizeof(piece), compare_pieces);
	return (piece *) fold->pieces.data;
}

/* The end of the run of pieces that feed one column. */
static size_t
end_of_run(const piece *piece, size_t n, size_t start)
{
	size_t		end = start + 1;

	while (end < n && ex_column_compare(&piece[start].column, &piece[end].column) == 0)
		end++;
	return end;
}

/*
 * Pieces of one column may disagree on its value for missing features (two
 * imputed values, say): then the column is 0 there and the indicator carries
 * each piece's share.
 */
static ex_status
settle_missing(folding *fold)
{
	size_t		n;
	piece	   *piece = sort_pieces(fold, &n);

	for (size_t start = 0, end; start < n; start = end)
	{
		bool		agree = true;

		end = end_of_run(piece, n, start);
		for (size_t i = start + 1; i < end; i++)
			agree &= !(piece[i].column.missing != piece[start].column.missing) ||
				isnan(piece[i].column.missing);
		for (size_t i = start; i < end && !agree; i++)
		{
			struct piece share = piece[i];

			share.factor *= share.column.missing;
			share.column = (ex_column) {.feature = share.column.feature, .kind = EX_COLUMN_ISNULL, .missing = 1};
			piece[		i].column.missing = 0;

			if (share.factor == 0)
				continue;
			EX_TRY(ex_append(fold->host, &fold->pieces, &share, sizeof(share)));
			piece = (struct piece *) fold->pieces.data;
		}
	}
	return EX_OK;
}

/*
 * J in rows: the pieces first[t] .. first[t + 1] - 1 make target t; the last
 * target is the intercept.
 */
typedef struct map
{
	const piece *piece;
	size_t	   *first;
	size_t		n_targets;
	ex_column  *column;			/* of all targets but the last */
} map;

static ex_status
make_map(folding *fold, map *map)
{
	piece		own = {.column = {.feature = INTERCEPT}, .source = fold->view.n_columns, .factor = 1, .divisor = 1};
	const piece *piece;
	size_t		n;

	EX_TRY(ex_append(fold->host, &fold->pieces, &own, sizeof(own)));
	piece = sort_pieces(fold, &n);

	EX_TRY(EX_ALLOC(fold->host, n + 1, &map->first));
	EX_TRY(EX_ALLOC(fold->host, n, &map->column));
	map		  ->piece = piece;
	map		  ->n_targets = 0;

	for (size_t start = 0; start < n; start = end_of_run(piece, n, start))
	{
		map		  ->column[map->n_targets] = piece[start].column;
		map		  ->first[map->n_targets++] = start;
	}
	map		  ->first[map->n_targets] = n;

	return EX_OK;
}

static double
source_value(const ex_linear_view *view, uint32_t output, uint32_t source)
{
	if (source == view->n_columns)
		return view->intercept[output];
	return view->coefficient[(size_t) output * view->n_columns + source];
}

static double
target_value(const ex_linear_view *view, const map *map, uint32_t output, size_t t)
{
	ex_sum		sum = {0, 0};

	if (map->first[t + 1] == map->first[t] + 1)
	{
		const piece *only = &map->piece[map->first[t]];

		return source_value(view, output, only->source) * only->factor / only->divisor;
	}
	for (size_t i = map->first[t]; i < map->first[t + 1]; i++)
		ex_sum_add(&sum, source_value(view, output, map->piece[i].source) *
				   map->piece[i].factor / map->piece[i].divisor);
	return ex_sum_total(&sum);
}

/* Exact for a target with a single piece; the others are not known without covariances. */
static double
target_error(const ex_linear_view *view, const map *map, uint32_t output, size_t t)
{
	const piece *only = &map->piece[map->first[t]];

	if (map->first[t + 1] != map->first[t] + 1)
		return NAN;
	return view->standard_error[(size_t) output * (view->n_columns + 1) + only->source] *
		fabs(only->factor / only->divisor);
}

/* Row a of the encoded covariance, multiplied by row t of J. */
static double
project(const map *map, size_t t, const double *row)
{
	ex_sum		sum = {0, 0};

	for (size_t i = map->first[t]; i < map->first[t + 1]; i++)
		ex_sum_add(&sum, row[map->piece[i].source] * map->piece[i].factor / map->piece[i].divisor);
	return ex_sum_total(&sum);
}

/* J V J', computed for one triangle and mirrored, so that it stays symmetric. */
static ex_status
fold_covariance(folding *fold, const map *map, double **covariance)
{
	const ex_linear_view *view = &fold->view;
	size_t		sources = view->n_columns + 1;
	size_t		targets = map->n_targets;
	size_t		from = view->n_outputs * sources;
	size_t		to = view->n_outputs * targets;
	double	   *row;			/* one row of J V, in the encoded order */

	EX_TRY(EX_ALLOC(fold->host, to * to, covariance));
	EX_TRY(EX_ALLOC(fold->host, from, &row));
	for (size_t i = 0; i < to; i++)
	{
		size_t		output = i / targets;

		EX_TRY(ex_poll(fold->host));
		for (size_t b = 0; b < from; b++)
			row[b] = project(map, i % targets, view->covariance + b * from + output * sources);
		for (size_t j = i; j < to; j++)
			(*covariance)[i * to + j] = (*covariance)[j * to + i] =
				project(map, j % targets, row + j / targets * sources);
	}
	return EX_OK;
}

static ex_status
fold_errors(folding *fold, const map *map, const double *covariance, double **error)
{
	size_t		targets = map->n_targets;
	size_t		side = fold->view.n_outputs * targets;

	EX_TRY(EX_ALLOC(fold->host, side, error));
	for (size_t i = 0; i < side; i++)
	{
		(*error)[i] = target_error(&fold->view, map, (uint32_t) (i / targets), i % targets);
		if (isnan((*error)[i]) && covariance != NULL)
			(*error)[i] = sqrt(covariance[i * side + i]);
	}
	return EX_OK;
}

static ex_status
put_folded(folding *fold, const map *map, ex_builder *builder)
{
	const ex_linear_view *view = &fold->view;
	size_t		n = map->n_targets - 1;
	double	   *coefficient;
	double	   *intercept;
	double	   *error = NULL;
	double	   *covariance = NULL;
	ex_linear_design design;

	EX_TRY(EX_ALLOC(fold->host, view->n_outputs * n, &coefficient));
	EX_TRY(EX_ALLOC(fold->host, view->n_outputs, &intercept));
	for (uint32_t k = 0; k < view->n_outputs; k++)
	{
		for (size_t t = 0; t < n; t++)
			coefficient[k * n + t] = target_value(view, map, k, t);
		intercept[k] = target_value(view, map, k, n);
	}
	if (view->covariance != NULL)
		EX_TRY(fold_covariance(fold, map, &covariance));
	if (view->standard_error != NULL)
		EX_TRY(fold_errors(fold, map, covariance, &error));
	design = (ex_linear_design) {n, map->column, coefficient, intercept, error, covariance};
	return ex_linear_put(builder, &design);
}

ex_status
ex_linear_fold(ex_host *host, const ex_model *encoded, const ex_encoding *encoding, ex_builder *builder)
{
	folding		fold = {.host = host, .builder = builder};
	map map;

	ex_linear_open(encoded, &fold.view);
	for (uint32_t c = 0; c < fold.view.n_columns; c++)
	{
		EX_TRY(ex_poll(host));
		EX_TRY(fold_column(&fold, encoding, c));
	}
	EX_TRY(settle_missing(&fold));
	EX_TRY(make_map(&fold, &map));
	return put_folded(&fold, &map, builder);
}
