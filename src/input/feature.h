/*
 * feature.h
 *		One feature's rules for turning a given value into a number.
 *
 * What a value means (missing, unknown level, flushed zero) is decided here
 * once for all shapes of input.
 */
#ifndef FEATURE_H
#define FEATURE_H

#include "input/input.h"

typedef struct FeatureLevel
{
	const char *name;			/* UTF-8, not terminated */
	uint32		length;
	uint32		code;
} FeatureLevel;

typedef struct FeatureRule
{
	ex_feature	feature;
	FeatureLevel *level;		/* sorted by name; NULL unless named levels */
} FeatureRule;

/* Rules for all features of a model, in `context`. */
extern FeatureRule *feature_rules(const ex_model *model, MemoryContext context);

/* Is every number but NaN a value of this feature as it stands? */
static inline bool
feature_is_plain(const FeatureRule *rule)
{
	return rule->feature.kind == EX_NUMERIC && !(rule->feature.flags & EX_FEATURE_FLUSH);
}

/* Each sets x, missing and unknown of feature i, or raises an error. */
extern void feature_set_missing(const FeatureRule *rule, InputRow *row, uint32 i);
extern void feature_set_number(const FeatureRule *rule, InputRow *row, uint32 i, double value);
extern void feature_set_code(const FeatureRule *rule, InputRow *row, uint32 i, double code);
extern void feature_set_text(const FeatureRule *rule, InputRow *row, uint32 i,
							 const char *text, int length);
extern void feature_set_bool(const FeatureRule *rule, InputRow *row, uint32 i, bool value);

/* A number of a column that is not in model order; text: how it is written. */
extern void feature_set_value(const FeatureRule *rule, InputRow *row, uint32 i,
							  double number, const char *text);
extern void feature_set_float(const FeatureRule *rule, InputRow *row, uint32 i, double number);

/* The feature's name in the database's encoding; palloc'd. */
extern char *feature_name(const ex_feature *feature);

#endif							/* FEATURE_H */
