/*
 * fuzz_state.c
 *		Aggregate states: what in and recv take from anybody, and stored bytes.
 *
 * The first byte chooses the form, t for text.  Whatever is accepted must be
 * safe to use, be read back the same from both forms, and merge with an empty
 * state into itself.
 */
#include <stdio.h>

#include "background.h"
#include "effect_summary.h"
#include "host_malloc.h"
#include "similarity.h"
#include "summary.h"

typedef ex_status (*walk) (ex_codec *codec, void *state);

static ex_status
walk_similarity(ex_codec *codec, void *state)
{
	return ex_similarity_code(codec, state);
}

static ex_status
walk_summary(ex_codec *codec, void *state)
{
	return ex_summary_code(codec, state);
}

static ex_status
walk_effects(ex_codec *codec, void *state)
{
	return ex_effect_summary_code(codec, state);
}

static ex_status
walk_sample(ex_codec *codec, void *state)
{
	return codec->reading ? ex_sample_read(codec, state) : ex_sample_write(codec, state);
}

static ex_buffer
write_state(ex_host *host, walk walk, void *state, bool text)
{
	ex_codec	codec;

	ex_codec_write(&codec, host, "fuzz", text);
	if (walk(&codec, state) != EX_OK)
		abort();
	return codec.out;
}

static void
must_equal(const ex_buffer *a, const ex_buffer *b)
{
	if (a->size != b->size || memcmp(a->data, b->data, a->size) != 0)
		abort();
}

/* state is read again into `again`, which has room for it */
static void
round_trip(ex_host *host, walk walk, void *state, void *again)
{
	ex_buffer	first = write_state(host, walk, state, false);

	for (int text = 0; text < 2; text++)
	{
		ex_buffer	form = write_state(host, walk, state, text);
		ex_buffer	second;
		ex_codec	codec;

		ex_codec_read(&codec, host, "fuzz", text, form.data, form.size);
		if (walk(&codec, again) != EX_OK)
		{
			fprintf(stderr, "%s %s\n", host->error.message, host->error.detail);
			abort();
		}
		second = write_state(host, walk, again, false);
		must_equal(&first, &second);
	}
}

static void
use_similarity(ex_host *host, ex_similarity *state)
{
	ex_similarity again;
	double		cosine = ex_similarity_cosine(state);
	ex_buffer	before;
	ex_buffer	after;

	if (cosine > 1 || cosine < -1)
		abort();
	round_trip(host, walk_similarity, state, &again);
	ex_similarity_init(&again);
	if (ex_similarity_merge(host, &again, state) != EX_OK)
		abort();
	before = write_state(host, walk_similarity, state, false);
	after = write_state(host, walk_similarity, &again, false);
	must_equal(&before, &after);
	(void) ex_similarity_merge(host, &again, state);
	(void) ex_similarity_cosine(&again);
}

static void
use_summary(ex_host *host, ex_summary *state)
{
	ex_summary *again;
	ex_importance *rows;

	(void) ex_summary_importance(host, state, &rows);
	round_trip(host, walk_summary, &state, &again);
	if (ex_summary_merge(host, again, state) == EX_OK)
		(void) ex_summary_importance(host, again, &rows);
}

static void
use_effects(ex_host *host, ex_effect_summary *state)
{
	ex_effect_summary *again;

	for (uint32_t i = 0; i < state->n_effects; i++)
		(void) ex_effect_summary_mean(state, i, 0);
	round_trip(host, walk_effects, &state, &again);
	(void) ex_effect_summary_merge(host, again, state);
}

static void
use_sample(ex_host *host, ex_sample *state)
{
	ex_sample	again;
	ex_buffer	before;
	ex_buffer	after;

	round_trip(host, walk_sample, state, &again);
	if (ex_sample_init(&again, host, (int64_t) state->size, state->seed, state->positional) != EX_OK ||
		ex_sample_merge(&again, state) != EX_OK)
		abort();
	before = write_state(host, walk_sample, state, false);
	after = write_state(host, walk_sample, &again, false);
	must_equal(&before, &after);
	(void) ex_sample_merge(&again, state);
	for (uint32_t c = 0; c < state->n_columns; c++)
		(void) ex_moments_sd(&state->column[c].moments);
}

/* Bytes as they might lie in a table. */
static void
use_stored(ex_host *host, const uint8_t *data, size_t size)
{
	void	   *copy = malloc(size > 0 ? size : 1);

	memcpy(copy, data, size);
	if (ex_similarity_validate(host, copy, size) == EX_OK)
		use_similarity(host, copy);
	if (ex_summary_validate(host, copy, size) == EX_OK)
		use_summary(host, copy);
	if (ex_effect_summary_validate(host, copy, size) == EX_OK)
		use_effects(host, copy);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_codec	codec;
	ex_similarity similarity;
	ex_summary *summary;
	ex_effect_summary *effects;
	ex_sample	sample;

	if (size == 0)
		return 0;
	/* text forms begin with their name, wire forms with a magic number */
	ex_codec_read(&codec, host, "fuzz", data[0] == 't', data + 1, size - 1);
	if (ex_similarity_code(&codec, &similarity) == EX_OK)
		use_similarity(host, &similarity);
	memset(&host->error, 0, sizeof(host->error));
	ex_codec_read(&codec, host, "fuzz", data[0] == 't', data + 1, size - 1);
	if (ex_summary_code(&codec, &summary) == EX_OK)
		use_summary(host, summary);
	memset(&host->error, 0, sizeof(host->error));
	ex_codec_read(&codec, host, "fuzz", data[0] == 't', data + 1, size - 1);
	if (ex_effect_summary_code(&codec, &effects) == EX_OK)
		use_effects(host, effects);
	memset(&host->error, 0, sizeof(host->error));
	ex_codec_read(&codec, host, "fuzz", data[0] == 't', data + 1, size - 1);
	if (ex_sample_read(&codec, &sample) == EX_OK)
		use_sample(host, &sample);
	use_stored(host, data + 1, size - 1);
	ex_arena_free(&arena);
	return 0;
}
