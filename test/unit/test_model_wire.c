/*
 * test_model_wire.c
 *		The wire form that was released once stays readable: golden bytes of
 *		each documented example, version by version.
 *
 * test/data/wire/digests names the examples; NAME.v1 is what model_send wrote
 * for doc/examples/NAME.json in format version 1.
 */
#include "unit.h"

#include "host_malloc.h"
#include "model_json.h"

static ex_arena arena;
static ex_host *host;

static size_t
read_file(const char *folder, const char *name, const char *suffix, char *data, size_t size)
{
	char		path[256];
	FILE	   *file;
	size_t		length = 0;

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
	file = fopen(path, "rb");
	if (ok(file != NULL, "%s is there", path))
	{
		length = fread(data, 1, size, file);
		fclose(file);
	}
	return length;
}

static void
print_digest(const ex_model *model, char text[33])
{
	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", model->digest[i]);
}

static void
test_golden(const char *name, const char *digest)
{
	static char bytes[65536];
	ex_buffer	again = {0};
	ex_model   *model;
	char		text[33];
	size_t		size = read_file("test/data/wire", name, ".v1", bytes, sizeof(bytes));

	if (!ok(ex_wire_read(host, bytes, size, &model) == EX_OK, "%s: version 1 is read", name))
		return;
	print_digest(model, text);
	ok(strcmp(text, digest) == 0, "%s: its digest", name);
	ok(ex_wire_write(host, model, &again) == EX_OK && again.size == size &&
	   memcmp(again.data, bytes, size) == 0, "%s: written again, the same bytes", name);

	size = read_file("doc/examples", name, ".json", bytes, sizeof(bytes));
	ok(ex_model_from_json(host, bytes, size, &model) == EX_OK &&
	   (print_digest(model, text), strcmp(text, digest) == 0), "%s: the document makes the same model", name);

	/* every damaged byte is noticed */
	for (size_t i = 0; i < again.size; i++)
	{
		again.data[i] ^= 0x10;
		if (ex_wire_read(host, again.data, again.size, &model) == EX_OK)
			ok(false, "%s: byte %zu may be damaged unnoticed", name, i);
		again.data[i] ^= 0x10;
	}
}

int
main(void)
{
	static char list[4096];
	size_t		length;
	char	   *line = list;
	char		name[100];
	char		digest[100];

	host = ex_arena_init(&arena);
	length = read_file("test/data/wire", "digests", "", list, sizeof(list) - 1);
	list[length] = '\0';
	for (; sscanf(line, "%99s %99s", name, digest) == 2; line = strchr(line, '\n') + 1)
		test_golden(name, digest);
	ex_arena_free(&arena);
	return unit_done();
}
