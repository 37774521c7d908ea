/*
 * options.c
 *		Named options of explaining functions.
 */
#include "options.h"

#include "utils/array.h"

static void
check_option(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("Leave it out to get its default.")));
}

int32
int4_option(FunctionCallInfo fcinfo, int argno, const char *name)
{
	check_option(fcinfo, argno, name);
	return PG_GETARG_INT32(argno);
}

int64
int8_option(FunctionCallInfo fcinfo, int argno, const char *name)
{
	check_option(fcinfo, argno, name);
	return PG_GETARG_INT64(argno);
}

double
float8_option(FunctionCallInfo fcinfo, int argno, const char *name)
{
	check_option(fcinfo, argno, name);
	return PG_GETARG_FLOAT8(argno);
}

const double *
numbers_option(FunctionCallInfo fcinfo, int argno, const char *name, uint32 n)
{
	ArrayType  *array;
	int			length;

	if (PG_ARGISNULL(argno))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(argno);
	length = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have one dimension, not %d", name, ARR_NDIM(array))));
	if ((uint32) length != n)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %u values of %s, not %d", n, name, length),
				 errhint("There is one for each feature of the model, in the order of explain.model_features.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain nulls", name),
				 errhint("Values of features that take no noise may be 0.")));
	return (const double *) ARR_DATA_PTR(array);
}
