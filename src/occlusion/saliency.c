/*
 * saliency.c
 *		saliency_rows(model, attribution_array): an explained image, pixel by
 *		pixel.
 */
#include "call_site.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "kernel/attribution.h"
#include "kernel/network.h"
#include "miscadmin.h"
#include "rows/rows.h"
#include "utils/array.h"

static ex_shape
image_shape(const ex_model *model)
{
	const uint32 *shape = ex_get(model, EX_IMAGE_SHAPE, NULL);

	if (shape == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model does not take images"),
				 errhint("Rows with the features' names come from the function of the method:"
						 " explain.shap_values, explain.feature_gradient, explain.integrated_gradients,"
						 " explain.expected_gradients, explain.deeplift or explain.occlusion.")));
	return (ex_shape) {shape[0], shape[1], shape[2]};
}

/* One value per feature, in feature order whatever the dimensions; null is NaN. */
static double *
pixel_values(CallSite *site, Datum argument)
{
	ArrayType  *array = DatumGetArrayTypeP(argument);
	uint32		n_features = site->entry->model->n_features;
	double	   *value = call_site_doubles(site, n_features);
	Datum	   *element;
	bool	   *null;
	int			n;

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &element, &null, &n);
	if ((uint32) n != n_features)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %u attributions, not %d", n_features, n),
				 errhint("Use the model that the array was made with.")));
	for (int i = 0; i < n; i++)
	{
		value[i] = null[i] ? NAN : DatumGetFloat8(element[i]);
		if (!null[i] && !isfinite(value[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("attribution %d is not a finite number", i + 1)));
	}
	return value;
}

/* saliency_rows(model, attribution_array) */
static Datum
saliency_rows(FunctionCallInfo fcinfo, ModelSource source)
{
	RowWriter	writer;
	CallSite   *site;
	const ex_model *model;
	ex_shape	shape;
	const double *value;
	double	   *scaled;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_model(fcinfo, source);
	model = site->entry->model;
	shape = image_shape(model);
	value = pixel_values(site, PG_GETARG_DATUM(1));
	scaled = call_site_doubles(site, model->n_features);
	ex_scale_to_largest(value, model->n_features, scaled);
	for (uint32 i = 0; i < model->n_features; i++)
	{
		uint32		length;
		const char *name;

		CHECK_FOR_INTERRUPTS();
		row_int4(&writer, (int32) (i % shape.width));
		row_int4(&writer, (int32) (i / shape.width % shape.height));
		name = ex_get_name(model, EX_CHANNEL_NAME_START, i / (shape.width * shape.height), &length);
		row_text_n(&writer, name, length);
		row_float8(&writer, value[i]);
		row_float8(&writer, scaled[i]);
		name = ex_get_name(model, EX_FEATURE_NAME_START, i, &length);
		row_text_n(&writer, name, length);
		row_end(&writer);
	}
	return (Datum) 0;
}

MODEL_OVERLOADS(saliency_rows);
