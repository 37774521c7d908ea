/*
 * tree_row.c
 *		One row of a node table as a node.
 */
#include <math.h>
#include <string.h>

#include "tree_rows_internal.h"

enum
{
	TREE,
	NODE,
	FEATURE,
	OP,
	THRESHOLD,
	LEVELS,
	CODED,
	LEFT_CHILD,
	RIGHT_CHILD,
	MISSING_CHILD,
	VALUE,
	COVER,
	GAIN,
	OUTPUT,
	WEIGHT,
	ZERO_MISSING,
	LINEAR_CONSTANT,
	LINEAR_FEATURES,
	LINEAR_COEFFICIENTS,
	N_FIELDS
};

const ex_table ex_node_table = {
	.name = "node table",
	.magic = 0x4e525845,		/* "EXRN" */
	.n_fields = N_FIELDS,
	.field = {
		[TREE] = {"tree", EX_FIELD_TEXT, false, false},
		[NODE] = {"node", EX_FIELD_TEXT, true, false},
		[FEATURE] = {"feature", EX_FIELD_TEXT, true, false},
		[OP] = {"op", EX_FIELD_TEXT, false, false},
		[THRESHOLD] = {"threshold", EX_FIELD_NUMBER, false, false},
		[LEVELS] = {"levels", EX_FIELD_TEXTS | EX_FIELD_NUMBERS, false, false},
		[CODED] = {"coded", EX_FIELD_NUMBER, false, true},
		[LEFT_CHILD] = {"left_child", EX_FIELD_TEXT, true, false},
		[RIGHT_CHILD] = {"right_child", EX_FIELD_TEXT, true, false},
		[MISSING_CHILD] = {"missing_child", EX_FIELD_TEXT, false, false},
		[VALUE] = {"value", EX_FIELD_NUMBER | EX_FIELD_NUMBERS, true, false},
		[COVER] = {"cover", EX_FIELD_NUMBER, false, false},
		[GAIN] = {"gain", EX_FIELD_NUMBER, false, false},
		[OUTPUT] = {"output", EX_FIELD_TEXT, false, false},
		[WEIGHT] = {"weight", EX_FIELD_NUMBER, false, false},
		[ZERO_MISSING] = {"zero_missing", EX_FIELD_NUMBER, false, true},
		[LINEAR_CONSTANT] = {"linear_constant", EX_FIELD_NUMBER, false, false},
		[LINEAR_FEATURES] = {"linear_features", EX_FIELD_TEXTS, false, false},
		[LINEAR_COEFFICIENTS] = {"linear_coefficients", EX_FIELD_NUMBERS, false, false}
	}
};

static const node_test tests[] = {
	{"<=", EX_LE, false, false},
	{"<", EX_LE, false, true},
	{">", EX_LE, true, false},
	{">=", EX_LE, true, true},
	{"in", EX_IN, false, false},
	{"not in", EX_IN, true, false},
	{"is null", EX_ISNULL, false, false},
	{"is not null", EX_ISNULL, true, false},
	{"leaf", EX_LEAF, false, false}
};

#define N_TESTS ((int) (sizeof(tests) / sizeof(tests[0])))
#define TEST_LE (&tests[0])
#define TEST_IN (&tests[4])
#define TEST_LEAF (&tests[N_TESTS - 1])

ex_status
ex_bad_row(ex_host *host, const table_node *node, ex_status status, const char *what)
{
	if (ex_is_null(node->tree))
		return ex_fail(host, status, "node %.*s %s", (int) node->name.length, node->name.text, what);
	return ex_fail(host, status, "node %.*s of tree %.*s %s",
				   (int) node->name.length, node->name.text,
				   (int) node->tree.length, node->tree.text, what);
}

static ex_status
read_test(ex_host *host, const ex_field *op, table_node *node)
{
	if (op->type == EX_FIELD_NULL)
	{
		node->test = ex_is_null(node->left) ? TEST_LEAF : node->levels.type != EX_FIELD_NULL ? TEST_IN : TEST_LE;
		return EX_OK;
	}
	for (int i = 0; i < N_TESTS; i++)
		if (strlen(tests[i].name) == op->text.length &&
			memcmp(tests[i].name, op->text.text, op->text.length) == 0)
		{
			node->test = &tests[i];
			return EX_OK;
		}
	ex_bad_row(host, node, EX_INVALID, "has an unknown op");
	ex_hint(host, "Valid are <=, <, >, >=, in, not in, is null, is not null and leaf.");
	return EX_INVALID;
}

/* Children: both or none; none exactly in leaves. */
static ex_status
check_children(ex_host *host, const table_node *node)
{
	if (ex_is_null(node->left) != ex_is_null(node->right))
		return ex_bad_row(host, node, EX_INVALID, "has one child; it must have two or none");
	if ((node->test->op == EX_LEAF) != ex_is_null(node->left))
		return ex_bad_row(host, node, EX_INVALID, node->test->op == EX_LEAF ?
						  "is a leaf with children" : "has a test, but no children");
	return EX_OK;
}

static ex_status
check_split(ex_host *host, const table_node *node)
{
	if (ex_is_null(node->feature))
		return ex_bad_row(host, node, EX_NULL, "has children, but no feature");
	if (node->test->op == EX_LE && isnan(node->threshold))
		return ex_bad_row(host, node, EX_INVALID, "has no threshold");
	if (node->test->op == EX_LE && node->test->strict && node->threshold == -INFINITY)
		return ex_bad_row(host, node, EX_INVALID, "compares with something below -Infinity");
	if (node->test->op == EX_IN && node->levels.type == EX_FIELD_NULL)
		return ex_bad_row(host, node, EX_INVALID, "has no levels");
	if (node->test->op != EX_IN && node->levels.type != EX_FIELD_NULL)
		return ex_bad_row(host, node, EX_INVALID, "has levels, but another test");
	return EX_OK;
}

static ex_status
check_leaf(ex_host *host, table_node *node, const ex_field *value)
{
	if (value->type == EX_FIELD_NULL)
		return ex_bad_row(host, node, EX_NULL, "is a leaf without a value");
	if (value->type == EX_FIELD_NUMBERS && value->count == 0)
		return ex_bad_row(host, node, EX_DIMENSION, "is a leaf without a value");
	if (value->type == EX_FIELD_NUMBERS && value->count == 1)
	{
		const uint8_t *element = value->elements;

		node->value = ex_field_next_number(&element);
		node->values.count = 0;
	}
	if (node->values.count == 0 && !isfinite(node->value))
		return ex_bad_row(host, node, EX_RANGE, "has a value that is not finite");
	if (node->linear_features.count != node->linear_coefficients.count)
		return ex_bad_row(host, node, EX_INVALID,
						  "has a linear model with unequal numbers of features and coefficients");
	return EX_OK;
}

static cell_list
list_of(const ex_field *field)
{
	cell_list	result = {field->type, field->count, field->elements};

	return result;
}

/* NaN where there is none. */
static double
number_of(const ex_field *field)
{
	return field->type == EX_FIELD_NUMBER ? field->number : NAN;
}

ex_status
ex_node_from_row(ex_host *host, const ex_field *field, table_node *node)
{
	node->tree = field[TREE].text;
	node->name = field[NODE].text;
	if (ex_is_null(node->name))
		return ex_fail(host, EX_NULL, "name of a node must not be null");
	node->feature = field[FEATURE].text;
	node->left = field[LEFT_CHILD].text;
	node->right = field[RIGHT_CHILD].text;
	node->missing = field[MISSING_CHILD].text;
	node->output = field[OUTPUT].text;
	node->threshold = number_of(&field[THRESHOLD]);
	node->levels = list_of(&field[LEVELS]);
	node->coded = node->levels.type == EX_FIELD_NUMBERS || field[CODED].number != 0;
	node->value = number_of(&field[VALUE]);
	node->values = list_of(&field[VALUE]);
	node->cover = number_of(&field[COVER]);
	node->gain = number_of(&field[GAIN]);
	node->weight = number_of(&field[WEIGHT]);
	node->zero_missing = field[ZERO_MISSING].number != 0;
	node->linear_constant = number_of(&field[LINEAR_CONSTANT]);
	node->linear_features = list_of(&field[LINEAR_FEATURES]);
	node->linear_coefficients = list_of(&field[LINEAR_COEFFICIENTS]);

	if (field[COVER].type != EX_FIELD_NULL && !(node->cover >= 0))
		return ex_bad_row(host, node, EX_INVALID, "has a cover that is negative or NaN");
	EX_TRY(read_test(host, &field[OP], node));
	EX_TRY(check_children(host, node));
	return node->test->op == EX_LEAF ? check_leaf(host, node, &field[VALUE]) : check_split(host, node);
}
