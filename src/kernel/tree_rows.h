/*
 * tree_rows.h
 *		A tree model from the rows of a node table.
 *
 * One row per node, in any order; columns that a model does not need may be
 * absent:
 *
 *		tree			which tree; absent: there is one
 *		node			name of the node within its tree
 *		feature			tested; null in leaves
 *		op				'<=' (also where null), '<', '>', '>=' with threshold;
 *						'in' (also where null and levels is not), 'not in' with
 *						levels; 'is null', 'is not null'; 'leaf'
 *		threshold		number
 *		levels			names of levels; or whole numbers: codes 0 .. n
 *		coded			levels are codes, though written as text
 *		left_child		node where the test is true; null in leaves
 *		right_child		node where it is not
 *		missing_child	where missing values go; null: no rule
 *		value			of a leaf: a number, or one for each output
 *		cover, gain		training weight that reached the node, loss reduction
 *		output			that the tree feeds, where leaves have one number of several
 *						outputs; null in all rows: the only one
 *		weight			of the tree; 1
 *		zero_missing	numbers of magnitude up to 1e-35 are missing (LightGBM)
 *		linear_constant, linear_features, linear_coefficients
 *						linear model of a leaf; value is for rows where one of
 *						its features is missing
 *
 * Trees and nodes have names, which may be numbers.  The root is the node that
 * is no other's child.  Trees are in the order of their names (whole numbers
 * by size, then texts by their bytes), so the model does not depend on the
 * order of the rows; features and levels are in the order of their bytes,
 * codes by number.
 *
 * A feature may be missing if any node that tests it says what happens then.
 * A level that no node mentions is in no set.
 */
#ifndef EX_TREE_ROWS_H
#define EX_TREE_ROWS_H

#include "model.h"
#include "table_rows.h"

extern const ex_table ex_node_table;

/*
 * The model that a set of rows describes, in a builder that is initialised
 * here; base 0, sum of trees.  EX_INVALID for trees that are none (repeated nodes, children
 * that do not exist, cycles) and tests that make no sense, EX_NULL and
 * EX_RANGE for values that are no numbers, EX_DIMENSION where leaves have
 * different numbers of values, EX_BINARY for bytes that are no rows.
 */
extern ex_status ex_tree_from_rows(ex_host *host, const void *bytes, size_t size,
								   ex_builder *builder);

#endif							/* EX_TREE_ROWS_H */
