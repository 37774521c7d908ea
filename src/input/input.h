/*
 * input.h
 *		From a row of the user's to the feature vector that kernels take.
 *
 * Three shapes of input: a record (columns matched to features by name), a
 * float8[] in feature order, a jsonb object.  An InputReader lives at a call
 * site and keeps what it worked out for the row type and model seen last.
 */
#ifndef INPUT_H
#define INPUT_H

#include "model/model_cache.h"

typedef enum InputKind
{
	INPUT_RECORD,
	INPUT_ARRAY,
	INPUT_JSONB
} InputKind;

typedef struct InputRow
{
	double	   *x;				/* one value per feature; NaN = missing,
								 * handled by the model */
	bool	   *missing;		/* no value was given (x may be imputed) */
	char	  **unknown;		/* text of a level that the model does not
								 * list, else NULL */
} InputRow;

typedef struct InputReader InputReader;

extern InputReader *input_reader_create(MemoryContext context);

/*
 * Read a non-null input into the reader's own row, valid until the next call
 * with the same `slot` (0: the row explained, 1: the reference row).
 */
extern InputRow *input_read(InputReader *reader, const ModelEntry *entry, InputKind kind,
							Datum input, int slot);

/*
 * The value of feature i as text for people: shortest round-trip number,
 * true/false, the level's name; NULL where it is missing.  palloc'd.
 */
extern char *input_value_text(const ModelEntry *entry, const InputRow *row, uint32 i);

#endif							/* INPUT_H */
