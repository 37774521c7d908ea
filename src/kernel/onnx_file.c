/*
 * onnx_file.c
 *		From the bytes of an ONNX file to nodes, attributes and names.
 *
 * Field numbers are those of onnx.proto (https://github.com/onnx/onnx).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_internal.h"

/* ModelProto */
enum
{
	MODEL_IR_VERSION = 1,
	MODEL_GRAPH = 7,
	MODEL_OPSET = 8
};

/* OperatorSetIdProto */
enum
{
	OPSET_DOMAIN = 1,
	OPSET_VERSION = 2
};

/* GraphProto */
enum
{
	GRAPH_NODE = 1,
	GRAPH_INITIALIZER = 5,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12,
	GRAPH_SPARSE_INITIALIZER = 15
};

/* NodeProto */
enum
{
	NODE_INPUT = 1,
	NODE_OUTPUT = 2,
	NODE_NAME = 3,
	NODE_OPERATOR = 4,
	NODE_ATTRIBUTE = 5,
	NODE_DOMAIN = 7
};

/* AttributeProto */
enum
{
	ATTRIBUTE_NAME = 1,
	ATTRIBUTE_F = 2,
	ATTRIBUTE_I = 3,
	ATTRIBUTE_S = 4,
	ATTRIBUTE_T = 5,
	ATTRIBUTE_FLOATS = 7,
	ATTRIBUTE_INTS = 8,
	ATTRIBUTE_STRINGS = 9
};

/* ValueInfoProto, TypeProto, TypeProto.Tensor, TensorShapeProto, ...Dimension */
enum
{
	VALUE_NAME = 1,
	VALUE_TYPE = 2,
	TYPE_TENSOR = 1,
	TENSOR_ELEMENT = 1,
	TENSOR_SHAPE = 2,
	SHAPE_DIM = 1,
	DIM_VALUE = 1
};

bool
onnx_is(ex_span text, const char *word)
{
	return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* ----------------------------------------------------------------
 * What is no ONNX file
 * ---------------------------------------------------------------- */

#define EXPORT_HINT	"Export the model with torch.onnx.export(), skl2onnx, onnxmltools or tf2onnx."

static bool
begins(const uint8_t *data, size_t size, const char *bytes, size_t n)
{
	return size >= n && memcmp(data, bytes, n) == 0;
}

static ex_status
mistaken(ex_host *host, const char *what, const char *hint)
{
	(void) ex_fail(host, EX_BINARY, "model file is %s, not ONNX", what);
	ex_hint(host, "%s", hint);
	return EX_BINARY;
}

/* Files that people have at hand instead, before they are called damaged. */
static ex_status
recognise(ex_host *host, const uint8_t *data, size_t size)
{
	if (size == 0)
		return mistaken(host, "empty", EXPORT_HINT);
	if (begins(data, size, "PK\x03\x04", 4))
		return mistaken(host, "a zip archive, as torch.save() writes", EXPORT_HINT);
	if (begins(data, size, "\x1f\x8b", 2))
		return mistaken(host, "compressed", "Decompress it first.");
	if (data[0] == 0x80 && size > 1 && data[1] <= 5)
		return mistaken(host, "a Python pickle", EXPORT_HINT);
	if (begins(data, size, "\\x", 2) || begins(data, size, "CA", 2) || begins(data, size, "0807", 4) || begins(data, size, "0808", 4))
		return mistaken(host, "hexadecimal or base64 text", "Pass the bytes: decode(content, 'hex') or decode(content, 'base64').");
	if (data[0] == '{' || data[0] == '[')
		return mistaken(host, "JSON", EXPORT_HINT);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Errors
 * ---------------------------------------------------------------- */

ex_status
onnx_fail(onnx_reader *reader, ex_status status, const char *format,...)
{
	const onnx_node *node = reader->current;
	char		what[300];
	va_list		args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (node == NULL)
		return ex_fail(reader->host, status, "ONNX graph: %s", what);
	return ex_fail(reader->host, status, "ONNX node %u (\"%.*s\", operator %.*s): %s",
				   node->position, ONNX_NAME(node->name), ONNX_NAME(node->operator), what);
}

/* ----------------------------------------------------------------
 * Names: first one for each occurrence, then a number for each name
 * ---------------------------------------------------------------- */

typedef struct occurrence
{
	ex_span		name;
	uint32_t	index;			/* of the occurrence */
} occurrence;

typedef struct file_reader
{
	onnx_reader *reader;
	ex_host    *host;
	ex_buffer	occurrences;
	ex_buffer	nodes;			/* onnx_node */
	ex_buffer	inputs;			/* onnx_port */
	ex_buffer	outputs;
	ex_buffer	tensors;		/* named_tensor */
} file_reader;

typedef struct named_tensor
{
	uint32_t	value;
	onnx_tensor tensor;
} named_tensor;

static ex_status
note_name(file_reader *f, ex_span name, uint32_t *index)
{
	occurrence	entry = {name, (uint32_t) (f->occurrences.size / sizeof(occurrence))};

	*index = ONNX_NO_VALUE;
	if (name.size == 0)
		return EX_OK;
	*index = entry.index;
	return ex_append(f->host, &f->occurrences, &entry, sizeof(entry));
}

static int
compare_names(const void *a, const void *b)
{
	const occurrence *left = a;
	const occurrence *right = b;
	size_t		shorter = left->name.size < right->name.size ? left->name.size : right->name.size;
	int			order = memcmp(left->name.data, right->name.data, shorter);

	if (order == 0)
		order = (left->name.size > right->name.size) - (left->name.size < right->name.size);
	return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

/* number[occurrence] = value, and the values. */
static ex_status
number_names(file_reader *f, uint32_t **number)
{
	occurrence *entry = (occurrence *) f->occurrences.data;
	size_t		n = f->occurrences.size / sizeof(occurrence);
	onnx_reader *reader = f->reader;

	EX_TRY(EX_ALLOC(f->host, n, number));
	EX_TRY(EX_ALLOC(f->host, n, &reader->value));
	if (n > 0)
		qsort(entry, n, sizeof(occurrence), compare_names);
	for (size_t i = 0; i < n; i++)
	{
		bool		again = i > 0 && entry[i].name.size == entry[i - 1].name.size &&
		memcmp(entry[i].name.data, entry[i - 1].name.data, entry[i].name.size) == 0;

		if (!again)
			reader->value[reader->n_values++].name = entry[i].name;
		(*number)[entry[i].index] = reader->n_values - 1;
	}
	return EX_OK;
}

static void
renumber(const uint32_t *number, uint32_t *value)
{
	if (*value != ONNX_NO_VALUE)
		*value = number[*value];
}

/* ----------------------------------------------------------------
 * Nodes
 * ---------------------------------------------------------------- */

static ex_status
read_attribute(file_reader *f, ex_pb_message content, onnx_attribute *attribute)
{
	ex_pb_message rest = content;
	ex_pb_field field;
	bool		more;

	attribute->content = content;
	attribute->name = (ex_span) {"", 0};
	for (;;)
	{
		EX_TRY(ex_pb_next(&rest, &field, &more));
		if (!more)
			return EX_OK;
		if (field.number == ATTRIBUTE_NAME)
			EX_TRY(ex_pb_text(&rest, &field, &attribute->name));
	}
}

/* How many inputs, outputs and attributes a node has. */
static ex_status
count_parts(ex_pb_message content, onnx_node *node)
{
	ex_pb_field field;
	bool		more;

	for (;;)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			return EX_OK;
		node->n_inputs += field.number == NODE_INPUT;
		node->n_outputs += field.number == NODE_OUTPUT;
		node->n_attributes += field.number == NODE_ATTRIBUTE;
	}
}

static ex_status
read_name(file_reader *f, const ex_pb_message *content, const ex_pb_field *field, uint32_t *value)
{
	ex_span		name;

	EX_TRY(ex_pb_text(content, field, &name));
	return note_name(f, name, value);
}

static ex_status
read_node_field(file_reader *f, const ex_pb_message *content, const ex_pb_field *field, onnx_node *node)
{
	ex_pb_message attribute;

	switch (field->number)
	{
		case NODE_INPUT:
			return read_name(f, content, field, &node->input[node->n_inputs++]);
		case NODE_OUTPUT:
			return read_name(f, content, field, &node->output[node->n_outputs++]);
		case NODE_NAME:
			return ex_pb_text(content, field, &node->name);
		case NODE_OPERATOR:
			return ex_pb_text(content, field, &node->operator);
		case NODE_DOMAIN:
			return ex_pb_text(content, field, &node->domain);
		case NODE_ATTRIBUTE:
			EX_TRY(ex_pb_submessage(content, field, &attribute));
			return read_attribute(f, attribute, &node->attribute[node->n_attributes++]);
	}
	return EX_OK;
}

static ex_status
read_node(file_reader *f, ex_pb_message content)
{
	onnx_node	node = {.name = {"", 0}, .operator = {"", 0}, .domain = {"", 0}};
	ex_pb_field field;
	bool		more;

	node.position = (uint32_t) (f->nodes.size / sizeof(onnx_node)) + 1;
	EX_TRY(count_parts(content, &node));
	EX_TRY(EX_ALLOC(f->host, node.n_inputs, &node.input));
	EX_TRY(EX_ALLOC(f->host, node.n_outputs, &node.output));
	EX_TRY(EX_ALLOC(f->host, node.n_attributes, &node.attribute));
	node.n_inputs = node.n_outputs = node.n_attributes = 0;
	for (;;)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			break;
		EX_TRY(read_node_field(f, &content, &field, &node));
	}
	return ex_append(f->host, &f->nodes, &node, sizeof(node));
}

/* ----------------------------------------------------------------
 * Inputs and outputs
 * ---------------------------------------------------------------- */

/* The first field of this number that is a message; *found is false without. */
static ex_status
find_message(ex_pb_message content, uint32_t number, ex_pb_message *inner, bool *found)
{
	ex_pb_field field;
	bool		more;

	for (*found = false;;)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			return EX_OK;
		if (field.number != number)
			continue;
		*found = true;
		EX_TRY(ex_pb_submessage(&content, &field, inner));
	}
}

static ex_status
find_int64(ex_pb_message content, uint32_t number, int64_t *value)
{
	ex_pb_field field;
	bool		more;

	for (;;)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			return EX_OK;
		if (field.number == number)
			EX_TRY(ex_pb_int64(&content, &field, value));
	}
}

static ex_status
read_shape(file_reader *f, ex_pb_message content, onnx_port *port)
{
	ex_pb_field field;
	ex_pb_message dim;
	bool		more;

	port->has_shape = true;
	for (;;)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			return EX_OK;
		if (field.number != SHAPE_DIM)
			continue;
		if (port->dims.n == ONNX_MAX_DIMS)
			return ex_fail(f->host, EX_UNSUPPORTED, "ONNX graph: an input or output has more than %d dimensions", ONNX_MAX_DIMS);
		EX_TRY(ex_pb_submessage(&content, &field, &dim));
		port->dims.size[port->dims.n] = -1;
		EX_TRY(find_int64(dim, DIM_VALUE, &port->dims.size[port->dims.n++]));
	}
}

/* Type and shape of a tensor; sequences and maps are ONNX_OTHER. */
static ex_status
read_type(file_reader *f, ex_pb_message content, onnx_port *port)
{
	ex_pb_message tensor;
	ex_pb_message shape;
	int64_t		type = ONNX_UNKNOWN;
	bool		found;

	EX_TRY(find_message(content, TYPE_TENSOR, &tensor, &found));
	port->type = ONNX_OTHER;
	if (!found)
		return EX_OK;
	EX_TRY(find_int64(tensor, TENSOR_ELEMENT, &type));
	port->type = type >= 0 && type < ONNX_OTHER ? (onnx_type) type : ONNX_OTHER;
	EX_TRY(find_message(tensor, TENSOR_SHAPE, &shape, &found));
	return found ? read_shape(f, shape, port) : EX_OK;
}

static ex_status
read_port(file_reader *f, ex_pb_message content, ex_buffer *ports)
{
	onnx_port	port = {.value = ONNX_NO_VALUE};
	ex_pb_message rest = content;
	ex_pb_message type;
	ex_pb_field field;
	bool		more;
	bool		found;

	for (;;)
	{
		EX_TRY(ex_pb_next(&rest, &field, &more));
		if (!more)
			break;
		if (field.number == VALUE_NAME)
			EX_TRY(read_name(f, &rest, &field, &port.value));
	}
	if (port.value == ONNX_NO_VALUE)
		return ex_fail(f->host, EX_INVALID, "ONNX graph: an input or output has no name");
	EX_TRY(find_message(content, VALUE_TYPE, &type, &found));
	if (found)
		EX_TRY(read_type(f, type, &port));
	return ex_append(f->host, ports, &port, sizeof(port));
}

/* ----------------------------------------------------------------
 * The graph
 * ---------------------------------------------------------------- */

static ex_status
read_initializer(file_reader *f, ex_pb_message content)
{
	named_tensor entry;
	ex_span		name;

	EX_TRY(onnx_read_tensor(f->reader, content, &entry.tensor, &name));
	EX_TRY(note_name(f, name, &entry.value));
	if (entry.value == ONNX_NO_VALUE)
		return EX_OK;
	return ex_append(f->host, &f->tensors, &entry, sizeof(entry));
}

static ex_status
read_graph_field(file_reader *f, const ex_pb_message *content, const ex_pb_field *field)
{
	ex_pb_message inner;

	if (field->number != GRAPH_NODE && field->number != GRAPH_INITIALIZER &&
		field->number != GRAPH_INPUT && field->number != GRAPH_OUTPUT &&
		field->number != GRAPH_SPARSE_INITIALIZER)
		return EX_OK;
	EX_TRY(ex_pb_submessage(content, field, &inner));
	switch (field->number)
	{
		case GRAPH_NODE:
			return read_node(f, inner);
		case GRAPH_INITIALIZER:
			return read_initializer(f, inner);
		case GRAPH_INPUT:
			return read_port(f, inner, &f->inputs);
		case GRAPH_OUTPUT:
			return read_port(f, inner, &f->outputs);
	}
	return ex_fail(f->host, EX_UNSUPPORTED, "ONNX graph: sparse initializers are not supported");
}

static ex_status
read_graph(file_reader *f, ex_pb_message content)
{
	ex_pb_field field;
	bool		more;

	for (uint32_t i = 0;; i++)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			return EX_OK;
		if (i % 1024 == 1023)
			EX_TRY(ex_poll(f->host));
		EX_TRY(read_graph_field(f, &content, &field));
	}
}

/* Operators of versions that are not known yet may mean something else. */
static ex_status
check_opset(file_reader *f, const char *domain, int64_t version, int64_t last)
{
	ex_host    *host = f->reader->host;

	if (version <= last)
		return EX_OK;
	(void) ex_fail(host, EX_UNSUPPORTED, "ONNX file uses version %lld of the operators of %s, and only versions up to %lld are known",
				   (long long) version, domain, (long long) last);
	ex_hint(host, "Export the model with an older opset, or update extension explain_ext.");
	return EX_UNSUPPORTED;
}

/* The version of the standard operators. */
static ex_status
read_opset(file_reader *f, ex_pb_message content)
{
	ex_span		domain = {"", 0};
	int64_t		version = 1;
	ex_pb_field field;
	bool		more;

	for (;;)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			break;
		if (field.number == OPSET_DOMAIN)
			EX_TRY(ex_pb_text(&content, &field, &domain));
		if (field.number == OPSET_VERSION)
			EX_TRY(ex_pb_int64(&content, &field, &version));
	}
	if (domain.size == 0 || onnx_is(domain, "ai.onnx"))
	{
		f->reader->opset = version;
		return check_opset(f, "ai.onnx", version, ONNX_LAST_OPSET);
	}
	if (onnx_is(domain, "ai.onnx.ml"))
		return check_opset(f, "ai.onnx.ml", version, ONNX_LAST_ML_OPSET);
	return EX_OK;
}

static ex_status
read_model(file_reader *f)
{
	ex_pb_message content = f->reader->file;
	ex_pb_message inner;
	ex_pb_field field;
	bool		has_graph = false;
	bool		more;

	for (;;)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			break;
		if (field.number != MODEL_GRAPH && field.number != MODEL_OPSET)
			continue;
		EX_TRY(ex_pb_submessage(&content, &field, &inner));
		if (field.number == MODEL_OPSET)
			EX_TRY(read_opset(f, inner));
		else if (has_graph)
			return ex_pb_damaged(&content, field.at, "A second graph begins");
		else
			EX_TRY(read_graph(f, inner));
		has_graph |= field.number == MODEL_GRAPH;
	}
	return has_graph ? EX_OK : mistaken(f->host, "something without a graph", EXPORT_HINT);
}

/* ----------------------------------------------------------------
 * Putting it together
 * ---------------------------------------------------------------- */

static void
number_nodes(file_reader *f, const uint32_t *number)
{
	onnx_reader *reader = f->reader;

	reader->node = (onnx_node *) f->nodes.data;
	reader->n_nodes = (uint32_t) (f->nodes.size / sizeof(onnx_node));
	for (uint32_t i = 0; i < reader->n_nodes; i++)
	{
		for (uint32_t j = 0; j < reader->node[i].n_inputs; j++)
			renumber(number, &reader->node[i].input[j]);
		for (uint32_t j = 0; j < reader->node[i].n_outputs; j++)
			renumber(number, &reader->node[i].output[j]);
	}
}

static ex_status
place_constants(file_reader *f, const uint32_t *number)
{
	named_tensor *entry = (named_tensor *) f->tensors.data;

	for (size_t i = 0; i < f->tensors.size / sizeof(named_tensor); i++)
	{
		onnx_value *value;

		renumber(number, &entry[i].value);
		value = &f->reader->value[entry[i].value];
		if (value->kind != ONNX_NOTHING)
			return ex_fail(f->host, EX_INVALID, "ONNX graph: initializer \"%.*s\" is given twice", ONNX_NAME(value->name));
		value->kind = ONNX_CONSTANT;
		value->type = entry[i].tensor.type;
		value->dims = entry[i].tensor.dims;
		value->constant = &entry[i].tensor;
	}
	return EX_OK;
}

/* Before IR version 4, initialisers are among the inputs. */
static void
number_ports(file_reader *f, const uint32_t *number)
{
	onnx_reader *reader = f->reader;
	onnx_port  *port = (onnx_port *) f->inputs.data;
	uint32_t	n = (uint32_t) (f->inputs.size / sizeof(onnx_port));

	reader->input = port;
	for (uint32_t i = 0; i < n; i++)
	{
		renumber(number, &port[i].value);
		if (reader->value[port[i].value].kind != ONNX_CONSTANT)
			reader->input[reader->n_inputs++] = port[i];
	}
	reader->output = (onnx_port *) f->outputs.data;
	reader->n_outputs = (uint32_t) (f->outputs.size / sizeof(onnx_port));
	for (uint32_t i = 0; i < reader->n_outputs; i++)
		renumber(number, &reader->output[i].value);
}

ex_status
onnx_open(onnx_reader *reader, const void *data, size_t size)
{
	file_reader f = {.reader = reader, .host = reader->host};
	uint32_t   *number;

	EX_TRY(recognise(f.host, data, size));
	ex_pb_open(&reader->file, f.host, data, size);
	EX_TRY(read_model(&f));
	EX_TRY(number_names(&f, &number));
	number_nodes(&f, number);
	EX_TRY(place_constants(&f, number));
	number_ports(&f, number);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Attributes of the current node
 * ---------------------------------------------------------------- */

const onnx_attribute *
onnx_find(const onnx_reader *reader, const char *name)
{
	const onnx_node *node = reader->current;

	for (uint32_t i = 0; i < node->n_attributes; i++)
		if (onnx_is(node->attribute[i].name, name))
			return &node->attribute[i];
	return NULL;
}

/* The last field of this number of an attribute, as for any scalar field. */
static ex_status
find_field(onnx_reader *reader, const char *name, uint32_t number, ex_pb_message *content,
		   ex_pb_field *field, bool *found)
{
	const onnx_attribute *attribute = onnx_find(reader, name);
	ex_pb_field next;
	bool		more = true;

	*found = false;
	if (attribute == NULL)
		return EX_OK;
	*content = attribute->content;
	for (;;)
	{
		EX_TRY(ex_pb_next(content, &next, &more));
		if (!more)
			break;
		if (next.number == number)
		{
			*field = next;
			*found = true;
		}
	}
	return EX_OK;
}

ex_status
onnx_integer(onnx_reader *reader, const char *name, int64_t missing, int64_t *value)
{
	ex_pb_message content;
	ex_pb_field field;
	bool		found;

	*value = missing;
	EX_TRY(find_field(reader, name, ATTRIBUTE_I, &content, &field, &found));
	return found ? ex_pb_int64(&content, &field, value) : EX_OK;
}

ex_status
onnx_float(onnx_reader *reader, const char *name, double missing, double *value)
{
	ex_pb_message content;
	ex_pb_field field;
	float		single;
	bool		found;

	*value = missing;
	EX_TRY(find_field(reader, name, ATTRIBUTE_F, &content, &field, &found));
	if (!found)
		return EX_OK;
	EX_TRY(ex_pb_float(&content, &field, &single));
	*value = single;
	return EX_OK;
}

ex_status
onnx_text(onnx_reader *reader, const char *name, const char *missing, ex_span *value)
{
	ex_pb_message content;
	ex_pb_field field;
	bool		found;

	*value = (ex_span) {missing, strlen(missing)};
	EX_TRY(find_field(reader, name, ATTRIBUTE_S, &content, &field, &found));
	return found ? ex_pb_text(&content, &field, value) : EX_OK;
}

ex_status
onnx_tensor_attribute(onnx_reader *reader, const char *name, const onnx_tensor **value)
{
	ex_pb_message content;
	ex_pb_message inner;
	ex_pb_field field;
	onnx_tensor *tensor;
	ex_span		unused;
	bool		found;

	*value = NULL;
	EX_TRY(find_field(reader, name, ATTRIBUTE_T, &content, &field, &found));
	if (!found)
		return EX_OK;
	EX_TRY(ex_pb_submessage(&content, &field, &inner));
	EX_TRY(EX_ALLOC(reader->host, 1, &tensor));
	*value = tensor;
	return onnx_read_tensor(reader, inner, tensor, &unused);
}

/* Append what one kind of list in an attribute has. */
static ex_status
read_list(onnx_reader *reader, const char *name, uint32_t number, ex_buffer *out)
{
	const onnx_attribute *attribute = onnx_find(reader, name);
	ex_pb_message content;
	ex_pb_field field;
	ex_span		text;
	bool		more;

	*out = (ex_buffer) {NULL, 0, 0};
	EX_TRY(ex_reserve(reader->host, out, 1));
	if (attribute == NULL)
		return EX_OK;
	content = attribute->content;
	for (;;)
	{
		EX_TRY(ex_pb_next(&content, &field, &more));
		if (!more)
			return EX_OK;
		if (field.number != number)
			continue;
		if (number == ATTRIBUTE_INTS)
			EX_TRY(ex_pb_append_int64s(&content, &field, out));
		else if (number == ATTRIBUTE_FLOATS)
			EX_TRY(ex_pb_append_floats(&content, &field, out));
		else
		{
			EX_TRY(ex_pb_text(&content, &field, &text));
			EX_TRY(ex_append(reader->host, out, &text, sizeof(text)));
		}
	}
}

ex_status
onnx_integers(onnx_reader *reader, const char *name, const int64_t **value, size_t *n)
{
	ex_buffer	list;

	EX_TRY(read_list(reader, name, ATTRIBUTE_INTS, &list));
	*value = (const int64_t *) list.data;
	*n = list.size / sizeof(int64_t);
	return EX_OK;
}

ex_status
onnx_texts(onnx_reader *reader, const char *name, const ex_span **value, size_t *n)
{
	ex_buffer	list;

	EX_TRY(read_list(reader, name, ATTRIBUTE_STRINGS, &list));
	*value = (const ex_span *) list.data;
	*n = list.size / sizeof(ex_span);
	return EX_OK;
}

ex_status
onnx_floats(onnx_reader *reader, const char *name, const double **value, size_t *n)
{
	ex_buffer	list;
	double	   *wide;

	EX_TRY(read_list(reader, name, ATTRIBUTE_FLOATS, &list));
	*n = list.size / sizeof(float);
	EX_TRY(EX_ALLOC(reader->host, *n, &wide));
	for (size_t i = 0; i < *n; i++)
		wide[i] = ((const float *) list.data)[i];
	*value = wide;
	return EX_OK;
}
