/*
 * onnx_predict.c
 *		An ONNX file and rows from standard input, predictions to standard
 *		output: lets an oracle compare the kernels with a peer, without a server.
 *
 * Input: the length of the file in bytes, a newline, the file, then one line
 * per row: numbers in feature order, separated by blanks.  Output: a line with
 * the numbers of features and outputs, then the responses of each row.  Exit
 * status 1 and "SQLSTATE-like status: message" if there is no model.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "family.h"
#include "host_malloc.h"
#include "onnx.h"

static int
fail(ex_host *host, ex_status status)
{
	printf("%d: %s\n", status, host->error.message);
	return 1;
}

static int
predict(ex_host *host, const ex_model *model)
{
	ex_compiled *compiled;
	double	   *x = host->alloc(host, model->n_features * sizeof(double));
	double	   *raw = host->alloc(host, model->n_outputs * sizeof(double));
	ex_status	status = ex_compile(host, model, 1 << 20, &compiled);

	if (status != EX_OK)
		return fail(host, status);
	printf("%u %u\n", model->n_features, model->n_outputs);
	for (;;)
	{
		for (uint32_t i = 0; i < model->n_features; i++)
			if (scanf("%lf", &x[i]) != 1)
				return 0;
		status = compiled->family->predict_raw(compiled, host, x, 1, raw);
		if (status != EX_OK)
			return fail(host, status);
		ex_response(model, raw, raw);
		for (uint32_t k = 0; k < model->n_outputs; k++)
			printf("%.17g%c", raw[k], k + 1 < model->n_outputs ? ' ' : '\n');
	}
}

int
main(void)
{
	static const ex_onnx_options options;
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *model;
	size_t		size;
	char	   *data;
	ex_status	status;

	if (scanf("%zu", &size) != 1 || getchar() != '\n' || (data = malloc(size + 1)) == NULL ||
		fread(data, 1, size, stdin) != size)
		return 2;
	status = ex_onnx_read(host, data, size, &options, &builder);
	if (status == EX_OK)
		status = ex_build(&builder, &model);
	return status == EX_OK ? predict(host, model) : fail(host, status);
}
