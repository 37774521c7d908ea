/*
 * array.c
 *		Attributions as a float8[]: the form for storing and aggregating.
 */
#include "rows/array.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* The header; elements are the caller's to write at ARR_DATA_PTR. */
static ArrayType *
new_array(int n_dims, const int *dims, int n, bool nulls, Size bytes)
{
	Size		overhead = nulls ? ARR_OVERHEAD_WITHNULLS(n_dims, n) : ARR_OVERHEAD_NONULLS(n_dims);
	Size		size = overhead + bytes;
	ArrayType  *array;

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("array of attributions is too large")));
	array = palloc(size);
	memset(array, 0, overhead);
	SET_VARSIZE(array, size);
	array->ndim = n_dims;
	array->dataoffset = nulls ? (int32) overhead : 0;
	array->elemtype = FLOAT8OID;
	for (int i = 0; i < n_dims; i++)
	{
		ARR_DIMS(array)[i] = dims[i];
		ARR_LBOUND(array)[i] = 1;
	}
	return array;
}

Datum
float8_array(const double *value, int n_dims, const int *dims)
{
	int			n = ArrayGetNItems(n_dims, dims);
	int			present = 0;
	ArrayType  *array;
	double	   *element;

	for (int i = 0; i < n; i++)
		present += !isnan(value[i]);
	array = new_array(n_dims, dims, n, present < n, sizeof(double) * present);
	element = (double *) ARR_DATA_PTR(array);
	if (present == n)
	{
		memcpy(element, value, sizeof(double) * n);
		return PointerGetDatum(array);
	}
	for (int i = 0; i < n; i++)
	{
		if (isnan(value[i]))
			continue;
		*element++ = value[i];
		ARR_NULLBITMAP(array)[i / 8] |= (bits8) (1 << (i % 8));
	}
	return PointerGetDatum(array);
}
