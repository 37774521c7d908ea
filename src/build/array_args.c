/*
 * array_args.c
 *		Array arguments of functions that build models.
 */
#include "build/array_args.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

static ArrayType *
array_arg(FunctionCallInfo fcinfo, int argno, const char *name, int max_dims)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argno);

	if (ARR_NDIM(array) > max_dims)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have %s, not %d", name,
						max_dims == 1 ? "one dimension" : "one or two dimensions", ARR_NDIM(array))));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain nulls", name)));
	return array;
}

NumberArray
number_array_arg(FunctionCallInfo fcinfo, int argno, const char *name, int max_dims)
{
	ArrayType  *array = array_arg(fcinfo, argno, name, max_dims);
	NumberArray result = {{0, 0}, 0, (const double *) ARR_DATA_PTR(array)};

	result.n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (result.n > 0)
	{
		result.dims[0] = ARR_NDIM(array) == 2 ? ARR_DIMS(array)[0] : 1;
		result.dims[1] = result.n / result.dims[0];
	}
	for (int i = 0; i < result.n; i++)
		if (!isfinite(result.value[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("element %d of %s is not a finite number", i + 1, name)));
	return result;
}

TextArray
text_array_arg(FunctionCallInfo fcinfo, int argno, const char *name)
{
	ArrayType  *array = array_arg(fcinfo, argno, name, 1);
	TextArray	result;
	Datum	   *element;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &element, NULL, &result.n);
	result.value = palloc(result.n * sizeof(char *) + 1);
	for (int i = 0; i < result.n; i++)
	{
		char	   *string = TextDatumGetCString(element[i]);

		result.value[i] = host_pg_to_utf8(string, (int) strlen(string));
	}
	return result;
}

void
check_array_length(const char *name, int n, uint32 expected, const char *what)
{
	if ((uint32) n != expected)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s has %d elements, but the model has %u %s", name, n, expected, what)));
}
