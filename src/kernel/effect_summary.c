/*
 * effect_summary.c
 *		Sums of marginal effects and their derivatives over rows.
 */
#include "effect_summary.h"

static size_t
n_sums(const ex_effect_summary *summary)
{
	return (size_t) summary->n_effects * summary->n_columns;
}

size_t
ex_effect_summary_size(uint32_t n_effects, uint32_t n_columns)
{
	return offsetof(ex_effect_summary, count) + n_effects * sizeof(uint64_t) +
		(size_t) n_effects * n_columns * sizeof(ex_exact_sum);
}

void
ex_effect_summary_init(ex_effect_summary *summary, uint32_t n_effects, uint32_t n_columns)
{
	memset(summary, 0, ex_effect_summary_size(n_effects, n_columns));
	summary->version = EX_EFFECT_SUMMARY_VERSION;
	summary->n_effects = n_effects;
	summary->n_columns = n_columns;
	for (size_t i = 0; i < n_sums(summary); i++)
		ex_exact_init(&ex_effect_sums(summary)[i]);
}

static ex_status
check_shape(ex_host *host, const ex_effect_summary *summary, uint32_t n_effects, uint32_t n_columns)
{
	if (n_effects == summary->n_effects && n_columns == summary->n_columns)
		return EX_OK;
	ex_fail(host, EX_DIMENSION, "expected %u x %u marginal effects, not %u x %u",
			summary->n_effects, summary->n_columns, n_effects, n_columns);
	ex_hint(host, "All rows of a summary must be of the same model.");
	return EX_DIMENSION;
}

static ex_status
check_rows(ex_host *host, const ex_effect_summary *summary, uint64_t more)
{
	if (more <= EX_EXACT_MAX_TERMS - summary->n)
		return EX_OK;
	return ex_fail(host, EX_LIMIT, "summary of more than %llu rows",
				   (unsigned long long) EX_EXACT_MAX_TERMS);
}

/* A NaN in front says that the rest is not defined either. */
static ex_status
check_table(ex_host *host, const double *table, uint32_t n_effects, uint32_t n_columns)
{
	for (uint32_t i = 0; i < n_effects; i++, table += n_columns)
		for (uint32_t j = 0; j < n_columns && !isnan(table[0]); j++)
			if (!isfinite(table[j]))
				return ex_fail(host, EX_RANGE, "marginal effect %u, column %u must be finite, not %s",
							   i + 1, j + 1, isnan(table[j]) ? "null or NaN" : "infinite");
	return EX_OK;
}

ex_status
ex_effect_summary_add(ex_host *host, ex_effect_summary *summary, const double *table,
					  uint32_t n_effects, uint32_t n_columns)
{
	ex_exact_sum *sum = ex_effect_sums(summary);

	EX_TRY(check_shape(host, summary, n_effects, n_columns));
	EX_TRY(check_rows(host, summary, 1));
	EX_TRY(check_table(host, table, n_effects, n_columns));
	summary->n++;
	for (uint32_t i = 0; i < n_effects; i++, table += n_columns, sum += n_columns)
	{
		if (isnan(table[0]))
			continue;
		summary->count[i]++;
		for (uint32_t j = 0; j < n_columns; j++)
			ex_exact_add(&sum[j], table[j]);
	}
	return EX_OK;
}

ex_status
ex_effect_summary_merge(ex_host *host, ex_effect_summary *total, const ex_effect_summary *other)
{
	EX_TRY(check_shape(host, total, other->n_effects, other->n_columns));
	EX_TRY(check_rows(host, total, other->n));
	total->n += other->n;
	for (uint32_t i = 0; i < total->n_effects; i++)
		total->count[i] += other->count[i];
	for (size_t i = 0; i < n_sums(total); i++)
		ex_exact_merge(&ex_effect_sums(total)[i], &ex_effect_sums(other)[i]);
	return EX_OK;
}

double
ex_effect_summary_mean(const ex_effect_summary *summary, uint32_t effect, uint32_t column)
{
	const ex_exact_sum *sum = ex_effect_sums(summary) + (size_t) effect * summary->n_columns + column;

	if (summary->count[effect] == 0)
		return NAN;
	return ex_wide_to_double(ex_wide_divide(ex_exact_value(sum),
											ex_wide_from_count(summary->count[effect])));
}

static bool
valid_shape(uint32_t n_effects, uint32_t n_columns)
{
	return n_effects > 0 && n_columns > 0 && (uint64_t) n_effects * n_columns <= EX_EFFECT_MAX_SUMS;
}

static bool
valid_effect(const ex_effect_summary *summary, uint32_t i)
{
	const ex_exact_sum *sum = ex_effect_sums(summary) + (size_t) i * summary->n_columns;

	if (summary->count[i] > summary->n)
		return false;
	for (uint32_t j = 0; j < summary->n_columns; j++)
		if (!ex_exact_valid(&sum[j], summary->count[i]))
			return false;
	return true;
}

static bool
valid_header(const ex_effect_summary *summary, size_t size)
{
	return size >= sizeof(*summary) && summary->version == EX_EFFECT_SUMMARY_VERSION &&
		summary->reserved == 0 && valid_shape(summary->n_effects, summary->n_columns) &&
		size == ex_effect_summary_size(summary->n_effects, summary->n_columns) &&
		summary->n > 0 && summary->n <= EX_EXACT_MAX_TERMS;
}

ex_status
ex_effect_summary_validate(ex_host *host, const ex_effect_summary *summary, size_t size)
{
	bool		valid = valid_header(summary, size);

	for (uint32_t i = 0; valid && i < summary->n_effects; i++)
		valid = valid_effect(summary, i);
	return valid ? EX_OK : ex_fail(host, EX_CORRUPT, "invalid summary of marginal effects");
}

static ex_status
code_effect(ex_codec *codec, ex_effect_summary *summary, uint32_t i)
{
	ex_exact_sum *sum = ex_effect_sums(summary) + (size_t) i * summary->n_columns;

	EX_TRY(ex_code_u64(codec, "count of an effect", &summary->count[i], summary->n));
	for (uint32_t j = 0; j < summary->n_columns; j++)
		EX_TRY(ex_code_sum(codec, "sum", &sum[j], summary->count[i]));
	return EX_OK;
}

ex_status
ex_effect_summary_code(ex_codec *codec, ex_effect_summary **summary)
{
	uint64_t	n = codec->reading ? 0 : (*summary)->n;
	uint32_t	n_effects = codec->reading ? 0 : (*summary)->n_effects;
	uint32_t	n_columns = codec->reading ? 0 : (*summary)->n_columns;

	EX_TRY(ex_code_header(codec, "marginal_effect_summary", EX_EFFECT_SUMMARY_VERSION));
	EX_TRY(ex_code_u64(codec, "row count", &n, EX_EXACT_MAX_TERMS));
	EX_TRY(ex_code_count(codec, "column count", &n_columns, EX_EFFECT_MAX_SUMS, 2));
	/* an effect is a count and its sums, each at least "- " */
	EX_TRY(ex_code_count(codec, "effect count", &n_effects, EX_EFFECT_MAX_SUMS, 2 + 2 * (size_t) n_columns));
	if (n == 0 || !valid_shape(n_effects, n_columns))
		return ex_code_fail(codec, "row, effect or column count");
	if (codec->reading)
	{
		EX_TRY(ex_alloc(codec->host, 1, ex_effect_summary_size(n_effects, n_columns), (void **) summary));
		ex_effect_summary_init(*summary, n_effects, n_columns);
		(*summary)->n = n;
	}
	for (uint32_t i = 0; i < n_effects; i++)
	{
		EX_TRY(code_effect(codec, *summary, i));
		EX_TRY(ex_poll(codec->host));
	}
	return ex_code_end(codec);
}
