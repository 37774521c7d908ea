/*
 * test_background.c
 *		Background samples: counts against brute force, statistics against
 *		golden values, equal bytes for every partition.
 */
#include "unit.h"

#include "background.h"
#include "codec_test.h"
#include "golden.h"
#include "model.h"
#include "random.h"

#define FOLDER "test/data/aggregates/"

/* Rows of a table that is made for the purpose: some missing values, texts, repeated rows. */
enum
{
	N_ROWS = 1200,
	N_KINDS = 300				/* different rows */
};

typedef struct test_row
{
	double		amount;			/* NaN: missing */
	int			flag;			/* 0, 1; -1: missing */
	char		city[24];		/* "": missing */
	double		code;			/* whole */
} test_row;

static test_row kind[N_KINDS];
static uint32_t kind_of[N_ROWS];
static uint64_t occurs[N_KINDS];

static void
make_rows(void)
{
	for (uint32_t k = 0; k < N_KINDS; k++)
	{
		/* the position in the fraction: no two rows are equal */
		kind[k].amount = k % 11 == 0 ? NAN : (random_unit() - 0.3) * 1000;
		kind[k].flag = (int) random_below(3) - 1;
		if (k % 7 == 0)
			kind[k].city[0] = '\0';
		else
			snprintf(kind[k].city, sizeof(kind[k].city), "city \"%u\"", k % 40);
		kind[k].code = k;
	}
	for (uint32_t i = 0; i < N_ROWS; i++)
	{
		kind_of[i] = i < N_KINDS ? i : random_below(N_KINDS) * random_below(N_KINDS) / N_KINDS;
		occurs[kind_of[i]]++;
	}
}

/* Add a row with its columns from the front or from the back. */
static ex_status
add_row(ex_sample *sample, const test_row *row, bool backwards)
{
	static const char *const name[] = {"amount", "flag", "city", "code"};

	EX_TRY(ex_sample_begin(sample));
	for (int i = 0; i < 4; i++)
	{
		int			field = backwards ? 3 - i : i;
		uint32_t	column;

		EX_TRY(ex_sample_column_at(sample, name[field], strlen(name[field]), &column));
		if (field == 0)
			EX_TRY(ex_sample_number(sample, column, row->amount));
		else if (field == 1 && row->flag >= 0)
			EX_TRY(ex_sample_boolean(sample, column, row->flag));
		else if (field == 2 && row->city[0] != '\0')
			EX_TRY(ex_sample_text(sample, column, row->city, strlen(row->city)));
		else if (field == 3)
			EX_TRY(ex_sample_number(sample, column, row->code));
	}
	return ex_sample_end(sample);
}

static ex_buffer
written(ex_host *host, ex_sample *sample, bool text)
{
	ex_codec	codec;

	ex_codec_write(&codec, host, "explain.background_sample", text);
	is_status(host, ex_sample_write(&codec, sample), EX_OK, "sample is written");
	return codec.out;
}

static void
sample_all(ex_host *host, ex_sample *sample, int64_t size, int64_t seed)
{
	ex_sample_init(sample, host, size, seed, false);
	for (uint32_t i = 0; i < N_ROWS; i++)
		add_row(sample, &kind[kind_of[i]], false);
	ex_sample_settle(sample);
}

static void
test_siphash(void)
{
	uint8_t		input[15];
	ex_word		empty = ex_siphash(UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908), "", 0);
	ex_word		longer;

	for (int i = 0; i < 15; i++)
		input[i] = (uint8_t) i;
	longer = ex_siphash(UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908), input, 15);
	/* the reference implementation's published vectors for 128 bits of output */
	is_int((int64_t) empty.low, (int64_t) UINT64_C(0xe6a825ba047f81a3), "SipHash of nothing, low");
	is_int((int64_t) empty.high, (int64_t) UINT64_C(0x930255c71472f66d), "SipHash of nothing, high");
	is_int((int64_t) longer.low, (int64_t) UINT64_C(0x11a8b03399e99354), "SipHash of 15 bytes, low");
	is_int((int64_t) longer.high, (int64_t) UINT64_C(0xd9c3cf970fec087e), "SipHash of 15 bytes, high");
}

/* Every row of the sample has the number of its occurrences as weight. */
static void
test_counts(ex_host *host)
{
	int64_t		sizes[] = {1, 2, 63, 64, 65, 100, N_KINDS - 1, N_KINDS, 5000};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++)
	{
		ex_sample	sample;
		int32_t		code;
		int			wrong = 0;

		sample_all(host, &sample, sizes[s], 1);
		code = ex_sample_find(&sample, "code", 4);
		for (size_t r = 0; r < sample.n_rows; r++)
			wrong += sample.row[r].count != occurs[(int) ex_sample_cell_at(&sample, r, (uint32_t) code)];
		is_int((int64_t) sample.n_rows, sizes[s] < N_KINDS ? sizes[s] : N_KINDS, "size %d: rows", (int) sizes[s]);
		is_int(wrong, 0, "size %d: weights are the rows' exact counts", (int) sizes[s]);
	}
}

/* Samples of different seeds are different, and none prefers some rows. */
static void
test_uniform(ex_host *host)
{
	enum
	{
		SEEDS = 300,
		SIZE = 50
	};
	int			drawn[N_KINDS] = {0};
	double		chi2 = 0;
	double		expected = (double) SEEDS * SIZE / N_KINDS;

	for (int seed = 0; seed < SEEDS; seed++)
	{
		ex_sample	sample;
		int32_t		code;

		ex_sample_init(&sample, host, SIZE, seed, false);
		for (uint32_t k = 0; k < N_KINDS; k++)
			add_row(&sample, &kind[k], false);
		ex_sample_settle(&sample);
		code = ex_sample_find(&sample, "code", 4);
		for (size_t r = 0; r < sample.n_rows; r++)
			drawn[(int) ex_sample_cell_at(&sample, r, (uint32_t) code)]++;
	}
	for (int k = 0; k < N_KINDS; k++)
		chi2 += (drawn[k] - expected) * (drawn[k] - expected) / (expected * (1 - (double) SIZE / N_KINDS));
	/* chi square with N_KINDS - 1 degrees of freedom has this mean and deviation */
	is_near(chi2, N_KINDS - 1, 5 * sqrt(2.0 * (N_KINDS - 1)), "300 seeds draw all rows equally often");
}

static void
test_statistics(ex_host *host)
{
	golden_table columns = golden_csv(host, FOLDER "columns.csv");
	golden_table expected = golden_csv(host, FOLDER "moments.csv");
	ex_sample	sample;

	ex_sample_init(&sample, host, 10, 0, true);
	ex_sample_positions(&sample, (uint32_t) columns.columns);
	for (size_t i = 0; i < columns.rows; i++)
	{
		ex_sample_begin(&sample);
		for (uint32_t c = 0; c < columns.columns; c++)
			ex_sample_number(&sample, c, columns.value[i * columns.columns + c]);
		ex_sample_end(&sample);
	}
	for (uint32_t c = 0; c < expected.rows; c++)
	{
		const ex_moments *moments = &sample.column[c].moments;
		const double *want = &expected.value[c * expected.columns];

		is_double(ex_moments_mean(moments), want[1], "column %u: mean", c);
		is_double(ex_moments_sd(moments), want[2], "column %u: standard deviation", c);
		is_double(moments->min, want[3], "column %u: minimum", c);
		is_double(moments->max, want[4], "column %u: maximum", c);
	}
}

static const ex_sample_value *
find_value(const ex_sample_column *column, const char *text, double number)
{
	for (uint32_t i = 0; i < column->n_values; i++)
	{
		const ex_sample_value *value = &column->value[i];

		if (text != NULL ? strcmp(value->text, text) == 0 : value->number == number)
			return value;
	}
	return NULL;
}

static void
test_levels(ex_host *host)
{
	ex_sample	sample;
	const ex_sample_column *city;
	const ex_sample_column *flag;
	const ex_sample_column *amount;
	uint64_t	city_8 = 0;
	uint64_t	cities = 0;
	uint64_t	flags = 0;

	for (uint32_t k = 0; k < N_KINDS; k++)
	{
		city_8 += strcmp(kind[k].city, "city \"8\"") == 0 ? occurs[k] : 0;
		cities += kind[k].city[0] != '\0' ? occurs[k] : 0;
		flags += kind[k].flag == 1 ? occurs[k] : 0;
	}
	sample_all(host, &sample, 20, 1);
	city = &sample.column[ex_sample_find(&sample, "city", 4)];
	flag = &sample.column[ex_sample_find(&sample, "flag", 4)];
	amount = &sample.column[ex_sample_find(&sample, "amount", 6)];
	ok(city->counting, "40 texts are counted");
	is_int(city->n_values, 40, "all of them");
	is_int((int64_t) find_value(city, "city \"8\"", 0)->count, (int64_t) city_8, "each as often as it occurs");
	is_int((int64_t) city->n, (int64_t) cities, "missing ones are not");
	is_int((int64_t) find_value(flag, NULL, 1)->count, (int64_t) flags, "booleans are counted");
	ok(!amount->counting && amount->n_values == 0, "numbers with fractions are not");
	ok(sample.column[ex_sample_find(&sample, "code", 4)].counting, "whole numbers are");
}

/* One text column with n different texts, then the column's state as text. */
static ex_buffer
many_levels(ex_host *host, uint32_t n, uint32_t rounds, bool shuffled, ex_sample *sample)
{
	uint32_t   *order = host->alloc(host, n * sizeof(uint32_t));

	ex_sample_init(sample, host, 5, 7, false);
	for (uint32_t round = 0; round < rounds; round++)
	{
		if (shuffled)
			random_order(order, n);
		for (uint32_t i = 0; i < n; i++)
		{
			char		text[16];
			uint32_t	column;

			snprintf(text, sizeof(text), "t%u", shuffled ? order[i] : i);
			ex_sample_begin(sample);
			ex_sample_column_at(sample, "t", 1, &column);
			ex_sample_text(sample, column, text, strlen(text));
			ex_sample_end(sample);
		}
	}
	return written(host, sample, true);
}

static void
test_level_limit(ex_host *host)
{
	ex_sample	sample;
	ex_buffer	text;
	ex_buffer	again;

	many_levels(host, EX_SAMPLE_MAX_LEVELS, 2, false, &sample);
	ok(sample.column[0].counting, "1000 texts are counted");
	is_int((int64_t) sample.column[0].value[3].count, 2, "each twice");
	text = many_levels(host, EX_SAMPLE_MAX_LEVELS + 1, 2, false, &sample);
	ok(!sample.column[0].counting, "1001 are not");
	is_int(sample.column[0].n_values, 5, "only those of the sample's rows stay");
	is_int((int64_t) sample.column[0].n, 2002, "the number of values is known");
	again = many_levels(host, EX_SAMPLE_MAX_LEVELS + 1, 2, true, &sample);
	is_int((int64_t) again.size, (int64_t) text.size, "whatever the order");
	is_same(again.data, text.data, text.size, "the same state");
}

static void
test_cut(ex_host *host)
{
	static char long_text[3000];
	ex_sample	sample;
	uint32_t	column;

	/* a two-byte letter across the limit */
	memset(long_text, 'a', sizeof(long_text));
	memcpy(long_text + EX_MAX_NAME - 1, "\xc3\xa9", 2);
	ex_sample_init(&sample, host, 5, 7, false);
	for (int i = 0; i < 2; i++)
	{
		ex_sample_begin(&sample);
		ex_sample_column_at(&sample, "t", 1, &column);
		ex_sample_text(&sample, column, long_text, sizeof(long_text) - (size_t) i);
		ex_sample_end(&sample);
	}
	is_int(sample.column[0].n_values, 1, "texts are compared up to the limit");
	is_int(sample.column[0].value[0].length, EX_MAX_NAME - 1 + 3, "cut before a letter that does not fit");
	is_text(sample.column[0].value[0].text + EX_MAX_NAME - 2, "a\xe2\x80\xa6", "with an ellipsis");
	ex_sample_begin(&sample);
	is_status(host, ex_sample_column_at(&sample, long_text, 2000, &column), EX_INVALID, "a name that long is refused");
}

static void
test_canonical(ex_host *host)
{
	ex_sample	forwards;
	ex_sample	backwards;
	ex_buffer	a;
	ex_buffer	b;
	test_row	zero = {0.0, -1, "", 0};
	test_row	minus_zero = {-0.0, -1, "", 0};

	sample_all(host, &forwards, 50, 3);
	ex_sample_init(&backwards, host, 50, 3, false);
	for (uint32_t i = N_ROWS; i > 0; i--)
		add_row(&backwards, &kind[kind_of[i - 1]], true);
	a = written(host, &forwards, false);
	b = written(host, &backwards, false);
	is_int((int64_t) a.size, (int64_t) b.size, "order of rows and columns does not matter");
	is_same(a.data, b.data, a.size, "not in one bit");

	ex_sample_init(&forwards, host, 50, 3, false);
	add_row(&forwards, &zero, false);
	add_row(&forwards, &minus_zero, false);
	ex_sample_settle(&forwards);
	is_int((int64_t) forwards.n_rows, 1, "0 and -0 are equal");
}

static void
test_partitions(ex_host *host)
{
	ex_sample	whole;
	ex_buffer	expected;
	uint32_t	order[N_ROWS];
	int			different = 0;

	sample_all(host, &whole, 120, 5);
	expected = written(host, &whole, false);
	for (int trial = 0; trial < 500; trial++)
	{
		ex_arena	arena;
		ex_host    *mine = ex_arena_init(&arena);
		uint32_t	n_parts = 1 + random_below(32);
		ex_sample	part[32];
		ex_sample	total;
		ex_codec	codec;
		bool		empty[32];

		for (uint32_t k = 0; k < n_parts; k++)
			ex_sample_init(&part[k], mine, 120, 5, false);
		random_order(order, N_ROWS);
		for (uint32_t i = 0; i < N_ROWS; i++)
			add_row(&part[random_below(n_parts)], &kind[kind_of[order[i]]], random_below(2));
		for (uint32_t k = 0; k < n_parts; k++)
			empty[k] = part[k].n == 0;
		ex_sample_init(&total, mine, 120, 5, false);
		for (uint32_t k = 0; k < n_parts; k++)
			different += !empty[k] && ex_sample_merge(&total, &part[k]) != EX_OK;
		ex_codec_write(&codec, mine, "test", false);
		different += ex_sample_write(&codec, &total) != EX_OK || codec.out.size != expected.size ||
			memcmp(codec.out.data, expected.data, expected.size) != 0;
		ex_arena_free(&arena);
	}
	is_int(different, 0, "500 random partitions give the same sample, byte for byte");
}

/* Partial samples may know different columns. */
static void
test_columns_appear(ex_host *host)
{
	ex_sample	sample;
	ex_sample	other;
	uint32_t	a;
	uint32_t	b;

	ex_sample_init(&sample, host, 5, 0, false);
	ex_sample_begin(&sample);
	ex_sample_column_at(&sample, "a", 1, &a);
	ex_sample_number(&sample, a, 1);
	ex_sample_end(&sample);
	ex_sample_init(&other, host, 5, 0, false);
	ex_sample_begin(&other);
	ex_sample_column_at(&other, "b", 1, &b);
	ex_sample_text(&other, b, "x", 1);
	ex_sample_column_at(&other, "a", 1, &a);
	ex_sample_end(&other);
	is_status(host, ex_sample_merge(&sample, &other), EX_OK, "a column that only one part knows");
	ex_sample_settle(&sample);
	is_int((int64_t) sample.n_columns, 2, "is a column of both");
	is_int((int64_t) sample.n_rows, 2, "rows of both are there");
	ok(isnan(ex_sample_cell_at(&sample, 0, 1)) != isnan(ex_sample_cell_at(&sample, 1, 1)), "missing in one of them");
}

static void
test_refusals(ex_host *host)
{
	ex_sample	sample;
	ex_sample	other;
	uint32_t	column;

	is_status(host, ex_sample_init(&sample, host, 0, 0, false), EX_INVALID, "a size of 0");
	is_status(host, ex_sample_init(&sample, host, EX_MAX_BACKGROUND + 1, 0, false), EX_INVALID, "a size too large");
	ex_sample_init(&sample, host, 10, 0, false);
	ex_sample_begin(&sample);
	ex_sample_column_at(&sample, "x", 1, &column);
	is_status(host, ex_sample_number(&sample, column, HUGE_VAL), EX_RANGE, "infinity");
	is_status(host, ex_sample_number(&sample, column, NAN), EX_OK, "NaN is missing");
	is_status(host, ex_sample_number(&sample, column, 1), EX_OK, "a number");
	is_status(host, ex_sample_text(&sample, column, "a", 1), EX_INVALID, "and text in one column");
	ex_sample_end(&sample);
	ex_sample_init(&other, host, 11, 0, false);
	is_status(host, ex_sample_merge(&sample, &other), EX_INVALID, "a merge of different sizes");
	ex_sample_init(&other, host, 10, 1, false);
	is_status(host, ex_sample_merge(&sample, &other), EX_INVALID, "of different seeds");
	ex_sample_init(&other, host, 10, 0, true);
	is_status(host, ex_sample_merge(&sample, &other), EX_INVALID, "of names and positions");
	is_status(host, ex_sample_positions(&other, 0), EX_DIMENSION, "an empty array");
	is_status(host, ex_sample_positions(&other, 3), EX_OK, "an array of three");
	is_status(host, ex_sample_positions(&other, 2), EX_DIMENSION, "then one of two");
	ex_sample_init(&other, host, 10, 0, false);
	ex_sample_begin(&other);
	ex_sample_column_at(&other, "x", 1, &column);
	ex_sample_boolean(&other, column, true);
	ex_sample_end(&other);
	is_status(host, ex_sample_merge(&sample, &other), EX_INVALID, "numbers and booleans in one column");
}

/* Many rows of few kinds: memory stays what it was. */
static void
test_memory(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_sample	sample;
	size_t		before = 0;

	ex_sample_init(&sample, host, 280, 0, false);
	for (uint32_t i = 0; i < 200000; i++)
	{
		if (i == 20000)
			before = arena.bytes;
		add_row(&sample, &kind[random_below(N_KINDS)], false);
	}
	is_int((int64_t) (arena.bytes - before), 0, "memory of a sample does not grow with its rows");
	ok(arena.bytes < 280 * 4 * 100 + 200000, "and is small: %zu bytes", arena.bytes);
	ex_arena_free(&arena);
}

/* An allocation that fails at any point is reported. */
static void
test_no_memory(void)
{
	int			failures = 0;
	int			wrong = 0;
	bool		done = false;

	for (long after = 0; !done; after++)
	{
		ex_arena	arena;
		ex_host    *host = ex_arena_init(&arena);
		ex_sample	sample;
		ex_codec	codec;
		ex_status	status;

		arena.fail_after = after;
		ex_sample_init(&sample, host, 40, 0, false);
		status = EX_OK;
		for (uint32_t i = 0; i < 200 && status == EX_OK; i++)
			status = add_row(&sample, &kind[i], false);
		ex_codec_write(&codec, host, "test", true);
		if (status == EX_OK)
			status = ex_sample_write(&codec, &sample);
		wrong += status != EX_OK && status != EX_MEMORY;
		failures += status == EX_MEMORY;
		done = status == EX_OK;
		ex_arena_free(&arena);
	}
	ok(failures > 20, "%d allocations were made to fail", failures);
	is_int(wrong, 0, "each was reported");
}

static ex_status
copy_sample(ex_codec *in, ex_codec *out)
{
	ex_sample	sample;

	EX_TRY(ex_sample_read(in, &sample));
	return ex_sample_write(out, &sample);
}

static void
test_codec(ex_host *host)
{
	ex_sample	sample;
	ex_buffer	text;
	ex_buffer	wire;
	test_row	row = {1.5, 1, "\"Aix\\", 3};

	ex_sample_init(&sample, host, 10, -4, false);
	add_row(&sample, &row, false);
	add_row(&sample, &row, true);
	text = written(host, &sample, true);
	ex_append(host, &text, "", 1);
	is_text(text.data, "background_sample 1 10 -4 2 0 4"
			" \"amount\" 1 2 0:2,16777216 0:4,8388608 1.5 1.5 0 0"
			" \"city\" 3 2 1 1 \"\\\"Aix\\\\\" 2"
			" \"code\" 1 2 0:6 0:18 3 3 1 1 3 2"
			" \"flag\" 2 2 0:2 0:2 1 1 1 1 1 2"
			" 1 2 1.5 0 3 1", "text form of one row, twice");

	sample_all(host, &sample, 12, 9);
	text = written(host, &sample, true);
	wire = written(host, &sample, false);
	test_forms(host, copy_sample, &text, &wire, "sample");

	ex_sample_init(&sample, host, 3, 9, true);
	ex_sample_positions(&sample, 2);
	for (int i = 0; i < 5; i++)
	{
		ex_sample_begin(&sample);
		ex_sample_number(&sample, 1, i + 0.5);
		ex_sample_end(&sample);
	}
	text = written(host, &sample, true);
	wire = written(host, &sample, false);
	test_forms(host, copy_sample, &text, &wire, "positional sample");
	test_golden_forms(host, copy_sample, "background_sample.v1");
	test_golden_forms(host, copy_sample, "background_array.v1");
}

int
main(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);

	make_rows();
	test_siphash();
	test_counts(host);
	test_uniform(host);
	test_statistics(host);
	test_levels(host);
	test_level_limit(host);
	test_cut(host);
	test_canonical(host);
	test_columns_appear(host);
	test_refusals(host);
	test_memory();
	test_no_memory();
	test_codec(host);
	test_partitions(host);
	ex_arena_free(&arena);
	return unit_done();
}
