/*
 * predict.c
 *		predict(model, input) and predictions(model, input).
 */
#include "predict/predict.h"

#include <math.h>

#include "rows/rows.h"

Prediction
predict_row(CallSite *site)
{
	ex_compiled *compiled = site->entry->compiled;
	uint32		k = site->entry->model->n_outputs;
	double	   *raw = call_site_doubles(site, k);
	double	   *response = call_site_doubles(site, k);

	EX_PG(site->host, compiled->family->predict_raw(compiled, site->host, site->row->x, 1, raw));
	ex_response(site->entry->model, raw, response);
	return (Prediction) {raw, response};
}

void
explained_output(CallSite *site, ex_space space, Prediction both, uint32 k, Attribution *a)
{
	a->space = space;
	a->output = output_name(site->entry, k);
	a->prediction = space == EX_RAW ? both.raw[k] : both.response[k];
	a->prediction_response = both.response[k];
}

Datum
prediction_datum(double prediction)
{
	if (!isfinite(prediction))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("prediction is out of range"),
				 errhint("Ask for it in raw space with space => 'raw'.")));
	return Float8GetDatum(prediction);
}

/* predict(model, input, output, space) */
static Datum
predict(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	CallSite   *site;
	Prediction	prediction;
	uint32		output;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	output = call_site_output(site, fcinfo, 2);
	prediction = predict_row(site);
	if (call_site_space(site, fcinfo, 3) == EX_RAW)
		PG_RETURN_FLOAT8(prediction.raw[output]);
	return prediction_datum(prediction.response[output]);
}

INPUT_OVERLOADS(predict);

/* predictions(model, input): output, raw, response */
static Datum
predictions(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	RowWriter	row;
	CallSite   *site;
	Prediction	prediction;

	rows_begin(fcinfo, &row);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	prediction = predict_row(site);
	for (uint32 k = 0; k < site->entry->model->n_outputs; k++)
	{
		row_text(&row, output_name(site->entry, k));
		row_float8(&row, prediction.raw[k]);
		row_float8(&row, prediction.response[k]);
		row_end(&row);
	}
	return (Datum) 0;
}

INPUT_OVERLOADS(predictions);
