/*
 * table_rows.c
 *		Rows of a user's table on their way into a model.
 */
#include "table_rows.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_VERSION 1
#define HEADER_SIZE 6

/* Rows between two questions to the host whether to stop. */
#define POLL_ROWS 4096

/* ----------------------------------------------------------------
 * Writing
 * ---------------------------------------------------------------- */

static ex_status
put_integer(ex_host *host, ex_buffer *rows, uint64_t value, int size)
{
	uint8_t		bytes[8];

	for (int i = 0; i < size; i++)
		bytes[i] = (uint8_t) (value >> (8 * i));
	return ex_append(host, rows, bytes, (size_t) size);
}

static ex_status
put_number(ex_host *host, ex_buffer *rows, double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return put_integer(host, rows, bits, 8);
}

static ex_status
put_text(ex_host *host, ex_buffer *rows, ex_string string)
{
	EX_TRY(put_integer(host, rows, string.length, 4));
	return ex_append(host, rows, string.text, string.length);
}

static ex_status
put_field(ex_host *host, ex_buffer *rows, const ex_field *field)
{
	EX_TRY(put_integer(host, rows, (uint64_t) field->type, 1));
	switch (field->type)
	{
		case EX_FIELD_NULL:
			break;
		case EX_FIELD_TEXT:
			return put_text(host, rows, field->text);
		case EX_FIELD_NUMBER:
			return put_number(host, rows, field->number);
		case EX_FIELD_TEXTS:
			EX_TRY(put_integer(host, rows, field->count, 4));
			for (uint32_t i = 0; i < field->count; i++)
				EX_TRY(put_text(host, rows, field->texts[i]));
			break;
		case EX_FIELD_NUMBERS:
			EX_TRY(put_integer(host, rows, field->count, 4));
			for (uint32_t i = 0; i < field->count; i++)
				EX_TRY(put_number(host, rows, field->numbers[i]));
			break;
	}
	return EX_OK;
}

ex_status
ex_rows_begin(ex_host *host, ex_buffer *rows, const ex_table *table)
{
	EX_TRY(put_integer(host, rows, table->magic, 4));
	return put_integer(host, rows, ROWS_VERSION, 2);
}

ex_status
ex_rows_put(ex_host *host, ex_buffer *rows, const ex_table *table, const ex_field *field)
{
	for (int i = 0; i < table->n_fields; i++)
		EX_TRY(put_field(host, rows, &field[i]));
	return EX_OK;
}

ex_status
ex_rows_merge(ex_host *host, ex_buffer *total, const void *bytes, size_t size)
{
	return ex_append(host, total, (const char *) bytes + HEADER_SIZE, size - HEADER_SIZE);
}

/* ----------------------------------------------------------------
 * Reading
 * ---------------------------------------------------------------- */

static uint64_t
get_integer(const uint8_t **at, int size)
{
	uint64_t	value = 0;

	for (int i = 0; i < size; i++)
		value |= (uint64_t) *(*at)++ << (8 * i);
	return value;
}

double
ex_field_next_number(const uint8_t **element)
{
	uint64_t	bits = get_integer(element, 8);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

ex_string
ex_field_next_text(const uint8_t **element)
{
	ex_string	string;

	string.length = (uint32_t) get_integer(element, 4);
	string.text = (const char *) *element;
	*element += string.length;
	return string;
}

/* The field at *at, which moves behind it; everything has been checked. */
static void
read_field(const uint8_t **at, ex_field *field)
{
	memset(field, 0, sizeof(*field));
	field->type = (ex_field_type) get_integer(at, 1);
	if (field->type == EX_FIELD_TEXT)
		field->text = ex_field_next_text(at);
	else if (field->type == EX_FIELD_NUMBER)
		field->number = ex_field_next_number(at);
	else if (field->type != EX_FIELD_NULL)
	{
		field->count = (uint32_t) get_integer(at, 4);
		field->elements = *at;
		if (field->type == EX_FIELD_NUMBERS)
			*at += (size_t) field->count * 8;
		else
			for (uint32_t i = 0; i < field->count; i++)
				(void) ex_field_next_text(at);
	}
}

void
ex_rows_open(ex_rows_cursor *cursor, const ex_table *table, const void *bytes, size_t size)
{
	cursor->table = table;
	cursor->at = (const uint8_t *) bytes + HEADER_SIZE;
	cursor->end = (const uint8_t *) bytes + size;
}

bool
ex_rows_next(ex_rows_cursor *cursor, ex_field *field)
{
	if (cursor->at >= cursor->end)
		return false;
	for (int i = 0; i < cursor->table->n_fields; i++)
		read_field(&cursor->at, &field[i]);
	return true;
}

/* ----------------------------------------------------------------
 * Checking
 * ---------------------------------------------------------------- */

static bool
skip(const uint8_t **at, const uint8_t *end, size_t size)
{
	if (size > (size_t) (end - *at))
		return false;
	*at += size;
	return true;
}

static bool
take_u32(const uint8_t **at, const uint8_t *end, uint32_t *value)
{
	if (end - *at < 4)
		return false;
	*value = (uint32_t) get_integer(at, 4);
	return true;
}

static bool
check_text(const uint8_t **at, const uint8_t *end)
{
	uint32_t	length;
	const uint8_t *text;

	if (!take_u32(at, end, &length))
		return false;
	text = *at;
	return skip(at, end, length) && ex_valid_utf8((const char *) text, length);
}

static bool
check_field(const uint8_t **at, const uint8_t *end, const ex_field_spec *spec)
{
	ex_field_type type;
	uint32_t	count;

	if (*at >= end)
		return false;
	type = (ex_field_type) get_integer(at, 1);
	if (type == EX_FIELD_NULL)
		return true;
	/* one type, and one that the field can have */
	if ((type & (type - 1)) != 0 || !(type & spec->types))
		return false;
	if (type == EX_FIELD_TEXT)
		return check_text(at, end);
	if (type == EX_FIELD_NUMBER)
		return skip(at, end, 8);
	if (!take_u32(at, end, &count))
		return false;
	if (type == EX_FIELD_NUMBERS)
		return skip(at, end, (size_t) count * 8);
	while (count-- > 0)
		if (!check_text(at, end))
			return false;
	return true;
}

static ex_status
bad_rows(ex_host *host, const ex_table *table)
{
	return ex_fail(host, EX_BINARY, "invalid state of an aggregate over a %s", table->name);
}

ex_status
ex_rows_check(ex_host *host, const ex_table *table, const void *bytes, size_t size, size_t *n_rows)
{
	const uint8_t *at = bytes;
	const uint8_t *end = at + size;

	*n_rows = 0;
	if (size < HEADER_SIZE || get_integer(&at, 4) != table->magic)
		return bad_rows(host, table);
	if (get_integer(&at, 2) != ROWS_VERSION)
		return ex_fail(host, EX_UNSUPPORTED, "state of an aggregate over a %s has an unknown version",
					   table->name);
	for (; at < end; (*n_rows)++)
	{
		for (int i = 0; i < table->n_fields; i++)
			if (!check_field(&at, end, &table->field[i]))
				return bad_rows(host, table);
		EX_TRY(ex_poll_row(host, *n_rows));
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Names and numbers
 * ---------------------------------------------------------------- */

int
ex_compare_strings(const void *a, const void *b)
{
	const ex_string *left = a;
	const ex_string *right = b;
	uint32_t	shorter = left->length < right->length ? left->length : right->length;
	int			order = shorter > 0 ? memcmp(left->text, right->text, shorter) : 0;

	if (order != 0)
		return order;
	return left->length < right->length ? -1 : left->length > right->length;
}

/* A whole number in the one way to write it: no leading zeros, no sign but '-'. */
static bool
is_whole(const ex_string *string, bool *negative)
{
	const char *digit = string->text;
	const char *end = digit + string->length;

	*negative = digit < end && *digit == '-';
	digit += *negative;
	if (digit == end || (*digit == '0' && (end - digit > 1 || *negative)))
		return false;
	for (; digit < end; digit++)
		if (*digit < '0' || *digit > '9')
			return false;
	return true;
}

/* Without leading zeros the longer number is the larger one. */
static int
compare_digits(const ex_string *a, const ex_string *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->text, b->text, a->length);
}

int
ex_compare_ids(const void *a, const void *b)
{
	bool		negative_a;
	bool		negative_b;
	bool		whole_a = is_whole(a, &negative_a);
	bool		whole_b = is_whole(b, &negative_b);

	if (whole_a != whole_b)
		return whole_a ? -1 : 1;
	if (!whole_a)
		return ex_compare_strings(a, b);
	if (negative_a != negative_b)
		return negative_a ? -1 : 1;
	return negative_a ? compare_digits(b, a) : compare_digits(a, b);
}

/* Merge the sorted runs from[first .. middle - 1] and from[middle .. end - 1]. */
static void
merge_runs(void **from, void **to, size_t first, size_t middle, size_t end, ex_string_order order)
{
	size_t		left = first;
	size_t		right = middle;

	for (size_t i = first; i < end; i++)
	{
		bool		take_left = left < middle &&
		(right == end || order(from[left], from[right]) <= 0);

		to[i] = take_left ? from[left++] : from[right++];
	}
}

/* Merge sort from the bottom up. */
ex_status
ex_sort_pointers(ex_host *host, void **item, size_t n, ex_string_order order)
{
	void	  **from = item;
	void	  **to;
	size_t		sorted = 1;

	while (sorted < n && order(item[sorted - 1], item[sorted]) <= 0)
		sorted++;
	if (sorted >= n)
		return EX_OK;
	EX_TRY(EX_ALLOC(host, n, &to));
	for (size_t run = 1; run < n; run *= 2)
	{
		void	  **swap = from;

		for (size_t first = 0; first < n; first += 2 * run)
		{
			size_t		middle = first + run < n ? first + run : n;
			size_t		end = middle + run < n ? middle + run : n;

			merge_runs(from, to, first, middle, end, order);
			if (first % POLL_ROWS < 2 * run)
				EX_TRY(ex_poll(host));
		}
		from = to;
		to = swap;
	}
	if (from != item)
		memcpy(item, from, n * sizeof(void *));
	return EX_OK;
}

size_t
ex_distinct_strings(ex_string *string, size_t n, ex_string_order order)
{
	size_t		kept = 0;

	if (n == 0)
		return 0;
	qsort(string, n, sizeof(ex_string), order);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || order(&string[kept - 1], &string[i]) != 0)
			string[kept++] = string[i];
	return kept;
}

ex_status
ex_string_set_add(ex_host *host, ex_string_set *set, ex_string string)
{
	if (set->n == set->capacity)
	{
		ex_string  *grown;

		set->n = ex_distinct_strings(set->string, set->n, set->order);
		EX_TRY(ex_poll(host));

		/*
		 * room for as many again: sorting costs a string no more than a few
		 * turns
		 */
		if (set->n >= set->capacity / 2)
		{
			set->capacity = set->capacity < 64 ? 64 : set->capacity * 2;
			EX_TRY(EX_ALLOC(host, set->capacity, &grown));
			if (set->n > 0)
				memcpy(grown, set->string, set->n * sizeof(ex_string));
			set->string = grown;
		}
	}
	set->string[set->n++] = string;
	return EX_OK;
}

void
ex_string_set_finish(ex_string_set *set)
{
	set->n = ex_distinct_strings(set->string, set->n, set->order);
}

ex_status
ex_poll_row(ex_host *host, size_t i)
{
	return i % POLL_ROWS == POLL_ROWS - 1 ? ex_poll(host) : EX_OK;
}

int32_t
ex_find_string(const ex_string *sorted, size_t n, ex_string wanted, ex_string_order order)
{
	const ex_string *found = bsearch(&wanted, sorted, n, sizeof(ex_string), order);

	return found != NULL ? (int32_t) (found - sorted) : -1;
}
