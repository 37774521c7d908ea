/*
 * onnx.c
 *		The walk over an ONNX graph: which output, which inputs, node by node.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "onnx_internal.h"

/* ----------------------------------------------------------------
 * Values
 * ---------------------------------------------------------------- */

onnx_value *
onnx_in(const onnx_reader *reader, uint32_t i)
{
	const onnx_node *node = reader->current;

	if (i >= node->n_inputs || node->input[i] == ONNX_NO_VALUE)
		return NULL;
	return &reader->value[node->input[i]];
}

ex_status
onnx_need(onnx_reader *reader, uint32_t i, onnx_value **value)
{
	*value = onnx_in(reader, i);
	if (*value == NULL)
		return onnx_fail(reader, EX_INVALID, "its input %u is missing", i + 1);
	return EX_OK;
}

ex_status
onnx_need_constant(onnx_reader *reader, uint32_t i, const onnx_tensor **tensor)
{
	onnx_value *value;

	*tensor = NULL;
	EX_TRY(onnx_need(reader, i, &value));
	if (value->kind != ONNX_CONSTANT)
		return onnx_fail(reader, EX_UNSUPPORTED, "its input %u must be a constant", i + 1);
	*tensor = value->constant;
	return EX_OK;
}

ex_status
onnx_int_argument(onnx_reader *reader, uint32_t i, const char *attribute, const int64_t **value, size_t *n)
{
	const onnx_tensor *tensor;
	int64_t    *integer;

	if (onnx_in(reader, i) == NULL)
	{
		*value = NULL;
		*n = 0;
		return attribute != NULL ? onnx_integers(reader, attribute, value, n) : EX_OK;
	}
	EX_TRY(onnx_need_constant(reader, i, &tensor));
	if (tensor->number == NULL || tensor->count > ONNX_MAX_DIMS * 4)
		return onnx_fail(reader, EX_INVALID, "its input %u must be a short list of integers", i + 1);
	EX_TRY(EX_ALLOC(reader->host, tensor->count, &integer));
	for (size_t j = 0; j < tensor->count; j++)
	{
		double		number = tensor->number[j];

		/* the ends of slices may be any large number */
		integer[j] = isnan(number) ? 0 : number > 1e15 ? (int64_t) 1e15 : number < -1e15 ? -(int64_t) 1e15 : (int64_t) number;
	}
	*value = integer;
	*n = tensor->count;
	return EX_OK;
}

/* The output keeps its name and how often it is used; without `like`, as it is. */
onnx_value *
onnx_set(onnx_reader *reader, const onnx_value *like)
{
	const onnx_node *node = reader->current;
	onnx_value *out = &reader->scratch;
	ex_span		name;
	uint32_t	uses;

	if (node->n_outputs > 0 && node->output[0] != ONNX_NO_VALUE)
		out = &reader->value[node->output[0]];
	if (like == NULL)
		return out;
	name = out->name;
	uses = out->uses;
	*out = *like;
	out->shared = like->shared || like->uses > 1;
	out->name = name;
	out->uses = uses;
	return out;
}

ex_status
onnx_axis(onnx_reader *reader, int64_t axis, uint32_t n, uint32_t *out)
{
	int64_t		at = axis < 0 ? axis + n : axis;

	*out = 0;
	if (at < 0 || at >= n)
		return onnx_fail(reader, EX_INVALID, "axis %lld is out of range: there are %u", (long long) axis, n);
	*out = (uint32_t) at;
	return EX_OK;
}

ex_status
onnx_class_labels(onnx_reader *reader, const onnx_tensor **label)
{
	static const char *const names[] = {"classlabels_int64s", "classlabels_ints"};
	const ex_span *text;
	const int64_t *integer = NULL;
	onnx_tensor *tensor;
	double	   *number;
	size_t		n;
	size_t		n_integers = 0;

	EX_TRY(onnx_texts(reader, "classlabels_strings", &text, &n));
	for (int i = 0; i < 2 && n == 0 && n_integers == 0; i++)
		EX_TRY(onnx_integers(reader, names[i], &integer, &n_integers));
	*label = NULL;
	if (n == 0 && n_integers == 0)
		return EX_OK;
	EX_TRY(EX_ALLOC(reader->host, 1, &tensor));
	EX_TRY(EX_ALLOC(reader->host, n_integers, &number));
	for (size_t i = 0; i < n_integers; i++)
		number[i] = (double) integer[i];
	tensor->type = n > 0 ? ONNX_STRING : ONNX_INT64;
	tensor->count = n > 0 ? n : n_integers;
	tensor->text = n > 0 ? text : NULL;
	tensor->number = n > 0 ? NULL : number;
	*label = tensor;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Shapes
 * ---------------------------------------------------------------- */

onnx_dims
onnx_with_batch(const onnx_value *value)
{
	onnx_dims	dims = {1, {1}};

	for (uint32_t i = 0; i < value->dims.n && dims.n < ONNX_MAX_DIMS; i++)
		dims.size[dims.n++] = value->dims.size[i];
	return dims;
}

ex_status
onnx_without_batch(onnx_reader *reader, const onnx_dims *dims, onnx_dims *out)
{
	if (dims->n == 0 || dims->size[0] != 1)
		return onnx_fail(reader, EX_UNSUPPORTED, "rows would be mixed: the first dimension must stay that of the rows");
	out->n = dims->n - 1;
	for (uint32_t i = 0; i < out->n; i++)
		out->size[i] = dims->size[i + 1];
	return EX_OK;
}

/* Flatten: all before the axis, and the rest. */
static ex_status
flattened(onnx_reader *reader, const onnx_dims *in, onnx_dims *out)
{
	int64_t		axis;
	int64_t		at;

	EX_TRY(onnx_integer(reader, "axis", 1, &axis));
	at = axis < 0 ? axis + in->n : axis;
	if (at < 0 || at > in->n)
		return onnx_fail(reader, EX_INVALID, "axis %lld is out of range", (long long) axis);
	*out = onnx_dims_of(2, 1, 1, 1);
	for (uint32_t i = 0; i < in->n; i++)
		out->size[i < at ? 0 : 1] *= in->size[i];
	return EX_OK;
}

/* Squeeze: without the axes, or without all of size 1 but the rows. */
static ex_status
squeezed(onnx_reader *reader, const onnx_dims *in, onnx_dims *out)
{
	const int64_t *axis;
	size_t		n;
	uint32_t	drop = 0;

	EX_TRY(onnx_int_argument(reader, 1, "axes", &axis, &n));
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	at;

		EX_TRY(onnx_axis(reader, axis[i], in->n, &at));
		drop |= 1u << at;
	}
	out->n = 0;
	for (uint32_t i = 0; i < in->n; i++)
	{
		bool		dropped = n > 0 ? (drop >> i) & 1 : i > 0 && in->size[i] == 1;

		if (!dropped)
			out->size[out->n++] = in->size[i];
		else if (in->size[i] != 1)
			return onnx_fail(reader, EX_INVALID, "axis %u has more than one element", i);
	}
	return EX_OK;
}

/* Unsqueeze: axes count in the result. */
static ex_status
unsqueezed(onnx_reader *reader, const onnx_dims *in, onnx_dims *out)
{
	const int64_t *axis;
	size_t		n;
	uint32_t	added = 0;
	uint32_t	used = 0;

	EX_TRY(onnx_int_argument(reader, 1, "axes", &axis, &n));
	if (in->n + n > ONNX_MAX_DIMS)
		return onnx_fail(reader, EX_UNSUPPORTED, "values with more than %d dimensions are not supported", ONNX_MAX_DIMS);
	out->n = in->n + (uint32_t) n;
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	at;

		EX_TRY(onnx_axis(reader, axis[i], out->n, &at));
		if ((added >> at) & 1)
			return onnx_fail(reader, EX_INVALID, "axis %u is given twice", at);
		added |= 1u << at;
	}
	for (uint32_t i = 0; i < out->n; i++)
		out->size[i] = (added >> i) & 1 ? 1 : in->size[used++];
	return EX_OK;
}

/*
 * Reshape: 0 keeps a dimension, one -1 takes what is left.  Rows are counted
 * as one here; a file that was traced with more of them says so first.
 */
static ex_status
reshaped(onnx_reader *reader, const onnx_dims *in, onnx_dims *out)
{
	const int64_t *wanted;
	size_t		n;
	int64_t		rest = 1;
	int64_t		known = 1;
	int			open = -1;
	bool		row = false;

	EX_TRY(onnx_int_argument(reader, 1, "shape", &wanted, &n));
	if (n > ONNX_MAX_DIMS)
		return onnx_fail(reader, EX_UNSUPPORTED, "values with more than %d dimensions are not supported", ONNX_MAX_DIMS);
	for (uint32_t i = 0; i < in->n; i++)
		rest *= in->size[i];
	out->n = (uint32_t) n;
	for (uint32_t i = 0; i < n; i++)
	{
		int64_t		size = wanted[i] == 0 && i < in->n ? in->size[i] : wanted[i];

		row = i == 0 && in->n > 0 && in->size[0] == 1 && reader->traced_rows > 1 && size == reader->traced_rows;
		if (row)
			size = 1;
		if (size < -1 || size > ONNX_MAX_NUMBERS || (size == -1 && open >= 0))
			return onnx_fail(reader, EX_INVALID, "its shape has %lld", (long long) wanted[i]);
		if (size == -1)
			open = (int) i;
		else if (size == 0 || known > INT64_MAX / (size + 1))
			return onnx_fail(reader, EX_INVALID, "its shape does not go with its input");
		else
			known *= size;
		out->size[i] = size;
	}
	if (open >= 0)
		out->size[open] = rest / known;
	if (known * (open >= 0 ? out->size[open] : 1) != rest)
		return onnx_fail(reader, EX_INVALID, "its shape does not go with its input");
	return EX_OK;
}

ex_status
onnx_reshaped(onnx_reader *reader, const onnx_dims *in, onnx_dims *out)
{
	ex_span		operator = reader->current->operator;

	if (onnx_is(operator, "Flatten"))
		return flattened(reader, in, out);
	if (onnx_is(operator, "Squeeze"))
		return squeezed(reader, in, out);
	if (onnx_is(operator, "Unsqueeze"))
		return unsqueezed(reader, in, out);
	return reshaped(reader, in, out);
}

/* ----------------------------------------------------------------
 * The output
 * ---------------------------------------------------------------- */

static bool
is_score(const onnx_port *port)
{
	return port->type == ONNX_FLOAT || port->type == ONNX_DOUBLE || port->type == ONNX_FLOAT16 ||
		port->type == ONNX_BFLOAT16 || port->type == ONNX_OTHER || port->type == ONNX_UNKNOWN;
}

static ex_status
unknown_output(onnx_reader *reader, const char *problem)
{
	char		names[400] = "";
	size_t		used = 0;

	for (uint32_t i = 0; i < reader->n_outputs && used < sizeof(names) - 120; i++)
		used += (size_t) snprintf(names + used, sizeof(names) - used, "%s\"%.*s\"", i > 0 ? ", " : "",
								  ONNX_NAME(reader->value[reader->output[i].value].name));
	(void) ex_fail(reader->host, EX_INVALID, "%s", problem);
	ex_hint(reader->host, "Outputs of the graph are %s.", names);
	return EX_INVALID;
}

/* Any value that a node makes may be named: the logits before a LogSoftmax, say. */
static ex_status
find_output(onnx_reader *reader, const char *wanted)
{
	for (uint32_t i = 0; i < reader->n_nodes; i++)
		for (uint32_t j = 0; j < reader->node[i].n_outputs; j++)
		{
			uint32_t	value = reader->node[i].output[j];

			if (value != ONNX_NO_VALUE && onnx_is(reader->value[value].name, wanted))
			{
				reader->result = value;
				return EX_OK;
			}
		}
	return unknown_output(reader, "no node of the graph has the output that graph_output names");
}

/* The one that has scores, or else the first one. */
static ex_status
choose_output(onnx_reader *reader)
{
	uint32_t	n_scores = 0;

	if (reader->n_outputs == 0)
		return ex_fail(reader->host, EX_INVALID, "ONNX graph: it has no output");
	reader->result = reader->output[0].value;
	for (uint32_t i = reader->n_outputs; i-- > 0;)
	{
		if (is_score(&reader->output[i]))
		{
			reader->result = reader->output[i].value;
			n_scores++;
		}
	}
	if (n_scores > 1)
		return unknown_output(reader, "the graph has several outputs: one must be chosen with graph_output");
	return EX_OK;
}

/* Nodes that the output depends on; readers come after what they read. */
static ex_status
mark_needed(onnx_reader *reader)
{
	reader->value[reader->result].uses++;
	for (uint32_t i = reader->n_nodes; i-- > 0;)
	{
		onnx_node  *node = &reader->node[i];

		for (uint32_t j = 0; j < node->n_outputs; j++)
			node->needed |= node->output[j] != ONNX_NO_VALUE && reader->value[node->output[j]].uses > 0;
		for (uint32_t j = 0; j < node->n_inputs && node->needed; j++)
			if (node->input[j] != ONNX_NO_VALUE)
				reader->value[node->input[j]].uses++;
		if (i % 1024 == 0)
			EX_TRY(ex_poll(reader->host));
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * The inputs
 * ---------------------------------------------------------------- */

/* Does the image reach a node that puts its last axis, the channels, first? */
static ex_status
has_channels_last(onnx_reader *reader, const onnx_port *port, bool *result)
{
	static const char *const passing[] = {"Identity", "Cast", "Add", "Sub", "Mul", "Div"};
	bool	   *image;

	*result = false;
	EX_TRY(EX_ALLOC(reader->host, reader->n_values, &image));
	image[port->value] = true;
	for (uint32_t i = 0; i < reader->n_nodes; i++)
	{
		onnx_node  *node = &reader->node[i];
		bool		reads = false;
		const int64_t *perm;
		size_t		n;

		for (uint32_t j = 0; j < node->n_inputs && node->needed; j++)
			reads |= node->input[j] != ONNX_NO_VALUE && image[node->input[j]];
		if (!reads)
			continue;
		reader->current = node;
		EX_TRY(onnx_integers(reader, "perm", &perm, &n));
		reader->current = NULL;
		if (onnx_is(node->operator, "Transpose") && n == 4 && perm[0] == 0 && perm[1] == 3 && perm[2] == 1 && perm[3] == 2)
			*result = true;
		/* one channel may be reshaped instead */
		if (onnx_is(node->operator, "Reshape") && port->dims.size[3] == 1 && port->dims.size[1] > 1)
			*result = true;
		for (size_t j = 0; j < sizeof(passing) / sizeof(passing[0]); j++)
			if (onnx_is(node->operator, passing[j]) && node->n_outputs > 0 && node->output[0] != ONNX_NO_VALUE)
				image[node->output[0]] = true;
	}
	return EX_OK;
}

static ex_status
bad_input(onnx_reader *reader, const onnx_port *port, ex_status status, const char *what)
{
	return ex_fail(reader->host, status, "ONNX input \"%.*s\" %s", ONNX_NAME(reader->value[port->value].name), what);
}

/* A row's dimensions, known and not too large; (n) and (n, 1) are one column. */
static ex_status
read_row(onnx_reader *reader, const onnx_port *port, onnx_dims *row, size_t *count)
{
	*count = 1;
	row->n = port->dims.n > 0 ? port->dims.n - 1 : 0;
	if (!port->has_shape || (port->dims.n == 2 && port->dims.size[1] < 0))
	{
		if (reader->n_inputs == 1 && reader->options->n_features > 0)
		{
			*count = reader->options->n_features;
			*row = onnx_dims_of(1, (int64_t) *count, 1, 1);
			return EX_OK;
		}
		(void) bad_input(reader, port, EX_UNSUPPORTED, "does not say how many columns it has");
		ex_hint(reader->host, "Name them: features => ARRAY[...].");
		return EX_UNSUPPORTED;
	}
	if (port->dims.n == 0)
		return bad_input(reader, port, EX_UNSUPPORTED, "has no rows: its first dimension must be theirs");
	if (port->dims.n > 4)
		return bad_input(reader, port, EX_UNSUPPORTED, "has more than four dimensions");
	for (uint32_t i = 0; i < row->n; i++)
	{
		row->size[i] = port->dims.size[i + 1];
		if (row->size[i] < 1)
			return bad_input(reader, port, EX_UNSUPPORTED, "has a dimension that is not known");
		if ((uint64_t) row->size[i] > EX_MAX_FEATURES / *count)
			return bad_input(reader, port, EX_LIMIT, "has more columns than a model may have features");
		*count *= (size_t) row->size[i];
	}
	return EX_OK;
}

static ex_status
check_type(onnx_reader *reader, const onnx_port *port)
{
	switch (port->type)
	{
		case ONNX_FLOAT:
		case ONNX_DOUBLE:
		case ONNX_FLOAT16:
		case ONNX_BFLOAT16:
		case ONNX_INT8:
		case ONNX_INT16:
		case ONNX_INT32:
		case ONNX_INT64:
		case ONNX_UINT8:
		case ONNX_UINT16:
		case ONNX_UINT32:
		case ONNX_UINT64:
		case ONNX_BOOL:
		case ONNX_STRING:
			return EX_OK;
		default:
			return bad_input(reader, port, EX_UNSUPPORTED, "is no tensor of numbers or strings");
	}
}

static ex_status
add_features(onnx_reader *reader, uint32_t port, size_t n)
{
	if (n > EX_MAX_FEATURES - reader->n_features)
		return bad_input(reader, &reader->input[port], EX_LIMIT, "has more columns than a model may have features");
	EX_TRY(ex_reserve(reader->host, &reader->features, n * sizeof(onnx_feature)));
	reader->feature = (onnx_feature *) reader->features.data;
	reader->features.size += n * sizeof(onnx_feature);
	for (size_t i = 0; i < n; i++)
	{
		onnx_feature *feature = &reader->feature[reader->n_features + i];

		memset(feature, 0, sizeof(*feature));
		feature->port = port;
		feature->index = (uint32_t) i;
		feature->siblings = (uint32_t) n;
		feature->type = reader->input[port].type;
	}
	reader->n_features += (uint32_t) n;
	return onnx_input_columns(reader, port, reader->n_features - (uint32_t) n, n);
}

/* Four dimensions are images, three are sequences of channels. */
static ex_status
add_image(onnx_reader *reader, uint32_t port, const onnx_dims *row)
{
	bool		channels_last = false;
	uint32_t	size[3];

	if (reader->n_inputs > 1)
		return bad_input(reader, &reader->input[port], EX_UNSUPPORTED, "is an image, but not the only input");
	if (reader->input[port].type == ONNX_STRING)
		return bad_input(reader, &reader->input[port], EX_UNSUPPORTED, "is an image of strings");
	if (row->n == 3)
		EX_TRY(has_channels_last(reader, &reader->input[port], &channels_last));
	for (uint32_t i = 0; i < 3; i++)
		size[i] = i < row->n ? (uint32_t) row->size[i] : 1;
	if (row->n == 2)
		EX_TRY(onnx_input_image(reader, port, (ex_shape) {size[0], 1, size[1]}, false));
	else if (channels_last)
		return onnx_input_image(reader, port, (ex_shape) {size[2], size[0], size[1]}, true);
	else
		return onnx_input_image(reader, port, (ex_shape) {size[0], size[1], size[2]}, false);
	reader->value[reader->input[port].value].dims = *row;
	return EX_OK;
}

static ex_status
add_input(onnx_reader *reader, uint32_t port)
{
	onnx_port  *input = &reader->input[port];
	onnx_dims	row;
	size_t		count;

	if (reader->value[input->value].kind != ONNX_NOTHING)
		return bad_input(reader, input, EX_INVALID, "is given twice");
	EX_TRY(check_type(reader, input));
	EX_TRY(read_row(reader, input, &row, &count));
	if (input->dims.n > 0 && input->dims.size[0] > 1)
		reader->traced_rows = input->dims.size[0];
	if (row.n > 1)
		return add_image(reader, port, &row);
	EX_TRY(add_features(reader, port, count));
	reader->value[input->value].dims = row;
	return EX_OK;
}

/* Inputs that the output does not depend on are left out. */
static ex_status
add_inputs(onnx_reader *reader)
{
	uint32_t	n = 0;

	for (uint32_t i = 0; i < reader->n_inputs; i++)
		if (reader->value[reader->input[i].value].uses > 0)
			reader->input[n++] = reader->input[i];
	reader->n_inputs = n;
	if (n == 0)
	{
		(void) ex_fail(reader->host, EX_INVALID, "ONNX graph: the output is not made from any input by the nodes of the graph");
		ex_hint(reader->host, "A node must make the output, and nodes must stand behind those whose outputs they read.");
		return EX_INVALID;
	}
	for (uint32_t i = 0; i < n; i++)
		EX_TRY(add_input(reader, i));
	if (reader->options->n_features > 0 && !reader->is_image && reader->options->n_features != reader->n_features)
		return ex_fail(reader->host, EX_DIMENSION, "features has %zu elements, but the model has %u features",
					   reader->options->n_features, reader->n_features);
	if (reader->options->n_channels > 0 && !reader->is_image)
		return ex_fail(reader->host, EX_INVALID, "channels cannot be named where the input is no image");
	return EX_OK;
}

/* ----------------------------------------------------------------
 * The nodes
 * ---------------------------------------------------------------- */

/* Everything that a node reads must be there. */
static ex_status
check_inputs(onnx_reader *reader, bool *all_constant, bool *any_label)
{
	*all_constant = true;
	*any_label = false;
	for (uint32_t i = 0; i < reader->current->n_inputs; i++)
	{
		const onnx_value *in = onnx_in(reader, i);

		if (in == NULL)
			continue;
		if (in->kind == ONNX_NOTHING)
			return onnx_fail(reader, EX_INVALID, "it reads \"%.*s\", which no node before it makes", ONNX_NAME(in->name));
		*all_constant &= in->kind == ONNX_CONSTANT;
		*any_label |= in->is_label;
	}
	return EX_OK;
}

static ex_status
unsupported(onnx_reader *reader)
{
	const onnx_node *node = reader->current;

	(void) onnx_fail(reader, EX_UNSUPPORTED, "operator %.*s is not supported", ONNX_NAME(node->operator));
	ex_detail(reader->host, "Its domain is \"%.*s\".", ONNX_NAME(node->domain));
	ex_hint(reader->host, "Supported operators are listed in doc/onnx.md.");
	return EX_UNSUPPORTED;
}

static bool
is_standard(ex_span domain)
{
	return domain.size == 0 || onnx_is(domain, "ai.onnx") || onnx_is(domain, "ai.onnx.ml");
}

/* The shape of a value, as a constant: of one row. */
static ex_status
shape_node(onnx_reader *reader)
{
	onnx_value *in;
	onnx_dims	shape;
	onnx_dims	dims = {1, {0}};
	double	   *number;

	EX_TRY(onnx_need(reader, 0, &in));
	shape = in->kind == ONNX_CONSTANT ? in->dims : onnx_with_batch(in);
	dims.size[0] = shape.n;
	EX_TRY(EX_ALLOC(reader->host, shape.n, &number));
	for (uint32_t i = 0; i < shape.n; i++)
		number[i] = (double) shape.size[i];
	return onnx_set_constant(reader, 0, ONNX_INT64, &dims, number, NULL);
}

/* Labels chosen by scores stand for the scores, whatever is done to them. */
static ex_status
label_node(onnx_reader *reader)
{
	for (uint32_t i = 0; i < reader->current->n_inputs; i++)
		if (onnx_in(reader, i) != NULL && onnx_in(reader, i)->is_label)
		{
			onnx_set(reader, onnx_in(reader, i));
			return EX_OK;
		}
	return EX_OK;
}

/* Operators that leave scores what they are: a map of classes, their maximum, types, shapes. */
static ex_status
passing_node(onnx_reader *reader, bool *known)
{
	static const char *const passing[] = {"Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze"};
	ex_span		operator = reader->current->operator;
	onnx_value *in = onnx_in(reader, 0);
	bool		is_map = onnx_is(operator, "ZipMap");
	bool		is_choice = onnx_is(operator, "ArgMax");

	*known = false;
	if (in == NULL || (in->kind != ONNX_TREES && in->kind != ONNX_LAYER))
		return EX_OK;
	for (int i = 0; i < 6 && in->kind == ONNX_TREES; i++)
		*known |= onnx_is(operator, passing[i]);
	*known |= is_map || is_choice;
	if (*known)
		onnx_set(reader, in)->is_label = is_choice;
	return is_map ? onnx_class_labels(reader, &onnx_set(reader, NULL)->label) : EX_OK;
}

/* In training, Dropout draws at random. */
static ex_status
check_dropout(onnx_reader *reader)
{
	const onnx_value *training = onnx_in(reader, 2);

	if (!onnx_is(reader->current->operator, "Dropout") || training == NULL)
		return EX_OK;
	if (training->kind == ONNX_CONSTANT && training->constant->count == 1 && training->constant->number != NULL &&
		training->constant->number[0] == 0)
		return EX_OK;
	return onnx_fail(reader, EX_UNSUPPORTED, "it is in training mode");
}

/* Before opset 7, arithmetic broadcast along an axis that was given. */
static ex_status
check_broadcast(onnx_reader *reader)
{
	static const char *const operators[] = {"Add", "Sub", "Mul", "Div", "Pow"};

	for (int i = 0; i < 5 && onnx_find(reader, "axis") != NULL; i++)
		if (onnx_is(reader->current->operator, operators[i]))
			return onnx_fail(reader, EX_UNSUPPORTED, "broadcasting along an axis, of opsets before 7, is not supported");
	return EX_OK;
}

static ex_status
run_node(onnx_reader *reader)
{
	static ex_status (*const families[]) (onnx_reader *reader, bool *known) = {
		passing_node, onnx_ensemble_node, onnx_score_node, onnx_column_node, onnx_layer_node
	};
	bool		all_constant;
	bool		any_label;
	bool		known = false;

	EX_TRY(check_inputs(reader, &all_constant, &any_label));
	if (!is_standard(reader->current->domain))
		return unsupported(reader);
	EX_TRY(check_dropout(reader));
	EX_TRY(check_broadcast(reader));
	if (onnx_is(reader->current->operator, "Shape"))
		return shape_node(reader);
	if (any_label)
		return label_node(reader);
	if (all_constant)
		EX_TRY(onnx_constant_node(reader, &known));
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && !known && !all_constant; i++)
		EX_TRY(families[i] (reader, &known));
	return known ? EX_OK : unsupported(reader);
}

static ex_status
run_nodes(onnx_reader *reader)
{
	for (uint32_t i = 0; i < reader->n_nodes; i++)
	{
		reader->current = &reader->node[i];
		if (!reader->current->needed)
			continue;
		EX_TRY(ex_poll(reader->host));
		for (uint32_t j = 0; j < reader->current->n_outputs; j++)
		{
			uint32_t	out = reader->current->output[j];

			if (out != ONNX_NO_VALUE && reader->value[out].kind != ONNX_NOTHING)
				return onnx_fail(reader, EX_INVALID, "it makes \"%.*s\", which is there already",
								 ONNX_NAME(reader->value[out].name));
		}
		EX_TRY(run_node(reader));
	}
	reader->current = NULL;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * The model
 * ---------------------------------------------------------------- */

static ex_status
put_label(onnx_reader *reader, ex_builder *builder, const onnx_tensor *label, size_t i)
{
	char		text[32];
	int			length;

	if (label->text != NULL)
		return ex_put_name(builder, EX_OUTPUT_NAME_START, label->text[i].data, label->text[i].size);
	length = snprintf(text, sizeof(text), "%.0f", label->number[i]);
	(void) reader;
	return ex_put_name(builder, EX_OUTPUT_NAME_START, text, (size_t) length);
}

ex_status
onnx_put_output_names(onnx_reader *reader, ex_builder *builder, const onnx_value *result)
{
	const ex_onnx_options *options = reader->options;
	uint32_t	n = builder->n_outputs;
	const onnx_tensor *label = result->label;

	if (options->n_outputs > 0)
	{
		if (options->n_outputs != n)
			return ex_fail(reader->host, EX_DIMENSION, "outputs has %zu elements, but the model has %u outputs",
						   options->n_outputs, n);
		for (uint32_t k = 0; k < n; k++)
			EX_TRY(ex_put_name(builder, EX_OUTPUT_NAME_START, options->output[k], strlen(options->output[k])));
		return EX_OK;
	}
	/* one score of two classes is that of the second one */
	if (label != NULL && label->count == 2 && n == 1)
		return put_label(reader, builder, label, 1);
	for (uint32_t k = 0; label != NULL && label->count == n && k < n; k++)
		EX_TRY(put_label(reader, builder, label, k));
	return ex_default_output_names(builder);
}

static ex_status
build(onnx_reader *reader)
{
	onnx_value *result = &reader->value[reader->result];

	ex_builder_init(reader->builder, reader->host, EX_NETWORK);
	if (result->kind == ONNX_TREES)
		return onnx_build_trees(reader, result);
	if (result->kind == ONNX_LAYER && result->erf == ONNX_NO_ERF &&
		(result->pad[0] | result->pad[1] | result->pad[2] | result->pad[3]) == 0)
		return onnx_build_layers(reader, result);
	return ex_fail(reader->host, EX_UNSUPPORTED, "ONNX graph: output \"%.*s\" is not that of a model", ONNX_NAME(result->name));
}

ex_status
ex_onnx_read(ex_host *host, const void *data, size_t size, const ex_onnx_options *options, ex_builder *builder)
{
	onnx_reader reader = {.host = host, .options = options, .builder = builder, .opset = 1,
		.scratch = {.name = {"", 0}}
	};

	if (size > EX_MAX_MODEL_SIZE)
	{
		(void) ex_fail(host, EX_LIMIT, "model file is too large");
		ex_detail(host, "It has %zu bytes; the limit is %zu.", size, EX_MAX_MODEL_SIZE);
		return EX_LIMIT;
	}
	EX_TRY(onnx_open(&reader, data, size));
	EX_TRY(options->graph_output != NULL ? find_output(&reader, options->graph_output) : choose_output(&reader));
	EX_TRY(mark_needed(&reader));
	EX_TRY(add_inputs(&reader));
	EX_TRY(run_nodes(&reader));
	return build(&reader);
}
