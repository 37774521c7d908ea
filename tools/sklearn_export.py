#!/usr/bin/python3
"""Write a fitted scikit-learn model as the JSON form of explain.model.

    /usr/bin/python3 tools/sklearn_export.py model.joblib > model.json

or, in Python:

    from sklearn_export import export, dumps
    dumps(pipeline, feature_names=["age", "income"])     # text for '...'::explain.model

A model alone or at the end of a Pipeline is written over the columns that it
sees, and "inputs" says how they are made from the user's features; the
extension folds that preprocessing into the model.  What cannot be said so
exactly is refused with the name of the step (CannotExport).

doc/sklearn.md lists what is supported.  Open only files that you trust: a
joblib or pickle file can run any code when it is loaded.
"""
import argparse
import json
import math
import sys
import warnings
from collections import namedtuple

import numpy as np


class CannotExport(ValueError):
    """The model or one of its steps has no exact counterpart."""


# ---------------------------------------------------------------- features

class Feature:
    """One of the user's features."""

    def __init__(self, name):
        self.name = name
        self.levels = None        # texts, or how many codes there are
        self.unknown = None       # "error", "other" or "missing"
        self.missing = None       # None: the extension derives it from the inputs

    def set_levels(self, levels, unknown, step):
        if self.levels is not None and self.levels != levels:
            raise CannotExport(f"{step}: feature {self.name!r} is encoded twice, with different categories")
        self.levels = levels
        self.unknown = unknown

    def document(self):
        if self.levels is None and self.missing is None:
            return self.name
        members = {"name": self.name}
        if self.levels is not None:
            members["levels"] = self.levels
            members["unknown"] = self.unknown
        if self.missing is not None:
            members["missing"] = self.missing
        return members


def level_text(value):
    """A category as PostgreSQL would print the value."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        value = float(value)
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, bytes):
        return value.decode()
    return str(value)


def is_missing(value):
    """NaN, None or pandas.NA?"""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating)) and math.isnan(value)


# ---------------------------------------------------------------- columns

# A scaling step, in scikit-learn's order of operations so that bits agree:
#   divide:   (x - a) / b
#   multiply: x * a + b, cut to the limits of clip if there is one
Step = namedtuple("Step", "kind a b clip")


class Column:
    """A column of the matrix that a step sees, as a function of one feature."""

    def __init__(self, feature, op="value", arg=None, impute=None, imputed=None, missing_code=None, steps=()):
        self.feature = feature    # Feature
        self.op = op              # value, code (of a category), level, bin, edges, indicator
        self.arg = arg
        self.impute = impute      # replaces a missing value of the feature
        self.imputed = imputed    # what the column must be then, if steps came before the imputer
        self.missing_code = missing_code    # code of a missing value that is no category's
        self.steps = steps

    def but(self, **changes):
        return Column(**{**self.__dict__, **changes})

    def is_plain(self):
        return self.op in ("value", "code") and self.impute is None and not self.steps

    def is_scalable(self):
        """Can the extension compute the steps itself, bit for bit?"""
        return not self.steps or (
            len(self.steps) == 1 and self.steps[0].kind == "divide" and self.op != "code")

    def answers_missing(self):
        return self.impute is not None or self.op in ("level", "indicator")

    def scaled(self, x):
        """All steps on x, which is what op gives."""
        z = np.float64(x)
        with np.errstate(all="ignore"):
            for step in self.steps:
                if step.kind == "divide":
                    z = (z - step.a) / step.b
                else:
                    z = z * step.a + step.b
                    if step.clip:
                        z = np.clip(z, *step.clip)
        return float(z)

    def affine(self):
        """(center, scale) with z = (op - center) / scale, up to rounding."""
        center, scale = 0.0, 1.0
        for step in self.steps:
            if step.clip:
                raise CannotExport("MinMaxScaler(clip=True) is not linear")
            a, b = (step.a, step.b) if step.kind == "divide" else (-step.b / step.a, 1 / step.a)
            center, scale = center + a * scale, b * scale
        return center, scale

    def limit(self, limit):
        """The largest double x with scaled(x) <= limit; -inf if there is none."""
        if not self.steps:
            return limit
        return largest(lambda x: self.scaled(x) <= limit)

    def document(self, features, center, scale):
        members = {"feature": features.index(self.feature)}
        if self.op == "indicator":
            members["indicator"] = True
        elif self.op not in ("value", "code"):
            members[self.op] = self.arg
        if self.impute is not None:
            members["impute"] = self.impute
        if center != 0:
            members["center"] = float(center)
        if scale != 1:
            members["scale"] = float(scale)
        return members


def ordinal(x):
    """Doubles in their order, as integers."""
    bits = int(np.float64(x).view(np.int64))
    return bits if bits >= 0 else -(2 ** 63) - bits - 1


def from_ordinal(n):
    return float(np.int64(n if n >= 0 else -(2 ** 63) - n - 1).view(np.float64))


def largest(holds):
    """The largest double for which a falling condition holds; -inf if none."""
    if holds(math.inf):
        return math.inf
    low, high = ordinal(-math.inf), ordinal(math.inf)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(from_ordinal(middle)) else (low, middle)
    return from_ordinal(low)


def below(x):
    return float(np.nextafter(np.float64(x), -np.inf))


def float32_limit(threshold):
    """The largest double x with float32(x) <= threshold.

    scikit-learn's trees round features to float32 and compare with a double.
    """
    if math.isinf(threshold):
        return threshold
    with np.errstate(over="ignore"):
        y = np.float32(threshold)
        if np.float64(y) > threshold:
            y = np.nextafter(y, np.float32(-np.inf))
        above = np.nextafter(y, np.float32(np.inf))
        end = 2.0 ** 128            # what infinity stands for when rounding
        low = np.float64(y) if np.isfinite(y) else -end
        high = np.float64(above) if np.isfinite(above) else end
        middle = low + (high - low) / 2
        return float(middle) if np.float32(middle) <= y else below(middle)


# ---------------------------------------------------------------- transformers

def label(step):
    return type(step).__name__


def feature_value(column, step):
    """The column must be a feature itself, not yet scaled or encoded."""
    if column.op != "value" or column.steps:
        raise CannotExport(f"{label(step)}: feature {column.feature.name!r} has already been scaled or encoded")
    return column


def simple_imputer(step, columns):
    if not is_missing(step.missing_values):
        raise CannotExport(f"{label(step)}: only NULL is missing in a database, not missing_values={step.missing_values!r}")
    keeps = step.strategy == "constant" or getattr(step, "keep_empty_features", False)
    made = [impute(column, value, step) for column, value in zip(columns, step.statistics_)
            if keeps or not is_missing(value)]
    if getattr(step, "indicator_", None) is not None:
        made += missing_indicator(step.indicator_, columns)
    return made


def impute(column, value, step):
    if column.answers_missing() or column.missing_code is not None or column.op in ("bin", "edges"):
        return column                           # never missing
    if column.op == "code":
        return impute_code(column, value, step)
    if not column.steps:
        text = isinstance(value, (str, bytes))
        return column.but(impute=level_text(value) if text else float(value))
    # the value of the feature that the steps bring closest
    x = column.limit(float(value))
    return column.but(impute=x, imputed=float(value))


def impute_code(column, value, step):
    """Behind an OrdinalEncoder: the value is a level's position."""
    levels = column.feature.levels
    code = None if column.steps else float(value)
    if code is None or not code.is_integer() or not 0 <= code < len(levels):
        raise CannotExport(f"{label(step)}: {value!r} is not the code of a category of {column.feature.name!r}")
    return column.but(impute=levels[int(code)])


def missing_indicator(step, columns):
    return [indicator(columns[i], step) for i in step.features_]


def indicator(column, step):
    if column.op not in ("value", "code") or column.impute is not None or column.missing_code is not None:
        raise CannotExport(f"{label(step)}: missing values of {column.feature.name!r} have already been replaced")
    return Column(column.feature, "indicator")


def scale_by(columns, a, b, kind="divide", clip=None, identity=(0.0, 1.0)):
    def numbers(value, default):
        return [default] * len(columns) if value is None else [float(v) for v in np.asarray(value)]
    return [column if (u, v) == identity and not clip
            else column.but(steps=column.steps + (Step(kind, u, v, clip),))
            for column, u, v in zip(columns, numbers(a, 0.0), numbers(b, 1.0))]


def standard_scaler(step, columns):
    return scale_by(columns, step.mean_ if step.with_mean else None, step.scale_)


def robust_scaler(step, columns):
    return scale_by(columns, step.center_ if step.with_centering else None,
                    step.scale_ if step.with_scaling else None)


def max_abs_scaler(step, columns):
    return scale_by(columns, None, step.scale_)


def min_max_scaler(step, columns):
    clip = tuple(float(v) for v in step.feature_range) if getattr(step, "clip", False) else None
    return scale_by(columns, step.scale_, step.min_, "multiply", clip, (1.0, 0.0))


def known_categories(step, column, categories, unknown):
    """Levels of the feature; its categories without the missing one."""
    feature_value(column, step)
    values = [level_text(v) for v in categories if not is_missing(v)]
    column.feature.set_levels(values, unknown, label(step))
    return values


def one_hot_encoder(step, columns):
    infrequent = getattr(step, "infrequent_categories_", None)
    if infrequent is not None and any(group is not None for group in infrequent):
        raise CannotExport(f"{label(step)}: infrequent categories that share a column (min_frequency, max_categories)")
    unknown = "error" if step.handle_unknown == "error" else "other"
    drop = getattr(step, "drop_idx_", None)
    made = []
    for i, (column, categories) in enumerate(zip(columns, step.categories_)):
        dropped = None if drop is None else drop[i]
        made += one_hot(step, column, categories, dropped, unknown)
    return made


def one_hot(step, column, categories, dropped, unknown):
    levels = known_categories(step, column, categories, unknown)
    if len(levels) == len(categories) and unknown == "error" and column.impute is None:
        column.feature.missing = "error"        # as scikit-learn, which calls it unknown
    imputed = column.impute
    if imputed is not None:
        imputed = imputed if isinstance(imputed, str) else level_text(imputed)
        if imputed not in levels:
            if unknown == "error":
                column.feature.missing = "error"
            imputed = None                      # no column is 1
    made = []
    for i, value in enumerate(categories):
        if dropped is not None and i == dropped:
            continue
        if is_missing(value):
            made.append(indicator(column, step))
        else:
            made.append(column.but(op="level", arg=level_text(value), impute=imputed))
    return made


def ordinal_encoder(step, columns):
    if any(group is not None for group in getattr(step, "infrequent_categories_", None) or ()):
        raise CannotExport(f"{label(step)}: infrequent categories that share a code (min_frequency, max_categories)")
    missing_code = getattr(step, "encoded_missing_value", math.nan)
    made = []
    for column, categories in zip(columns, step.categories_):
        unknown = ordinal_unknown(step)
        levels = known_categories(step, column, categories, unknown)
        # a missing value that is no category is an unknown one
        code = missing_code if len(levels) < len(categories) else {"other": -1}.get(unknown, math.nan)
        if len(levels) == len(categories) and unknown == "error" and column.impute is None:
            column.feature.missing = "error"
        impute_level = column.impute
        if impute_level is not None:
            impute_level = impute_level if isinstance(impute_level, str) else level_text(impute_level)
            if impute_level not in levels:
                raise CannotExport(f"{label(step)}: the imputed value {impute_level!r} is not a category of {column.feature.name!r}")
        made.append(column.but(op="code", impute=impute_level,
                               missing_code=None if is_missing(code) else float(code)))
    return made


def ordinal_unknown(step):
    if step.handle_unknown == "error":
        return "error"
    if is_missing(step.unknown_value):
        return "missing"
    if step.unknown_value == -1:
        return "other"
    raise CannotExport(f"{label(step)}: unknown_value={step.unknown_value!r}; -1 and NaN are supported")


def k_bins_discretizer(step, columns):
    made = []
    for column, edges in zip(columns, step.bin_edges_):
        if column.op != "value" or column.imputed is not None:
            raise CannotExport(f"{label(step)}: feature {column.feature.name!r} has already been encoded")
        # edge <= z(x) is x > the largest double whose z is below the edge
        cuts = [column.limit(below(edge)) for edge in edges[1:-1]]
        if not cuts:
            raise CannotExport(f"{label(step)}: feature {column.feature.name!r} has one bin only")
        if step.encode == "ordinal":
            made.append(column.but(op="edges", arg=cuts, steps=()))
        else:
            ends = [-math.inf] + cuts + [math.inf]
            made += [column.but(op="bin", arg=[low, high], steps=()) for low, high in zip(ends, ends[1:])]
    return made


def binarizer(step, columns):
    return [feature_value(column, step).but(op="bin", arg=[float(step.threshold), math.inf])
            for column in columns]


def function_transformer(step, columns):
    if step.func is not None:
        raise CannotExport(f"{label(step)}: {getattr(step.func, '__name__', step.func)!r} is any code")
    return columns


def selector(step, columns):
    return [columns[i] for i in np.flatnonzero(step.get_support())]


def feature_union(step, columns):
    if step.transformer_weights:
        raise CannotExport(f"{label(step)}: transformer_weights")
    return [made for name, part in step.transformer_list for made in transform(part, columns)]


def column_transformer(step, columns):
    if step.transformer_weights:
        raise CannotExport(f"{label(step)}: transformer_weights")
    made = []
    for name, part, chosen in step.transformers_:
        picked = [columns[i] for i in positions(step, chosen, len(columns))]
        if picked:              # a part without columns is not fitted
            made += transform(part, picked)
    return made


def positions(step, chosen, n):
    """Positions that a column specification of a fitted ColumnTransformer means."""
    names = list(getattr(step, "feature_names_in_", []))
    if isinstance(chosen, slice):
        if isinstance(chosen.start, str) or isinstance(chosen.stop, str):
            start = None if chosen.start is None else names.index(chosen.start)
            stop = None if chosen.stop is None else names.index(chosen.stop) + 1
            chosen = slice(start, stop, chosen.step)
        return list(range(n))[chosen]
    chosen = [chosen] if isinstance(chosen, (str, int, np.integer)) else list(chosen)
    if chosen and all(isinstance(c, (bool, np.bool_)) for c in chosen):
        return [i for i, c in enumerate(chosen) if c]
    return [names.index(c) if isinstance(c, str) else int(c) for c in chosen]


def pipeline_steps(pipeline):
    return [step for name, step in pipeline.steps if step is not None and step != "passthrough"]


def pipeline_transformer(step, columns):
    for part in pipeline_steps(step):
        columns = transform(part, columns)
    return columns


TRANSFORMERS = {
    "Binarizer": binarizer,
    "ColumnTransformer": column_transformer,
    "FeatureUnion": feature_union,
    "FunctionTransformer": function_transformer,
    "KBinsDiscretizer": k_bins_discretizer,
    "MaxAbsScaler": max_abs_scaler,
    "MinMaxScaler": min_max_scaler,
    "MissingIndicator": missing_indicator,
    "OneHotEncoder": one_hot_encoder,
    "OrdinalEncoder": ordinal_encoder,
    "Pipeline": pipeline_transformer,
    "RobustScaler": robust_scaler,
    "SimpleImputer": simple_imputer,
    "StandardScaler": standard_scaler,
}


def is_sklearns(step):
    return type(step).__module__.split(".")[0] == "sklearn"


def transform(step, columns):
    """Columns behind a transformer."""
    if isinstance(step, str):
        if step == "drop":
            return []
        if step == "passthrough":
            return columns
    # a subclass may do anything, so types must be scikit-learn's own
    if is_sklearns(step) and label(step) in TRANSFORMERS:
        return TRANSFORMERS[label(step)](step, columns)
    if is_sklearns(step) and hasattr(step, "get_support"):
        return selector(step, columns)
    raise CannotExport(f"{label(step)}: transformer is not supported")


# ---------------------------------------------------------------- the document

class Model:
    """An estimator over its columns, on the way to a document."""

    def __init__(self, estimator, columns):
        self.estimator = estimator
        self.columns = columns
        self.by_sets = False      # the estimator has categories of its own
        self.features = []
        for column in columns:
            if column.feature not in self.features:
                self.features.append(column.feature)
            if column.feature.levels is not None and column.op in ("value", "bin", "edges"):
                raise CannotExport(f"feature {column.feature.name!r} is used both as a number and as a category")

    def accept_missing(self):
        """The estimator itself has a place for missing values."""
        for column in self.columns:
            if not column.answers_missing() and column.feature.missing is None:
                column.feature.missing = "native"

    def answer_missing(self):
        """Missing values that have a code go where it goes, if all columns of their feature know where."""
        for feature in self.features:
            columns = [column for column in self.columns if column.feature is feature]
            if feature.missing is None and any(column.missing_code is not None for column in columns) and \
                    all(column.missing_code is not None or column.answers_missing() for column in columns):
                feature.missing = "native"

    def is_plain(self):
        """Are the columns the features, in order?"""
        return len(self.columns) == len(self.features) and all(
            column.is_plain() and column.feature is feature
            for column, feature in zip(self.columns, self.features))

    def needs_inputs(self):
        """Codes of categories are numbers only as inputs; without them they are tested by sets."""
        return not self.is_plain() or (not self.by_sets and any(c.op == "code" for c in self.columns))

    def document(self, family, scales, **members):
        """scales: center and scale of each column that the extension shall apply."""
        made = {"family": family, "features": [feature.document() for feature in self.features]}
        if self.needs_inputs():
            made["inputs"] = [column.document(self.features, *scale)
                              for column, scale in zip(self.columns, scales)]
        made.update({key: value for key, value in members.items() if value is not None})
        return made


def class_names(estimator):
    return [level_text(c) for c in estimator.classes_]


# ---------------------------------------------------------------- linear models

def dense(matrix):
    return matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix, dtype=float)


def code_levels(column, weights):
    """A column of codes, as one column a level: [(column, coefficients)] and what unknown ones give."""
    base = column.scaled(-1)                    # an unknown category
    made = [(column.but(op="level", arg=level, missing_code=None, steps=()), weights * (column.scaled(code) - base))
            for code, level in enumerate(column.feature.levels)]
    if column.missing_code is not None:
        made.append((Column(column.feature, "indicator"), weights * (column.scaled(column.missing_code) - base)))
    elif column.impute is None:
        column.feature.missing = "error"        # NaN to the estimator
        if column.feature.unknown == "missing":
            column.feature.unknown = "error"
    return made, weights * base


def without_codes(model, coefficients, intercept):
    """A weighted sum of columns (a row of coefficients for each sum), with a column a level for codes."""
    terms = []
    intercept = intercept.copy()
    for column, weights in zip(model.columns, coefficients.T):
        levels, base = code_levels(column, weights) if column.op == "code" else ([(column, weights)], 0.0)
        terms += levels
        intercept += base
    return (Model(model.estimator, [column for column, weights in terms]),
            [[float(weights[k]) for column, weights in terms] for k in range(len(coefficients))],
            [float(v) for v in intercept])


def linear_document(model, outputs=None, link="identity", link_param=1.0):
    estimator = model.estimator
    coefficients = np.atleast_2d(dense(estimator.coef_))
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, dtype=float).ravel(), (len(coefficients),))
    model, coefficients, intercept = without_codes(model, coefficients, intercept)
    return model.document(
        "linear", [column.affine() for column in model.columns],
        outputs=outputs or len(coefficients), link=link, link_param=link_param if link_param != 1 else None,
        intercept=intercept, coefficients=coefficients)


def linear_regressor(model):
    return linear_document(model)


def glm(model):
    estimator = model.estimator
    link = getattr(estimator, "link", "log")
    if link == "auto":
        link = "identity" if estimator.power <= 0 else "log"
    return linear_document(model, link=link)


def probability_classifier(model, several, link_param=1.0):
    names = class_names(model.estimator)
    if len(names) == 2:
        return linear_document(model, names[1:], "logit", link_param)
    return linear_document(model, names, several)


def logistic_regression(model):
    """What turns decisions into probabilities depends on version, solver and multi_class: ask."""
    estimator = model.estimator
    rows = np.random.default_rng(0).normal(size=(8, estimator.n_features_in_))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # names of the columns
        decision = estimator.decision_function(rows)
        shares = estimator.predict_proba(rows)
    if decision.ndim == 1:
        # a softmax of -d and d is the logistic of 2d
        param = 1.0 if np.allclose(shares[:, 1], 1 / (1 + np.exp(-decision)), atol=1e-12) else 2.0
        return probability_classifier(model, "softmax", param)
    odds = np.exp(decision - decision.max(axis=1, keepdims=True))
    softmax = np.allclose(shares, odds / odds.sum(axis=1, keepdims=True), atol=1e-12)
    return probability_classifier(model, "softmax" if softmax else "ovr")


def decision_classifier(model):
    """No probabilities: the output is the decision function."""
    names = class_names(model.estimator)
    return linear_document(model, names[1:] if len(names) == 2 else names)


def sgd_classifier(model):
    loss = model.estimator.loss
    if loss in ("log_loss", "log"):
        return probability_classifier(model, "ovr")
    if loss == "modified_huber":
        raise CannotExport("SGDClassifier: the probabilities of loss='modified_huber' are no link")
    return decision_classifier(model)


# ---------------------------------------------------------------- trees

class Nodes:
    """Columns of one tree of the document."""

    def __init__(self, model, float32):
        self.model = model
        self.float32 = float32
        self.rows = []

    def limit(self, c, threshold):
        """The threshold on column c as the document gives it."""
        column = self.model.columns[c]
        limit = float32_limit(threshold) if self.float32 else float(threshold)
        if column.imputed is not None and \
                (column.scaled(column.impute) <= limit) != (column.imputed <= limit):
            raise CannotExport(f"SimpleImputer: a split lies between the imputed value of {column.feature.name!r}"
                               " and the nearest one that scaling gives; impute before scaling")
        return limit if column.is_scalable() else column.limit(limit)

    def split(self, c, left, right, threshold=None, levels=None, missing_left=None, cover=None, gain=None):
        column = self.model.columns[c]
        if threshold is not None:
            threshold = self.limit(c, threshold)
            if column.missing_code is not None:
                missing_left = column.missing_code <= threshold
        missing_child = None if missing_left is None else left if missing_left else right
        if threshold is not None and column.op == "code" and self.model.by_sets:
            # an unknown category, which is in no set, has the code -1
            levels = [code for code in range(level_count(column.feature)) if code > threshold]
            left, right, threshold = right, left, None
        self.rows.append(dict(
            feature=int(c), threshold=threshold, levels=levels, left_child=int(left), right_child=int(right),
            missing_child=None if missing_child is None else int(missing_child), cover=cover, gain=gain))

    def leaf(self, value, cover=None):
        self.rows.append(dict(value=value, cover=cover))

    def document(self, output=None, weight=1.0):
        made = {} if output is None else {"output": output}
        if weight != 1:
            made["weight"] = float(weight)
        for key in ("feature", "threshold", "levels", "left_child", "right_child", "missing_child",
                    "value", "cover", "gain"):
            cells = [row.get(key) for row in self.rows]
            if key == "value" or any(cell is not None for cell in cells):
                made[key] = cells
        return made


def tree_document(model, trees, outputs, link="identity", **members):
    model.answer_missing()
    scales = [(column.steps[0].a, column.steps[0].b) if column.steps and column.is_scalable() else (0.0, 1.0)
              for column in model.columns]
    return model.document("tree", scales, outputs=outputs, link=link, **members, trees=trees)


def allows_nan(estimator):
    """Does the fitted estimator predict rows with missing values?"""
    try:
        return bool(estimator.__sklearn_tags__().input_tags.allow_nan)      # from 1.6
    except AttributeError:
        return bool(estimator._get_tags().get("allow_nan")) if hasattr(estimator, "_get_tags") else False


def gains(tree):
    """Weighted decrease of impurity, as feature_importances_ sums it."""
    weight = tree.weighted_n_node_samples * tree.impurity
    inner = tree.children_left >= 0
    gain = np.zeros(tree.node_count)
    gain[inner] = weight[inner] - weight[tree.children_left[inner]] - weight[tree.children_right[inner]]
    return gain


def classic_tree(model, tree, value, columns=None, with_gain=True):
    """A tree_ of scikit-learn; value(node) is what its leaf gives."""
    nodes = Nodes(model, float32=True)
    missing_left = getattr(tree, "missing_go_to_left", None)
    if missing_left is None or not allows_nan(model.estimator):
        missing_left = [None] * tree.node_count
    gain = gains(tree) if with_gain else [None] * tree.node_count
    for i in range(tree.node_count):
        cover = float(tree.weighted_n_node_samples[i])
        if tree.children_left[i] < 0:
            nodes.leaf(value(i), cover)
        else:
            feature = tree.feature[i] if columns is None else columns[tree.feature[i]]
            nodes.split(feature, tree.children_left[i], tree.children_right[i], tree.threshold[i],
                        missing_left=missing_left[i], cover=cover,
                        gain=float(gain[i]) if with_gain else None)
    return nodes


def note_missing(model):
    if allows_nan(model.estimator):
        model.accept_missing()


def regression_forest(model, trees, **members):
    """Trees whose leaves are one number, or one per target."""
    note_missing(model)
    n_outputs = trees[0].n_outputs
    made = []
    for tree in trees:
        values = tree.value[:, :, 0]
        made.append(classic_tree(model, tree, lambda i: float(values[i, 0]) if n_outputs == 1
                                 else [float(v) for v in values[i]]).document())
    return tree_document(model, made, n_outputs, **members)


def classification_forest(model, trees, **members):
    """Leaves are the shares of the classes (of all targets, one after the other)."""
    note_missing(model)
    estimator = model.estimator
    several = trees[0].n_outputs > 1
    classes = estimator.classes_ if several else [estimator.classes_]
    names = [f"{target}={level_text(c)}" if several else level_text(c)
             for target, of_target in enumerate(classes) for c in of_target]

    def shares(tree, i):
        # counts up to 1.2, shares from 1.3
        parts = [tree.value[i, target, :len(of_target)] for target, of_target in enumerate(classes)]
        return [float(v) for part in parts for v in part / (part.sum() or 1.0)]

    made = [classic_tree(model, tree, lambda i, tree=tree: shares(tree, i)).document() for tree in trees]
    if len(names) == 1:
        raise CannotExport(f"{label(estimator)}: there is one class only")
    return tree_document(model, made, names, **members)


def decision_tree_regressor(model):
    return regression_forest(model, [model.estimator.tree_])


def decision_tree_classifier(model):
    return classification_forest(model, [model.estimator.tree_])


def forest_regressor(model):
    return regression_forest(model, [e.tree_ for e in model.estimator.estimators_], aggregation="mean")


def forest_classifier(model):
    return classification_forest(model, [e.tree_ for e in model.estimator.estimators_], aggregation="mean")


def boosting_trees(model):
    estimator = model.estimator
    note_missing(model)
    several = estimator.estimators_.shape[1] > 1
    return [classic_tree(model, member.tree_, lambda i, tree=member.tree_: float(tree.value[i, 0, 0]))
            .document(k if several else None, estimator.learning_rate)
            for stage in estimator.estimators_ for k, member in enumerate(stage)]


def boosting_base(estimator):
    """Raw prediction before the first tree."""
    init = estimator.init_
    if not (isinstance(init, str) and init == "zero") and not label(init).startswith("Dummy"):
        raise CannotExport(f"{label(estimator)}: init={label(init)} is a model of its own")
    return [float(v) for v in np.ravel(estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_))))]


def gradient_boosting_regressor(model):
    return tree_document(model, boosting_trees(model), 1, base=boosting_base(model.estimator))


def gradient_boosting_classifier(model):
    estimator = model.estimator
    names = class_names(estimator)
    link, param = ("logit", None) if len(names) == 2 else ("softmax", None)
    if estimator.loss == "exponential":
        param = 2.0
    return tree_document(model, boosting_trees(model), names[1:] if len(names) == 2 else names, link,
                         link_param=param, base=boosting_base(estimator))


def average_path_length(n):
    """Of an unsuccessful search among n: Liu, Ting & Zhou (2008), equation 1."""
    if n <= 1:
        return 0.0
    if n == 2:
        return 1.0
    return 2.0 * (math.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n


def isolation_forest(model):
    """Response is score_samples(); the leaf of a tree is the expected length of the path."""
    estimator = model.estimator
    note_missing(model)
    unit = average_path_length(estimator.max_samples_)
    if unit == 0:
        raise CannotExport("IsolationForest: max_samples is 1")
    trees = []
    for member, columns in zip(estimator.estimators_, estimator.estimators_features_):
        tree = member.tree_
        depth = np.zeros(tree.node_count)
        for i in range(tree.node_count):        # a parent comes before its children
            if tree.children_left[i] >= 0:
                depth[[tree.children_left[i], tree.children_right[i]]] = depth[i] + 1
        trees.append(classic_tree(
            model, tree, lambda i: float(depth[i] + average_path_length(int(tree.n_node_samples[i]))),
            columns, with_gain=False).document())
    return tree_document(model, trees, ["score"], "isolation", link_param=unit, aggregation="mean")


# ---------------------------------------------------------------- histogram boosting

def bits_of(words):
    return {32 * w + b for w, word in enumerate(words) for b in range(32) if int(word) >> b & 1}


def declare_categories(model):
    """Features that HistGradientBoosting itself treats as categories: column -> known codes."""
    estimator = model.estimator
    flags = getattr(estimator, "_is_categorical_remapped", getattr(estimator, "is_categorical_", None))
    if flags is None or not np.any(flags):
        return {}
    if not model.is_plain():
        raise CannotExport(f"{label(estimator)}: with categories of its own (categorical_features)"
                           " only an OrdinalEncoder may come before it")
    model.by_sets = True
    bitsets, index = estimator._bin_mapper.make_known_categories_bitsets()
    known = {}
    for c in np.flatnonzero(flags):
        column = model.columns[c]
        known[c] = bits_of(bitsets[index[c]])
        if column.feature.levels is None:
            column.feature.set_levels(max(known[c], default=0) + 1, "missing", label(estimator))
        elif column.feature.unknown == "other":
            column.feature.unknown = "missing"      # a negative code
    return known


def level_count(feature):
    return feature.levels if isinstance(feature.levels, int) else len(feature.levels)


def hist_tree(model, predictor, known):
    nodes = Nodes(model, float32=False)
    for node in predictor.nodes:
        cover = float(node["count"])
        if node["is_leaf"]:
            nodes.leaf(float(node["value"]), cover)
            continue
        c, missing_left = int(node["feature_idx"]), bool(node["missing_go_to_left"])
        levels = None
        if node["is_categorical"]:
            left = bits_of(predictor.raw_left_cat_bitsets[node["bitset_idx"]])
            # a code that training did not have is missing
            gaps = set(range(level_count(model.columns[c].feature))) - known[c] if missing_left else set()
            levels = sorted(left | gaps)
        nodes.split(c, node["left"], node["right"],
                    None if node["is_categorical"] else float(node["num_threshold"]),
                    levels, missing_left, cover, float(node["gain"]))
    return nodes


def hist_boosting(model, outputs, link):
    estimator = model.estimator
    preprocessor = getattr(estimator, "_preprocessor", None)
    if preprocessor is not None:
        # from 1.4: categories are coded and moved to the front
        model = Model(estimator, transform(preprocessor, model.columns))
    known = declare_categories(model)
    model.accept_missing()
    several = len(estimator._predictors[0]) > 1
    trees = [hist_tree(model, predictor, known).document(k if several else None)
             for stage in estimator._predictors for k, predictor in enumerate(stage)]
    base = [float(v) for v in np.ravel(estimator._baseline_prediction)]
    return tree_document(model, trees, outputs, link, base=base)


def hist_boosting_regressor(model):
    loss = model.estimator.loss
    if not isinstance(loss, str):
        raise CannotExport(f"{label(model.estimator)}: a loss of your own")
    return hist_boosting(model, 1, "log" if loss in ("poisson", "gamma") else "identity")


def hist_boosting_classifier(model):
    names = class_names(model.estimator)
    if len(names) == 2:
        return hist_boosting(model, names[1:], "logit")
    return hist_boosting(model, names, "softmax")


# ---------------------------------------------------------------- networks

ACTIVATIONS = {"identity": None, "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


def network_document(model, outputs, link="identity"):
    """Layers of a multilayer perceptron; the last activation is the link."""
    estimator = model.estimator
    if estimator.activation not in ACTIVATIONS:
        raise CannotExport(f"{label(estimator)}: activation={estimator.activation!r}")
    activation = ACTIVATIONS[estimator.activation]
    # coefs_ has a row for each input; float32 numbers stay what they are
    matrices = [weights.T.astype(float) for weights in estimator.coefs_]
    biases = [bias.astype(float) for bias in estimator.intercepts_]
    model, first, bias = without_codes(model, matrices[0], biases[0])
    layers = [{"kind": "dense", "weights": first, "bias": bias}]
    for matrix, bias in zip(matrices[1:], biases[1:]):
        if activation is not None:
            layers[-1]["activation"] = activation
        layers.append({"kind": "dense", "weights": matrix.tolist(), "bias": bias.tolist()})
    return model.document("network", [column.affine() for column in model.columns],
                          outputs=outputs, link=link, layers=layers)


def mlp_regressor(model):
    return network_document(model, model.estimator.n_outputs_)


def mlp_classifier(model):
    """Two classes have one output; of several labels each has its own probability."""
    estimator = model.estimator
    names = class_names(estimator)
    if estimator.out_activation_ == "softmax":
        return network_document(model, names, "softmax")
    return network_document(model, names[-estimator.n_outputs_:], "logit")


# ---------------------------------------------------------------- estimators

ESTIMATORS = {
    **dict.fromkeys(("ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lars",
                     "LarsCV", "Lasso", "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC",
                     "LinearRegression", "LinearSVR", "MultiTaskElasticNet", "MultiTaskLasso",
                     "OrthogonalMatchingPursuit", "PassiveAggressiveRegressor", "QuantileRegressor", "Ridge",
                     "RidgeCV", "SGDRegressor", "TheilSenRegressor"), linear_regressor),
    **dict.fromkeys(("GammaRegressor", "PoissonRegressor", "TweedieRegressor"), glm),
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), logistic_regression),
    **dict.fromkeys(("LinearSVC", "PassiveAggressiveClassifier", "Perceptron", "RidgeClassifier",
                     "RidgeClassifierCV"), decision_classifier),
    "LinearDiscriminantAnalysis": logistic_regression,
    "SGDClassifier": sgd_classifier,
    **dict.fromkeys(("DecisionTreeRegressor", "ExtraTreeRegressor"), decision_tree_regressor),
    **dict.fromkeys(("DecisionTreeClassifier", "ExtraTreeClassifier"), decision_tree_classifier),
    **dict.fromkeys(("ExtraTreesRegressor", "RandomForestRegressor"), forest_regressor),
    **dict.fromkeys(("ExtraTreesClassifier", "RandomForestClassifier"), forest_classifier),
    "GradientBoostingRegressor": gradient_boosting_regressor,
    "GradientBoostingClassifier": gradient_boosting_classifier,
    "HistGradientBoostingRegressor": hist_boosting_regressor,
    "HistGradientBoostingClassifier": hist_boosting_classifier,
    "IsolationForest": isolation_forest,
    "MLPClassifier": mlp_classifier,
    "MLPRegressor": mlp_regressor,
}


def first_attribute(estimator, name):
    """An attribute of the estimator, or of the first step of its pipeline."""
    while estimator is not None:
        value = getattr(estimator, name, None)
        if value is not None:
            return value
        steps = pipeline_steps(estimator) if label(estimator) == "Pipeline" else []
        estimator = steps[0] if steps else None
    return None


def input_names(estimator, feature_names):
    n = first_attribute(estimator, "n_features_in_")
    if n is None:
        raise CannotExport(f"{label(estimator)}: the model is not fitted")
    names = first_attribute(estimator, "feature_names_in_") if feature_names is None else feature_names
    names = [f"x{i}" for i in range(n)] if names is None else [str(name) for name in names]
    if len(names) != n:
        raise CannotExport(f"feature_names has {len(names)} names, the model has {n} features")
    return names


def export(estimator, feature_names=None):
    """The document of a fitted estimator or pipeline, as a dict.

    feature_names: names of the features in order; by default those that the
    model saw in training, or else x0, x1, ...
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    columns = [Column(Feature(name)) for name in input_names(estimator, feature_names)]
    while is_sklearns(estimator) and label(estimator) == "Pipeline":
        *steps, estimator = pipeline_steps(estimator)
        for step in steps:
            columns = transform(step, columns)
        estimator = getattr(estimator, "best_estimator_", estimator)
    if not is_sklearns(estimator) or label(estimator) not in ESTIMATORS:
        raise CannotExport(f"{label(estimator)}: estimator is not supported")
    return ESTIMATORS[label(estimator)](Model(estimator, columns))


def strict(value):
    """JSON has no infinity: the extension reads it from a string."""
    if isinstance(value, dict):
        return {key: strict(member) for key, member in value.items()}
    if isinstance(value, list):
        return [strict(member) for member in value]
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def dumps(estimator, feature_names=None):
    """The document as text: write it into a literal, a parameter or a file."""
    return json.dumps(strict(export(estimator, feature_names)), allow_nan=False, ensure_ascii=False)


def main():
    parser = argparse.ArgumentParser(description="Write a fitted scikit-learn model as JSON for explain.model.")
    parser.add_argument("model", help="file written by joblib.dump or pickle.dump; open only files you trust")
    parser.add_argument("--feature-names", help="names of the features in order, separated by commas")
    parser.add_argument("-o", "--output", help="file to write; standard output by default")
    options = parser.parse_args()

    import joblib
    names = options.feature_names.split(",") if options.feature_names else None
    try:
        text = dumps(joblib.load(options.model), names)
    except CannotExport as error:
        sys.exit(f"sklearn_export: {error}")
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    else:
        sys.stdout.reconfigure(encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
