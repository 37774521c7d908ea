/*
 * test_network_shap.c
 *		Shapley values of networks: golden data (all coalitions enumerated in
 *		Python; DeepSHAP in numpy), what auto takes, what is refused.
 */
#include "golden_mlp.h"
#include "attribution.h"
#include "linear_test.h"
#include "network_run.h"

#define P 10

static const ex_shap_method *const exact = &ex_network_shap_methods[0];
static const ex_shap_method *const deep = &ex_network_shap_methods[1];

static golden_table
table(const char *folder, const char *name)
{
	char		path[256];

	snprintf(path, sizeof(path), "test/data/explanations/%s/%s.csv", folder, name);
	return plain_csv(path);
}

static double
largest_difference(const double *a, const double *b, size_t n)
{
	double		largest = 0;

	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs(a[i] - b[i]));
	return largest;
}

static void
test_golden(const char *folder, double expected_value)
{
	golden_table background = table(folder, "background");
	golden_table rows = table(folder, "rows");
	golden_table shap = table(folder, "shap");
	golden_table interactions = table(folder, "interactions");
	golden_table rescaled = table(folder, "deep");
	golden_table prediction = table(folder, "prediction");
	const ex_model *model = golden_mlp(host, folder, &background);
	ex_compiled *compiled = compile(model);
	double		worst = 0;
	double		worst_pair = 0;
	double		worst_sum = 0;
	double		deep_sum = 0;
	double		deep_error = 0;
	double		base;
	ex_shap_call call = {.outputs = {0, 1}, .space = EX_RAW};

	ex_own_background(model, &call.background);
	is_status(host, exact->check_auto(compiled, host, &call.background), EX_OK, "%s: small enough for auto", folder);
	for (size_t i = 0; i < rows.rows; i++)
	{
		double		phi[P];
		double		matrix[P * P];

		call.x = rows.value + i * P;
		if (exact->values(compiled, host, &call, phi, &base) != EX_OK)
			is_status(host, EX_INVALID, EX_OK, "%s, row %zu", folder, i);
		worst = fmax(worst, largest_difference(phi, shap.value + i * P, P));
		worst_sum = fmax(worst_sum, fabs(ex_residual(prediction.value[i], base, phi, P)));
		deep->values(compiled, host, &call, phi, &base);
		deep_sum = fmax(deep_sum, fabs(ex_residual(prediction.value[i], base, phi, P)));
		deep_error = fmax(deep_error, largest_difference(phi, rescaled.value + i * P, P));
		if (i % 10 != 0)
			continue;
		exact->interactions(compiled, host, &call, matrix, &base);
		worst_pair = fmax(worst_pair, largest_difference(matrix, interactions.value + i * P * P, P * P));
	}
	ok(rows.rows == 50 && worst <= 1e-12, "%s: 50 rows of values (%g)", folder, worst);
	ok(worst_pair <= 1e-12, "%s: interactions (%g)", folder, worst_pair);
	ok(worst_sum <= 1e-12, "%s: they add up (%g)", folder, worst_sum);
	is_near(base, expected_value, 1e-13, "%s: base", folder);
	exact->base(compiled, host, &call, &base);
	is_near(base, expected_value, 1e-13, "%s: base on its own", folder);
	ok(deep_sum <= 1e-12, "%s: deep adds up (%g)", folder, deep_sum);
	ok(deep_error <= 1e-12, "%s: deep agrees with its definition (%g)", folder, deep_error);
	ok(deep->only_by_name && !exact->only_by_name, "auto never takes deep");
	ok(deep->interactions == NULL, "deep has no interactions");
}

/* A tile has the values of its rows. */
static void
test_tiles(void)
{
	golden_table background = table("mlp_relu", "background");
	golden_table rows = table("mlp_relu", "rows");
	ex_compiled *compiled;
	double		tile[5 * P];
	double		phi[P];
	double		base;
	ex_shap_call call = {.x = rows.value, .outputs = {0, 1}, .space = EX_RAW};

	background.rows = 7;
	compiled = compile(golden_mlp(host, "mlp_relu", &background));
	ex_own_background(compiled->model, &call.background);
	for (int m = 0; m < 2; m++)
	{
		const ex_shap_method *method = m == 0 ? exact : deep;

		call.x = rows.value;
		is_status(host, ex_shap_values_tile(method, compiled, host, &call, 5, tile), EX_OK, "%s: a tile", method->name);
		for (size_t i = 0; i < 5; i++)
		{
			call.x = rows.value + i * P;
			method->values(compiled, host, &call, phi, &base);
			is_same(tile + i * P, phi, sizeof(phi), "%s: row %zu of a tile", method->name, i);
		}
	}
}

/* What is refused, and what is said instead. */
static void
test_refusals(void)
{
	golden_table background = table("mlp_relu", "background");
	ex_compiled *compiled = compile(golden_mlp(host, "mlp_relu", &background));
	ex_background many;
	ex_background none = {0};

	ex_own_background(compiled->model, &many);
	is_status(host, exact->check(compiled, host, EX_RAW, &none), EX_INVALID, "exact needs a background");
	is_status(host, deep->check(compiled, host, EX_RAW, &none), EX_INVALID, "deep needs a background");
	is_status(host, exact->check(compiled, host, EX_RESPONSE, &many), EX_OK, "exact explains any space");
	is_status(host, deep->check(compiled, host, EX_RESPONSE, &many), EX_OK, "so does deep without a link");
	many.n = 100000;
	is_status(host, exact->check_auto(compiled, host, &many), EX_UNSUPPORTED, "too much work for auto");
	is_text(host->error.hint, "Use method => 'deep' for an approximation, or method => 'exact' "
			"where at most 20 features vary.", "and what to do");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_golden("mlp_relu", -0.21891482929482198);
	test_golden("mlp_tanh", -0.18821330205290368);
	test_tiles();
	test_refusals();
	ex_arena_free(&arena);
	return unit_done();
}
