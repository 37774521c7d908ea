/*
 * summary.c
 *		What attributions look like over many rows.
 */
#include "summary.h"

#include <stdlib.h>

size_t
ex_summary_size(uint32_t n_features)
{
	return offsetof(ex_summary, feature) + (size_t) n_features * sizeof(ex_summary_feature);
}

void
ex_summary_init(ex_summary *summary, uint32_t n_features)
{
	memset(summary, 0, ex_summary_size(n_features));
	summary->version = 1;
	summary->n_features = n_features;
	for (uint32_t i = 0; i < n_features; i++)
	{
		ex_moments_init(&summary->feature[i].moments);
		ex_exact_init(&summary->feature[i].magnitude);
	}
}

static ex_status
too_many_rows(ex_host *host)
{
	return ex_fail(host, EX_LIMIT, "summary of more than %llu rows",
				   (unsigned long long) EX_EXACT_MAX_TERMS);
}

static ex_status
other_dimension(ex_host *host, const ex_summary *summary, uint32_t n)
{
	(void) ex_fail(host, EX_DIMENSION, "expected %u attributions, not %u", summary->n_features, n);
	ex_hint(host, "All rows of a summary must be attributions of the same model.");
	return EX_DIMENSION;
}

bool
ex_summary_accepts(const ex_summary *summary, const double *value, const bool *null,
				   uint32_t n_values)
{
	if (n_values != summary->n_features || summary->n >= EX_EXACT_MAX_TERMS)
		return false;
	for (uint32_t i = 0; i < n_values; i++)
	{
		if (!isfinite(value[i]) && !(null != NULL && null[i]))
			return false;
	}
	return true;
}

ex_status
ex_summary_check(ex_host *host, const ex_summary *summary, const double *value, const bool *null,
				 uint32_t n_values)
{
	if (n_values != summary->n_features)
		return other_dimension(host, summary, n_values);
	for (uint32_t i = 0; i < n_values; i++)
	{
		if (!isfinite(value[i]) && !(null != NULL && null[i]))
			return ex_fail(host, EX_RANGE, "attribution %u must be finite, not %s", i + 1,
						   isnan(value[i]) ? "NaN" : value[i] > 0 ? "Infinity" : "-Infinity");
	}
	return summary->n >= EX_EXACT_MAX_TERMS ? too_many_rows(host) : EX_OK;
}

static inline void
add_attribution(ex_summary_feature *feature, double x)
{
	ex_moments_add(&feature->moments, x);
	ex_exact_add(&feature->magnitude, fabs(x));
	feature->n_positive += x > 0;
	feature->n_negative += x < 0;
}

void
ex_summary_add(ex_summary *summary, const double *value, const bool *null)
{
	summary->n++;
	for (uint32_t i = 0; i < summary->n_features; i++)
	{
		if (null != NULL && null[i])
			summary->version = 2;
		else
			add_attribution(&summary->feature[i], value[i]);
	}
}

ex_status
ex_summary_merge(ex_host *host, ex_summary *total, const ex_summary *other)
{
	if (other->n_features != total->n_features)
		return other_dimension(host, total, other->n_features);
	if (other->n > EX_EXACT_MAX_TERMS - total->n)
		return too_many_rows(host);
	total->n += other->n;
	if (other->version > total->version)
		total->version = other->version;
	for (uint32_t i = 0; i < total->n_features; i++)
	{
		ex_summary_feature *to = &total->feature[i];
		const ex_summary_feature *from = &other->feature[i];

		ex_moments_merge(&to->moments, &from->moments);
		ex_exact_merge(&to->magnitude, &from->magnitude);
		to->n_positive += from->n_positive;
		to->n_negative += from->n_negative;
	}
	return EX_OK;
}

/* Everything but the share, for which all features must be known. */
static ex_importance
importance_of(const ex_summary_feature *feature, uint32_t position)
{
	const ex_moments *moments = &feature->moments;
	uint64_t	n_signed = feature->n_positive + feature->n_negative;
	ex_importance row;

	row.feature = position;
	row.n = moments->n;
	row.mean_abs = moments->n == 0 ? NAN : ex_wide_to_double(ex_wide_divide(ex_exact_value(&feature->magnitude),
													ex_wide_from_count(moments->n)));
	row.mean = ex_moments_mean(moments);
	row.sd = ex_moments_sd(moments);
	row.min = moments->n == 0 ? NAN : moments->min;
	row.max = moments->n == 0 ? NAN : moments->max;
	row.positive_share = n_signed == 0 ? NAN : (double) feature->n_positive / (double) n_signed;
	row.sign_consistency = fmax(row.positive_share, 1 - row.positive_share);

	/*
	 * |x|^2 = x^2: the squares serve both; a mean as large as the largest has
	 * no spread
	 */
	row.std_error = moments->n >= 2 && fmax(fabs(row.min), fabs(row.max)) == row.mean_abs ? 0 :
		ex_sample_sd(moments->n, &feature->magnitude, &moments->square) / sqrt((double) moments->n);
	row.share = NAN;
	return row;
}

static ex_status
set_shares(ex_host *host, ex_importance *row, uint32_t n)
{
	ex_exact_sum sum;
	ex_wide		total;

	ex_exact_init(&sum);
	for (uint32_t i = 0; i < n; i++)
	{
		if (isinf(row[i].mean_abs) || isinf(row[i].sd) || isinf(row[i].std_error))
			return ex_fail(host, EX_RANGE, "importance of feature %u is out of range", i + 1);
		if (row[i].n > 0)
			ex_exact_add(&sum, row[i].mean_abs);
	}
	total = ex_exact_value(&sum);
	for (uint32_t i = 0; i < n && !ex_wide_is_zero(total); i++)
		row[i].share = row[i].n == 0 ? NAN : ex_wide_to_double(ex_wide_divide(ex_wide_from_double(row[i].mean_abs), total));
	return EX_OK;
}

static int
compare_rank(const void *a, const void *b)
{
	const ex_importance *left = a;
	const ex_importance *right = b;

	if ((left->n == 0) != (right->n == 0))
		return left->n == 0 ? 1 : -1;
	if (left->n > 0 && left->mean_abs != right->mean_abs)
		return left->mean_abs > right->mean_abs ? -1 : 1;
	return left->feature < right->feature ? -1 : 1;
}

ex_status
ex_summary_importance(ex_host *host, const ex_summary *summary, ex_importance **rows)
{
	uint32_t	n = summary->n_features;

	EX_TRY(EX_ALLOC(host, n, rows));
	for (uint32_t i = 0; i < n; i++)
		(*rows)[i] = importance_of(&summary->feature[i], i);
	EX_TRY(set_shares(host, *rows, n));
	qsort(*rows, n, sizeof(**rows), compare_rank);
	return EX_OK;
}

static bool
valid_feature(const ex_summary_feature *feature)
{
	uint64_t	n = feature->moments.n;

	return ex_moments_valid(&feature->moments) && ex_exact_valid(&feature->magnitude, n) &&
		feature->n_positive <= n && feature->n_negative <= n - feature->n_positive;
}

/* Are the counts those of the version? */
static bool
valid_counts(const ex_summary *summary)
{
	bool		skipped = false;

	for (uint32_t i = 0; i < summary->n_features; i++)
	{
		if (summary->feature[i].moments.n > summary->n)
			return false;
		skipped |= summary->feature[i].moments.n < summary->n;
	}
	return skipped == (summary->version == 2);
}

static ex_status
corrupt(ex_host *host)
{
	return ex_fail(host, EX_CORRUPT, "invalid attribution summary");
}

ex_status
ex_summary_validate(ex_host *host, const ex_summary *summary, size_t size)
{
	if (size < sizeof(*summary) || summary->version == 0 || summary->version > EX_SUMMARY_VERSION ||
		summary->reserved != 0 || summary->reserved2 != 0 ||
		summary->n_features == 0 || summary->n_features > EX_SUMMARY_MAX_FEATURES ||
		size != ex_summary_size(summary->n_features) ||
		summary->n == 0 || summary->n > EX_EXACT_MAX_TERMS)
		return corrupt(host);
	for (uint32_t i = 0; i < summary->n_features; i++)
	{
		if (!valid_feature(&summary->feature[i]))
			return corrupt(host);
	}
	return valid_counts(summary) ? EX_OK : corrupt(host);
}

/* The sums of a feature with n values; without any there is nothing to say. */
static ex_status
code_feature(ex_codec *codec, ex_summary_feature *feature, uint64_t n)
{
	feature->moments.n = n;
	if (n == 0)
		return EX_OK;
	EX_TRY(ex_code_sum(codec, "sum", &feature->moments.sum, n));
	EX_TRY(ex_code_sum(codec, "sum of squares", &feature->moments.square, n));
	EX_TRY(ex_code_sum(codec, "sum of magnitudes", &feature->magnitude, n));
	EX_TRY(ex_code_f64(codec, "minimum", &feature->moments.min));
	EX_TRY(ex_code_f64(codec, "maximum", &feature->moments.max));
	EX_TRY(ex_code_u64(codec, "number of positive attributions", &feature->n_positive, n));
	EX_TRY(ex_code_u64(codec, "number of negative attributions", &feature->n_negative, n));
	return valid_feature(feature) ? EX_OK : ex_code_fail(codec, "range or sign count");
}

static ex_status
code_features(ex_codec *codec, ex_summary *summary)
{
	for (uint32_t i = 0; i < summary->n_features; i++)
	{
		ex_summary_feature *feature = &summary->feature[i];
		uint64_t	n = codec->reading ? summary->n : feature->moments.n;

		if (summary->version == 2)
			EX_TRY(ex_code_u64(codec, "value count", &n, summary->n));
		EX_TRY(code_feature(codec, feature, n));
	}
	return valid_counts(summary) ? EX_OK : ex_code_fail(codec, "value count");
}

ex_status
ex_summary_code(ex_codec *codec, ex_summary **summary)
{
	uint64_t	n = codec->reading ? 0 : (*summary)->n;
	uint32_t	n_features = codec->reading ? 0 : (*summary)->n_features;
	uint32_t	version = codec->reading ? 0 : (*summary)->version;

	EX_TRY(ex_code_version(codec, "attribution_summary", EX_SUMMARY_VERSION, &version));
	EX_TRY(ex_code_u64(codec, "row count", &n, EX_EXACT_MAX_TERMS));
	/* a feature is at least "- - - 0 0 0 0 ", or its count of 0 */
	EX_TRY(ex_code_count(codec, "feature count", &n_features, EX_SUMMARY_MAX_FEATURES,
						 version == 1 ? 14 : 2));
	if (n == 0 || n_features == 0)
		return ex_code_fail(codec, "row or feature count");
	if (codec->reading)
	{
		EX_TRY(ex_alloc(codec->host, 1, ex_summary_size(n_features), (void **) summary));
		ex_summary_init(*summary, n_features);
		(*summary)->n = n;
		(*summary)->version = (uint16_t) version;
	}
	EX_TRY(code_features(codec, *summary));
	return ex_code_end(codec);
}
