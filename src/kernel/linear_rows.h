/*
 * linear_rows.h
 *		A linear model from the rows of a coefficient table.
 *
 * One row per coefficient, in any order:
 *
 *		feature			null, '(Intercept)', '(intercept)', 'Intercept', 'intercept' or
 *						'const': the intercept
 *		coefficient		required
 *		level			the coefficient is that of a level's dummy; makes the feature
 *						categorical, with the levels that its rows mention
 *		low, high		the coefficient is that of the bin low < x <= high; null is
 *						infinite
 *		output			name of the output; null in all rows: one output, '0'
 *		standard_error	null: unknown
 *		kind			'intercept', 'value', 'level', 'bin' or 'missing' (x is missing);
 *						null: told from the others.  A feature called 'const' needs it
 *
 * Features are in the order of their bytes, levels too; outputs are whole
 * numbers by size, then other names by their bytes.  So the model does not
 * depend on the order of the rows.
 *
 * A coefficient table does not know the level that was dropped, nor what else
 * may occur: an unknown level and a missing one are in no set, all dummies 0.
 * A number must not be missing, unless there is a row of kind 'missing'.
 */
#ifndef EX_LINEAR_ROWS_H
#define EX_LINEAR_ROWS_H

#include "model.h"
#include "table_rows.h"

extern const ex_table ex_coefficient_table;

/*
 * The model that a set of rows describes, in a builder that is initialised
 * here.  EX_NULL and EX_RANGE for coefficients that are no numbers, EX_INVALID
 * for repeated or contradicting rows, EX_BINARY for bytes that are no rows.
 */
extern ex_status ex_linear_from_rows(ex_host *host, const void *bytes, size_t size,
									 ex_builder *builder);

#endif							/* EX_LINEAR_ROWS_H */
