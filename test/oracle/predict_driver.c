/*
 * predict_driver.c
 *		A model and rows from standard input, predictions to standard output:
 *		lets an oracle compare the kernels with a peer, without a server.
 *
 * Input: the length of the model's JSON form in bytes, a newline, the JSON
 * form, a newline, then one line per row: cells in feature order, separated
 * by tabs, \N for a missing value, names for levels that have names.
 *
 * Output: a line with the numbers of features and outputs, then one line per
 * row: raw values and responses of all outputs, separated by tabs; or "error"
 * and why the row is refused.  Exit status 1 and a message on standard error
 * if there is no model.
 */
#include <stdlib.h>

#include "family.h"
#include "golden.h"
#include "host_malloc.h"
#include "model_json.h"

static int
fail(const char *message)
{
	fprintf(stderr, "%s\n", message);
	return 1;
}

static char *
read_all(ex_host *host, size_t *size)
{
	ex_buffer	input = {NULL, 0, 0};
	char		chunk[65536];
	size_t		n;

	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		if (ex_append(host, &input, chunk, n) != EX_OK)
			exit(fail("out of memory"));
	if (ex_append(host, &input, "", 1) != EX_OK)
		exit(fail("out of memory"));
	*size = input.size - 1;
	return input.data;
}

/* A cell as a number: its value, the position of its level, -2 for an unknown one. */
static double
cell_number(const ex_model *model, uint32_t i, const ex_feature *feature, const char *cell)
{
	if (strcmp(cell, "\\N") == 0)
		return NAN;
	if (feature->kind == EX_CATEGORICAL && !(feature->flags & EX_FEATURE_CODED))
	{
		int32_t		level = ex_find_level(model, i, cell, strlen(cell));

		return level < 0 ? -2 : level;
	}
	return strtod(cell, NULL);
}

/* One cell into the feature vector, or why not. */
static const char *
put_cell(const ex_model *model, uint32_t i, const char *cell, double *x)
{
	ex_feature	feature;
	double		number;

	if (ex_get_feature(model, i, &feature) != EX_OK)
		return "feature cannot be read";
	number = cell_number(model, i, &feature, cell);
	*x = golden_feature(model, i, number);
	if (feature.kind == EX_CATEGORICAL && (number < 0 || number >= feature.n_levels) &&
		feature.unknown == EX_UNKNOWN_ERROR)
		return "unknown level";
	return isnan(*x) && feature.missing == EX_MISSING_ERROR ? "missing value" : NULL;
}

static const char *
put_row(const ex_model *model, char *line, double *x)
{
	const char *refusal = NULL;

	for (uint32_t i = 0; i < model->n_features; i++)
	{
		char	   *tab = strchr(line, '\t');
		const char *problem;

		if ((tab == NULL) != (i + 1 == model->n_features))
			return "wrong number of cells";
		if (tab != NULL)
			*tab = '\0';
		problem = put_cell(model, i, line, &x[i]);
		if (problem != NULL)
			refusal = problem;
		line = tab + 1;
	}
	return refusal;
}

static void
answer(ex_compiled *compiled, ex_host *host, char *line, double *x, double *raw, double *response)
{
	const ex_model *model = compiled->model;
	const char *refusal = put_row(model, line, x);

	if (refusal == NULL && compiled->family->predict_raw(compiled, host, x, 1, raw) != EX_OK)
		refusal = host->error.message;
	if (refusal != NULL)
	{
		printf("error\t%s\n", refusal);
		return;
	}
	ex_response(model, raw, response);
	for (uint32_t k = 0; k < model->n_outputs; k++)
		printf("%.17g\t", raw[k]);
	for (uint32_t k = 0; k < model->n_outputs; k++)
		printf("%.17g%c", response[k], k + 1 < model->n_outputs ? '\t' : '\n');
}

static int
no_model(ex_host *host)
{
	fprintf(stderr, "%s\n%s\n%s\n", host->error.message, host->error.detail, host->error.hint);
	return 1;
}

int
main(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	ex_compiled *compiled;
	size_t		size;
	char	   *text = read_all(host, &size);
	char	   *json;
	size_t		json_size = strtoul(text, &json, 10);
	char	   *line;
	double	   *x;
	double	   *raw;
	double	   *response;

	if (*json++ != '\n' || json_size >= size)
		return fail("the input begins with the length of the model");
	line = json + json_size;
	*line++ = '\0';
	if (ex_model_from_json(host, json, json_size, &model) != EX_OK ||
		ex_compile(host, model, 1 << 20, &compiled) != EX_OK ||
		EX_ALLOC(host, model->n_features, &x) != EX_OK ||
		EX_ALLOC(host, model->n_outputs, &raw) != EX_OK ||
		EX_ALLOC(host, model->n_outputs, &response) != EX_OK)
		return no_model(host);
	printf("%u\t%u\n", model->n_features, model->n_outputs);
	while (line < text + size)
	{
		char	   *end = strchr(line, '\n');

		if (end != NULL)
			*end = '\0';
		answer(compiled, host, line, x, raw, response);
		line = end != NULL ? end + 1 : text + size;
	}
	ex_arena_free(&arena);
	return 0;
}
