/*
 * test_baseline.c
 *		Baselines of linear models: columns and rows; sums over columns.
 */
#include "kernel/baseline.h"
#include "linear_test.h"

/* a: numeric; b: boolean; c: three levels, missing allowed; d: numeric, imputed */
static const char *const document =
"{'family':'linear','features':['a',{'name':'b','kind':'boolean'},"
"{'name':'c','levels':['u','v','w'],'missing':'native'},{'name':'d','missing':{'impute':5}}],"
"'intercept':1,'columns':[{'feature':'a','coefficient':2},{'feature':'b','coefficient':3},"
"{'feature':'c','level':'v','coefficient':4},{'feature':'c','level':'w','coefficient':-4},"
"{'feature':'d','coefficient':1}]}";

#define P 4
#define C 5

static void
test_columns(const ex_model *model, const ex_model *attached)
{
	const double row[P] = {7, 1, 2, NAN};
	const double bad[P] = {NAN, 1, 2, 0};
	ex_baseline baseline = {EX_BASELINE_ZERO, NULL};
	double		z0[C];

	is_status(host, ex_baseline_columns(host, model, &baseline, z0), EX_OK, "zero");
	are_near(z0, (double[C]) {0, 0, 0, 0, 0}, C, 0, "zero: no number, no level");
	baseline = (ex_baseline) {EX_BASELINE_ROW, row};
	is_status(host, ex_baseline_columns(host, model, &baseline, z0), EX_OK, "row");
	are_near(z0, (double[C]) {7, 1, 0, 1, 5}, C, 0, "row: its columns, a missing value imputed");
	baseline.row = bad;
	is_status(host, ex_baseline_columns(host, model, &baseline, z0), EX_RANGE, "row with a value that must not be missing");
	is_text(host->error.detail, "Feature \"a\" is missing, which the model does not allow.", "says which");
	baseline = (ex_baseline) {EX_BASELINE_MEAN, NULL};
	is_status(host, ex_baseline_columns(host, model, &baseline, z0), EX_INVALID, "mean without a background");
	is_status(host, ex_baseline_columns(host, attached, &baseline, z0), EX_OK, "mean");
	are_near(z0, (double[C]) {2.5, 0.75, 0.25, 0, 3.5}, C, 1e-15, "mean: weighted, shares of levels");
}

static void
test_rows(const ex_model *model, const ex_model *attached)
{
	const double row[P] = {7, 1, NAN, 3};
	ex_baseline baseline = {EX_BASELINE_ZERO, NULL};
	double		x0[P];

	is_status(host, ex_baseline_row(host, model, &baseline, x0), EX_OK, "zero row");
	are_near(x0, (double[P]) {0, 0, 0, 0}, P, 0, "zero row: false, first level");
	baseline = (ex_baseline) {EX_BASELINE_ROW, row};
	ex_baseline_row(host, model, &baseline, x0);
	is_same(x0, row, sizeof(row), "a row is itself");
	baseline = (ex_baseline) {EX_BASELINE_MEAN, NULL};
	is_status(host, ex_baseline_row(host, model, &baseline, x0), EX_INVALID, "mean row without a background");
	is_status(host, ex_baseline_row(host, attached, &baseline, x0), EX_OK, "mean row");
	are_near(x0, (double[P]) {2.5, 1, 0, 3.5}, P, 1e-15, "mean row: mean, majority, mode");
}

static void
test_never_seen(const ex_model *model)
{
	const double row[2 * P] = {1, 0, NAN, 5, 3, 1, NAN, 5};
	const ex_model *attached = with_rows(model, row, 2, NULL);
	ex_baseline baseline = {EX_BASELINE_MEAN, NULL};
	double		x0[P];

	ex_baseline_row(host, attached, &baseline, x0);
	ok(x0[0] == 2 && x0[1] == 0 && isnan(x0[2]) && x0[3] == 5, "always missing stays missing; a tie is false");
}

static void
test_sums(const ex_model *model)
{
	const double column_value[2 * C] = {1, 2, 4, 8, 16, -1, -2, -4, -8, -16};
	double		value[2 * P];

	ex_sum_columns(model, column_value, 2, value);
	are_near(value, (double[2 * P]) {1, 2, 12, 16, -1, -2, -12, -16}, 2 * P, 0, "sums over the columns of a feature");
}

int
main(void)
{
	const double row[3 * P] = {1, 0, 0, 2, 3, 1, 1, 2, 3, 1, NAN, 5};
	const double weight[3] = {1, 1, 2};
	ex_model   *model;

	host = ex_arena_init(&arena);
	model = model_of(document);
	test_columns(model, with_rows(model, row, 3, weight));
	test_rows(model, with_rows(model, row, 3, weight));
	test_never_seen(model);
	test_sums(model);
	ex_arena_free(&arena);
	return unit_done();
}
