/*
 * network_activation.c
 *		Layers that are a function of one number each, and softmax.
 *
 * Every function comes with its derivative and its divided difference
 *		quotient(a, b) = (f(a) - f(b)) / (a - b),  f'(a) where a = b,
 * the multiplier of DeepLIFT's rescale rule.  The quotients are written so
 * that they lose nothing where a and b are close; no threshold decides
 * between them and the derivative (captum, shap: 1e-10 and 1e-6).
 *
 * The kinks, at 0: ReLU's derivative is 0, leaky ReLU's its slope, as in
 * PyTorch.  Exponentials are taken of negative numbers only, so that nothing
 * overflows, and both tails keep their relative accuracy.  A NaN stays a NaN.
 */
#include <math.h>

#include "network_internal.h"
#include "sum.h"

#define INLINE static inline __attribute__((always_inline))

#define PER_SQRT_2 0.70710678118654752
#define PER_SQRT_2_PI 0.39894228040143268

/* ----------------------------------------------------------------
 * Functions
 * ---------------------------------------------------------------- */

static double
logistic(double a)
{
	double		e = exp(-fabs(a));

	return (a >= 0 ? 1 : e) / (1 + e);
}

static double
normal_distribution(double a)
{
	return 0.5 * erfc(-a * PER_SQRT_2);
}

static double
normal_density(double a)
{
	return PER_SQRT_2_PI * exp(-0.5 * a * a);
}

static double
softplus(double a)
{
	return fmax(a, 0) + log1p(exp(-fabs(a)));
}

/* x Phi(x); -Infinity * 0 is 0 */
static double
gelu(double a)
{
	return a < -40 ? 0 : a * normal_distribution(a);
}

INLINE double
value(ex_layer_kind kind, double number, double a)
{
	switch (kind)
	{
		case EX_LAYER_RELU:
			return a <= 0 ? 0 : a;
		case EX_LAYER_LEAKY_RELU:
			return a <= 0 ? number * a : a;
		case EX_LAYER_ELU:
			return a <= 0 ? number * expm1(a) : a;
		case EX_LAYER_GELU:
			return gelu(a);
		case EX_LAYER_SIGMOID:
			return logistic(a);
		case EX_LAYER_TANH:
			return tanh(a);
		case EX_LAYER_SOFTPLUS:
			return softplus(a);
		default:				/* EX_LAYER_SQUARE */
			return a * a;
	}
}

/* ----------------------------------------------------------------
 * Derivatives
 * ---------------------------------------------------------------- */

INLINE double
derivative(ex_layer_kind kind, double number, double a)
{
	double		e;

	switch (kind)
	{
		case EX_LAYER_RELU:
			return a > 0;
		case EX_LAYER_LEAKY_RELU:
			return a > 0 ? 1 : number;
		case EX_LAYER_ELU:
			return a > 0 ? 1 : number * exp(a);
		case EX_LAYER_GELU:
			return fabs(a) > 40 ? a > 0 : normal_distribution(a) + a * normal_density(a);
		case EX_LAYER_SIGMOID:
			e = exp(-fabs(a));
			return e / ((1 + e) * (1 + e));
		case EX_LAYER_TANH:
			e = exp(-2 * fabs(a));
			return 4 * e / ((1 + e) * (1 + e));
		case EX_LAYER_SOFTPLUS:
			return logistic(a);
		default:
			return 2 * a;
	}
}

/* ----------------------------------------------------------------
 * Divided differences
 * ---------------------------------------------------------------- */

/* For functions that are linear on either side of 0: no digit is lost. */
INLINE double
plain_quotient(ex_layer_kind kind, double number, double a, double b)
{
	return (value(kind, number, a) - value(kind, number, b)) / (a - b);
}

/* exp(a) - exp(b) = exp(b) expm1(a - b) */
static double
elu_quotient(double alpha, double a, double b)
{
	if (a > 0 || b > 0)
		return plain_quotient(EX_LAYER_ELU, alpha, a, b);
	return alpha * exp(b) * expm1(a - b) / (a - b);
}

/*
 * f(a) - f(b) = (a - b) mean(Phi(a), Phi(b)) + mean(a, b) (Phi(a) - Phi(b)),
 * and for close a and b the latter difference is (a - b) phi(m) times
 * 1 + (a - b)^2 (m^2 - 1) / 24 + ..., m being their mean.
 */
static double
gelu_quotient(double a, double b)
{
	double		change = a - b;
	double		mean = 0.5 * (a + b);

	if (fabs(change) > 1e-3)
		return (gelu(a) - gelu(b)) / change;
	return 0.5 * (normal_distribution(a) + normal_distribution(b)) +
		mean * normal_density(mean) * (1 + change * change * (mean * mean - 1) / 24);
}

/*
 * s(a) - s(b) = tanh((a - b) / 2) (s(a) s(-b) + s(-a) s(b)), from the addition
 * theorem of tanh and s(a) = (1 + tanh(a / 2)) / 2
 */
static double
logistic_quotient(double a, double b)
{
	return tanh(0.5 * (a - b)) / (a - b) *
		(logistic(a) * logistic(-b) + logistic(-a) * logistic(b));
}

/* log((1 + exp(a)) / (1 + exp(b))) = log1p(s(b) expm1(a - b)) */
static double
softplus_quotient(double a, double b)
{
	if (fabs(a - b) > 1)
		return (softplus(a) - softplus(b)) / (a - b);
	return log1p(logistic(b) * expm1(a - b)) / (a - b);
}

static double
quotient(ex_layer_kind kind, double number, double a, double b)
{
	if (a == b)
		return derivative(kind, number, a);
	switch (kind)
	{
		case EX_LAYER_ELU:
			return elu_quotient(number, a, b);
		case EX_LAYER_GELU:
			return gelu_quotient(a, b);
		case EX_LAYER_SIGMOID:
			return logistic_quotient(a, b);
		case EX_LAYER_TANH:
			/* tanh(a) = 2 s(2a) - 1 */
			return 4 * logistic_quotient(2 * a, 2 * b);
		case EX_LAYER_SOFTPLUS:
			return softplus_quotient(a, b);
		case EX_LAYER_SQUARE:
			return a + b;
		default:
			return plain_quotient(kind, number, a, b);
	}
}

/* ----------------------------------------------------------------
 * Layers of them
 * ---------------------------------------------------------------- */

INLINE void
apply(ex_layer_kind kind, double number, const double *a, size_t n, double *y)
{
	for (size_t i = 0; i < n; i++)
		y[i] = value(kind, number, a[i]);
}

/* A loop for each of the cheap ones; for the others a branch more does not matter. */
static ex_status
forward(const ex_pass *pass, const ex_step *step)
{
	const double *a = ex_step_input(pass, step, 0);
	double	   *y = ex_step_output(pass, step);
	size_t		n = pass->n * step->size;

	switch (step->layer.kind)
	{
		case EX_LAYER_RELU:
			pass->state->kernel->relu(a, n, y);
			break;
		case EX_LAYER_LEAKY_RELU:
			apply(EX_LAYER_LEAKY_RELU, step->layer.number, a, n, y);
			break;
		default:
			apply(step->layer.kind, step->layer.number, a, n, y);
	}
	return EX_OK;
}

/*
 * ReLU under the two other rules that only look at signs.  Both numbers are read
 * whatever the first says: so no branch is needed, which would be taken at
 * random.
 */
static void
relu_backward(ex_backward_rule rule, const double *a, const double *r, size_t n, double *to)
{
	for (size_t i = 0; i < n; i++)
	{
		double		passed = r[i] > 0 ? r[i] : 0;

		if (rule != EX_RULE_DECONVNET)
			passed = a[i] > 0 ? passed : 0;
		to[i] += passed;
	}
}

static void
rescale_row(const ex_step *step, const double *a, const double *a0, const double *r, double *to)
{
	for (size_t i = 0; i < step->size; i++)
		to[i] += r[i] * quotient(step->layer.kind, step->layer.number, a[i], a0[i]);
}

static ex_status
backward(const ex_pass *pass, const ex_step *step)
{
	const double *a = ex_step_input(pass, step, 0);
	const double *r = ex_step_gradient(pass, step);
	double	   *to = ex_step_input_gradient(pass, step, 0);
	size_t		n = pass->n * step->size;

	if (pass->rule == EX_RULE_RESCALE)
		for (size_t row = 0; row < pass->n; row++)
			rescale_row(step, a + row * step->size,
						ex_reference_value(pass, step->layer.input[0], row),
						r + row * step->size, to + row * step->size);
	else if (step->layer.kind == EX_LAYER_RELU && pass->rule == EX_RULE_GRADIENT)
		pass->state->kernel->pass_relu(a, r, n, to);
	else if (step->layer.kind == EX_LAYER_RELU)
		relu_backward(pass->rule, a, r, n, to);
	else
		for (size_t i = 0; i < n; i++)
			to[i] += r[i] * derivative(step->layer.kind, step->layer.number, a[i]);
	return EX_OK;
}

const ex_step_kind ex_step_activation = {forward, backward};

/* ----------------------------------------------------------------
 * Softmax over the channels of each pixel
 * ---------------------------------------------------------------- */

static void
softmax(const double *a, size_t n, size_t stride, double *y)
{
	double		largest = a[0];
	ex_sum		sum = {0, 0};

	for (size_t c = 1; c < n; c++)
		largest = fmax(largest, a[c * stride]);
	for (size_t c = 0; c < n; c++)
	{
		y[c * stride] = exp(a[c * stride] - largest);
		ex_sum_add(&sum, y[c * stride]);
	}
	for (size_t c = 0; c < n; c++)
		y[c * stride] /= ex_sum_total(&sum);
}

/* y (r - sum of r y) */
static void
softmax_gradient(const double *y, const double *r, size_t n, size_t stride, double *to)
{
	ex_sum		sum = {0, 0};

	for (size_t c = 0; c < n; c++)
		ex_sum_add(&sum, r[c * stride] * y[c * stride]);
	for (size_t c = 0; c < n; c++)
		to[c * stride] += y[c * stride] * (r[c * stride] - ex_sum_total(&sum));
}

static ex_status
softmax_forward(const ex_pass *pass, const ex_step *step)
{
	size_t		channels = step->layer.shape.channels;
	size_t		pixels = step->size / channels;

	for (size_t row = 0; row < pass->n; row++)
		for (size_t i = 0; i < pixels; i++)
			softmax(ex_step_input(pass, step, 0) + row * step->size + i, channels, pixels,
					ex_step_output(pass, step) + row * step->size + i);
	return EX_OK;
}

static ex_status
softmax_backward(const ex_pass *pass, const ex_step *step)
{
	size_t		channels = step->layer.shape.channels;
	size_t		pixels = step->size / channels;

	for (size_t row = 0; row < pass->n; row++)
		for (size_t i = 0; i < pixels; i++)
		{
			size_t		at = row * step->size + i;

			softmax_gradient(ex_step_output(pass, step) + at, ex_step_gradient(pass, step) + at,
							 channels, pixels, ex_step_input_gradient(pass, step, 0) + at);
		}
	return EX_OK;
}

const ex_step_kind ex_step_softmax = {softmax_forward, softmax_backward};
