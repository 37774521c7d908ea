/*
 * onnx.c
 *		explain.onnx_model: models from ONNX files.
 */
#include "build/array_args.h"
#include "import/import.h"
#include "kernel/onnx.h"
#include "model/model_arg.h"

#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(explain_onnx_model);

/* An array of names, none where it is null; an empty one is a mistake. */
static TextArray
names_arg(FunctionCallInfo fcinfo, int argno, const char *name)
{
	TextArray	names = {0};

	if (PG_ARGISNULL(argno))
		return names;
	names = text_array_arg(fcinfo, argno, name);
	if (names.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", name),
				 errhint("Leave it out to take the names from the file.")));
	return names;
}

static const char *
text_arg(FunctionCallInfo fcinfo, int argno)
{
	char	   *string;

	if (PG_ARGISNULL(argno))
		return NULL;
	string = text_to_cstring(PG_GETARG_TEXT_PP(argno));
	return host_pg_to_utf8(string, (int) strlen(string));
}

/* onnx_model(file bytea, features, outputs, channels, graph_output) */
Datum
explain_onnx_model(PG_FUNCTION_ARGS)
{
	ex_host    *host = host_pg_here();
	ex_onnx_options options = {0};
	TextArray	features;
	TextArray	outputs;
	TextArray	channels;
	ex_builder	builder;
	ex_model   *model;
	ex_span		file;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	file = import_bytes(fcinfo);
	features = names_arg(fcinfo, 1, "features");
	outputs = names_arg(fcinfo, 2, "outputs");
	channels = names_arg(fcinfo, 3, "channels");
	options.feature = features.value;
	options.n_features = features.n;
	options.output = outputs.value;
	options.n_outputs = outputs.n;
	options.channel = channels.value;
	options.n_channels = channels.n;
	options.graph_output = text_arg(fcinfo, 4);
	EX_PG(host, ex_onnx_read(host, file.data, file.size, &options, &builder));
	EX_PG(host, ex_build(&builder, &model));
	PG_RETURN_MODEL(model);
}
