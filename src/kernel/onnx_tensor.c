/*
 * onnx_tensor.c
 *		Tensors of ONNX files, and operators on constants.
 *
 * Numbers become double, which holds float32, float16 and int32 exactly and
 * int64 up to 2^53.  Results of operators on float32 are rounded to float32,
 * as the exporter's runtime would have done.
 */
#include <math.h>
#include <string.h>

#include "onnx_internal.h"

/* TensorProto */
enum
{
	TENSOR_DIMS = 1,
	TENSOR_TYPE = 2,
	TENSOR_FLOATS = 4,
	TENSOR_INT32S = 5,
	TENSOR_STRINGS = 6,
	TENSOR_INT64S = 7,
	TENSOR_NAME = 8,
	TENSOR_RAW = 9,
	TENSOR_DOUBLES = 10,
	TENSOR_UINT64S = 11,
	TENSOR_LOCATION = 14
};

#define LOCATION_EXTERNAL	1

typedef struct tensor_reader
{
	onnx_reader *reader;
	ex_host    *host;
	ex_buffer	dims;
	int64_t		type;
	int64_t		location;
	ex_span		name;
	ex_span		raw;
	bool		has_raw;
	ex_buffer	floats;
	ex_buffer	int32s;
	ex_buffer	int64s;			/* signed and unsigned */
	ex_buffer	doubles;
	ex_buffer	strings;		/* ex_span */
} tensor_reader;

static ex_status
read_field(tensor_reader *t, const ex_pb_message *content, const ex_pb_field *field)
{
	ex_span		text;

	switch (field->number)
	{
		case TENSOR_DIMS:
			return ex_pb_append_int64s(content, field, &t->dims);
		case TENSOR_TYPE:
			return ex_pb_int64(content, field, &t->type);
		case TENSOR_FLOATS:
			return ex_pb_append_floats(content, field, &t->floats);
		case TENSOR_INT32S:
			return ex_pb_append_int64s(content, field, &t->int32s);
		case TENSOR_STRINGS:
			EX_TRY(ex_pb_text(content, field, &text));
			return ex_append(t->host, &t->strings, &text, sizeof(text));
		case TENSOR_INT64S:
		case TENSOR_UINT64S:
			return ex_pb_append_int64s(content, field, &t->int64s);
		case TENSOR_NAME:
			return ex_pb_text(content, field, &t->name);
		case TENSOR_RAW:
			t->has_raw = true;
			return ex_pb_bytes(content, field, &t->raw);
		case TENSOR_DOUBLES:
			return ex_pb_append_doubles(content, field, &t->doubles);
		case TENSOR_LOCATION:
			return ex_pb_int64(content, field, &t->location);
	}
	return EX_OK;
}

static ex_status
bad_tensor(const tensor_reader *t, ex_status status, const char *what)
{
	return ex_fail(t->host, status, "ONNX tensor \"%.*s\" %s", ONNX_NAME(t->name), what);
}

/* ----------------------------------------------------------------
 * Numbers
 * ---------------------------------------------------------------- */

static double
from_half(uint16_t bits)
{
	int			exponent = (bits >> 10) & 0x1f;
	double		fraction = bits & 0x3ff;
	double		value;

	if (exponent == 31)
		value = fraction == 0 ? INFINITY : NAN;
	else if (exponent == 0)
		value = ldexp(fraction, -24);
	else
		value = ldexp(fraction + 1024, exponent - 25);
	return bits & 0x8000 ? -value : value;
}

static double
from_float_bits(uint32_t bits)
{
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static double
from_double_bits(uint64_t bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static size_t
width_of(onnx_type type)
{
	switch (type)
	{
		case ONNX_UINT8:
		case ONNX_INT8:
		case ONNX_BOOL:
			return 1;
		case ONNX_UINT16:
		case ONNX_INT16:
		case ONNX_FLOAT16:
		case ONNX_BFLOAT16:
			return 2;
		case ONNX_FLOAT:
		case ONNX_INT32:
		case ONNX_UINT32:
			return 4;
		case ONNX_INT64:
		case ONNX_UINT64:
		case ONNX_DOUBLE:
			return 8;
		default:
			return 0;
	}
}

/* A number of this type from its bits, the higher ones of which may be a sign. */
static double
from_bits(onnx_type type, uint64_t bits)
{
	switch (type)
	{
		case ONNX_FLOAT:
			return from_float_bits((uint32_t) bits);
		case ONNX_DOUBLE:
			return from_double_bits(bits);
		case ONNX_FLOAT16:
			return from_half((uint16_t) bits);
		case ONNX_BFLOAT16:
			return from_float_bits((uint32_t) bits << 16);
		case ONNX_INT8:
			return (int8_t) bits;
		case ONNX_INT16:
			return (int16_t) bits;
		case ONNX_INT32:
			return (int32_t) bits;
		case ONNX_INT64:
			return (double) (int64_t) bits;
		case ONNX_BOOL:
			return (bits & 0xff) != 0;
		case ONNX_UINT8:
			return (uint8_t) bits;
		case ONNX_UINT16:
			return (uint16_t) bits;
		case ONNX_UINT32:
			return (uint32_t) bits;
		default:
			return (double) bits;
	}
}

static uint64_t
load(const uint8_t *at, size_t width)
{
	uint64_t	bits = 0;

	for (size_t i = 0; i < width; i++)
		bits |= (uint64_t) at[i] << (8 * i);
	return bits;
}

static void
read_raw(const tensor_reader *t, onnx_type type, size_t count, double *number)
{
	size_t		width = width_of(type);

	for (size_t i = 0; i < count; i++)
		number[i] = from_bits(type, load((const uint8_t *) t->raw.data + i * width, width));
}

/* Which typed field holds the numbers of a type (onnx.proto, TensorProto). */
static const ex_buffer *
typed_field(const tensor_reader *t, onnx_type type, size_t *width)
{
	*width = sizeof(int64_t);
	switch (type)
	{
		case ONNX_FLOAT:
			*width = sizeof(float);
			return &t->floats;
		case ONNX_DOUBLE:
			return &t->doubles;
		case ONNX_INT64:
		case ONNX_UINT32:
		case ONNX_UINT64:
			return &t->int64s;
		default:
			return &t->int32s;
	}
}

static ex_status
read_typed(const tensor_reader *t, onnx_type type, size_t count, double *number)
{
	size_t		width;
	const ex_buffer *field = typed_field(t, type, &width);

	if (field->size / width != count)
		return bad_tensor(t, EX_INVALID, "has not as many numbers as its dimensions say");
	for (size_t i = 0; i < count; i++)
	{
		if (type == ONNX_FLOAT)
			number[i] = ((const float *) field->data)[i];
		else if (type == ONNX_DOUBLE)
			number[i] = ((const double *) field->data)[i];
		else
			number[i] = from_bits(type, ((const uint64_t *) field->data)[i]);
	}
	return EX_OK;
}

static ex_status
read_numbers(const tensor_reader *t, onnx_tensor *tensor)
{
	size_t		width = width_of(tensor->type);
	double	   *number;

	if (width == 0)
		return bad_tensor(t, EX_UNSUPPORTED, "has an element type that is not supported");
	if (t->has_raw && (t->raw.size % width != 0 || t->raw.size / width != tensor->count))
		return bad_tensor(t, EX_INVALID, "has not as many bytes as its dimensions say");
	EX_TRY(EX_ALLOC(t->host, tensor->count, &number));
	tensor->number = number;
	if (!t->has_raw)
		return read_typed(t, tensor->type, tensor->count, number);
	read_raw(t, tensor->type, tensor->count, number);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * A tensor
 * ---------------------------------------------------------------- */

static ex_status
read_dims(const tensor_reader *t, onnx_tensor *tensor)
{
	const int64_t *size = (const int64_t *) t->dims.data;

	tensor->dims.n = 0;
	if (t->dims.size / sizeof(int64_t) > ONNX_MAX_DIMS)
		return bad_tensor(t, EX_UNSUPPORTED, "has too many dimensions");
	for (size_t i = 0; i < t->dims.size / sizeof(int64_t); i++)
	{
		if (size[i] < 0)
			return bad_tensor(t, EX_INVALID, "has a negative dimension");
		tensor->dims.size[tensor->dims.n++] = size[i];
	}
	return EX_OK;
}

/* Bytes of the file bound what it can hold, whatever the dimensions say. */
static ex_status
check_count(tensor_reader *t, onnx_tensor *tensor)
{
	EX_TRY(onnx_count(t->reader, &tensor->dims, ONNX_MAX_NUMBERS * 4, &tensor->count));
	if (tensor->count > (size_t) (t->reader->file.end - t->reader->file.at))
		return bad_tensor(t, EX_INVALID, "has not as many numbers as its dimensions say");
	return EX_OK;
}

static ex_status
check_location(const tensor_reader *t)
{
	if (t->location != LOCATION_EXTERNAL)
		return EX_OK;
	(void) bad_tensor(t, EX_UNSUPPORTED, "has its data in another file");
	ex_hint(t->host, "Save the model in one file: onnx.save_model(model, path, save_as_external_data=False), "
			"or torch.onnx.export(..., external_data=False).");
	return EX_UNSUPPORTED;
}

ex_status
onnx_read_tensor(onnx_reader *reader, ex_pb_message content, onnx_tensor *tensor, ex_span *name)
{
	tensor_reader t = {.reader = reader, .host = reader->host, .name = {"", 0}};
	ex_pb_field field;
	bool		more;

	for (;;)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			break;
		EX_TRY(read_field(&t, &content, &field));
	}
	memset(tensor, 0, sizeof(*tensor));
	*name = t.name;
	tensor->type = t.type > 0 && t.type < ONNX_OTHER ? (onnx_type) t.type : ONNX_OTHER;
	EX_TRY(check_location(&t));
	EX_TRY(read_dims(&t, tensor));
	EX_TRY(check_count(&t, tensor));
	if (tensor->type != ONNX_STRING)
		return read_numbers(&t, tensor);
	if (t.strings.size / sizeof(ex_span) != tensor->count)
		return bad_tensor(&t, EX_INVALID, "has not as many strings as its dimensions say");
	EX_TRY(ex_reserve(t.host, &t.strings, 1));
	tensor->text = (const ex_span *) t.strings.data;
	return EX_OK;
}

ex_status
onnx_count(onnx_reader *reader, const onnx_dims *dims, size_t limit, size_t *count)
{
	*count = 1;
	for (uint32_t i = 0; i < dims->n; i++)
	{
		if (dims->size[i] < 0)
			return onnx_fail(reader, EX_INVALID, "a dimension is not known");
		if (dims->size[i] > 0 && *count > limit / (uint64_t) dims->size[i])
			return onnx_fail(reader, EX_LIMIT, "a tensor has more than %zu elements", limit);
		*count *= (size_t) dims->size[i];
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Operators on constants
 * ---------------------------------------------------------------- */

ex_status
onnx_set_constant(onnx_reader *reader, uint32_t i, onnx_type type, const onnx_dims *dims,
				  double *number, const ex_span *text)
{
	onnx_tensor *tensor;
	onnx_value *value;

	if (i >= reader->current->n_outputs || reader->current->output[i] == ONNX_NO_VALUE)
		return EX_OK;
	value = &reader->value[reader->current->output[i]];
	EX_TRY(EX_ALLOC(reader->host, 1, &tensor));
	*tensor = (onnx_tensor) {.type = type, .dims = *dims, .number = number, .text = text};
	EX_TRY(onnx_count(reader, dims, ONNX_MAX_NUMBERS * 4, &tensor->count));
	for (size_t j = 0; j < tensor->count && number != NULL && type == ONNX_FLOAT; j++)
		number[j] = (float) number[j];
	value->kind = ONNX_CONSTANT;
	value->type = type;
	value->dims = *dims;
	value->constant = tensor;
	return EX_OK;
}

/* Room for the numbers of a result; all constants together are limited. */
static ex_status
new_numbers(onnx_reader *reader, const onnx_dims *dims, double **number, size_t *count)
{
	EX_TRY(onnx_count(reader, dims, ONNX_MAX_NUMBERS, count));
	reader->numbers += *count;
	if (reader->numbers > ONNX_MAX_NUMBERS)
		return onnx_fail(reader, EX_LIMIT, "constants of the graph have more than %d elements", ONNX_MAX_NUMBERS);
	EX_TRY(ex_poll(reader->host));
	return EX_ALLOC(reader->host, *count, number);
}

static double
cast(onnx_type type, double x)
{
	if (type == ONNX_BOOL)
		return x != 0;
	if (type == ONNX_FLOAT16 || type == ONNX_FLOAT || type == ONNX_DOUBLE || type == ONNX_BFLOAT16)
		return x;
	return trunc(x);
}

typedef double (*unary_function) (double);

static double
negate(double x)
{
	return -x;
}

static double
reciprocal(double x)
{
	return 1 / x;
}

static unary_function
find_unary(ex_span operator)
{
	static const struct
	{
		const char *name;
		unary_function function;
	}			functions[] =
	{
		{"Neg", negate},
		{"Sqrt", sqrt},
		{"Abs", fabs},
		{"Exp", exp},
		{"Log", log},
		{"Reciprocal", reciprocal},
		{"Floor", floor},
		{"Ceil", ceil},
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (onnx_is(operator, functions[i].name))
			return functions[i].function;
	return NULL;
}

static ex_status
apply_unary(onnx_reader *reader, const onnx_tensor *in, unary_function function)
{
	double	   *number;
	size_t		count;

	EX_TRY(new_numbers(reader, &in->dims, &number, &count));
	for (size_t i = 0; i < count; i++)
		number[i] = function(in->number[i]);
	return onnx_set_constant(reader, 0, in->type, &in->dims, number, NULL);
}

static bool
find_binary(ex_span operator, char *symbol)
{
	static const char *const names[] = {"Add", "Sub", "Mul", "Div", "Pow"};

	for (int i = 0; i < 5; i++)
		if (onnx_is(operator, names[i]))
		{
			*symbol = "+-*/^"[i];
			return true;
		}
	return false;
}

static double
calculate(char symbol, onnx_type type, double a, double b)
{
	switch (symbol)
	{
		case '+':
			return a + b;
		case '-':
			return a - b;
		case '*':
			return a * b;
		case '/':
			return cast(type, a / b);
		default:
			return pow(a, b);
	}
}

/* The dimensions to which both broadcast (numpy's rules). */
static ex_status
broadcast_dims(onnx_reader *reader, const onnx_dims *a, const onnx_dims *b, onnx_dims *out)
{
	out->n = a->n > b->n ? a->n : b->n;
	for (uint32_t i = 0; i < out->n; i++)
	{
		int64_t		left = i + a->n >= out->n ? a->size[i + a->n - out->n] : 1;
		int64_t		right = i + b->n >= out->n ? b->size[i + b->n - out->n] : 1;

		if (left != right && left != 1 && right != 1)
			return onnx_fail(reader, EX_INVALID, "dimensions of the inputs do not fit together");
		out->size[i] = left == 1 ? right : left;
	}
	return EX_OK;
}

/* The element of a broadcast tensor that stands at element i of `out`. */
static size_t
broadcast_index(const onnx_dims *in, const onnx_dims *out, size_t i)
{
	size_t		index = 0;
	size_t		stride = 1;

	for (uint32_t d = 0; d < in->n; d++)
	{
		uint32_t	axis = in->n - 1 - d;
		size_t		size = (size_t) out->size[out->n - 1 - d];

		if (in->size[axis] != 1)
			index += i % size * stride;
		stride *= (size_t) in->size[axis];
		i /= size;
	}
	return index;
}

static ex_status
apply_binary(onnx_reader *reader, const onnx_tensor *a, const onnx_tensor *b, char symbol)
{
	onnx_dims	dims;
	double	   *number;
	size_t		count;

	EX_TRY(broadcast_dims(reader, &a->dims, &b->dims, &dims));
	EX_TRY(new_numbers(reader, &dims, &number, &count));
	for (size_t i = 0; i < count; i++)
		number[i] = calculate(symbol, a->type, a->number[broadcast_index(&a->dims, &dims, i)],
							  b->number[broadcast_index(&b->dims, &dims, i)]);
	return onnx_set_constant(reader, 0, a->type, &dims, number, NULL);
}

static ex_status
apply_cast(onnx_reader *reader, const onnx_tensor *in)
{
	double	   *number;
	size_t		count;
	int64_t		to;

	EX_TRY(onnx_integer(reader, "to", ONNX_FLOAT, &to));
	if (to <= 0 || to >= ONNX_OTHER || width_of((onnx_type) to) == 0)
		return onnx_fail(reader, EX_UNSUPPORTED, "a constant cannot be cast to type %lld", (long long) to);
	EX_TRY(new_numbers(reader, &in->dims, &number, &count));
	for (size_t i = 0; i < count; i++)
		number[i] = cast((onnx_type) to, in->number[i]);
	return onnx_set_constant(reader, 0, (onnx_type) to, &in->dims, number, NULL);
}

static ex_status
apply_transpose(onnx_reader *reader, const onnx_tensor *in)
{
	onnx_dims	dims = {.n = in->dims.n};
	size_t		stride[ONNX_MAX_DIMS];
	const int64_t *perm;
	double	   *number;
	size_t		n;
	size_t		count;

	EX_TRY(onnx_integers(reader, "perm", &perm, &n));
	if (n != 0 && n != dims.n)
		return onnx_fail(reader, EX_INVALID, "\"perm\" has %zu elements, not %u", n, dims.n);
	for (uint32_t i = 0; i < dims.n; i++)
	{
		uint32_t	from = dims.n - 1 - i;

		if (n != 0)
			EX_TRY(onnx_axis(reader, perm[i], dims.n, &from));
		dims.size[i] = in->dims.size[from];
		stride[i] = 1;
		for (uint32_t j = from + 1; j < dims.n; j++)
			stride[i] *= (size_t) in->dims.size[j];
	}
	EX_TRY(new_numbers(reader, &dims, &number, &count));
	if (count != in->count)
		return onnx_fail(reader, EX_INVALID, "\"perm\" is not a permutation");
	for (size_t i = 0; i < count; i++)
	{
		size_t		rest = i;
		size_t		index = 0;

		for (uint32_t d = dims.n; d-- > 0;)
		{
			index += rest % (size_t) dims.size[d] * stride[d];
			rest /= (size_t) dims.size[d];
		}
		number[i] = index < in->count ? in->number[index] : 0;
	}
	return onnx_set_constant(reader, 0, in->type, &dims, number, NULL);
}

/* Along axis 0 only: shapes are made like that. */
static ex_status
apply_concat(onnx_reader *reader)
{
	uint32_t	n = reader->current->n_inputs;
	const onnx_tensor *first;
	onnx_dims	dims;
	double	   *number;
	size_t		count;
	size_t		used = 0;
	int64_t		axis;

	EX_TRY(onnx_integer(reader, "axis", 0, &axis));
	EX_TRY(onnx_need_constant(reader, 0, &first));
	dims = first->dims;
	if (dims.n != 1 || (axis != 0 && axis != -1))
		return onnx_fail(reader, EX_UNSUPPORTED, "constants can be concatenated along the only axis of vectors");
	dims.size[0] = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		const onnx_tensor *part;

		EX_TRY(onnx_need_constant(reader, i, &part));
		if (part->dims.n != 1 || part->number == NULL)
			return onnx_fail(reader, EX_INVALID, "dimensions of the inputs do not fit together");
		dims.size[0] += (int64_t) part->count;
	}
	EX_TRY(new_numbers(reader, &dims, &number, &count));
	for (uint32_t i = 0; i < n; i++)
	{
		const onnx_tensor *part = onnx_in(reader, i)->constant;

		if (part->count > 0)
			memcpy(number + used, part->number, part->count * sizeof(double));
		used += part->count;
	}
	return onnx_set_constant(reader, 0, first->type, &dims, number, NULL);
}

/* Rows of a constant along axis 0. */
static ex_status
apply_gather(onnx_reader *reader, const onnx_tensor *in)
{
	const onnx_tensor *index;
	onnx_dims	dims;
	double	   *number;
	size_t		count;
	size_t		row;
	int64_t		axis;

	EX_TRY(onnx_integer(reader, "axis", 0, &axis));
	EX_TRY(onnx_need_constant(reader, 1, &index));
	if (axis != 0 || in->dims.n == 0 || index->dims.n + in->dims.n - 1 > ONNX_MAX_DIMS || index->number == NULL)
		return onnx_fail(reader, EX_UNSUPPORTED, "constants can be gathered along axis 0 only");
	dims = index->dims;
	for (uint32_t i = 1; i < in->dims.n; i++)
		dims.size[dims.n++] = in->dims.size[i];
	EX_TRY(new_numbers(reader, &dims, &number, &count));
	row = in->dims.size[0] > 0 ? in->count / (size_t) in->dims.size[0] : 0;
	for (size_t i = 0; i < index->count; i++)
	{
		double		wanted = index->number[i] < 0 ? index->number[i] + (double) in->dims.size[0] : index->number[i];

		if (!(wanted >= 0 && wanted < (double) in->dims.size[0]))
			return onnx_fail(reader, EX_INVALID, "index %.0f is out of range", index->number[i]);
		if (row > 0)
			memcpy(number + i * row, in->number + (size_t) wanted * row, row * sizeof(double));
	}
	return onnx_set_constant(reader, 0, in->type, &dims, number, NULL);
}

static ex_status
apply_slice(onnx_reader *reader, const onnx_tensor *in)
{
	onnx_dims	dims = {1, {0}};
	const int64_t *argument[4];
	size_t		n[4];
	int64_t		length = (int64_t) in->count;
	int64_t		bound[2];
	double	   *number;
	size_t		count;

	EX_TRY(onnx_int_argument(reader, 1, "starts", &argument[0], &n[0]));
	EX_TRY(onnx_int_argument(reader, 2, "ends", &argument[1], &n[1]));
	EX_TRY(onnx_int_argument(reader, 3, "axes", &argument[2], &n[2]));
	EX_TRY(onnx_int_argument(reader, 4, NULL, &argument[3], &n[3]));
	if (in->dims.n != 1 || n[0] != 1 || n[1] != 1 || (n[3] == 1 && argument[3][0] != 1))
		return onnx_fail(reader, EX_UNSUPPORTED, "constants can be sliced along the only axis of a vector, with step 1");
	for (int i = 0; i < 2; i++)
	{
		bound[i] = argument[i][0] < 0 ? argument[i][0] + length : argument[i][0];
		bound[i] = bound[i] < 0 ? 0 : bound[i] > length ? length : bound[i];
	}
	dims.size[0] = bound[1] > bound[0] ? bound[1] - bound[0] : 0;
	EX_TRY(new_numbers(reader, &dims, &number, &count));
	if (count > 0)
		memcpy(number, in->number + bound[0], count * sizeof(double));
	return onnx_set_constant(reader, 0, in->type, &dims, number, NULL);
}

/* ConstantOfShape */
static ex_status
fill_shape(onnx_reader *reader, const onnx_tensor *shape)
{
	const onnx_tensor *fill;
	onnx_dims	dims = {.n = (uint32_t) shape->count};
	double	   *number;
	size_t		count;

	if (shape->dims.n != 1 || shape->count > ONNX_MAX_DIMS)
		return onnx_fail(reader, EX_INVALID, "the shape must be a vector of at most %d numbers", ONNX_MAX_DIMS);
	for (uint32_t i = 0; i < dims.n; i++)
		dims.size[i] = shape->number[i] >= 0 && shape->number[i] < 1e15 ? (int64_t) shape->number[i] : -1;
	EX_TRY(onnx_tensor_attribute(reader, "value", &fill));
	EX_TRY(new_numbers(reader, &dims, &number, &count));
	for (size_t i = 0; i < count && fill != NULL && fill->count > 0 && fill->number != NULL; i++)
		number[i] = fill->number[0];
	return onnx_set_constant(reader, 0, fill != NULL ? fill->type : ONNX_FLOAT, &dims, number, NULL);
}

/* Constant, whose value may be in one of several attributes. */
static ex_status
read_constant(onnx_reader *reader)
{
	const onnx_tensor *tensor;
	onnx_dims	dims = {.n = 0};
	onnx_type	type = ONNX_FLOAT;
	double	   *number;
	size_t		n = 1;
	const double *floats = NULL;
	const int64_t *integers = NULL;

	EX_TRY(onnx_tensor_attribute(reader, "value", &tensor));
	if (tensor != NULL)
		return onnx_set_constant(reader, 0, tensor->type, &tensor->dims, (double *) tensor->number, tensor->text);
	EX_TRY(EX_ALLOC(reader->host, 1, &number));
	if (onnx_find(reader, "value_float") != NULL)
		EX_TRY(onnx_float(reader, "value_float", 0, number));
	else if (onnx_find(reader, "value_int") != NULL)
	{
		int64_t		integer;

		EX_TRY(onnx_integer(reader, "value_int", 0, &integer));
		*number = (double) integer;
		type = ONNX_INT64;
	}
	else
	{
		bool		whole = onnx_find(reader, "value_ints") != NULL;

		EX_TRY(onnx_floats(reader, "value_floats", &floats, &n));
		if (whole)
			EX_TRY(onnx_integers(reader, "value_ints", &integers, &n));
		if (n == 0)
			return onnx_fail(reader, EX_UNSUPPORTED, "its value is of a kind that is not supported");
		type = whole ? ONNX_INT64 : ONNX_FLOAT;
		dims = onnx_dims_of(1, (int64_t) n, 1, 1);
		EX_TRY(EX_ALLOC(reader->host, n, &number));
		for (size_t i = 0; i < n; i++)
			number[i] = whole ? (double) integers[i] : floats[i];
	}
	return onnx_set_constant(reader, 0, type, &dims, number, NULL);
}

static bool
reshapes(ex_span operator)
{
	return onnx_is(operator, "Reshape") || onnx_is(operator, "Flatten") ||
		onnx_is(operator, "Squeeze") || onnx_is(operator, "Unsqueeze");
}

/* Constants of numbers go in; most operators have one. */
static ex_status
calculate_node(onnx_reader *reader, bool *known)
{
	ex_span		operator = reader->current->operator;
	const onnx_tensor *a;
	const onnx_tensor *b;
	char		symbol;
	onnx_dims	dims;

	EX_TRY(onnx_need_constant(reader, 0, &a));
	if (onnx_is(operator, "Identity"))
		return onnx_set_constant(reader, 0, a->type, &a->dims, (double *) a->number, a->text);
	if (reshapes(operator))
	{
		EX_TRY(onnx_reshaped(reader, &a->dims, &dims));
		return onnx_set_constant(reader, 0, a->type, &dims, (double *) a->number, a->text);
	}
	if (a->number == NULL)
		return onnx_fail(reader, EX_UNSUPPORTED, "strings cannot be calculated with");
	if (find_unary(operator) != NULL)
		return apply_unary(reader, a, find_unary(operator));
	if (find_binary(operator, &symbol))
	{
		EX_TRY(onnx_need_constant(reader, 1, &b));
		if (b->number == NULL)
			return onnx_fail(reader, EX_UNSUPPORTED, "strings cannot be calculated with");
		return apply_binary(reader, a, b, symbol);
	}
	if (onnx_is(operator, "Cast"))
		return apply_cast(reader, a);
	if (onnx_is(operator, "Transpose"))
		return apply_transpose(reader, a);
	if (onnx_is(operator, "Concat"))
		return apply_concat(reader);
	if (onnx_is(operator, "Gather"))
		return apply_gather(reader, a);
	if (onnx_is(operator, "Slice"))
		return apply_slice(reader, a);
	if (onnx_is(operator, "ConstantOfShape"))
		return fill_shape(reader, a);
	*known = false;
	return EX_OK;
}

ex_status
onnx_constant_node(onnx_reader *reader, bool *known)
{
	*known = true;
	if (onnx_is(reader->current->operator, "Constant"))
		return read_constant(reader);
	return calculate_node(reader, known);
}
