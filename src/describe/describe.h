/*
 * describe.h
 *		What the functions that show a model as rows share.
 */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "call_site.h"
#include "kernel/linear.h"
#include "kernel/network.h"
#include "kernel/tree_describe.h"
#include "miscadmin.h"
#include "rows/rows.h"

/*
 * Rows of one call.  All that a row allocates goes to the row's own context,
 * which row_end empties: a model has as many rows as it has nodes.
 */
typedef struct Description
{
	RowWriter	row;
	CallSite   *site;			/* NULL: the model is null, there are no rows */
	const ex_model *model;
	MemoryContext outer;
} Description;

/* Begin; false where an argument is null and there is nothing to describe. */
extern bool describe_begin(FunctionCallInfo fcinfo, ModelSource source, Description *d);

/* The same for functions whose arguments behind the model may be null. */
extern bool describe_begin_model(FunctionCallInfo fcinfo, ModelSource source, Description *d);
extern Datum describe_end(Description *d);

/* 0A000 unless the model is of the family; `what` it is asked for. */
extern void require_linear(const ex_model *model, const char *what, ex_linear_view *view);
extern void require_tree(const ex_model *model, const char *what, ex_tree_view *view);
extern void require_network(const ex_model *model, const char *what, ex_network_view *view);

/* Names, in the database's encoding; `names` is the section that the pair starts with. */
extern char *model_name_text(const ex_model *model, ex_section_id names, uint32 i);
extern void row_feature(RowWriter *row, const ex_model *model, uint32 feature);
extern void row_output(RowWriter *row, const ex_model *model, uint32 output);
extern void row_level(RowWriter *row, const ex_model *model, uint32 feature, uint32 level);
extern char *level_text(const ex_model *model, uint32 feature, uint32 level);

extern const char *feature_kind_name(ex_feature_kind kind);
extern const char *missing_policy_name(ex_missing_policy policy);
extern const char *unknown_policy_name(ex_unknown_policy policy);

/* as in explain.coefficients */
extern const char *column_kind_name(ex_column_kind kind);

/* A column in words: age, home = owner, 1 < age <= 5, age is null. */
extern char *column_words(const ex_model *model, const ex_column *column);

/*
 * A unit of a layer in words: a column of the input, an output of the model,
 * the unit's number, or channel[y,x] in an image.  The same for a channel.
 */
extern char *layer_name_text(const ex_network_view *view, uint32 layer);
extern char *unit_words(const ex_network_view *view, uint32 layer, uint32 unit);
extern char *channel_words(const ex_network_view *view, uint32 layer, uint32 channel);

/* One element of a drawing; text NULL and numbers NaN: null. */
typedef struct Element
{
	const char *element;		/* node or edge */
	const char *kind;
	int32		tree;			/* -1: the model has none */
	const char *id;
	const char *label;
	const char *source;
	const char *target;
	double		x;
	double		y;
	double		weight;
} Element;

extern void element_row(Description *d, const Element *e);

/* Of explain.model_structure and explain.model_parameters, for networks. */
extern void network_structure(Description *d, const char *detail);
extern void network_parameters(Description *d, const char *only_layer);

extern Datum float8_array_datum(const double *value, uint32 n);

#endif							/* DESCRIBE_H */
