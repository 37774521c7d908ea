/*
 * codec_test.h
 *		What every state's text and wire form is tested for.
 */
#ifndef EX_CODEC_TEST_H
#define EX_CODEC_TEST_H

#include "unit.h"

#include "codec.h"
#include "golden.h"
#include "host_malloc.h"

/* Reads a state of some kind from codec and writes it to out. */
typedef ex_status (*codec_copy) (ex_codec *codec, ex_codec *out);

static inline ex_status
copy_bytes(ex_host *host, codec_copy copy, bool text, const void *data, size_t size, ex_buffer *result)
{
	ex_codec	in;
	ex_codec	out;
	ex_status	status;

	memset(&host->error, 0, sizeof(host->error));
	ex_codec_read(&in, host, "test", text, data, size);
	ex_codec_write(&out, host, "test", text);
	status = copy(&in, &out);
	*result = out.out;
	return status;
}

/* Every shorter form is refused (a part of the last number of a text is a number, too). */
static inline void
test_truncation(ex_host *host, codec_copy copy, bool text, const ex_buffer *form, const char *name)
{
	ex_status	expected = text ? EX_SYNTAX : EX_BINARY;
	size_t		accepted = 0;
	size_t		end = form->size;
	ex_buffer	longer = {0};
	ex_buffer	result;

	while (text && form->data[end - 1] != ' ')
		end--;
	for (size_t size = 0; size < end; size++)
	{
		char	   *exact = malloc(size + 1);

		/* a block of its own: the sanitizer sees a read past the end */
		memcpy(exact, form->data, size);
		exact = realloc(exact, size > 0 ? size : 1);
		accepted += copy_bytes(host, copy, text, exact, size, &result) != expected;
		free(exact);
	}
	is_int((int64_t) accepted, 0, "%s: every shorter %s form is refused", name, text ? "text" : "wire");
	ex_append(host, &longer, form->data, form->size);
	ex_append(host, &longer, " 0", 2);
	is_status(host, copy_bytes(host, copy, text, longer.data, longer.size, &result), expected,
			  "%s: so is a longer one", name);
}

/* Random damage gives an error or a state that is read back the same. */
static inline void
test_damage(ex_host *host, codec_copy copy, bool text, const ex_buffer *form, const char *name)
{
	uint64_t	seed = 12345;
	int			bad = 0;

	for (int trial = 0; trial < 3000; trial++)
	{
		ex_buffer	damaged = {0};
		ex_buffer	once;
		ex_buffer	twice;

		ex_append(host, &damaged, form->data, form->size);
		for (int hits = trial % 3; hits >= 0; hits--)
		{
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			damaged.data[(seed >> 33) % damaged.size] =
				text ? "0123456789-:, \"\\eN"[(seed >> 20) % 18] : (char) (seed >> 24);
		}
		if (copy_bytes(host, copy, text, damaged.data, damaged.size, &once) == EX_OK)
			bad += copy_bytes(host, copy, text, once.data, once.size, &twice) != EX_OK ||
				once.size != twice.size || memcmp(once.data, twice.data, once.size) != 0;
	}
	is_int(bad, 0, "%s: damaged %s forms are refused or are states", name, text ? "text" : "wire");
}

static inline void
test_forms(ex_host *host, codec_copy copy, const ex_buffer *text, const ex_buffer *wire, const char *name)
{
	ex_buffer	result;

	is_status(host, copy_bytes(host, copy, true, text->data, text->size, &result), EX_OK, "%s: text is read", name);
	is_int((int64_t) result.size, (int64_t) text->size, "%s: and written", name);
	is_same(result.data, text->data, text->size, "%s: the same", name);
	is_status(host, copy_bytes(host, copy, false, wire->data, wire->size, &result), EX_OK, "%s: wire form is read", name);
	is_int((int64_t) result.size, (int64_t) wire->size, "%s: and written", name);
	is_same(result.data, wire->data, wire->size, "%s: the same", name);
	test_truncation(host, copy, true, text, name);
	test_truncation(host, copy, false, wire, name);
	test_damage(host, copy, true, text, name);
	test_damage(host, copy, false, wire, name);
}

/*
 * A released form stays readable, and is what every machine writes: text and
 * wire form of one state, as version 1 wrote them.
 */
static inline void
test_golden_forms(ex_host *host, codec_copy copy, const char *stem)
{
	ex_buffer	form[2];

	for (int text = 0; text < 2; text++)
	{
		char		path[256];

		snprintf(path, sizeof(path), "test/data/aggregates/%s.%s", stem, text ? "txt" : "wire");
		form[text].data = golden_file(host, path, &form[text].size);
		form[text].capacity = form[text].size;
	}
	for (int from = 0; from < 2; from++)
	{
		for (int to = 0; to < 2; to++)
		{
			ex_codec	in;
			ex_codec	out;

			ex_codec_read(&in, host, "test", from, form[from].data, form[from].size);
			ex_codec_write(&out, host, "test", to);
			is_status(host, copy(&in, &out), EX_OK, "%s is read from its %s", stem, from ? "text" : "wire form");
			ok(out.out.size == form[to].size && memcmp(out.out.data, form[to].data, form[to].size) == 0,
			   "and written as its %s", to ? "text" : "wire form");
		}
	}
}

#endif							/* EX_CODEC_TEST_H */
