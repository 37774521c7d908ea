/*
 * xgboost_internal.h
 *		Shared by the files that read XGBoost models; nobody else.
 */
#ifndef EX_XGBOOST_INTERNAL_H
#define EX_XGBOOST_INTERNAL_H

#include "xgboost.h"

/* An XGBoost model being read. */
typedef struct xgb_reader
{
	ex_host    *host;
	ex_json		json;
	ex_builder *builder;
	ex_xgboost_note *note;
	int			iterations;		/* asked for; -1: default */

	int			version;		/* major * 100 + minor; 0 unknown */

	/* parts of the document; absent ones have no position */
	ex_json_value attributes;
	ex_json_value feature_names;
	ex_json_value feature_types;
	ex_json_value parameters;	/* learner_model_param */
	ex_json_value objective;
	ex_json_value booster;
	ex_json_value model;		/* of the booster */
	ex_json_value weight_drop;	/* of dart before 3.4 */
	ex_json_value cats;

	uint32_t	n_features;
	uint32_t	n_outputs;
	float	   *base;			/* per output, on the margin scale */

	/* how the trees use each feature */
	int32_t    *largest_code;	/* in a category set; -1: no such split */
	bool	   *numeric;		/* has a split on a number */
} xgb_reader;

/*
 * An integer parameter, which XGBoost writes as a string ("3") and which may
 * be absent (`missing` is taken).  EX_INVALID beyond low .. high.
 */
extern ex_status xgb_integer(xgb_reader *reader, ex_json_value object, const char *key,
							 int64_t low, int64_t high, int64_t missing, int64_t *out);

/* Trees of gbtree and dart into the builder (xgboost_tree.c). */
extern ex_status xgb_read_trees(xgb_reader *reader);

#endif							/* EX_XGBOOST_INTERNAL_H */
