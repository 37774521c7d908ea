/*
 * similarity.c
 *		How alike two models predict: weighted cross-products of two columns.
 */
#include "similarity.h"

void
ex_similarity_init(ex_similarity *state)
{
	int			i;

	memset(state, 0, sizeof(*state));
	state->version = EX_SIMILARITY_VERSION;
	for (i = 0; i < EX_SIMILARITY_SUMS; i++)
		ex_exact_init(&state->sum[i]);
}

static ex_status
ex_similarity_check_value(ex_host *host, const char *name, double value)
{
	if (isfinite(value))
		return EX_OK;
	(void) ex_fail(host, EX_RANGE, "%s must be finite, not %s", name,
				   isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
	ex_hint(host, "Leave such rows out with FILTER (WHERE ...), or make the value NULL.");
	return EX_RANGE;
}

ex_status
ex_similarity_check(ex_host *host, const ex_similarity *state, double f1, double f2, double weight)
{
	EX_TRY(ex_similarity_check_value(host, "f1", f1));
	EX_TRY(ex_similarity_check_value(host, "f2", f2));
	EX_TRY(ex_similarity_check_value(host, "weight", weight));
	if (weight < 0)
		return ex_fail(host, EX_INVALID, "weight must not be negative");
	if (state->n >= EX_EXACT_MAX_TERMS)
		return ex_fail(host, EX_LIMIT, "similarity of more than %llu rows",
					   (unsigned long long) EX_EXACT_MAX_TERMS);
	return EX_OK;
}

void
ex_similarity_add(ex_similarity *state, double f1, double f2)
{
	ex_exact_sum *sum = state->sum;
	ex_parts	one = ex_parts_of(1);
	ex_parts	a = ex_parts_of(f1);
	ex_parts	b = ex_parts_of(f2);
	ex_parts	aa = ex_parts_multiply(a, a);
	ex_parts	bb = ex_parts_multiply(b, b);
	ex_parts	ab = ex_parts_multiply(a, b);

	state->n++;
	ex_exact_add_parts(&sum[EX_SIMILARITY_W], &one);
	ex_exact_add_parts(&sum[EX_SIMILARITY_F1], &a);
	ex_exact_add_parts(&sum[EX_SIMILARITY_F2], &b);
	ex_exact_add_parts(&sum[EX_SIMILARITY_F1F1], &aa);
	ex_exact_add_parts(&sum[EX_SIMILARITY_F2F2], &bb);
	ex_exact_add_parts(&sum[EX_SIMILARITY_F1F2], &ab);
}

static void
ex_similarity_add_product(ex_exact_sum *sum, ex_parts term, ex_parts weight)
{
	term = ex_parts_multiply(term, weight);
	ex_exact_add_parts(sum, &term);
}

void
ex_similarity_add_weighted(ex_similarity *state, double f1, double f2, double weight)
{
	ex_exact_sum *sum = state->sum;
	ex_parts	w = ex_parts_of(weight);
	ex_parts	a = ex_parts_of(f1);
	ex_parts	b = ex_parts_of(f2);

	state->n++;
	ex_exact_add_parts(&sum[EX_SIMILARITY_W], &w);
	ex_similarity_add_product(&sum[EX_SIMILARITY_F1], a, w);
	ex_similarity_add_product(&sum[EX_SIMILARITY_F2], b, w);
	ex_similarity_add_product(&sum[EX_SIMILARITY_F1F1], ex_parts_multiply(a, a), w);
	ex_similarity_add_product(&sum[EX_SIMILARITY_F2F2], ex_parts_multiply(b, b), w);
	ex_similarity_add_product(&sum[EX_SIMILARITY_F1F2], ex_parts_multiply(a, b), w);
}

ex_status
ex_similarity_merge(ex_host *host, ex_similarity *total, const ex_similarity *other)
{
	int			i;

	if (other->n > EX_EXACT_MAX_TERMS - total->n)
		return ex_fail(host, EX_LIMIT, "similarity of more than %llu rows",
					   (unsigned long long) EX_EXACT_MAX_TERMS);
	total->n += other->n;
	for (i = 0; i < EX_SIMILARITY_SUMS; i++)
		ex_exact_merge(&total->sum[i], &other->sum[i]);
	return EX_OK;
}

/*
 * sqrt(a * b) rather than sqrt(a) * sqrt(b): of a model with itself it is a to
 * 106 bits, so that the quotient is exactly 1.
 */
double
ex_similarity_cosine(const ex_similarity *state)
{
	ex_wide		square1 = ex_exact_value(&state->sum[EX_SIMILARITY_F1F1]);
	ex_wide		square2 = ex_exact_value(&state->sum[EX_SIMILARITY_F2F2]);
	ex_wide		product = ex_exact_value(&state->sum[EX_SIMILARITY_F1F2]);
	double		cosine;

	/* negative: only in a state that somebody made up */
	if (square1.value.hi <= 0 || square2.value.hi <= 0)
		return NAN;
	cosine = ex_wide_to_double(ex_wide_divide(product, ex_wide_sqrt(ex_wide_multiply(square1, square2))));
	return cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
}

ex_status
ex_similarity_validate(ex_host *host, const ex_similarity *state, size_t size)
{
	int			i;

	if (size != sizeof(*state) || state->version != EX_SIMILARITY_VERSION)
		return ex_fail(host, EX_CORRUPT, "invalid state of model_similarity");
	for (i = 0; i < EX_SIMILARITY_SUMS; i++)
	{
		if (!ex_exact_valid(&state->sum[i], state->n))
			return ex_fail(host, EX_CORRUPT, "invalid state of model_similarity");
	}
	return EX_OK;
}

ex_status
ex_similarity_code(ex_codec *codec, ex_similarity *state)
{
	int			i;

	if (codec->reading)
		ex_similarity_init(state);
	EX_TRY(ex_code_header(codec, "similarity", EX_SIMILARITY_VERSION));
	EX_TRY(ex_code_u64(codec, "row count", &state->n, EX_EXACT_MAX_TERMS));
	for (i = 0; i < EX_SIMILARITY_SUMS; i++)
		EX_TRY(ex_code_sum(codec, "sum", &state->sum[i], state->n));
	return ex_code_end(codec);
}
