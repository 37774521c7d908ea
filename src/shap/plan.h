/*
 * plan.h
 *		What one call of a Shapley function asks for.
 */
#ifndef SHAP_PLAN_H
#define SHAP_PLAN_H

#include "call_site.h"

/* Argument numbers that the functions share; -1 where a function lacks one. */
typedef struct ShapArgs
{
	int			output;
	int			space;
	int			method;
	int			versus;
	int			reference;
} ShapArgs;

/* What is explained, by which method, against what. */
typedef struct ShapPlan
{
	const ex_shap_method *method;
	ex_shap_call call;
	bool		difference;		/* of output `call.outputs.first` and output
								 * `versus` */
	uint32		versus;
} ShapPlan;

/* Reads the options of a call; the row, call.x, is the caller's to set. */
extern void shap_plan(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, const ShapArgs *args,
					  ShapPlan *plan);

/* Parts of it: the method of a label argument, for the plan's space and background ... */
extern void shap_plan_method(CallSite *site, FunctionCallInfo fcinfo, int argno, ShapPlan *plan);

/* ... and the output that is subtracted. */
extern void shap_plan_versus(CallSite *site, FunctionCallInfo fcinfo, const ShapArgs *args, ShapPlan *plan);

/* The plan's call for the output that is subtracted. */
extern ex_shap_call shap_versus_call(const ShapPlan *plan);

/* 0A000 where the plan's method has no interactions. */
extern void shap_check_interactions(const ShapPlan *plan);

#endif							/* SHAP_PLAN_H */
