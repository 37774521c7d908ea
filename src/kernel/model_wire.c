/*
 * model_wire.c
 *		The wire form of a model, and the digest computed over it.
 *
 *	magic u32, version u16, family u16, n_features u32, n_outputs u32,
 *	link u16, aggregation u16, link_param f64, n_sections u32,
 *	then for each section: id u32, count u32, elements
 *	then (not part of what is hashed) the digest u8[16]
 *
 * All numbers little-endian, no alignment.  On a little-endian machine the
 * elements of the wire form are those of the stored form, byte for byte, and
 * the digest needs no copy.
 */
#include <string.h>

#include "model_internal.h"

#define WIRE_HEADER 36			/* bytes before the sections */
#define WIRE_SECTION 8			/* bytes before the elements of a section */

static uint8_t *
put_le(uint8_t *at, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*at++ = (uint8_t) (value >> (8 * i));
	return at;
}

static uint64_t
get_le(const uint8_t *at, int bytes)
{
	uint64_t	value = 0;

	for (int i = bytes - 1; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

static void
wire_header(const ex_model *model, uint8_t out[WIRE_HEADER])
{
	uint64_t	param;

	memcpy(&param, &model->link_param, sizeof(param));
	out = put_le(out, model->magic, 4);
	out = put_le(out, model->version, 2);
	out = put_le(out, model->family, 2);
	out = put_le(out, model->n_features, 4);
	out = put_le(out, model->n_outputs, 4);
	out = put_le(out, model->link, 2);
	out = put_le(out, model->aggregation, 2);
	out = put_le(out, param, 8);
	out = put_le(out, model->n_sections, 4);
	memset(out, 0, 4);
}

static inline bool
little_endian(void)
{
	const uint16_t one = 1;

	return *(const uint8_t *) &one == 1;
}

/* Copy elements, turning them from or to little-endian order. */
static void
copy_elements(void *to, const void *from, size_t count, ex_type type)
{
	size_t		size = ex_type_size(type);
	uint8_t    *out = to;
	const uint8_t *in = from;

	if (size == 1 || little_endian())
	{
		if (count > 0)
			memcpy(to, from, count * size);
		return;
	}
	for (size_t i = 0; i < count; i++, in += size, out += size)
	{
		/* a node is f64, i32, u32; everything else is one number */
		size_t		first = type == EX_NODE ? 8 : size;

		for (size_t k = 0; k < first; k++)
			out[k] = in[first - 1 - k];
		for (size_t k = 0; k < (size - first) / 4; k++)
			for (size_t b = 0; b < 4; b++)
				out[first + 4 * k + b] = in[first + 4 * k + 3 - b];
	}
}

static size_t
section_bytes(const ex_section *section)
{
	return section->count * ex_type_size((ex_type) ex_section_types[section->id]);
}

ex_status
ex_wire_write(ex_host *host, const ex_model *model, ex_buffer *out)
{
	uint8_t		header[WIRE_HEADER];

	EX_TRY(ex_reserve(host, out, model->size + WIRE_HEADER + sizeof(model->digest)));
	wire_header(model, header);
	EX_TRY(ex_append(host, out, header, WIRE_HEADER));
	for (uint32_t i = 0; i < model->n_sections; i++)
	{
		const ex_section *section = &model->section[i];
		uint8_t		head[WIRE_SECTION];
		size_t		size = section_bytes(section);

		put_le(put_le(head, section->id, 4), section->count, 4);
		EX_TRY(ex_append(host, out, head, WIRE_SECTION));
		EX_TRY(ex_reserve(host, out, size));
		copy_elements(out->data + out->size, (const char *) model + section->offset,
					  section->count, (ex_type) ex_section_types[section->id]);
		out->size += size;
	}
	return ex_append(host, out, model->digest, sizeof(model->digest));
}

static void
sign_in_place(ex_host *host, const ex_model *model, uint8_t digest[32])
{
	ex_span		span[1 + 2 * EX_N_SECTIONS];
	uint8_t		header[WIRE_HEADER];
	uint8_t		head[EX_N_SECTIONS][WIRE_SECTION];
	int			n = 0;

	wire_header(model, header);
	span[n++] = (ex_span) {header, WIRE_HEADER};
	for (uint32_t i = 0; i < model->n_sections; i++)
	{
		const ex_section *section = &model->section[i];

		put_le(put_le(head[i], section->id, 4), section->count, 4);
		span[n++] = (ex_span) {head[i], WIRE_SECTION};
		span[n++] = (ex_span) {(const char *) model + section->offset, section_bytes(section)};
	}
	ex_sha256(host, span, n, digest);
}

void
ex_sign(ex_host *host, const ex_model *model, uint8_t digest[16])
{
	uint8_t		whole[32] = {0};

	if (little_endian())
		sign_in_place(host, model, whole);
	else
	{
		ex_buffer	wire = {0};

		if (ex_wire_write(host, model, &wire) == EX_OK)
			ex_sha256(host, &(ex_span) {wire.data, wire.size - sizeof(model->digest)}, 1, whole);
	}
	memcpy(digest, whole, 16);
}

static ex_status
bad_wire(ex_host *host, const char *what)
{
	ex_fail(host, EX_BINARY, "invalid binary form of a model: %s", what);
	ex_hint(host, "Send a value that was received in binary format from type explain.model.");
	return EX_BINARY;
}

/* Section directory and element positions of a wire form. */
static ex_status
scan_sections(ex_host *host, const uint8_t *data, size_t size, uint32_t n_sections,
			  ex_section *directory, const uint8_t **elements)
{
	size_t		at = WIRE_HEADER;

	for (uint32_t i = 0; i < n_sections; i++)
	{
		size_t		bytes;

		if (size - at < WIRE_SECTION)
			return bad_wire(host, "it ends too early");
		directory[i].id = (uint32_t) get_le(data + at, 4);
		directory[i].count = (uint32_t) get_le(data + at + 4, 4);
		at += WIRE_SECTION;
		if (directory[i].id >= EX_N_SECTIONS || (i > 0 && directory[i].id <= directory[i - 1].id))
			return bad_wire(host, "unknown or unordered section");
		bytes = section_bytes(&directory[i]);
		if (size - at < bytes)
			return bad_wire(host, "it ends too early");
		elements[i] = data + at;
		at += bytes;
	}
	if (size - at != sizeof(((ex_model *) 0)->digest))
		return bad_wire(host, "wrong length");
	return EX_OK;
}

static ex_status
read_header(ex_host *host, const uint8_t *data, size_t size, ex_model *model)
{
	uint64_t	param;

	if (size < WIRE_HEADER + sizeof(model->digest))
		return bad_wire(host, "it is too short");
	memset(model, 0, sizeof(*model));
	model->magic = (uint32_t) get_le(data, 4);
	model->version = (uint16_t) get_le(data + 4, 2);
	model->family = (uint16_t) get_le(data + 6, 2);
	model->n_features = (uint32_t) get_le(data + 8, 4);
	model->n_outputs = (uint32_t) get_le(data + 12, 4);
	model->link = (uint16_t) get_le(data + 16, 2);
	model->aggregation = (uint16_t) get_le(data + 18, 2);
	param = get_le(data + 20, 8);
	memcpy(&model->link_param, &param, sizeof(param));
	model->n_sections = (uint32_t) get_le(data + 28, 4);
	memcpy(model->digest, data + size - sizeof(model->digest), sizeof(model->digest));
	if (model->magic != EX_MODEL_MAGIC)
		return bad_wire(host, "it does not begin like a model");
	if (get_le(data + 32, 4) != 0)
		return bad_wire(host, "reserved bytes are not zero");
	if (model->n_sections > EX_N_SECTIONS)
		return bad_wire(host, "too many sections");
	return EX_OK;
}

ex_status
ex_wire_read(ex_host *host, const void *data, size_t size, ex_model **model)
{
	ex_model	header;
	ex_section	directory[EX_N_SECTIONS];
	const uint8_t *elements[EX_N_SECTIONS];
	uint8_t		digest[16];
	size_t		total;
	char	   *bytes;

	EX_TRY(read_header(host, data, size, &header));
	EX_TRY(ex_check_version(host, &header));
	EX_TRY(scan_sections(host, data, size, header.n_sections, directory, elements));
	total = ex_layout(directory, header.n_sections);
	if (total == 0)
		return ex_too_large(host);
	EX_TRY(ex_alloc(host, total, 1, (void **) &bytes));
	header.size = (uint32_t) total;
	memcpy(bytes, &header, sizeof(header));
	*model = (ex_model *) bytes;
	memcpy((*model)->section, directory, header.n_sections * sizeof(ex_section));
	for (uint32_t i = 0; i < header.n_sections; i++)
		copy_elements(bytes + directory[i].offset, elements[i], directory[i].count,
					  (ex_type) ex_section_types[directory[i].id]);

	/* first, so that damage on the way is reported as such */
	ex_sign(host, *model, digest);
	if (memcmp(digest, (*model)->digest, sizeof(digest)) != 0)
		return bad_wire(host, "it does not match its digest");
	return ex_validate(host, *model, total);
}
