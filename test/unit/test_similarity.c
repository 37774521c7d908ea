/*
 * test_similarity.c
 *		The state of model_similarity against exact rational arithmetic.
 */
#include "unit.h"

#include "codec_test.h"
#include "golden.h"
#include "random.h"
#include "similarity.h"

#define FOLDER "test/data/aggregates/"

static golden_table columns;
static golden_table expected;

static ex_similarity
similarity_of(uint32_t pair, bool weighted)
{
	ex_similarity state;

	ex_similarity_init(&state);
	for (size_t i = 0; i < columns.rows; i++)
	{
		const double *row = &columns.value[i * columns.columns];

		if (weighted)
			ex_similarity_add_weighted(&state, row[2 * pair], row[2 * pair + 1], row[columns.columns - 1]);
		else
			ex_similarity_add(&state, row[2 * pair], row[2 * pair + 1]);
	}
	return state;
}

static void
test_golden(void)
{
	for (uint32_t pair = 0; pair < expected.rows; pair++)
	{
		ex_similarity plain = similarity_of(pair, false);
		ex_similarity weighted = similarity_of(pair, true);

		is_double(ex_similarity_cosine(&plain), expected.value[2 * pair], "pair %u: nearest double", pair);
		is_double(ex_similarity_cosine(&weighted), expected.value[2 * pair + 1],
				  "pair %u with weights: nearest double", pair);
	}
}

/* A column with itself, its negation and multiples of it. */
static void
test_identity(void)
{
	double		factor[] = {1, -1, 2, -0.125, 3, 1e-300, -1e300};

	for (size_t k = 0; k < sizeof(factor) / sizeof(*factor); k++)
	{
		ex_similarity state;
		double		worst = 0;

		for (uint32_t c = 0; c + 1 < columns.columns; c++)
		{
			/* those products that stay in range */
			if (fabs(factor[k]) != 1 && c >= 4 && c != 10 && c != 11)
				continue;
			ex_similarity_init(&state);
			for (size_t i = 0; i < columns.rows; i++)
			{
				double		x = columns.value[i * columns.columns + c];

				ex_similarity_add(&state, x, factor[k] * x);
			}
			worst = fmax(worst, fabs(ex_similarity_cosine(&state) - (factor[k] < 0 ? -1 : 1)));
		}
		is_double(worst, 0, "similarity of f and %g f is exactly %d", factor[k], factor[k] < 0 ? -1 : 1);
	}
}

static void
test_extremes(void)
{
	ex_similarity state;

	ex_similarity_init(&state);
	is_double(ex_similarity_cosine(&state), NAN, "no rows");
	ex_similarity_add(&state, 0, 1);
	is_double(ex_similarity_cosine(&state), NAN, "a zero vector");
	ex_similarity_add(&state, 5e-324, 0);
	is_double(ex_similarity_cosine(&state), 0, "orthogonal, one of them subnormal");
	ex_similarity_init(&state);
	ex_similarity_add_weighted(&state, 1, 1, 0);
	is_double(ex_similarity_cosine(&state), NAN, "no weight");
	is_int((int64_t) state.n, 1, "a row of weight 0 is a row");
	ex_similarity_init(&state);
	ex_similarity_add_weighted(&state, 1.7e308, 1.7e308, 1.7e308);
	ex_similarity_add_weighted(&state, -1.7e308, 1.7e308, 1.7e308);
	ex_similarity_add_weighted(&state, 1.7e308, 1.7e308, 1.7e308);
	is_double(ex_similarity_cosine(&state), 1.0 / 3, "the largest values and weights");
	ex_similarity_init(&state);
	ex_similarity_add_weighted(&state, 5e-324, -5e-324, 5e-324);
	is_double(ex_similarity_cosine(&state), -1, "the smallest values and weights");
}

static void
test_checks(ex_host *host)
{
	ex_similarity state;
	ex_similarity other;

	ex_similarity_init(&state);
	ok(ex_similarity_accepts(&state, 1, -1, 0), "an ordinary row is accepted");
	ok(!ex_similarity_accepts(&state, NAN, 0, 1), "NaN is not");
	ok(!ex_similarity_accepts(&state, 0, -HUGE_VAL, 1), "nor infinity");
	ok(!ex_similarity_accepts(&state, 0, 0, -1e-300), "nor a negative weight");
	ok(!ex_similarity_accepts(&state, 0, 0, NAN), "nor a weight of NaN");
	is_status(host, ex_similarity_check(host, &state, NAN, 0, 1), EX_RANGE, "NaN: out of range");
	is_status(host, ex_similarity_check(host, &state, 0, HUGE_VAL, 1), EX_RANGE, "infinity: out of range");
	is_status(host, ex_similarity_check(host, &state, 0, 0, -1), EX_INVALID, "negative weight: invalid");
	is_status(host, ex_similarity_check(host, &state, 0, 0, HUGE_VAL), EX_RANGE, "infinite weight: out of range");
	is_status(host, ex_similarity_check(host, &state, 0, 0, -0.0), EX_OK, "a weight of -0 is 0");

	state.n = EX_EXACT_MAX_TERMS;
	ok(!ex_similarity_accepts(&state, 1, 1, 1), "too many rows");
	is_status(host, ex_similarity_check(host, &state, 1, 1, 1), EX_LIMIT, "too many rows: limit");
	ex_similarity_init(&other);
	ex_similarity_add(&other, 1, 1);
	is_status(host, ex_similarity_merge(host, &state, &other), EX_LIMIT, "too many rows in a merge");
}

/* Same bits for weight 1 and no weight, for 500 partitions, and for weights in any split. */
static void
test_partitions(ex_host *host)
{
	uint32_t   *order = host->alloc(host, columns.rows * sizeof(uint32_t));
	int			different = 0;

	for (int trial = 0; trial < 500; trial++)
	{
		uint32_t	pair = (uint32_t) trial % (uint32_t) expected.rows;
		bool		weighted = trial % 2;
		ex_similarity whole = similarity_of(pair, weighted);
		ex_similarity part[64];
		ex_similarity total;
		uint32_t	n_parts = 1 + random_below(64);

		for (uint32_t p = 0; p < n_parts; p++)
			ex_similarity_init(&part[p]);
		random_order(order, (uint32_t) columns.rows);
		for (size_t i = 0; i < columns.rows; i++)
		{
			const double *row = &columns.value[order[i] * columns.columns];

			ex_similarity_add_weighted(&part[random_below(n_parts)], row[2 * pair], row[2 * pair + 1],
									   weighted ? row[columns.columns - 1] : 1);
		}
		ex_similarity_init(&total);
		for (uint32_t p = 0; p < n_parts; p++)
			ex_similarity_merge(host, &total, &part[p]);
		different += memcmp(&total, &whole, sizeof(whole)) != 0;
	}
	is_int(different, 0, "500 random partitions give the same state, bit for bit");
}

static ex_status
copy_similarity(ex_codec *in, ex_codec *out)
{
	ex_similarity state;

	EX_TRY(ex_similarity_code(in, &state));
	EX_TRY(ex_similarity_validate(in->host, &state, sizeof(state)));
	(void) ex_similarity_cosine(&state);
	return ex_similarity_code(out, &state);
}

static ex_buffer
written(ex_host *host, ex_similarity *state, bool text)
{
	ex_codec	codec;

	ex_codec_write(&codec, host, "explain.similarity_state", text);
	ex_similarity_code(&codec, state);
	return codec.out;
}

static void
test_codec(ex_host *host)
{
	ex_similarity state;
	ex_buffer	text;
	ex_buffer	wire;

	ex_similarity_init(&state);
	text = written(host, &state, true);
	ex_append(host, &text, "", 1);
	is_text(text.data, "similarity 1 0 - - - - - -", "text form of the empty state");
	ex_similarity_add(&state, 2, -3);
	text = written(host, &state, true);
	ex_append(host, &text, "", 1);
	is_text(text.data, "similarity 1 1 0:1 0:2 0:-3 0:4 0:9 0:-6", "text form of one row");

	state = similarity_of(4, true);
	text = written(host, &state, true);
	wire = written(host, &state, false);
	test_forms(host, copy_similarity, &text, &wire, "similarity");
	state.sum[2].limb[1] = INT64_MAX;
	is_status(host, ex_similarity_validate(host, &state, sizeof(state)), EX_CORRUPT, "corrupt bytes are found");
	is_status(host, ex_similarity_validate(host, &state, sizeof(state) - 1), EX_CORRUPT, "so is a wrong size");
	test_golden_forms(host, copy_similarity, "similarity.v1");
}

int
main(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);

	columns = golden_csv(host, FOLDER "columns.csv");
	expected = golden_csv(host, FOLDER "similarity.csv");
	test_golden();
	test_identity();
	test_extremes();
	test_checks(host);
	test_partitions(host);
	test_codec(host);
	ex_arena_free(&arena);
	return unit_done();
}
