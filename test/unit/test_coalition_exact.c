/*
 * test_coalition_exact.c
 *		Shapley values by enumeration: the definition over all orders, closed
 *		forms, axioms, limits.
 */
#include "coalition_exact.h"
#include "linear_test.h"

#define MAX_P 6
#define MAX_K 4

static const ex_shap_method *
method_of(const ex_compiled *compiled, const char *name)
{
	for (int i = 0; i < compiled->family->n_shap_methods; i++)
		if (strcmp(compiled->family->shap_methods[i].name, name) == 0)
			return &compiled->family->shap_methods[i];
	printf("Bail out! no method %s\n", name);
	exit(2);
}

static ex_shap_call
call_of(const ex_model *model, const double *x, ex_space space)
{
	ex_shap_call call = {.x = x, .outputs = {0, model->n_outputs}, .space = space};

	ex_own_background(model, &call.background);
	return call;
}

/* Whole numbers now and then, so that rows share values. */
static void
random_rows(double *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		row[i] = random_below(3) == 0 ? random_below(2) : 4 * random_unit() - 2;
}

/* ---------------------------------------------------------- the definition */

/* v(S) of output k, from nothing but predictions of single rows. */
static double
naive_value(ex_compiled *compiled, const ex_shap_call *call, uint32_t coalition, uint32_t k)
{
	const ex_model *model = compiled->model;
	double		sum = 0;
	double		total = 0;

	for (uint32_t b = 0; b < call->background.n; b++)
	{
		double		weight = call->background.weight != NULL ? call->background.weight[b] : 1;
		double		row[MAX_P];
		double		prediction[MAX_K];

		for (uint32_t f = 0; f < model->n_features; f++)
			row[f] = (coalition >> f) & 1 ? call->x[f] : call->background.row[b * model->n_features + f];
		predict(compiled, row, 1, prediction);
		if (call->space == EX_RESPONSE)
			ex_response(model, prediction, prediction);
		sum += weight * prediction[k];
		total += weight;
	}
	return sum / total;
}

/* Walk through all orders that go on from here; returns how many there are. */
static uint32_t
walk_orders(const double *v, uint32_t p, uint32_t *order, uint32_t length, uint32_t taken, double *phi)
{
	uint32_t	n = 0;

	if (length == p)
	{
		for (uint32_t i = 0, s = 0; i < p; s |= (uint32_t) 1 << order[i], i++)
			phi[order[i]] += v[s | (uint32_t) 1 << order[i]] - v[s];
		return 1;
	}
	for (uint32_t f = 0; f < p; f++)
	{
		if ((taken >> f) & 1)
			continue;
		order[length] = f;
		n += walk_orders(v, p, order, length + 1, taken | (uint32_t) 1 << f, phi);
	}
	return n;
}

/* Mean over all orders of what each feature adds to those before it. */
static void
naive_shapley(ex_compiled *compiled, const ex_shap_call *call, uint32_t k, double *phi)
{
	uint32_t	p = compiled->model->n_features;
	double		v[1 << MAX_P];
	uint32_t	order[MAX_P];
	uint32_t	n;

	for (uint32_t s = 0; s < (uint32_t) 1 << p; s++)
		v[s] = naive_value(compiled, call, s, k);
	memset(phi, 0, p * sizeof(double));
	n = walk_orders(v, p, order, 0, 0, phi);
	for (uint32_t f = 0; f < p; f++)
		phi[f] /= n;
}

/*
 * The interaction of i and j is what j's presence does to the Shapley value of
 * i in the game without j (Lundberg et al. 2020): from orders again.
 */
static double
naive_interaction(ex_compiled *compiled, const ex_shap_call *call, uint32_t k, uint32_t i, uint32_t j)
{
	uint32_t	p = compiled->model->n_features;
	double		sum = 0;

	for (uint32_t with = 0; with < 2; with++)
	{
		double		v[1 << MAX_P];
		double		phi[MAX_P] = {0};
		uint32_t	order[MAX_P];
		uint32_t	n;

		for (uint32_t s = 0; s < (uint32_t) 1 << (p - 1); s++)
		{
			uint32_t	low = s & (((uint32_t) 1 << j) - 1);

			v[s] = naive_value(compiled, call, low | (s - low) << 1 | with << j, k);
		}
		n = walk_orders(v, p - 1, order, 0, 0, phi);
		sum += (with ? 1 : -1) * phi[i > j ? i - 1 : i] / n;
	}
	return sum / 2;
}

static void
compare_with_definition(const ex_model *model, ex_space space, const char *what)
{
	ex_compiled *compiled = compile(model);
	uint32_t	p = model->n_features;
	uint32_t	count = model->n_outputs;
	double		x[MAX_P];
	double		phi[MAX_K * MAX_P];
	double		matrix[MAX_K * MAX_P * MAX_P];
	double		base[MAX_K];
	double		again[MAX_K];
	ex_shap_call call = call_of(model, x, space);

	random_rows(x, p);
	is_status(host, ex_exact_values(compiled, host, &call, phi, base), EX_OK, "%s: values", what);
	is_status(host, ex_exact_interactions(compiled, host, &call, matrix, again), EX_OK, "%s: interactions", what);
	is_same(again, base, count * sizeof(double), "%s: the same base", what);
	ex_game_base(compiled, host, &call, again);
	is_same(again, base, count * sizeof(double), "%s: and on its own", what);
	for (uint32_t k = 0; k < count; k++)
	{
		double		expected[MAX_P];
		double		prediction[MAX_K];
		double		row_sum[MAX_P] = {0};
		double		sum = base[k];

		naive_shapley(compiled, &call, k, expected);
		are_near(phi + k * p, expected, p, 1e-14, "%s, output %u: values", what, k);
		is_near(base[k], naive_value(compiled, &call, 0, k), 1e-14, "%s, output %u: base", what, k);
		predict(compiled, x, 1, prediction);
		if (space == EX_RESPONSE)
			ex_response(model, prediction, prediction);
		for (uint32_t f = 0; f < p; f++)
			sum += phi[k * p + f];
		is_near(sum, prediction[k], 1e-14, "%s, output %u: they add up", what, k);
		for (uint32_t i = 0; i < p; i++)
			for (uint32_t j = 0; j < p; j++)
			{
				row_sum[i] += matrix[(k * p + i) * p + j];
				if (i != j)
					is_near(matrix[(k * p + i) * p + j], naive_interaction(compiled, &call, k, i, j), 1e-14,
							"%s, output %u: interaction of %u and %u", what, k, i, j);
			}
		are_near(row_sum, phi + k * p, p, 1e-14, "%s, output %u: rows sum to values", what, k);
	}
}

#define TREES \
	"'features':['a','b','c','d','e'],'trees':[" \
	"{'feature':['a','b','c',null,null,null,null],'threshold':[0.2,0.5,-0.5,null,null,null,null]," \
	"'left_child':[1,3,5,null,null,null,null],'right_child':[2,4,6,null,null,null,null]," \
	"'value':[null,null,null,1.5,-0.5,0.25,2]}," \
	"{'feature':['d','a',null,null,null],'threshold':[0,-0.3,null,null,null]," \
	"'left_child':[1,2,null,null,null],'right_child':[3,4,null,null,null]," \
	"'value':[null,null,-1,0.75,0.5]}]"

static void
test_definition(void)
{
	static const struct
	{
		const char *document;
		ex_space	space;
		const char *what;
	}			cases[] = {
		{"{'family':'tree'," TREES "}", EX_RAW, "trees"},
		{"{'family':'tree','link':'logit'," TREES "}", EX_RESPONSE, "trees, response"},
		{"{'family':'linear','features':['a','b','c','d','e'],'link':'logit','intercept':0.5,"
		"'coefficients':{'a':1,'b':-2,'c':0.5,'d':0.25}}", EX_RESPONSE, "logistic, response"},
		{"{'family':'linear','features':['a','b','c','d'],'outputs':['x','y','z'],'link':'softmax',"
			"'intercept':[0,1,2],'coefficients':{'x':{'a':1,'c':1},'y':{'b':1},'z':{'a':-1,'d':-1}}}",
		EX_RESPONSE, "softmax"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ex_model   *model = model_of(cases[i].document);
		double		row[7 * MAX_P];
		double		weight[7] = {1, 2, 1, 5, 1, 1, 3};

		random_rows(row, 7 * (size_t) model->n_features);
		compare_with_definition(with_rows(model, row, 7, NULL), cases[i].space, cases[i].what);
		compare_with_definition(with_rows(model, row, 7, weight), cases[i].space, cases[i].what);
		compare_with_definition(with_rows(model, row, 1, NULL), cases[i].space, cases[i].what);
	}
}

/* ----------------------------------------------------------- closed forms */

/* The same answer as the family's own method. */
static void
compare_with_method(const ex_model *model, const char *name, ex_space space)
{
	ex_compiled *compiled = compile(model);
	const ex_shap_method *method = method_of(compiled, name);
	const ex_shap_method *exact = method_of(compiled, "exact");
	uint32_t	p = model->n_features;
	double		x[MAX_P];
	double		phi[2][MAX_P];
	double		matrix[2][MAX_P * MAX_P];
	double		base[2];
	ex_shap_call call = call_of(model, x, space);

	random_rows(x, p);
	is_status(host, method->check(compiled, host, space, &call.background), EX_OK, "%s runs", name);
	is_status(host, exact->check(compiled, host, space, &call.background), EX_OK, "exact runs");
	ok(exact->only_by_name, "auto does not take it");
	method->values(compiled, host, &call, phi[0], &base[0]);
	exact->values(compiled, host, &call, phi[1], &base[1]);
	are_near(phi[1], phi[0], p, 1e-13, "%s: values", name);
	is_near(base[1], base[0], 1e-13, "%s: base", name);
	method->interactions(compiled, host, &call, matrix[0], &base[0]);
	exact->interactions(compiled, host, &call, matrix[1], &base[1]);
	are_near(matrix[1], matrix[0], (size_t) p * p, 1e-13, "%s: interactions", name);
}

static void
test_closed_forms(void)
{
	double		row[20 * MAX_P];
	double		weight[20];

	random_rows(row, 20 * MAX_P);
	for (int i = 0; i < 20; i++)
		weight[i] = 1 + random_below(4);
	compare_with_method(with_rows(model_of("{'family':'linear','features':['a','b','c','d'],'intercept':1,"
										   "'coefficients':{'a':2,'b':-1,'d':0.5}}"), row, 20, weight), "linear", EX_RAW);
	compare_with_method(with_rows(model_of("{'family':'linear','features':['a','b','c','d'],'link':'log','intercept':1,"
										   "'coefficients':{'a':2,'b':-1,'d':0.5}}"), row, 20, weight), "linear", EX_RESPONSE);
	compare_with_method(with_rows(model_of("{'family':'tree'," TREES "}"), row, 20, weight), "tree_interventional", EX_RAW);
}

/* ------------------------------------------------------- edges and limits */

#define WIDE 65

/* p features, coefficients 1, 1/2, 1/3, ...; a background of one row of zeros. */
static ex_model *
wide_model(uint32_t p)
{
	char		document[8192];
	size_t		used;
	double		zero[WIDE] = {0};

	used = (size_t) snprintf(document, sizeof(document), "{'family':'linear','features':[");
	for (uint32_t f = 0; f < p; f++)
		used += (size_t) snprintf(document + used, sizeof(document) - used, "%s'f%u'", f > 0 ? "," : "", f);
	used += (size_t) snprintf(document + used, sizeof(document) - used, "],'intercept':1,'coefficients':[");
	for (uint32_t f = 0; f < p; f++)
		used += (size_t) snprintf(document + used, sizeof(document) - used, "%s%.17g", f > 0 ? "," : "", 1.0 / (f + 1));
	snprintf(document + used, sizeof(document) - used, "]}");
	return with_rows(model_of(document), zero, 1, NULL);
}

/* With n of p features different from the background. */
static void
test_width(uint32_t p, uint32_t n, ex_status expected)
{
	ex_model   *model = wide_model(p);
	ex_compiled *compiled = compile(model);
	double		x[WIDE] = {0};
	double		phi[WIDE];
	double		closed[WIDE];
	double		base;
	ex_shap_call call = call_of(model, x, EX_RAW);

	/* the last ones, so that high bits would be needed */
	for (uint32_t f = p - n; f < p; f++)
		x[f] = 1 + f;
	if (!is_status(host, ex_exact_values(compiled, host, &call, phi, &base), expected,
				   "%u features, %u of them vary", p, n) || expected != EX_OK)
		return;
	for (uint32_t f = 0; f < p; f++)
		closed[f] = f < p - n ? 0 : (1.0 + f) * (1.0 / (f + 1));
	are_near(phi, closed, p, 1e-12, "%u of %u: values", n, p);
	for (uint32_t f = 0; f < p - n; f++)
		if (phi[f] != 0 || signbit(phi[f]))
			ok(false, "feature %u does not vary", f);
	is_near(base, 1, 0, "%u of %u: base", n, p);
}

static void
test_limits(void)
{
	test_width(1, 0, EX_OK);
	test_width(1, 1, EX_OK);
	test_width(2, 1, EX_OK);
	test_width(63, 63, EX_LIMIT);
	test_width(64, 64, EX_LIMIT);
	test_width(65, 65, EX_LIMIT);
	test_width(65, 10, EX_OK);
	test_width(65, 16, EX_OK);
	test_width(33, 21, EX_LIMIT);
	test_width(33, 32, EX_LIMIT);
	test_width(33, 33, EX_LIMIT);
	test_width(20, 20, EX_OK);
}

/* 16 outputs and 20 features would be 2^24 numbers. */
static void
test_outputs_limit(void)
{
	ex_model   *model = wide_model(20);
	ex_compiled *compiled = compile(model);
	double		x[20];
	double		phi[20 * 16];
	double		base[16];
	ex_shap_call call = call_of(model, x, EX_RAW);

	for (int f = 0; f < 20; f++)
		x[f] = f + 1;
	call.outputs.count = 16;
	is_status(host, ex_exact_values(compiled, host, &call, phi, base), EX_LIMIT, "too many values");
	is_text(host->error.hint, "Choose one output with output => ....", "and the hint");
}

/* A feature that the model does not use gets 0, to the bit; equal ones get the same. */
static void
test_axioms(void)
{
	ex_model   *model = model_of("{'family':'tree'," TREES "}");
	double		row[9 * MAX_P];
	double		x[MAX_P];
	double		phi[MAX_P];
	double		base;
	ex_compiled *compiled;
	ex_shap_call call;

	random_rows(row, 9 * MAX_P);
	random_rows(x, MAX_P);
	model = with_rows(model, row, 9, NULL);
	compiled = compile(model);
	call = call_of(model, x, EX_RAW);
	ex_exact_values(compiled, host, &call, phi, &base);
	is_double(phi[4], 0, "a feature that is not used");

	/* the background's own row */
	call.background.n = 1;
	call.x = call.background.row;
	ex_exact_values(compiled, host, &call, phi, &base);
	for (uint32_t f = 0; f < model->n_features; f++)
		is_double(phi[f], 0, "against itself, feature %u", f);

	/* no rows at all */
	call.background.n = 0;
	is_status(host, ex_exact_check(compiled, host, EX_RAW, &call.background), EX_INVALID, "without background");
}

static bool
stop_at_once(ex_host *unused)
{
	(void) unused;
	return true;
}

static void
test_cancel(void)
{
	ex_model   *model = wide_model(12);
	ex_compiled *compiled = compile(model);
	double		x[12];
	double		phi[12];
	double		base;
	ex_shap_call call = call_of(model, x, EX_RAW);

	for (int f = 0; f < 12; f++)
		x[f] = f + 1;
	host->poll = stop_at_once;
	is_status(host, ex_exact_values(compiled, host, &call, phi, &base), EX_CANCELLED, "it can be stopped");
	host->poll = NULL;
}

/* Predictions that overflow on the way. */
static void
test_range(void)
{
	double		row[2] = {1e308, 0};
	double		x[2] = {0, 1e308};
	ex_model   *model = with_rows(model_of("{'family':'linear','features':['a','b'],'intercept':0,"
										   "'coefficients':{'a':1,'b':1}}"), row, 1, NULL);
	ex_compiled *compiled = compile(model);
	double		phi[2];
	double		base;
	ex_shap_call call = call_of(model, x, EX_RAW);

	is_status(host, ex_exact_values(compiled, host, &call, phi, &base), EX_RANGE, "a coalition out of range");
}

int
main(void)
{
	ex_arena_init(&arena);
	host = &arena.host;
	test_definition();
	test_closed_forms();
	test_limits();
	test_outputs_limit();
	test_axioms();
	test_cancel();
	test_range();
	ex_arena_free(&arena);
	return unit_done();
}
