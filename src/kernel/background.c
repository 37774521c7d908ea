/*
 * background.c
 *		A background sample of rows, made without knowing a model.
 */
#include "background_internal.h"

#include "model.h"

/* Any fixed key: the first digits of pi. */
#define KEY0 UINT64_C(0x243f6a8885a308d3)
#define KEY1 UINT64_C(0x13198a2e03707344)

#define FIRST_ROWS 64
#define FIRST_SLOTS 16

ex_status
ex_sample_init(ex_sample *sample, ex_host *host, int64_t size, int64_t seed, bool positional)
{
	if (size < 1 || size > EX_MAX_BACKGROUND)
	{
		(void) ex_fail(host, EX_INVALID, "size of a background sample must be between 1 and %d, not %lld",
					   EX_MAX_BACKGROUND, (long long) size);
		return EX_INVALID;
	}
	memset(sample, 0, sizeof(*sample));
	sample->host = host;
	sample->size = (uint64_t) size;
	sample->seed = seed;
	sample->positional = positional;
	return EX_OK;
}

/* ---- columns ---- */

/* A larger copy of an array; ex_alloc's checks, the old content, zeroed rest. */
static ex_status
grow(ex_host *host, void **array, size_t used, size_t capacity, size_t size)
{
	void	   *old = *array;

	EX_TRY(ex_alloc(host, capacity, size, array));
	if (used > 0)
		memcpy(*array, old, used * size);
	return EX_OK;
}

/* Zeroed room for n numbers that is used again and again. */
static ex_status
scratch(ex_host *host, uint32_t **room, size_t *capacity, size_t n)
{
	if (n > *capacity)
	{
		*capacity = n > 2 * *capacity ? n : 2 * *capacity;
		return EX_ALLOC(host, *capacity, room);
	}
	if (n > 0)
		memset(*room, 0, n * sizeof(**room));
	return EX_OK;
}

/* Rows get room for more columns; the new cells are missing. */
static ex_status
widen_rows(ex_sample *sample, uint32_t stride)
{
	double	   *cell;

	if (sample->row_capacity == 0)
		return EX_OK;
	if (stride > EX_MAX_ALLOC / sizeof(double) / sample->row_capacity)
		return ex_fail(sample->host, EX_LIMIT, "background sample of %zu rows and %u columns is too large",
					   sample->n_rows, stride);
	EX_TRY(EX_ALLOC(sample->host, sample->row_capacity * stride, &cell));
	for (size_t slot = 0; slot < sample->row_capacity; slot++)
	{
		for (uint32_t c = 0; c < stride; c++)
			cell[slot * stride + c] = c < sample->stride ? sample->cell[slot * sample->stride + c] : NAN;
	}
	sample->cell = cell;
	return EX_OK;
}

static ex_status
reserve_columns(ex_sample *sample, uint32_t n)
{
	uint32_t	stride = sample->stride;

	if (n > EX_SAMPLE_MAX_COLUMNS)
		return ex_fail(sample->host, EX_LIMIT, "background sample of more than %d columns",
					   EX_SAMPLE_MAX_COLUMNS);
	if (n <= stride)
		return EX_OK;
	stride = n > 2 * stride ? n : 2 * stride;
	EX_TRY(widen_rows(sample, stride));
	EX_TRY(grow(sample->host, (void **) &sample->column, sample->n_columns, stride,
				sizeof(*sample->column)));
	EX_TRY(grow(sample->host, (void **) &sample->pending, sample->n_columns, stride,
				sizeof(*sample->pending)));
	sample->stride = stride;
	return EX_OK;
}

static void
start_column(ex_sample *sample, const char *name, uint32_t length, ex_word key)
{
	ex_sample_column *column = &sample->column[sample->n_columns];

	memset(column, 0, sizeof(*column));
	column->name = name;
	column->name_length = length;
	column->key = key;
	column->counting = true;
	ex_moments_init(&column->moments);
	sample->pending[sample->n_columns].number = NAN;
	sample->n_columns++;
}

static bool
same_word(ex_word a, ex_word b)
{
	return a.high == b.high && a.low == b.low;
}

static bool
word_before(ex_word a, ex_word b)
{
	return a.high != b.high ? a.high < b.high : a.low < b.low;
}

static bool
is_column(const ex_sample_column *column, const char *name, size_t length)
{
	return column->name != NULL && column->name_length == length && memcmp(column->name, name, length) == 0;
}

int32_t
ex_sample_find(const ex_sample *sample, const char *name, size_t length)
{
	for (uint32_t i = 0; i < sample->n_columns; i++)
	{
		if (is_column(&sample->column[i], name, length))
			return (int32_t) i;
	}
	return -1;
}

static ex_status
copy_text(ex_host *host, const char *text, size_t length, const char **copy)
{
	char	   *to;

	EX_TRY(EX_ALLOC(host, length + 1, &to));
	memcpy(to, text, length);
	*copy = to;
	return EX_OK;
}

ex_status
ex_sample_append_column(ex_sample *sample, const char *name, size_t length)
{
	const char *copy;

	if (length > EX_MAX_NAME)
		return ex_fail(sample->host, EX_INVALID, "name of a column is longer than %d bytes", EX_MAX_NAME);
	EX_TRY(reserve_columns(sample, sample->n_columns + 1));
	EX_TRY(copy_text(sample->host, name, length, &copy));
	start_column(sample, copy, (uint32_t) length, ex_siphash(KEY0, KEY1, name, length));
	return EX_OK;
}

ex_status
ex_sample_column_at(ex_sample *sample, const char *name, size_t length, uint32_t *column)
{
	int32_t		found;

	/* rows name their columns in the same order again and again */
	if (sample->next_column >= sample->n_columns)
		sample->next_column = 0;
	*column = sample->next_column++;
	if (*column < sample->n_columns && is_column(&sample->column[*column], name, length))
		return EX_OK;
	found = ex_sample_find(sample, name, length);
	if (found < 0)
	{
		found = (int32_t) sample->n_columns;
		EX_TRY(ex_sample_append_column(sample, name, length));
	}
	*column = (uint32_t) found;
	sample->next_column = *column + 1;
	return EX_OK;
}

ex_status
ex_sample_positions(ex_sample *sample, uint32_t n)
{
	if (sample->n_columns == n && n > 0)
		return EX_OK;
	if (sample->n_columns > 0 || n == 0)
	{
		(void) ex_fail(sample->host, EX_DIMENSION, "background rows must have the same number of values");
		ex_detail(sample->host, "There are rows of %u and of %u values.", sample->n_columns, n);
		return EX_DIMENSION;
	}
	EX_TRY(reserve_columns(sample, n));
	for (uint32_t i = 0; i < n; i++)
	{
		ex_word		key = {ex_mix64(KEY0 + i), ex_mix64(KEY1 + i)};

		start_column(sample, NULL, 0, key);
	}
	return EX_OK;
}

/* ---- values of a column ---- */

/* Position of a value in the hash index: its slot, or the free one where it belongs. */
static uint32_t
find_slot(const ex_sample_column *column, const ex_sample_cell *cell)
{
	uint32_t	slot = (uint32_t) cell->word.low & (column->n_slots - 1);

	while (column->slot[slot] != 0)
	{
		const ex_sample_value *value = &column->value[column->slot[slot] - 1];

		if (same_word(value->word, cell->word) && value->length == cell->length &&
			(cell->text == NULL || memcmp(value->text, cell->text, cell->length) == 0))
			break;
		slot = (slot + 1) & (column->n_slots - 1);
	}
	return slot;
}

/* Index the values anew in a table at most half full. */
static ex_status
index_values(ex_sample *sample, ex_sample_column *column, uint32_t n_slots)
{
	if (n_slots > column->n_slots)
	{
		EX_TRY(EX_ALLOC(sample->host, n_slots, &column->slot));
		column->n_slots = n_slots;
	}
	else
		memset(column->slot, 0, column->n_slots * sizeof(*column->slot));
	for (uint32_t i = 0; i < column->n_values; i++)
	{
		const ex_sample_value *value = &column->value[i];
		ex_sample_cell cell = {value->word, value->number, value->text, value->length, NULL};

		column->slot[find_slot(column, &cell)] = i + 1;
	}
	return EX_OK;
}

/* The position of a value in the column's list, where it is put if it is new. */
static ex_status
intern(ex_sample *sample, ex_sample_column *column, const ex_sample_cell *cell, uint32_t *position)
{
	ex_sample_value *value;
	uint32_t	slot;

	if (2 * (column->n_values + 1) > column->n_slots)
		EX_TRY(index_values(sample, column, column->n_slots == 0 ? FIRST_SLOTS : 2 * column->n_slots));
	slot = find_slot(column, cell);
	*position = column->slot[slot] - 1;
	if (column->slot[slot] != 0)
		return EX_OK;
	if (column->n_values == column->value_capacity)
	{
		uint32_t	capacity = column->value_capacity == 0 ? FIRST_SLOTS : 2 * column->value_capacity;

		EX_TRY(grow(sample->host, (void **) &column->value, column->n_values, capacity,
					sizeof(*column->value)));
		column->value_capacity = capacity;
	}
	*position = column->n_values;
	value = &column->value[*position];
	memset(value, 0, sizeof(*value));
	value->word = cell->word;
	value->number = cell->number;
	value->length = cell->length;
	if (cell->text != NULL)
		EX_TRY(copy_text(sample->host, cell->text, cell->length, &value->text));
	column->n_values++;
	column->slot[slot] = column->n_values;
	return EX_OK;
}

/* A number's hash word: its bits, -0 as 0. */
static ex_word
number_word(double value)
{
	double		canonical = value + 0.0;
	uint64_t	bits;
	ex_word		word;

	memcpy(&bits, &canonical, sizeof(bits));
	word.high = ex_mix64(bits ^ KEY0);
	word.low = ex_mix64(bits ^ KEY1);
	return word;
}

ex_status
ex_sample_append_value(ex_sample *sample, ex_sample_column *column, ex_sample_value *value)
{
	ex_sample_cell cell = {{0, 0}, value->number, value->text, value->length, NULL};
	uint32_t	position;

	cell.word = value->text == NULL ? number_word(value->number) :
		ex_siphash(KEY0, KEY1, value->text, value->length);
	EX_TRY(intern(sample, column, &cell, &position));
	column->value[position].count = value->count;
	return EX_OK;
}

/* Too many different values, or a fraction: numbers need the list for nothing else. */
static ex_status
stop_counting(ex_sample *sample, ex_sample_column *column)
{
	column->counting = false;
	for (uint32_t i = 0; i < column->n_values; i++)
		column->value[i].count = 0;
	if (column->type == EX_CELL_TEXT || column->n_values == 0)
		return EX_OK;
	column->n_values = 0;
	return index_values(sample, column, 0);
}

static ex_status
count_value(ex_sample *sample, ex_sample_column *column, const ex_sample_cell *cell, uint64_t times)
{
	uint32_t	position;

	if (!column->counting)
		return EX_OK;
	if (cell->text == NULL && cell->number != floor(cell->number))
		return stop_counting(sample, column);
	EX_TRY(intern(sample, column, cell, &position));
	if (column->n_values > EX_SAMPLE_MAX_LEVELS)
		return stop_counting(sample, column);
	column->value[position].count += times;
	return EX_OK;
}

/* ---- rows of the sample ---- */

/*
 * Values of text columns that are no longer counted stay only while a row of
 * the sample has them.
 */
static ex_status
forget_values(ex_sample *sample, uint32_t c)
{
	ex_sample_column *column = &sample->column[c];
	uint32_t   *moved;
	uint32_t	kept = 0;

	EX_TRY(scratch(sample->host, &sample->moved, &sample->moved_capacity, column->n_values));
	moved = sample->moved;
	for (size_t r = 0; r < sample->n_rows; r++)
	{
		double		position = ex_sample_cell_at(sample, r, c);

		if (!isnan(position))
			moved[(uint32_t) position] = 1;
	}
	for (uint32_t i = 0; i < column->n_values; i++)
	{
		if (moved[i] == 0)
			continue;
		moved[i] = kept;
		column->value[kept++] = column->value[i];
	}
	if (kept == column->n_values)
		return EX_OK;
	column->n_values = kept;
	for (size_t r = 0; r < sample->n_rows; r++)
	{
		double	   *position = &sample->cell[sample->row[r].slot * sample->stride + c];

		if (!isnan(*position))
			*position = moved[(uint32_t) *position];
	}
	return index_values(sample, column, 0);
}

/* Let row[i] sink in the heap row[0 .. n-1] that has the largest hash on top. */
static void
sink(ex_sample_row *row, size_t i, size_t n)
{
	ex_sample_row moving = row[i];

	for (;;)
	{
		size_t		child = 2 * i + 1;

		if (child + 1 < n && word_before(row[child].hash, row[child + 1].hash))
			child++;
		if (child >= n || !word_before(moving.hash, row[child].hash))
			break;
		row[i] = row[child];
		i = child;
	}
	row[i] = moving;
}

/* Heapsort: needs no memory and can be stopped anywhere (qsort neither). */
static ex_status
sort_rows(ex_sample *sample)
{
	ex_sample_row *row = sample->row;
	size_t		n = sample->n_rows;

	for (size_t i = n / 2; i > 0; i--)
	{
		if (i % 16384 == 0)
			EX_TRY(ex_poll(sample->host));
		sink(row, i - 1, n);
	}
	for (size_t i = n; i > 1; i--)
	{
		ex_sample_row last = row[i - 1];

		if (i % 16384 == 0)
			EX_TRY(ex_poll(sample->host));
		row[i - 1] = row[0];
		row[0] = last;
		sink(row, 0, i - 1);
	}
	return EX_OK;
}

/* Join equal neighbours; the rows left over keep their slots, behind n_rows. */
static void
join_rows(ex_sample *sample)
{
	ex_sample_row *row = sample->row;
	size_t		kept = 0;

	for (size_t i = 1; i < sample->n_rows; i++)
	{
		if (same_word(row[kept].hash, row[i].hash))
			row[kept].count += row[i].count;
		else if (++kept != i)
		{
			ex_sample_row free = row[kept];

			row[kept] = row[i];
			row[i] = free;
		}
	}
	if (sample->n_rows > 0)
		sample->n_rows = kept + 1;
}

ex_status
ex_sample_settle(ex_sample *sample)
{
	EX_TRY(sort_rows(sample));
	join_rows(sample);
	if (sample->n_rows >= sample->size)
	{
		sample->n_rows = sample->size;
		sample->full = true;
		sample->limit = sample->row[sample->n_rows - 1].hash;
	}
	for (uint32_t c = 0; c < sample->n_columns; c++)
	{
		if (sample->column[c].type == EX_CELL_TEXT && !sample->column[c].counting)
			EX_TRY(forget_values(sample, c));
	}
	return EX_OK;
}

ex_status
ex_sample_reserve(ex_sample *sample, size_t capacity)
{
	if (sample->stride > 0 && capacity > EX_MAX_ALLOC / sizeof(double) / sample->stride)
		return ex_fail(sample->host, EX_LIMIT, "background sample of %zu rows and %u columns is too large",
					   sample->n_rows, sample->n_columns);
	EX_TRY(grow(sample->host, (void **) &sample->row, sample->row_capacity, capacity, sizeof(*sample->row)));
	EX_TRY(grow(sample->host, (void **) &sample->cell, sample->row_capacity * sample->stride,
				capacity * sample->stride, sizeof(*sample->cell)));
	for (size_t i = sample->row_capacity; i < capacity; i++)
		sample->row[i].slot = i;
	sample->row_capacity = capacity;
	return EX_OK;
}

/*
 * Rows are taken as they come, equal ones too, until there is no more room;
 * then one sort joins and drops.  Room for twice the size makes that one sort
 * for every `size` rows at most, and fewer the longer it goes on, as the
 * limit sinks.
 */
static ex_status
reserve_row(ex_sample *sample)
{
	size_t		capacity;

	if (sample->n_rows < sample->row_capacity)
		return EX_OK;
	EX_TRY(ex_sample_settle(sample));
	if (sample->row_capacity > 0 && sample->n_rows <= sample->row_capacity / 2)
		return EX_OK;
	capacity = sample->row_capacity == 0 ? FIRST_ROWS : 2 * sample->row_capacity;
	if (capacity > 2 * sample->size && sample->row_capacity > 0)
		capacity = 2 * sample->size;	/* enough: settled rows are half of it */
	return ex_sample_reserve(sample, capacity);
}

static bool
is_wanted(const ex_sample *sample, ex_word hash)
{
	return !sample->full || !word_before(sample->limit, hash);
}

/* Keep the pending row. */
static ex_status
keep_row(ex_sample *sample, ex_word hash, uint64_t count)
{
	ex_sample_row *row;

	EX_TRY(reserve_row(sample));
	row = &sample->row[sample->n_rows];
	row->hash = hash;
	row->count = count;
	for (uint32_t c = 0; c < sample->n_columns; c++)
	{
		const ex_sample_cell *cell = &sample->pending[c];
		double	   *to = &sample->cell[row->slot * sample->stride + c];
		uint32_t	position;

		*to = cell->number;
		if (cell->text != NULL)
		{
			EX_TRY(intern(sample, &sample->column[c], cell, &position));
			*to = position;
		}
	}
	for (uint32_t c = sample->n_columns; c < sample->stride; c++)
		sample->cell[row->slot * sample->stride + c] = NAN;
	sample->n_rows++;
	return EX_OK;
}

/* ---- adding a row ---- */

ex_status
ex_sample_begin(ex_sample *sample)
{
	if (sample->n >= EX_EXACT_MAX_TERMS)
		return ex_fail(sample->host, EX_LIMIT, "background of more than %llu rows",
					   (unsigned long long) EX_EXACT_MAX_TERMS);
	for (uint32_t c = 0; c < sample->n_columns; c++)
	{
		sample->pending[c].number = NAN;
		sample->pending[c].text = NULL;
	}
	return EX_OK;
}

static const char *const type_names[] = {"missing values", "numbers", "booleans", "text"};

static ex_status
set_type(ex_sample *sample, uint32_t c, ex_cell_type type)
{
	ex_sample_column *column = &sample->column[c];

	if (column->type == EX_CELL_UNSEEN)
		column->type = type;
	if (column->type == type)
		return EX_OK;
	(void) ex_fail(sample->host, EX_INVALID, "column \"%s\" of the background holds both %s and %s",
				   column->name,
				   type_names[column->type < type ? column->type : type],
				   type_names[column->type < type ? type : column->type]);
	ex_hint(sample->host, "Give the column one type in all rows.");
	return EX_INVALID;
}

static ex_status
set_number(ex_sample *sample, uint32_t column, double value, ex_cell_type type)
{
	ex_sample_cell *cell = &sample->pending[column];

	EX_TRY(set_type(sample, column, type));
	cell->number = value + 0.0;
	cell->text = NULL;
	cell->length = 0;
	cell->word = number_word(value);
	return EX_OK;
}

ex_status
ex_sample_number(ex_sample *sample, uint32_t column, double value)
{
	if (isnan(value))
		return EX_OK;
	if (isinf(value))
	{
		const char *name = sample->column[column].name;

		if (name == NULL)
			return ex_fail(sample->host, EX_RANGE, "value %u of a background row is infinite", column + 1);
		return ex_fail(sample->host, EX_RANGE, "column \"%s\" of a background row is infinite", name);
	}
	return set_number(sample, column, value, EX_CELL_NUMBER);
}

ex_status
ex_sample_boolean(ex_sample *sample, uint32_t column, bool value)
{
	return set_number(sample, column, value ? 1 : 0, EX_CELL_BOOLEAN);
}

/* Cut a text at a character to EX_MAX_NAME bytes and an ellipsis. */
static ex_status
cut_text(ex_sample *sample, ex_sample_cell *cell)
{
	size_t		length = EX_MAX_NAME;

	if (cell->cut == NULL)
		EX_TRY(EX_ALLOC(sample->host, EX_MAX_NAME + 4, &cell->cut));
	while (length > 0 && ((uint8_t) cell->text[length] & 0xc0) == 0x80)
		length--;
	memcpy(cell->cut, cell->text, length);
	memcpy(cell->cut + length, "\xe2\x80\xa6", 3);
	cell->text = cell->cut;
	cell->length = (uint32_t) length + 3;
	return EX_OK;
}

ex_status
ex_sample_text(ex_sample *sample, uint32_t column, const char *text, size_t length)
{
	ex_sample_cell *cell = &sample->pending[column];

	EX_TRY(set_type(sample, column, EX_CELL_TEXT));
	cell->text = text;
	cell->length = (uint32_t) length;
	if (length > EX_MAX_NAME)
		EX_TRY(cut_text(sample, cell));
	cell->number = 0;
	cell->word = ex_siphash(KEY0, KEY1, cell->text, cell->length);
	return EX_OK;
}

void
ex_sample_pend_value(ex_sample *sample, uint32_t column, const ex_sample_value *value)
{
	ex_sample_cell *cell = &sample->pending[column];

	cell->number = 0;
	cell->text = value->text;
	cell->length = value->length;
	cell->word = value->word;
}

static ex_word
row_hash(const ex_sample *sample)
{
	ex_word		sum = {ex_mix64((uint64_t) sample->seed ^ KEY0), ex_mix64((uint64_t) sample->seed ^ KEY1)};

	for (uint32_t c = 0; c < sample->n_columns; c++)
	{
		const ex_sample_cell *cell = &sample->pending[c];
		const ex_word *key = &sample->column[c].key;

		if (isnan(cell->number))
			continue;
		sum.high += ex_mix64(key->high ^ cell->word.high);
		sum.low += ex_mix64(key->low ^ cell->word.low);
	}
	sum.high = ex_mix64(sum.high);
	sum.low = ex_mix64(sum.low);
	return sum;
}

ex_status
ex_sample_end(ex_sample *sample)
{
	ex_word		hash = row_hash(sample);

	sample->n++;
	for (uint32_t c = 0; c < sample->n_columns; c++)
	{
		ex_sample_column *column = &sample->column[c];
		const ex_sample_cell *cell = &sample->pending[c];

		if (isnan(cell->number))
			continue;
		column->n++;
		if (cell->text == NULL)
			ex_moments_add(&column->moments, cell->number);
		EX_TRY(count_value(sample, column, cell, 1));
	}
	return is_wanted(sample, hash) ? keep_row(sample, hash, 1) : EX_OK;
}

ex_status
ex_sample_append_row(ex_sample *sample, uint64_t count)
{
	return keep_row(sample, row_hash(sample), count);
}

/* ---- merging ---- */

static ex_status
check_mergeable(ex_sample *total, const ex_sample *other)
{
	if (total->size != other->size || total->seed != other->seed)
	{
		(void) ex_fail(total->host, EX_INVALID, "background samples of different size or seed cannot be merged");
		ex_detail(total->host, "Sizes are %llu and %llu, seeds %lld and %lld.",
				  (unsigned long long) total->size, (unsigned long long) other->size,
				  (long long) total->seed, (long long) other->seed);
		return EX_INVALID;
	}
	if (total->positional != other->positional)
		return ex_fail(total->host, EX_INVALID,
					   "background samples of arrays and of named columns cannot be merged");
	if (other->n > EX_EXACT_MAX_TERMS - total->n)
		return ex_fail(total->host, EX_LIMIT, "background of more than %llu rows",
					   (unsigned long long) EX_EXACT_MAX_TERMS);
	return EX_OK;
}

static ex_status
merge_column(ex_sample *total, uint32_t c, const ex_sample_column *other)
{
	ex_sample_column *column;

	if (other->type != EX_CELL_UNSEEN)
		EX_TRY(set_type(total, c, other->type));
	column = &total->column[c];
	column->n += other->n;
	ex_moments_merge(&column->moments, &other->moments);
	if (!other->counting && column->counting)
		EX_TRY(stop_counting(total, column));
	for (uint32_t i = 0; i < other->n_values && column->counting; i++)
	{
		const ex_sample_value *value = &other->value[i];
		ex_sample_cell cell = {value->word, value->number, value->text, value->length, NULL};

		EX_TRY(count_value(total, column, &cell, value->count));
	}
	return EX_OK;
}

/* Merge the columns; total->map tells where other's are. */
static ex_status
merge_columns(ex_sample *total, const ex_sample *other)
{
	EX_TRY(scratch(total->host, &total->map, &total->map_capacity, other->n_columns));
	if (total->positional)
		EX_TRY(ex_sample_positions(total, other->n_columns));
	for (uint32_t c = 0; c < other->n_columns; c++)
	{
		const ex_sample_column *column = &other->column[c];

		if (total->positional)
			total->map[c] = c;
		else
			EX_TRY(ex_sample_column_at(total, column->name, column->name_length, &total->map[c]));
		EX_TRY(merge_column(total, total->map[c], column));
	}
	return EX_OK;
}

/* Make row r of another sample the pending one. */
static ex_status
set_pending(ex_sample *total, const ex_sample *other, size_t r)
{
	EX_TRY(ex_sample_begin(total));
	for (uint32_t c = 0; c < other->n_columns; c++)
	{
		ex_sample_cell *cell = &total->pending[total->map[c]];
		double		number = ex_sample_cell_at(other, r, c);

		if (isnan(number))
			continue;
		cell->number = number;
		if (other->column[c].type == EX_CELL_TEXT)
			ex_sample_pend_value(total, total->map[c], &other->column[c].value[(uint32_t) number]);
	}
	return EX_OK;
}

ex_status
ex_sample_merge(ex_sample *total, const ex_sample *other)
{
	EX_TRY(check_mergeable(total, other));
	EX_TRY(merge_columns(total, other));
	for (size_t r = 0; r < other->n_rows; r++)
	{
		const ex_sample_row *row = &other->row[r];

		if (!is_wanted(total, row->hash))
			continue;
		EX_TRY(set_pending(total, other, r));
		EX_TRY(keep_row(total, row->hash, row->count));
	}
	total->n += other->n;
	return EX_OK;
}
