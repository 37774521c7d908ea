/*
 * linear_test.h
 *		What tests of the linear family share: models from short documents,
 *		tables without row numbers, the size of a sum.
 */
#ifndef EX_LINEAR_TEST_H
#define EX_LINEAR_TEST_H

#include <stdlib.h>

#include "golden.h"
#include "host_malloc.h"
#include "linear.h"
#include "model_json.h"
#include "random.h"
#include "unit.h"

static ex_arena arena;
static ex_host *host;

/* A document with ' for ", so that it can be read in C. */
static inline ex_status
read_document(const char *document, ex_model **model)
{
	size_t		size = strlen(document);
	char	   *text = host->alloc(host, size + 1);

	for (size_t i = 0; i <= size; i++)
		text[i] = document[i] == '\'' ? '"' : document[i];
	return ex_model_from_json(host, text, size, model);
}

static inline ex_model *
model_of(const char *document)
{
	ex_model   *model;

	if (read_document(document, &model) != EX_OK)
	{
		printf("Bail out! %s: %s\n", document, host->error.message);
		exit(2);
	}
	return model;
}

static inline ex_compiled *
compile(const ex_model *model)
{
	ex_compiled *compiled;

	if (ex_compile(host, model, 1 << 20, &compiled) != EX_OK)
	{
		printf("Bail out! %s\n", host->error.message);
		exit(2);
	}
	return compiled;
}

/* The same model with a background. */
static inline ex_model *
with_rows(const ex_model *model, const double *row, uint32_t n, const double *weight)
{
	ex_builder	builder;
	ex_model   *result;

	if (ex_builder_open(&builder, host, model) != EX_OK ||
		ex_put_background(&builder, row, n, weight) != EX_OK || ex_build(&builder, &result) != EX_OK)
	{
		printf("Bail out! background: %s\n", host->error.message);
		exit(2);
	}
	return result;
}

static inline ex_status
predict(ex_compiled *compiled, const double *x, size_t n, double *raw)
{
	return compiled->family->predict_raw(compiled, host, x, n, raw);
}

/* |intercept| + sum of |coefficient * column|: what errors are measured by. */
static inline double
sum_of_terms(const ex_model *model, uint32_t output, const double *x)
{
	ex_linear_view view;
	double		sum;

	ex_linear_open(model, &view);
	sum = fabs(view.intercept[output]);
	for (uint32_t c = 0; c < view.n_columns; c++)
		sum += fabs(view.coefficient[(size_t) output * view.n_columns + c] *
					ex_linear_column(&view, c, x[view.feature[c]]));
	return sum;
}

/* A header line and numbers, without row_id. */
static inline golden_table
plain_csv(const char *path)
{
	size_t		size;
	char	   *at = golden_file(host, path, &size);
	char	   *end = at + size;
	char	   *line_end = memchr(at, '\n', size);
	golden_table table = {0, 0, NULL};
	size_t		n = 0;

	table.columns = golden_count(at, line_end, ',') + 1;
	table.rows = golden_count(line_end + 1, end, '\n');
	table.value = host->alloc(host, (table.rows * table.columns + 1) * sizeof(double));
	for (at = line_end + 1; n < table.rows * table.columns; at++)
		table.value[n++] = strtod(at, &at);
	return table;
}

/* The cells of one line of a CSV file without quotes; ends them with zero bytes. */
static inline size_t
split_line(char **at, char *cell[], size_t max)
{
	char	   *line = *at;
	char	   *end = strchr(line, '\n');
	size_t		n = 0;

	*end = '\0';
	*at = end + 1;
	while (n < max)
	{
		cell[n++] = line;
		line = strchr(line, ',');
		if (line == NULL)
			break;
		*line++ = '\0';
	}
	return n;
}

#endif							/* EX_LINEAR_TEST_H */
