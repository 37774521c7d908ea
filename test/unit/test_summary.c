/*
 * test_summary.c
 *		The summary of attributions against exact rational arithmetic.
 */
#include "unit.h"

#include "codec_test.h"
#include "golden.h"
#include "random.h"
#include "summary.h"

#define FOLDER "test/data/aggregates/"

static golden_table columns;
static golden_table expected;
static uint32_t p;				/* features: all columns but the weight */

static ex_summary *
new_summary(ex_host *host, uint32_t n_features)
{
	ex_summary *summary = host->alloc(host, ex_summary_size(n_features));

	ex_summary_init(summary, n_features);
	return summary;
}

static const double *
row_at(size_t i)
{
	return &columns.value[i * columns.columns];
}

static ex_summary *
summary_of_all(ex_host *host)
{
	ex_summary *summary = new_summary(host, p);

	for (size_t i = 0; i < columns.rows; i++)
		ex_summary_add(summary, row_at(i), NULL);
	return summary;
}

static void
test_golden(ex_host *host)
{
	ex_summary *summary = summary_of_all(host);
	ex_importance *rows;
	double		shares = 0;

	if (!is_status(host, ex_summary_importance(host, summary, &rows), EX_OK, "importance of all columns"))
		return;
	for (uint32_t r = 0; r < p; r++)
	{
		const ex_importance *row = &rows[r];
		const double *want = &expected.value[row->feature * expected.columns];

		is_double(row->mean_abs, want[0], "column %u: mean magnitude", row->feature);
		is_double(row->mean, want[1], "column %u: mean", row->feature);
		is_double(row->sd, want[2], "column %u: standard deviation", row->feature);
		is_double(row->min, want[3], "column %u: minimum", row->feature);
		is_double(row->max, want[4], "column %u: maximum", row->feature);
		is_double(row->positive_share, want[5], "column %u: positive share", row->feature);
		is_double(row->sign_consistency, fmax(want[5], 1 - want[5]), "column %u: sign consistency", row->feature);
		/* a quotient and a root of its own after the nearest double */
		is_near(row->std_error, want[6], 1e-15 * want[6], "column %u: standard error", row->feature);
		ok(r == 0 || row->mean_abs <= rows[r - 1].mean_abs, "rank %u is not above the one before", r + 1);
		shares += row->share;
	}
	is_near(shares, 1, 1e-15, "shares add up to 1");
}

static void
test_degenerate(ex_host *host)
{
	double		rows[4][4] = {{0.1, 0, -0.25, 3}, {0.1, 0, 0.25, -1}, {0.1, -0.0, -0.25, 2}, {0.1, 0, 0.25, 1}};
	ex_summary *summary = new_summary(host, 4);
	ex_importance *row;

	ex_summary_add(summary, rows[0], NULL);
	ex_summary_importance(host, summary, &row);
	is_int(row[0].feature, 3, "one row: the largest magnitude is first");
	is_double(row[0].sd, NAN, "one row: no standard deviation");
	is_double(row[0].std_error, NAN, "one row: no standard error");
	for (int i = 1; i < 4; i++)
		ex_summary_add(summary, rows[i], NULL);
	ex_summary_importance(host, summary, &row);
	is_int(row[1].feature, 2, "ranks follow the mean magnitude");
	is_double(row[1].std_error, 0, "alternating signs: the magnitude has no error");
	is_double(row[1].positive_share, 0.5, "alternating signs: positive share");
	is_double(row[1].mean, 0, "alternating signs: mean");
	is_int(row[2].feature, 0, "a constant column");
	is_double(row[2].mean, 0.1, "has its value as the mean");
	is_double(row[2].sd, 0, "and no spread");
	is_double(row[2].std_error, 0, "and no error");
	is_double(row[3].mean_abs, 0, "a column of zeros");
	is_double(row[3].positive_share, NAN, "has no sign");
	is_double(row[3].sign_consistency, NAN, "and no consistency of it");
	is_double(row[3].share, 0, "and no share");
}

static void
test_ties(ex_host *host)
{
	double		zeros[5] = {0, 0, 0, 0, 0};
	double		equal[5] = {1, -1, 1, -1, 1};
	ex_summary *summary = new_summary(host, 5);
	ex_importance *row;
	bool		ordered = true;

	ex_summary_add(summary, zeros, NULL);
	ex_summary_importance(host, summary, &row);
	is_double(row[0].share, NAN, "nothing but zeros: shares are not defined");
	ex_summary_add(summary, equal, NULL);
	ex_summary_importance(host, summary, &row);
	for (uint32_t i = 0; i < 5; i++)
		ordered = ordered && row[i].feature == i;
	ok(ordered, "equal importance: feature order");
}

static void
test_checks(ex_host *host)
{
	double		good[2] = {1.7e308, -1.7e308};
	double		bad[2] = {0, NAN};
	ex_summary *summary = new_summary(host, 2);
	ex_summary *other = new_summary(host, 3);
	ex_importance *row;

	is_status(host, ex_summary_check(host, summary, good, NULL, 1), EX_DIMENSION, "too few values");
	is_status(host, ex_summary_check(host, summary, bad, NULL, 2), EX_RANGE, "NaN");
	bad[1] = -HUGE_VAL;
	is_status(host, ex_summary_check(host, summary, bad, NULL, 2), EX_RANGE, "infinity");
	ok(!ex_summary_accepts(summary, bad, NULL, 2) && !ex_summary_accepts(summary, good, NULL, 3), "such rows are not accepted");
	ok(ex_summary_accepts(summary, good, NULL, 2), "others are");
	is_status(host, ex_summary_merge(host, summary, other), EX_DIMENSION, "other number of features");
	ex_summary_add(summary, good, NULL);
	good[0] = -good[0];
	is_status(host, ex_summary_importance(host, summary, &row), EX_OK, "huge values are no problem");
	is_double(row[0].mean_abs, 1.7e308, "with their mean");
	ex_summary_add(summary, good, NULL);
	is_status(host, ex_summary_importance(host, summary, &row), EX_RANGE, "but a spread may be out of range");
	summary->n = EX_EXACT_MAX_TERMS;
	is_status(host, ex_summary_check(host, summary, good, NULL, 2), EX_LIMIT, "too many rows");
}

static void
test_partitions(ex_host *host)
{
	ex_summary *whole = summary_of_all(host);
	ex_summary *part[64];
	ex_summary *total = new_summary(host, p);
	uint32_t   *order = host->alloc(host, columns.rows * sizeof(uint32_t));
	int			different = 0;

	for (int k = 0; k < 64; k++)
		part[k] = new_summary(host, p);
	for (int trial = 0; trial < 500; trial++)
	{
		uint32_t	n_parts = 1 + random_below(64);

		for (uint32_t k = 0; k < n_parts; k++)
			ex_summary_init(part[k], p);
		random_order(order, (uint32_t) columns.rows);
		for (size_t i = 0; i < columns.rows; i++)
			ex_summary_add(part[random_below(n_parts)], row_at(order[i]), NULL);
		ex_summary_init(total, p);
		for (uint32_t k = 0; k < n_parts; k++)
			ex_summary_merge(host, total, part[k]);
		different += memcmp(total, whole, ex_summary_size(p)) != 0;
	}
	is_int(different, 0, "500 random partitions give the same state, bit for bit");
}

/* Some values are null: each feature is that of its own values alone. */
static void
test_nulls(ex_host *host)
{
	ex_summary *sparse = new_summary(host, 3);
	ex_summary *dense = new_summary(host, 1);
	ex_summary *half[2] = {new_summary(host, 3), new_summary(host, 3)};
	ex_importance *row;
	double		nan_row[3] = {1, NAN, 2};
	bool		skip[3] = {false, true, false};

	ok(ex_summary_accepts(sparse, nan_row, skip, 3), "what is skipped may be anything");
	is_status(host, ex_summary_check(host, sparse, nan_row, skip, 3), EX_OK, "also here");
	for (size_t i = 0; i < 40; i++)
	{
		bool		null[3] = {i % 3 == 0, true, false};

		ex_summary_add(sparse, row_at(i), null);
		ex_summary_add(half[i % 2], row_at(i), null);
		if (!null[0])
			ex_summary_add(dense, row_at(i), NULL);
	}
	is_int(sparse->version, 2, "version");
	is_int(sparse->n, 40, "rows");
	is_same(&sparse->feature[0], &dense->feature[0], sizeof(ex_summary_feature), "sums of the values that are there");
	is_status(host, ex_summary_validate(host, sparse, ex_summary_size(3)), EX_OK, "a valid state");
	ex_summary_importance(host, sparse, &row);
	is_int(row[2].feature, 1, "a feature without values is last");
	is_double(row[2].mean_abs, NAN, "without importance");
	is_double(row[2].min, NAN, "without range");
	is_int((int64_t) row[0].n + (int64_t) row[1].n + (int64_t) row[2].n, 26 + 40, "counts");
	is_near(row[0].share + row[1].share, 1, 1e-15, "shares of the others add up");
	ex_summary_merge(host, half[0], half[1]);
	is_same(half[0], sparse, ex_summary_size(3), "merged: the same bytes");
	sparse->version = 1;
	is_status(host, ex_summary_validate(host, sparse, ex_summary_size(3)), EX_CORRUPT, "version 1 has no nulls");
	dense->version = 2;
	is_status(host, ex_summary_validate(host, dense, ex_summary_size(1)), EX_CORRUPT, "version 2 has some");
	sparse->version = 3;
	is_status(host, ex_summary_validate(host, sparse, ex_summary_size(3)), EX_CORRUPT, "there is no version 3");
	half[0]->feature[1].moments.n = 41;
	is_status(host, ex_summary_validate(host, half[0], ex_summary_size(3)), EX_CORRUPT, "more values than rows");
}

static ex_status
copy_summary(ex_codec *in, ex_codec *out)
{
	ex_summary *summary;
	ex_importance *row;

	EX_TRY(ex_summary_code(in, &summary));
	EX_TRY(ex_summary_validate(in->host, summary, ex_summary_size(summary->n_features)));
	(void) ex_summary_importance(in->host, summary, &row);
	return ex_summary_code(out, &summary);
}

static ex_buffer
written(ex_host *host, ex_summary *summary, bool text)
{
	ex_codec	codec;

	ex_codec_write(&codec, host, "explain.attribution_summary_state", text);
	ex_summary_code(&codec, &summary);
	return codec.out;
}

static void
test_codec(ex_host *host)
{
	double		row[2] = {2, -0.0};
	ex_summary *summary = new_summary(host, 2);
	ex_buffer	text;
	ex_buffer	wire;

	ex_summary_add(summary, row, NULL);
	text = written(host, summary, true);
	ex_append(host, &text, "", 1);
	is_text(text.data, "attribution_summary 1 1 2 0:2 0:4 0:2 2 2 1 0 - - - 0 0 0 0", "text form of one row");
	summary = new_summary(host, p);
	for (size_t i = 0; i < 20; i++)
		ex_summary_add(summary, row_at(i), NULL);
	text = written(host, summary, true);
	wire = written(host, summary, false);
	test_forms(host, copy_summary, &text, &wire, "summary");
	summary->feature[1].n_positive = 21;
	is_status(host, ex_summary_validate(host, summary, ex_summary_size(p)), EX_CORRUPT, "corrupt bytes are found");
	is_status(host, ex_summary_validate(host, summary, 8), EX_CORRUPT, "so is a wrong size");
	test_golden_forms(host, copy_summary, "attribution_summary.v1");

	summary = new_summary(host, 2);
	ex_summary_add(summary, row, (const bool[]) {true, false});
	text = written(host, summary, true);
	ex_append(host, &text, "", 1);
	is_text(text.data, "attribution_summary 2 1 2 0 1 - - - 0 0 0 0", "text form of a row with a null");
	summary = new_summary(host, p);
	for (size_t i = 0; i < 20; i++)
	{
		bool	   *null = host->alloc(host, p);

		for (uint32_t f = 0; f < p; f++)
			null[f] = f == 1 || (f == 2 && i % 3 == 0);
		ex_summary_add(summary, row_at(i), null);
	}
	text = written(host, summary, true);
	wire = written(host, summary, false);
	test_forms(host, copy_summary, &text, &wire, "summary with nulls");
	test_golden_forms(host, copy_summary, "attribution_summary.v2");
}

int
main(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);

	columns = golden_csv(host, FOLDER "columns.csv");
	expected = golden_csv(host, FOLDER "moments.csv");
	p = (uint32_t) columns.columns - 1;
	test_golden(host);
	test_degenerate(host);
	test_ties(host);
	test_checks(host);
	test_partitions(host);
	test_nulls(host);
	test_codec(host);
	ex_arena_free(&arena);
	return unit_done();
}
