/*
 * tree_rows_internal.h
 *		Shared by the files that read node tables; nobody else.
 */
#ifndef EX_TREE_ROWS_INTERNAL_H
#define EX_TREE_ROWS_INTERNAL_H

#include "tree.h"
#include "tree_rows.h"

/*
 * Tests as a table writes them.  The model knows x <= t, x in set and x is
 * null, each true to the left; the others are these with the children
 * swapped, and a strict threshold is the next double below.
 */
typedef struct node_test
{
	const char *name;
	ex_node_op	op;
	bool		swap;
	bool		strict;
} node_test;

/* A list of a row, still in the bytes that came. */
typedef struct cell_list
{
	ex_field_type type;
	uint32_t	count;
	const uint8_t *elements;
} cell_list;

typedef struct table_node
{
	ex_string	tree;
	ex_string	name;
	ex_string	left;
	ex_string	right;
	ex_string	missing;
	ex_string	feature;
	ex_string	output;
	const node_test *test;
	double		threshold;
	cell_list	levels;
	bool		coded;			/* levels are codes, even where they are texts */
	cell_list	values;			/* count 0: `value` is the only one */
	double		value;
	double		cover;
	double		gain;
	double		weight;
	bool		zero_missing;
	double		linear_constant;
	cell_list	linear_features;
	cell_list	linear_coefficients;
} table_node;


static inline bool
ex_is_null(ex_string string)
{
	return string.text == NULL;
}

static inline bool
ex_row_is_leaf(const table_node *node)
{
	return node->test->op == EX_LEAF;
}

/*
 * A row as a node; strings and lists point into the row's bytes.  `tree` is
 * null where the table names no trees.  Everything that can be seen from one
 * row alone is checked.
 */
extern ex_status ex_node_from_row(ex_host *host, const ex_field *field, table_node *node);

/* "node 3 of tree 1 ..."; returns the status */
extern ex_status ex_bad_row(ex_host *host, const table_node *node, ex_status status, const char *what);

#endif							/* EX_TREE_ROWS_INTERNAL_H */
