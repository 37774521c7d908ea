/*
 * model_json.h
 *		The JSON form of a model: members that all families share, and what a
 *		family needs to read and write its own (doc/model-json.md).
 */
#ifndef EX_MODEL_JSON_H
#define EX_MODEL_JSON_H

#include "family.h"

/*
 * A model from the text of its JSON document, validated; preprocessing
 * ("inputs") is folded in.  EX_SYNTAX, EX_DUPLICATE_KEY, EX_INVALID (unknown
 * key, wrong type, wrong structure), EX_NULL, EX_RANGE, EX_LIMIT.
 */
extern ex_status ex_model_from_json(ex_host *host, const char *text, size_t size, ex_model **model);

/*
 * The document, from which ex_model_from_json makes a model of the same
 * digest.  EX_LIMIT where the text would pass EX_MAX_TEXT_SIZE.
 */
extern ex_status ex_model_to_json(ex_host *host, const ex_model *model, ex_buffer *out);

/*
 * The model with preprocessing in front of it, from the text of
 * {"features": [...], "inputs": [...]} (fold.h): the inputs are the model's
 * features in order.
 */
extern ex_status ex_model_preprocess(ex_host *host, const ex_model *encoded,
									 const char *text, size_t size, ex_model **model);

/*
 * For ex_family.read_json: a family's own members of the document.  Strict: a
 * key that is neither in the table nor common to all families is an error.
 */
extern ex_status ex_json_read_document(ex_json *json, ex_json_value document,
									   const ex_json_member *members, int n_members);

/*
 * Names in the builder, for looking up many of them.  An index is good until
 * more names are put.
 */
typedef struct ex_name_index ex_name_index;

extern ex_status ex_index_features(ex_builder *builder, ex_name_index **index);
extern ex_status ex_index_outputs(ex_builder *builder, ex_name_index **index);

/* -1 if there is none */
extern int32_t ex_index_find(const ex_name_index *index, const char *name, size_t length);

/* Levels of all features, each feature's sorted when first asked for. */
typedef struct ex_level_index ex_level_index;

extern ex_status ex_index_levels(ex_builder *builder, ex_level_index **index);

/*
 * Position of the level that a JSON value names, a string (for CODED features
 * its decimal code); or, as a number, the position itself.  EX_INVALID names
 * the value and `where`.
 */
extern ex_status ex_json_level(ex_json *json, ex_level_index *index, uint32_t feature,
							   ex_json_value value, const char *where, uint32_t *level);

/*
 * Position of the feature that a JSON value names, a string; or, as a number,
 * the position itself.  EX_INVALID names the value and `where`.
 */
extern ex_status ex_json_feature(ex_json *json, ex_builder *builder, const ex_name_index *features,
								 ex_json_value value, const char *where, uint32_t *feature);

/* Which of these words is the string?  EX_INVALID lists them. */
extern ex_status ex_json_word(ex_json *json, ex_json_value value, const char *what,
							  const char *const *words, int n_words, int *found);

/*
 * An array of features, appended to the builder; has_policy[i]: feature i says
 * itself what missing values mean.
 */
extern ex_status ex_features_read(ex_builder *builder, ex_json *json, ex_json_value features,
								  bool **has_policy);
extern ex_status ex_features_write(ex_host *host, const ex_model *model, ex_buffer *out);

/* Every key of the object once?  EX_DUPLICATE_KEY names it. */
extern ex_status ex_json_distinct_keys(ex_json *json, ex_json_value object, const char *where);

#endif							/* EX_MODEL_JSON_H */
