/*
 * golden.h
 *		Golden data for unit tests: CSV files of numbers, whole files, and
 *		feature vectors as the server makes them (src/input/feature.c).
 *
 * Memory is the arena's.  A file that cannot be read ends the test program:
 * there is nothing to test then.
 */
#ifndef EX_GOLDEN_H
#define EX_GOLDEN_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "tree.h"

typedef struct golden_table
{
	size_t		rows;
	size_t		columns;		/* without row_id */
	double	   *value;			/* row-major; an empty cell is NaN */
} golden_table;

static inline char *
golden_file(ex_host *host, const char *path, size_t *size)
{
	FILE	   *file = fopen(path, "rb");
	char	   *text;
	long		length;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (length = ftell(file)) < 0)
	{
		printf("Bail out! cannot read %s\n", path);
		exit(2);
	}
	rewind(file);
	text = host->alloc(host, (size_t) length + 1);
	*size = fread(text, 1, (size_t) length, file);
	text[*size] = '\0';
	fclose(file);
	return text;
}

static inline size_t
golden_count(const char *text, const char *end, char byte)
{
	size_t		n = 0;

	while (text < end && (text = memchr(text, byte, (size_t) (end - text))) != NULL)
	{
		n++;
		text++;
	}
	return n;
}

/* A header line, then row_id and numbers. */
static inline golden_table
golden_csv(ex_host *host, const char *path)
{
	size_t		size;
	char	   *at = golden_file(host, path, &size);
	char	   *end = at + size;
	char	   *line_end = memchr(at, '\n', size);
	golden_table table = {0, 0, NULL};

	table.columns = golden_count(at, line_end, ',');
	table.rows = golden_count(line_end + 1, end, '\n');
	table.value = host->alloc(host, (table.rows * table.columns + 1) * sizeof(double));
	at = line_end + 1;
	for (size_t i = 0; i < table.rows; i++)
	{
		at = strchr(at, ',');
		for (size_t j = 0; j < table.columns; j++)
		{
			double	   *value = &table.value[i * table.columns + j];

			/* strtod would skip the end of the line and read on */
			at++;
			*value = strchr(",\r\n", *at) != NULL ? NAN : strtod(at, &at);
		}
		at = strchr(at, '\n') + 1;
	}
	return table;
}

/*
 * One value as the server puts it into a feature vector: flushed, truncated,
 * unknown codes by policy, missing ones imputed.
 */
static inline double
golden_feature(const ex_model *model, uint32_t i, double value)
{
	ex_feature	feature;

	if (ex_get_feature(model, i, &feature) != EX_OK)
		return NAN;
	if (!isnan(value) && feature.kind == EX_CATEGORICAL)
	{
		bool		truncates = (feature.flags & EX_FEATURE_TRUNCATE) != 0;

		if (value < 0)
			value = truncates && value > -1 ? 0 : -1;
		else
			value = trunc(value) < feature.n_levels ? trunc(value) : -1;
		if (value < 0 && feature.unknown == EX_UNKNOWN_MISSING)
			value = NAN;
	}
	else if ((feature.flags & EX_FEATURE_FLUSH) && fabs(value) <= EX_ZERO_EPSILON)
		value = 0;
	if (isnan(value) && feature.missing == EX_MISSING_IMPUTE)
		value = feature.impute;
	return value;
}

/* Feature vectors of all rows of a table. */
static inline double *
golden_vectors(ex_host *host, const ex_model *model, const golden_table *table)
{
	double	   *x = host->alloc(host, (table->rows * table->columns + 1) * sizeof(double));

	for (size_t i = 0; i < table->rows * table->columns; i++)
		x[i] = golden_feature(model, (uint32_t) (i % table->columns), table->value[i]);
	return x;
}

#endif							/* EX_GOLDEN_H */
