/*
 * array.h
 *		Attributions as a float8[]: the form for storing and aggregating.
 */
#ifndef ROWS_ARRAY_H
#define ROWS_ARRAY_H

#include "pg_compat.h"

/*
 * A float8[] with these dimensions (at most 2), lower bounds 1; NaN becomes a
 * null element.  54000 where it would not fit into a Datum.
 */
extern Datum float8_array(const double *value, int n_dims, const int *dims);

#endif							/* ROWS_ARRAY_H */
