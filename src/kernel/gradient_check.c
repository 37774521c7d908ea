/*
 * gradient_check.c
 *		Names of the gradient methods, and when one can be used.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradient_internal.h"
#include "linear.h"
#include "random.h"

const char *const ex_gradient_method_names[EX_N_GRADIENT_METHODS] = {
	[EX_GRADIENT] = "gradient",
	[EX_GRADIENT_X_INPUT] = "gradient_x_input",
	[EX_GRADIENT_SMOOTH] = "smooth",
	[EX_GRADIENT_SMOOTH_SQUARED] = "smooth_squared",
	[EX_GRADIENT_SMOOTH_VARIANCE] = "smooth_variance",
	[EX_GRADIENT_FINITE_DIFFERENCE] = "finite_difference",
	[EX_GRADIENT_GUIDED_BACKPROP] = "guided_backprop",
	[EX_GRADIENT_DECONVNET] = "deconvnet",
};

ex_status
ex_find_gradient_method(ex_host *host, const char *name, size_t length, ex_gradient_method *method)
{
	char		valid[200];
	int			used = 0;

	for (int i = 0; i < EX_N_GRADIENT_METHODS; i++)
	{
		const char *candidate = ex_gradient_method_names[i];

		if (strlen(candidate) == length && memcmp(candidate, name, length) == 0)
		{
			*method = (ex_gradient_method) i;
			return EX_OK;
		}
	}
	for (int i = 0; i < EX_N_GRADIENT_METHODS; i++)
		used += snprintf(valid + used, sizeof(valid) - (size_t) used, "%s%s", i > 0 ? ", " : "",
						 ex_gradient_method_names[i]);
	ex_fail(host, EX_INVALID, "unknown method \"%.*s\"", (int) (length < 200 ? length : 200), name);
	ex_hint(host, "Valid methods are %s.", valid);
	return EX_INVALID;
}

bool
ex_gradient_samples(ex_gradient_method method)
{
	return method == EX_GRADIENT_SMOOTH || method == EX_GRADIENT_SMOOTH_SQUARED ||
		method == EX_GRADIENT_SMOOTH_VARIANCE;
}

bool
ex_gradient_is_rule(ex_gradient_method method)
{
	return method == EX_GRADIENT_GUIDED_BACKPROP || method == EX_GRADIENT_DECONVNET;
}

ex_short_name
ex_gradient_feature_name(const ex_model *model, uint32_t f)
{
	uint32_t	length;
	const char *name = ex_get_name(model, EX_FEATURE_NAME_START, f, &length);
	ex_short_name cut;

	/* not in the middle of a UTF-8 character */
	if (length > 100)
		for (length = 100; ((uint8_t) name[length] & 0xc0) == 0x80;)
			length--;
	snprintf(cut.text, sizeof(cut.text), "%.*s", (int) length, name);
	return cut;
}

static ex_status
check_options(ex_host *host, const ex_gradient_call *call)
{
	if (call->samples < 1)
		return ex_fail(host, EX_INVALID, "samples must be at least 1, not %d", (int) call->samples);
	if (call->samples > EX_MAX_SAMPLES)
		return ex_fail(host, EX_LIMIT, "samples must not exceed %d", EX_MAX_SAMPLES);
	if (call->method == EX_GRADIENT_SMOOTH_VARIANCE && call->samples < 2)
		return ex_fail(host, EX_INVALID, "method \"smooth_variance\" needs at least 2 samples");
	if (!(call->noise >= 0 && isfinite(call->noise)))
		return ex_fail(host, EX_INVALID, "noise must be a finite number not below 0, not %g", call->noise);
	if (call->window_sd >= EX_MIN_WINDOW && call->window_sd <= EX_MAX_WINDOW)
		return EX_OK;
	ex_fail(host, EX_INVALID, "window_sd must be between %g and %g, not %g",
			EX_MIN_WINDOW, EX_MAX_WINDOW, call->window_sd);
	ex_hint(host, "It is the width of the whole window in standard deviations of the feature; 1 is usual.");
	return EX_INVALID;
}

static ex_status
check_sigma(ex_host *host, const ex_gradient_call *call, uint32_t p)
{
	if (call->sigma == NULL)
		return EX_OK;
	for (uint32_t f = 0; f < p; f++)
		if (!(call->sigma[f] >= 0 && isfinite(call->sigma[f])))
			return ex_fail(host, EX_INVALID, "sigma %u must be a finite number not below 0, not %g",
						   f + 1, call->sigma[f]);
	return EX_OK;
}

static ex_status
no_statistics(ex_host *host, const char *what, const char *instead)
{
	ex_fail(host, EX_INVALID, "model has no background to take standard deviations from");
	ex_detail(host, "They are the unit of %s.", what);
	ex_hint(host, "Attach one with explain.with_background(model, ...)%s.", instead);
	return EX_INVALID;
}

static ex_status
check_statistics(ex_host *host, const ex_gradient_call *call)
{
	if (call->stat != NULL)
		return EX_OK;
	if (call->method == EX_GRADIENT_FINITE_DIFFERENCE)
		return no_statistics(host, "the window of finite differences", "");
	if (ex_gradient_samples(call->method) && call->sigma == NULL && call->noise > 0 && call->samples > 1)
		return no_statistics(host, "noise", ", or give the noise of each feature as sigma => ARRAY[...]");
	return EX_OK;
}

static ex_status
check_rule(const ex_gradient_run *run)
{
	const char *name = ex_gradient_method_names[run->call->method];

	if (run->compiled->family->relevance_raw == NULL)
	{
		ex_fail(run->host, EX_UNSUPPORTED, "method \"%s\" is for networks with ReLU units", name);
		ex_hint(run->host, "Use another method, such as 'gradient' or 'finite_difference'.");
		return EX_UNSUPPORTED;
	}
	if (run->call->space == EX_RAW)
		return EX_OK;
	ex_fail(run->host, EX_UNSUPPORTED, "method \"%s\" explains raw predictions only", name);
	ex_hint(run->host, "Leave out space, or write space => 'raw'.");
	return EX_UNSUPPORTED;
}

/*
 * A numeric feature that enters through bins and nothing else: its derivative
 * is 0 but at their edges, and a 0 would be read as "has no influence".
 */
static ex_status
check_bins(const ex_gradient_run *run)
{
	uint32_t	n_columns;
	const uint8_t *kind = ex_get(run->model, EX_COLUMN_KIND, &n_columns);
	const uint32_t *feature = ex_get(run->model, EX_COLUMN_FEATURE, NULL);
	uint8_t    *seen;

	if (kind == NULL || memchr(kind, EX_COLUMN_BIN, n_columns) == NULL)
		return EX_OK;
	EX_TRY(EX_ALLOC(run->host, run->p, &seen));
	for (uint32_t c = 0; c < n_columns; c++)
		seen[feature[c]] |= (uint8_t) (1 << kind[c]);
	for (uint32_t f = 0; f < run->p; f++)
	{
		if (!(seen[f] & (1 << EX_COLUMN_BIN)) || (seen[f] & (1 << EX_COLUMN_VALUE)))
			continue;
		ex_fail(run->host, EX_UNSUPPORTED, "derivative of feature \"%s\" is zero almost everywhere",
				ex_gradient_feature_name(run->model, f).text);
		ex_detail(run->host, "It enters the model by bins.");
		ex_hint(run->host, "Use method => 'finite_difference'.");
		return EX_UNSUPPORTED;
	}
	return EX_OK;
}

static ex_status
check_derivative(const ex_gradient_run *run)
{
	if (run->compiled->family->gradient_raw != NULL)
		return check_bins(run);
	if (memchr(run->kind, EX_NUMERIC, run->p) == NULL)
		return EX_OK;
	ex_fail(run->host, EX_UNSUPPORTED, "derivatives of a model of family \"%s\" are zero almost everywhere",
			run->compiled->family->name);
	ex_hint(run->host, "Use method => 'finite_difference', or explain the row with explain.shap_values.");
	return EX_UNSUPPORTED;
}

ex_status
ex_gradient_check(const ex_gradient_run *run)
{
	const ex_gradient_call *call = run->call;

	EX_TRY(check_options(run->host, call));
	EX_TRY(check_sigma(run->host, call, run->p));
	if (ex_gradient_is_rule(call->method))
		return check_rule(run);
	EX_TRY(check_statistics(run->host, call));
	return call->method == EX_GRADIENT_FINITE_DIFFERENCE ? EX_OK : check_derivative(run);
}
