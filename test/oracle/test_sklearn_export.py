#!/usr/bin/python3
"""tools/sklearn_export.py against scikit-learn itself, row by row.

Each case trains a small model or pipeline, exports it, and compares raw values
and responses of the kernels (predict_driver.c, no server) with scikit-learn's.
Rows lie on the splits' thresholds and up to two double ulps and one float32
ulp beside them, mapped back through the scaling in front; others have missing
values and unknown categories, where both sides must agree on who refuses.

Prints TAP.  BUILD names a folder with kernels.a; without it the kernels are
compiled.  A word as argument runs the cases whose names contain it.
"""
import csv
import glob
import json
import os
import subprocess
import sys
import tempfile
import warnings

os.environ["OMP_NUM_THREADS"] = "1"     # threads that wait for each other take ten times as long

import numpy as np                                                          # noqa: E402
import pandas as pd
import sklearn
from sklearn import datasets, ensemble, linear_model, preprocessing, svm, tree
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))
import sklearn_export                                                       # noqa: E402

TOLERANCE = 1e-12
warnings.simplefilter("ignore")


# ---------------------------------------------------------------- TAP

class Tap:
    def __init__(self, only):
        self.only = only
        self.count = self.failed = 0
        self.worst = 0.0
        self.rows = 0

    def wants(self, name):
        return self.only in name

    def ok(self, held, name, *comments):
        self.count += 1
        self.failed += not held
        print(f"{'ok' if held else 'not ok'} {self.count} - {name}")
        for comment in () if held else comments:
            print("#  ", str(comment).replace("\n", "\n#   "))
        sys.stdout.flush()

    def done(self):
        print(f"# {self.rows} rows compared, largest difference {self.worst:.2g} of the scale; scikit-learn {sklearn.__version__}")
        print(f"1..{self.count}")
        return self.failed > 0 or self.count == 0


# ---------------------------------------------------------------- the kernels

def build_driver(folder):
    """The driver, linked with the kernels that the build made, or else with its own."""
    flags = ["-std=gnu99", "-O1", "-ffp-contract=off", "-D_GNU_SOURCE", "-w",
             *(f"-I{TOP}/{part}" for part in ("src", "src/kernel", "test/unit"))]
    compiler = os.environ.get("CC", "gcc")
    archive = os.path.join(os.environ.get("BUILD", ""), "kernels.a")
    objects = [archive]
    if not os.path.exists(archive):
        objects = []
        for source in sorted(glob.glob(f"{TOP}/src/kernel/*.c")):
            objects.append(os.path.join(folder, os.path.basename(source)[:-2] + ".o"))
            wide = ["-mavx2", "-mno-fma"] if source.endswith("_avx2.c") and os.uname().machine == "x86_64" else []
            subprocess.run([compiler, *flags, *wide, "-c", source, "-o", objects[-1]], check=True)
    driver = os.path.join(folder, "driver")
    subprocess.run([compiler, *flags, f"{TOP}/test/oracle/predict_driver.c", *objects, "-lm", "-o", driver],
                   check=True)
    return driver


def cell(value):
    if sklearn_export.is_missing(value):
        return "\\N"
    if isinstance(value, (float, np.floating)) and not float(value).is_integer():
        return repr(float(value))
    return sklearn_export.level_text(value)


class Refused(Exception):
    """The kernels do not take the model."""


def kernel_predictions(driver, document, rows):
    """Raw values and responses of each row, or the reason (text) why it is refused."""
    text = json.dumps(sklearn_export.strict(document)) if isinstance(document, dict) else document
    model = text.encode()
    lines = "".join("\t".join(cell(v) for v in row) + "\n" for row in rows)
    run = subprocess.run([driver], input=b"%d\n%s\n%s" % (len(model), model, lines.encode()),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode != 0:
        raise Refused(run.stderr.decode().strip() or f"exit status {run.returncode}")
    header, *answers = run.stdout.decode().splitlines()
    n_outputs = int(header.split("\t")[1])
    made = []
    for answer in answers:
        numbers = answer.split("\t")
        made.append(numbers[1] if numbers[0] == "error" else
                    (np.array(numbers[:n_outputs], float), np.array(numbers[n_outputs:], float)))
    return made


# ---------------------------------------------------------------- the peer

def two_dimensional(values):
    values = np.asarray(values, dtype=float)
    return values.reshape(len(values), -1)


def several_targets(parts):
    return np.hstack(parts) if isinstance(parts, list) else parts


def perceptron_raw(model, last, rows):
    """What scikit-learn's forward pass gives without the last activation."""
    activation, last.out_activation_ = last.out_activation_, "identity"
    try:
        inside = model[:-1].transform(rows) if isinstance(model, Pipeline) else np.asarray(rows)
        return two_dimensional(last._forward_pass_fast(inside))
    finally:
        last.out_activation_ = activation


def peer_predictions(model, rows):
    """(raw, response) of scikit-learn; raw is None where it does not show it."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if isinstance(last, ensemble.IsolationForest):
        return None, two_dimensional(model.score_samples(rows))
    if isinstance(last, MLPClassifier):
        raw, shares = perceptron_raw(model, last, rows), two_dimensional(model.predict_proba(rows))
        return raw, shares[:, 1:] if raw.shape[1] == 1 else shares
    if hasattr(model, "predict_proba"):
        shares = several_targets(model.predict_proba(rows))
        if not hasattr(model, "decision_function"):
            return shares, shares
        raw = two_dimensional(model.decision_function(rows))
        return raw, shares[:, 1:] if raw.shape[1] == 1 else shares
    if hasattr(model, "decision_function"):
        raw = two_dimensional(model.decision_function(rows))
        return raw, raw
    response = two_dimensional(model.predict(rows))
    logarithmic = getattr(last, "loss", None) == "poisson" or \
        isinstance(last, (linear_model.PoissonRegressor, linear_model.GammaRegressor)) or \
        isinstance(last, linear_model.TweedieRegressor) and last.power > 0
    return (np.log(response) if logarithmic else response), response


def peer_rows(model, rows):
    """Row by row, with None where scikit-learn refuses."""
    try:
        raw, response = peer_predictions(model, rows)
        return [(None if raw is None else raw[i], response[i]) for i in range(len(rows))]
    except (ValueError, TypeError):
        if len(rows) == 1:
            return [None]
        half = len(rows) // 2
        return peer_rows(model, rows[:half]) + peer_rows(model, rows[half:])


# ---------------------------------------------------------------- rows to try

def thresholds(model):
    """(column of the last step, threshold) of all numeric splits."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if hasattr(last, "_predictors"):
        return [(int(node["feature_idx"]), float(node["num_threshold"]))
                for stage in last._predictors for predictor in stage for node in predictor.nodes
                if not node["is_leaf"] and not node["is_categorical"]]
    members = [last] if hasattr(last, "tree_") else np.ravel(getattr(last, "estimators_", []))
    subsets = getattr(last, "estimators_features_", [None] * len(members))
    return [(int(f if subset is None else subset[f]), float(t)) for member, subset in zip(members, subsets)
            for f, t in zip(member.tree_.feature, member.tree_.threshold) if f >= 0]


def around(z, unscale):
    """Values of the feature whose column is at z, or a step beside it in either width."""
    z32 = np.float32(z)
    next32 = np.nextafter(z32, np.float32(np.inf))
    previous32 = np.nextafter(z32, np.float32(-np.inf))
    edges = [z, float(z32), float(next32), float(previous32),
             (float(z32) + float(next32)) / 2, (float(z32) + float(previous32)) / 2]
    for edge in edges:
        x = unscale(edge)
        for ulps in range(-2, 3):
            y = x
            for _ in range(abs(ulps)):
                y = np.nextafter(y, np.inf if ulps > 0 else -np.inf)
            yield float(y)


def unscale(column):
    def inverse(z):
        for step in reversed(column.steps):
            z = z * step.b + step.a if step.kind == "divide" else (z - step.b) / step.a
        return z
    return inverse


def edge_values(columns, model, rng, most=40):
    """(feature, value) for values of features that put a column on a threshold."""
    found = thresholds(model)
    picked = rng.permutation(len(found))[:most]
    values = []
    for c, threshold in (found[i] for i in picked):
        column = columns[c]
        if column.op == "value" and np.isfinite(threshold):
            values += [(column.feature.name, x) for x in around(threshold, unscale(column))]
    for column in columns:
        if column.op in ("bin", "edges"):
            values += [(column.feature.name, y) for x in column.arg if np.isfinite(x)
                       for y in (x, np.nextafter(x, np.inf), np.nextafter(x, -np.inf))]
    return values


def frame_of(model, data):
    return data if isinstance(data, pd.DataFrame) else pd.DataFrame(
        data, columns=[f"x{i}" for i in range(np.shape(data)[1])])


def mixed_rows(frame, rng, n):
    """Rows whose values come from different rows, numbers stretched beyond the data."""
    made = pd.DataFrame({name: frame[name].to_numpy()[rng.integers(0, len(frame), n)] for name in frame.columns})
    for name in made.columns:
        if made[name].dtype.kind == "f":
            made[name] = made[name] * rng.choice([1, 1, 1.37, 3, -2], n)
    return [row for _, row in made.iterrows()]


def rows_for(model, data, columns, names, odd, mixed):
    """Rows of the training data, rows on edges, rows with missing and unknown values."""
    rng = np.random.default_rng(11)
    frame = frame_of(model, data)
    rows = [frame.iloc[i].copy() for i in rng.integers(0, len(frame), 40)] + mixed_rows(frame, rng, mixed)

    def changed(name, value):
        row = frame.iloc[rng.integers(0, len(frame))].copy()
        row[name] = value
        rows.append(row)

    for name, value in edge_values(columns, model, rng):
        changed(name, value)
    for name in names:
        for value in [np.nan] + list(odd.get(name, [])):
            changed(name, value)
            changed(name, value)
    made = pd.DataFrame([list(row) for row in rows], columns=list(frame.columns))
    for name in made.columns:
        if frame[name].dtype == object:
            made[name] = made[name].astype(object)
    return made


# ---------------------------------------------------------------- comparing

def difference(got, expected, scale):
    """Largest difference in units of the scale."""
    if np.shape(got) != np.shape(expected) or np.isnan(got).any() != np.isnan(expected).any():
        return np.inf
    off = np.where(got == expected, 0, np.abs(got - expected))
    return float(np.max(off / scale, initial=0))


def compare(tap, name, got, expected):
    """Every row: the same refusal, or raw and response within the tolerance."""
    pairs = [(g, e) for g, e in zip(got, expected) if e is not None and not isinstance(g, str)]
    refusals = [i for i, (g, e) in enumerate(zip(got, expected)) if isinstance(g, str) != (e is None)]
    raw_scale = max([1.0] + [float(np.max(np.abs(e[0]))) for g, e in pairs if e[0] is not None])
    worst, where = 0.0, None
    for i, (g, e) in enumerate(zip(got, expected)):
        if isinstance(g, str) or e is None:
            continue
        off = difference(g[1], e[1], np.maximum(1.0, np.abs(e[1])))
        if e[0] is not None:
            off = max(off, difference(g[0], e[0], raw_scale))
        if not off <= worst:
            worst, where = off, i
    tap.rows += len(pairs)
    tap.worst = max(tap.worst, worst)
    tap.ok(worst <= TOLERANCE and len(pairs) >= 10, f"{name}: {len(pairs)} rows agree",
           f"off by {worst:.3g} of the scale in row {where}",
           where is not None and f"got {got[where]}, expected {expected[where]}", f"{len(pairs)} rows")
    tap.ok(not refusals, f"{name}: {sum(e is None for e in expected)} rows refused by both",
           *(f"row {i}: got {got[i]}, expected {'a refusal' if expected[i] is None else expected[i]}"
             for i in refusals[:5]))


def columns_of(model, names):
    """The exporter's own idea of the last step's columns, to find rows worth trying."""
    columns = [sklearn_export.Column(sklearn_export.Feature(name)) for name in names]
    for step in sklearn_export.pipeline_steps(model)[:-1] if isinstance(model, Pipeline) else []:
        columns = sklearn_export.transform(step, columns)
    return columns


def check(tap, driver, name, model, data, target, odd=None, mixed=0):
    if not tap.wants(name):
        return
    model.fit(data, target)
    document = sklearn_export.export(model)
    frame = frame_of(model, data)
    names = [f if isinstance(f, str) else f["name"] for f in document["features"]]
    rows = rows_for(model, data, columns_of(model, list(frame.columns)), names, odd or {}, mixed)
    try:
        got = kernel_predictions(driver, document, rows[names].itertuples(index=False))
    except Refused as refused:
        tap.ok(False, f"{name}: accepted", refused)
        return
    peer = rows if isinstance(data, pd.DataFrame) else rows.to_numpy(dtype=float)
    compare(tap, name, got, peer_rows(model, peer))


# ---------------------------------------------------------------- data

def regression_data():
    return datasets.load_diabetes(return_X_y=True)


def class_data():
    x, y = datasets.load_wine(return_X_y=True)
    return x, y


def binary_data():
    x, y = datasets.load_breast_cancer(return_X_y=True)
    return x[:, :8], np.array(["good", "bad"])[y]


def decimals(seed=0, n=500):
    """Numbers with one decimal: most of them sit on thresholds; NaN in 10 %."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(n, 4)), 1)
    y = x[:, 0] + (x[:, 1] > 0.3) - x[:, 2] * x[:, 3] + 0.1 * rng.normal(size=n)
    return x, y, np.where(rng.random(x.shape) < 0.1, np.nan, x)


def people(missing=True, seed=3, n=500):
    """A table as users have it: numbers and categories, with missing values."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "weight": np.round(rng.normal(70, 12, n), 1),
        "height": np.round(rng.normal(170, 9, n), 1),
        "colour": rng.choice(["red", "green", "blue"], n).astype(object),
        "size": rng.choice(["S", "M", "L", "XL", "it's \"ö\""], n).astype(object),
        "rooms": rng.choice([1.0, 2.0, 3.5], n),
        "note": rng.choice(["a", "b"], n).astype(object),
    })
    y = (frame.weight - frame.height / 3 + 8 * (frame.colour == "red") - 5 * (frame["size"] == "S")
         + 3 * frame.rooms + rng.normal(0, 3, n))
    if missing:
        for name in ("weight", "height", "colour", "size"):
            frame.loc[rng.random(n) < 0.1, name] = np.nan
    return frame, y.to_numpy(), (y > y.median()).to_numpy()


ODD = {"colour": ["mauve", "Red", ""], "size": ["XXL"], "rooms": [2, 7.0]}


def numbers_and_categories(numeric, categorical, remainder="drop"):
    return ColumnTransformer([("numbers", numeric, ["weight", "height"]),
                              ("categories", categorical, ["colour", "size"])], remainder=remainder)


# ---------------------------------------------------------------- cases

def linear_cases(run):
    x, y = regression_data()
    run("LinearRegression", linear_model.LinearRegression(), x, y)
    run("LinearRegression without intercept", linear_model.LinearRegression(fit_intercept=False), x, y)
    run("Ridge, two targets", linear_model.Ridge(), x, np.column_stack([y, -y ** 0.5]))
    run("StandardScaler, Lasso", make_pipeline(preprocessing.StandardScaler(), linear_model.Lasso()), x, y)
    run("MinMaxScaler, ElasticNet", make_pipeline(preprocessing.MinMaxScaler((-1, 2)),
                                                  linear_model.ElasticNet(alpha=0.01)), x, y)
    run("MaxAbsScaler, RobustScaler, SGDRegressor", make_pipeline(
        preprocessing.MaxAbsScaler(), preprocessing.RobustScaler(),
        linear_model.SGDRegressor(random_state=0)), x, y)
    run("PoissonRegressor", linear_model.PoissonRegressor(max_iter=500), x, y)
    run("GammaRegressor", linear_model.GammaRegressor(max_iter=500), x, y)
    run("TweedieRegressor 1.5", linear_model.TweedieRegressor(power=1.5, max_iter=500), x, y)
    run("TweedieRegressor 0", linear_model.TweedieRegressor(power=0), x, y)


def linear_class_cases(run):
    x, y = class_data()
    b, c = binary_data()
    scaled = preprocessing.StandardScaler
    logistic = linear_model.LogisticRegression
    run("LogisticRegression, two classes", make_pipeline(scaled(), logistic()), b, c)
    run("LogisticRegression, two classes as softmax",
        make_pipeline(scaled(), logistic(multi_class="multinomial")), b, c)
    run("LogisticRegression, softmax", make_pipeline(preprocessing.RobustScaler(), logistic(max_iter=1000)), x, y)
    run("LogisticRegression, one versus rest",
        make_pipeline(scaled(), logistic(solver="liblinear", multi_class="ovr")), x, y)
    run("LogisticRegressionCV", make_pipeline(scaled(), linear_model.LogisticRegressionCV(Cs=2, cv=2)), x, y)
    run("SGDClassifier log_loss", make_pipeline(
        scaled(), linear_model.SGDClassifier(loss="log_loss", random_state=0)), x, y)
    run("SGDClassifier hinge", make_pipeline(scaled(), linear_model.SGDClassifier(random_state=0)), b, c)
    run("LinearSVC", make_pipeline(scaled(), svm.LinearSVC(random_state=0)), x, y)
    run("RidgeClassifier", linear_model.RidgeClassifier(), x, y)
    run("LinearDiscriminantAnalysis", LinearDiscriminantAnalysis(), x, y)
    run("LinearDiscriminantAnalysis, two classes", LinearDiscriminantAnalysis(), b, c)


def tree_cases(run):
    x, y, holes = decimals()
    classes = np.digitize(y, [-1, 1])
    binary = np.where(y > 0, "yes", "no")
    run("DecisionTreeRegressor", tree.DecisionTreeRegressor(max_depth=6, random_state=0), x, y)
    run("DecisionTreeClassifier", tree.DecisionTreeClassifier(max_depth=5, random_state=0), x, classes)
    run("RandomForestRegressor, two targets", ensemble.RandomForestRegressor(10, max_depth=5, random_state=0),
        x, np.column_stack([y, y ** 2]))
    run("RandomForestClassifier", ensemble.RandomForestClassifier(
        10, max_depth=6, random_state=0, class_weight="balanced"), x, classes)
    run("RandomForestClassifier, two targets", ensemble.RandomForestClassifier(
        5, max_depth=4, random_state=0), x, np.column_stack([classes, binary == "yes"]))
    run("ExtraTreesClassifier", ensemble.ExtraTreesClassifier(10, max_depth=6, random_state=0), x, binary)
    run("ExtraTreesRegressor", ensemble.ExtraTreesRegressor(10, max_depth=6, random_state=0), x, y)
    boosted = dict(n_estimators=20, random_state=0)
    run("GradientBoostingRegressor", ensemble.GradientBoostingRegressor(**boosted), x, y)
    run("GradientBoostingRegressor, init zero",
        ensemble.GradientBoostingRegressor(loss="huber", init="zero", **boosted), x, y)
    run("GradientBoostingClassifier", ensemble.GradientBoostingClassifier(**boosted), x, binary)
    run("GradientBoostingClassifier, exponential",
        ensemble.GradientBoostingClassifier(loss="exponential", subsample=0.7, **boosted), x, binary)
    run("GradientBoostingClassifier, three classes", ensemble.GradientBoostingClassifier(**boosted), x, classes)
    run("IsolationForest", ensemble.IsolationForest(n_estimators=20, max_features=3, random_state=0), x, None)


def hist_cases(run):
    x, y, holes = decimals(n=800)
    classes = np.digitize(y, [-1, 1])
    hist = dict(max_iter=15, random_state=0, min_samples_leaf=5)
    run("HistGradientBoostingRegressor", ensemble.HistGradientBoostingRegressor(**hist), holes, y)
    run("HistGradientBoostingRegressor, no missing values in training",
        ensemble.HistGradientBoostingRegressor(**hist), x, y)
    run("HistGradientBoostingRegressor, poisson",
        ensemble.HistGradientBoostingRegressor(loss="poisson", **hist), holes, np.exp(y / 3))
    run("HistGradientBoostingClassifier", ensemble.HistGradientBoostingClassifier(**hist), holes, y > 0)
    run("HistGradientBoostingClassifier, three classes",
        ensemble.HistGradientBoostingClassifier(**hist), holes, classes)
    codes = holes.copy()
    rng = np.random.default_rng(5)
    codes[:, 0] = rng.integers(0, 40, len(x)) * 2       # odd codes are gaps
    codes[rng.random(len(x)) < 0.1, 0] = np.nan
    codes[:, 2] = rng.integers(0, 5, len(x))
    target = np.sin(codes[:, 2]) + np.where(np.isnan(codes[:, 0]), 1, np.cos(codes[:, 0])) + np.nan_to_num(codes[:, 1])
    odd = {"x0": [1, 3, 78, 79, 120, -1, 4.7], "x2": [5, -3, 200]}
    run("HistGradientBoostingClassifier, categories",
        ensemble.HistGradientBoostingClassifier(categorical_features=[0, 2], **hist), codes, target > 0, odd)
    run("HistGradientBoostingRegressor, categories",
        ensemble.HistGradientBoostingRegressor(categorical_features=[0, 2], **hist), codes, target, odd)


def pipeline_cases(run):
    frame, y, binary = people()
    impute = make_pipeline(SimpleImputer(), preprocessing.StandardScaler())
    plain = preprocessing.OneHotEncoder(handle_unknown="ignore")
    prepared = numbers_and_categories(impute, plain)
    forest = ensemble.RandomForestClassifier(10, max_depth=6, random_state=0)
    run("impute, scale, one-hot, LogisticRegression",
        make_pipeline(prepared, linear_model.LogisticRegression()), frame, binary, ODD)
    run("impute, scale, one-hot, RandomForest", make_pipeline(prepared, forest), frame, binary, ODD)
    run("impute, scale, one-hot, GradientBoosting", make_pipeline(
        prepared, ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0)), frame, y, ODD)
    imputed = make_pipeline(SimpleImputer(strategy="most_frequent"),
                            preprocessing.OneHotEncoder(drop="first", handle_unknown="ignore"))
    run("imputed categories, dropped first", make_pipeline(
        numbers_and_categories(impute, imputed), forest), frame, binary, ODD)
    run("imputed categories, dropped first, Ridge", make_pipeline(
        numbers_and_categories(impute, imputed), linear_model.Ridge()), frame, y, ODD)
    constant = make_pipeline(SimpleImputer(strategy="constant", fill_value="none"),
                             preprocessing.OneHotEncoder())
    run("constant for missing categories, unknown is an error", make_pipeline(
        numbers_and_categories(SimpleImputer(strategy="median", add_indicator=True), constant), forest),
        frame, binary, ODD)
    run("indicators, LinearRegression", make_pipeline(
        numbers_and_categories(SimpleImputer(add_indicator=True), constant),
        linear_model.LinearRegression()), frame, y, ODD)
    run("remainder passes", make_pipeline(
        ColumnTransformer([("categories", plain, ["note", "colour"]), ("gone", "drop", ["size", "weight", "height"])],
                          remainder="passthrough"), forest), frame, binary, ODD)
    run("scaled, then imputed", make_pipeline(
        ColumnTransformer([("n", make_pipeline(preprocessing.StandardScaler(), SimpleImputer()),
                            slice("weight", "height"))]), forest), frame, binary, ODD)
    unions = FeatureUnion([("scaled", impute), ("there", MissingIndicator())])
    run("FeatureUnion", make_pipeline(ColumnTransformer([("n", unions, ["weight", "height"])]),
                                      tree.DecisionTreeRegressor(max_depth=6, random_state=0)), frame, y)


def encoder_cases(run):
    frame, y, binary = people(missing=False)
    holes, _, _ = people()
    forest = ensemble.RandomForestRegressor(10, max_depth=6, random_state=0)
    onehot = preprocessing.OneHotEncoder
    numeric = onehot(drop="if_binary")
    run("one-hot of numbers and pairs", make_pipeline(
        ColumnTransformer([("c", numeric, ["rooms", "note", "colour"])], remainder="drop"), forest), frame, y, ODD)
    missing = frame.copy()
    missing["colour"] = holes["colour"]
    run("one-hot with a missing category", make_pipeline(
        ColumnTransformer([("c", onehot(handle_unknown="ignore"), ["colour", "rooms"])],
                          remainder="drop"), forest), missing, y, ODD)
    run("one-hot with a missing category, Lasso", make_pipeline(
        ColumnTransformer([("c", onehot(handle_unknown="ignore"), ["colour", "rooms"])],
                          remainder="drop"), preprocessing.MaxAbsScaler(), linear_model.Lasso(alpha=0.1)), missing, y, ODD)
    boolean = frame[["weight"]].assign(tall=(frame.height > 170).astype(object))
    run("one-hot of booleans", make_pipeline(
        ColumnTransformer([("c", onehot(), ["tall"])], remainder="passthrough"), forest), boolean, y)
    ordinal = preprocessing.OrdinalEncoder
    known = ColumnTransformer([("c", ordinal(), ["colour", "size"])], remainder="drop")
    run("ordinal codes", make_pipeline(known, forest), frame, y, ODD)
    other = ordinal(handle_unknown="use_encoded_value", unknown_value=-1)
    run("ordinal codes, unknown is -1", make_pipeline(
        ColumnTransformer([("c", other, ["colour", "size", "rooms"])], remainder="drop"), forest), frame, y, ODD)
    run("ordinal codes, Ridge", make_pipeline(
        ColumnTransformer([("c", ordinal(), ["colour", "size"]), ("n", "passthrough", ["weight"])]),
        preprocessing.StandardScaler(), linear_model.Ridge()), frame, y, ODD)
    run("ordinal codes, missing and unknown, Ridge", make_pipeline(
        ColumnTransformer([("c", ordinal(encoded_missing_value=-2, handle_unknown="use_encoded_value",
                                         unknown_value=-1), ["colour", "size"])], remainder="drop"),
        linear_model.Ridge()), holes, y, ODD)
    run("ordinal codes, imputed, Ridge", make_pipeline(
        ColumnTransformer([("c", make_pipeline(SimpleImputer(strategy="most_frequent"), ordinal()),
                            ["colour", "size"])], remainder="drop"), linear_model.Ridge()), holes, y, ODD)
    run("ordinal codes, missing is -2", make_pipeline(
        ColumnTransformer([("c", ordinal(encoded_missing_value=-2), ["colour", "size"])], remainder="drop"), forest),
        holes, y, ODD)
    run("ordinal codes, missing and unknown", make_pipeline(
        ColumnTransformer([("c", ordinal(encoded_missing_value=7, handle_unknown="use_encoded_value",
                                         unknown_value=-1), ["colour", "size"])],
                          remainder="drop"), preprocessing.MinMaxScaler(), forest), holes, y, ODD)
    run("ordinal codes, scaled", make_pipeline(
        ColumnTransformer([("c", make_pipeline(ordinal(), preprocessing.StandardScaler()), ["colour", "size"])],
                          remainder="drop"), forest), frame, y, ODD)
    unknown = ordinal(handle_unknown="use_encoded_value", unknown_value=np.nan)
    coded = ColumnTransformer([("c", unknown, ["colour", "size"]), ("n", "passthrough", ["weight", "height"])])
    hist = dict(max_iter=15, random_state=0, min_samples_leaf=5)
    run("ordinal codes as numbers, HistGradientBoosting", make_pipeline(
        coded, ensemble.HistGradientBoostingRegressor(**hist)), holes, y, ODD)
    run("ordinal codes as categories, HistGradientBoosting", make_pipeline(
        coded, ensemble.HistGradientBoostingRegressor(categorical_features=[0, 1], **hist)), holes, y, ODD)
    run("ordinal codes, one of them a category", make_pipeline(
        coded, ensemble.HistGradientBoostingRegressor(categorical_features=[1], **hist)), holes, y, ODD)
    minus = ColumnTransformer([("c", other, ["colour", "size"]), ("n", "passthrough", ["weight", "height"])])
    run("ordinal codes with -1 as categories", make_pipeline(
        minus, ensemble.HistGradientBoostingRegressor(categorical_features=[0, 1], **hist)), frame, y,
        {"colour": ODD["colour"], "size": ODD["size"]})
    run("ordinal codes with -1, one of them a category", make_pipeline(
        minus, ensemble.HistGradientBoostingRegressor(categorical_features=[0], **hist)), frame, y,
        {"colour": ODD["colour"], "size": ODD["size"]})


def scaling_cases(run):
    x, y, _ = decimals()
    frame, target, binary = people(missing=False)
    forest = ensemble.RandomForestRegressor(10, max_depth=6, random_state=0)
    standard, minmax = preprocessing.StandardScaler, preprocessing.MinMaxScaler
    run("StandardScaler, forest", make_pipeline(standard(), forest), x, y)
    run("StandardScaler without mean", make_pipeline(standard(with_mean=False), forest), x, y)
    run("MinMaxScaler, forest", make_pipeline(minmax(), forest), x, y)
    run("MinMaxScaler with clip", make_pipeline(minmax((-3, 1), clip=True), forest), x, y,
        {"x0": [-99, 99], "x1": [-1e300, 1e300]})
    run("RobustScaler, MinMaxScaler, StandardScaler", make_pipeline(
        preprocessing.RobustScaler(), minmax(), standard(), forest), x, y)
    run("MaxAbsScaler, HistGradientBoosting", make_pipeline(
        preprocessing.MaxAbsScaler(), ensemble.HistGradientBoostingRegressor(max_iter=10)), x, y)
    run("KBinsDiscretizer, ordinal", make_pipeline(
        preprocessing.KBinsDiscretizer(5, encode="ordinal"), forest), x, y)
    run("StandardScaler, KBinsDiscretizer, one-hot", make_pipeline(
        standard(), preprocessing.KBinsDiscretizer(4, encode="onehot"), forest), x, y)
    run("KBinsDiscretizer, one-hot, LinearRegression", make_pipeline(
        preprocessing.KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"), linear_model.Ridge()), x, y)
    run("KBinsDiscretizer, ordinal, Ridge", make_pipeline(
        preprocessing.KBinsDiscretizer(4, encode="ordinal", strategy="uniform"), linear_model.Ridge()), x, y)
    run("Binarizer, SelectKBest", make_pipeline(
        preprocessing.Binarizer(threshold=0.3), SelectKBest(k=3), forest), x, y)
    run("one-hot, scaled", make_pipeline(
        ColumnTransformer([("c", make_pipeline(preprocessing.OneHotEncoder(sparse_output=False), standard()),
                            ["colour", "size"])], remainder="drop"), forest), frame, target, ODD)
    run("scaled before IsolationForest", make_pipeline(
        standard(), ensemble.IsolationForest(n_estimators=10, random_state=0)), x, None)


def network_cases(run):
    x, y = regression_data()
    c, classes = class_data()
    b, binary = binary_data()
    scaled = preprocessing.StandardScaler
    small = dict(hidden_layer_sizes=(13, 7), max_iter=60, random_state=0)

    def perceptron(name, model, data, target, odd=None):
        run(name, model, data, target, odd, 1000)

    for activation in ("identity", "logistic", "tanh", "relu"):
        perceptron(f"MLPRegressor, {activation}", MLPRegressor(activation=activation, **small), x, y)
        perceptron(f"MLPClassifier, {activation}, two classes", make_pipeline(
            scaled(), MLPClassifier(activation=activation, **small)), b, binary)
    perceptron("MLPRegressor, two targets", make_pipeline(preprocessing.MinMaxScaler(), MLPRegressor(**small)),
               x, np.column_stack([y, y ** 0.5]))
    perceptron("MLPRegressor, one layer", MLPRegressor((), max_iter=20, random_state=0), x, y)
    perceptron("MLPClassifier, softmax", make_pipeline(
        preprocessing.RobustScaler(), scaled(), MLPClassifier(solver="lbfgs", **small)), c, classes)
    perceptron("MLPClassifier, several labels", make_pipeline(scaled(), MLPClassifier(**small)), c,
               np.column_stack([classes == 0, c[:, 0] > 13, c[:, 4] > 100]).astype(int))
    perceptron("MLPClassifier, float32", MLPClassifier(**small), b.astype(np.float32) / 100, binary)
    network_pipeline_cases(perceptron)


def network_pipeline_cases(run):
    frame, y, binary = people()
    full, _, _ = people(missing=False)
    small = dict(hidden_layer_sizes=(9,), max_iter=40, random_state=0)
    impute = make_pipeline(SimpleImputer(add_indicator=True), preprocessing.StandardScaler())
    onehot, ordinal = preprocessing.OneHotEncoder, preprocessing.OrdinalEncoder
    run("impute, scale, one-hot, MLPClassifier", make_pipeline(
        numbers_and_categories(impute, onehot(handle_unknown="ignore")), MLPClassifier(**small)), frame, binary, ODD)
    run("imputed categories, MLPRegressor", make_pipeline(numbers_and_categories(
        impute, make_pipeline(SimpleImputer(strategy="most_frequent"), onehot(drop="first"))),
        MLPRegressor(activation="tanh", **small)), frame, y, ODD)
    run("one-hot, scaled, MLPClassifier", make_pipeline(
        numbers_and_categories("passthrough", onehot(sparse_output=False)), preprocessing.StandardScaler(),
        MLPClassifier(**small)), full, binary, ODD)
    run("ordinal codes, missing and unknown, MLPRegressor", make_pipeline(
        numbers_and_categories(impute, ordinal(encoded_missing_value=-2, handle_unknown="use_encoded_value",
                                               unknown_value=-1)),
        preprocessing.StandardScaler(), MLPRegressor(**small)), frame, y, ODD)
    x, z, _ = decimals()
    for encode in ("ordinal", "onehot-dense"):
        run(f"KBinsDiscretizer, {encode}, MLPRegressor", make_pipeline(
            preprocessing.KBinsDiscretizer(4, encode=encode, strategy="uniform"), MLPRegressor(**small)), x, z)


# ---------------------------------------------------------------- golden files

def golden_path(name):
    return os.path.join(TOP, "test", "data", "models", "sklearn", name)


def read_csv(name):
    with open(golden_path(name), encoding="utf-8") as file:
        return list(csv.DictReader(file))


def golden_forest():
    """pipeline_onehot_rf_folded: nodes on the original columns, as the data has them."""
    with open(golden_path("pipeline_onehot_rf_folded.model.json"), encoding="utf-8") as file:
        model = json.load(file)
    features = [{"name": f["name"], "missing": "native", **(
        {"levels": f["categories"], "unknown": "other"} if "categories" in f else {})} for f in model["inputs"]]
    trees = {}
    for node in read_csv("pipeline_onehot_rf_folded.nodes.csv"):
        columns = trees.setdefault(node["tree_no"], {key: [] for key in (
            "feature", "threshold", "levels", "left_child", "right_child", "missing_child", "value", "cover")})
        leaf = node["op"] == "leaf"
        children = {} if leaf else {"l": int(node["left"]), "r": int(node["right"])}
        columns["feature"].append(None if leaf else int(node["feature"]))
        columns["threshold"].append(float(node["threshold_le_float8"]) if node["op"] == "le" else None)
        columns["levels"].append(json.loads(node["categories"].replace("{", "[").replace("}", "]"))
                                 if node["op"] == "in" else None)
        columns["left_child"].append(children.get("l"))
        columns["right_child"].append(children.get("r"))
        columns["missing_child"].append(children.get(node["missing"]))
        columns["value"].append(json.loads(node["value"].replace("{", "[").replace("}", "]")) if leaf else None)
        columns["cover"].append(float(node["cover"]))
    rows = [[row["weight"], row["height"], row["colour"], row["size"]]
            for row in read_csv("pipeline_onehot_rf_folded.rawX.csv")]
    expected = [[float(row["proba_0"]), float(row["proba_1"])] for row in read_csv("pipeline_onehot_rf_folded.pred.csv")]
    document = dict(family="tree", features=features, outputs=2, aggregation="mean", trees=list(trees.values()))
    return document, rows, [(np.array(e), np.array(e)) for e in expected]


def golden_logistic():
    """pipeline_onehot_logreg: the description of the pipeline as "inputs"."""
    with open(golden_path("pipeline_onehot_logreg.native.json"), encoding="utf-8") as file:
        model = json.load(file)
    features = [{"name": f["name"], **({"levels": f["categories"], "unknown": "other"} if "categories" in f else {})}
                for f in model["inputs"]]
    impute = {f["name"]: f.get("impute") for f in model["inputs"]}
    inputs = [{"feature": e["input"], "level": e["category"]} if e["op"] == "onehot" else
              {"feature": e["input"], "impute": impute[e["input"]], "center": e["mean"], "scale": e["scale"]}
              for e in model["encoded"]]
    rows = [[row[f["name"]] for f in model["inputs"]] for row in read_csv("pipeline_onehot_logreg.X.csv")]
    expected = [(np.array([float(row["decision"])]), np.array([float(row["proba"])]))
                for row in read_csv("pipeline_onehot_logreg.pred.csv")]
    document = dict(family="linear", features=features, inputs=inputs, link="logit",
                    coefficients=model["coef"], intercept=model["intercept"])
    return document, rows, expected


def golden_cases(tap, driver):
    for name, made in (("golden pipeline_onehot_rf_folded", golden_forest),
                       ("golden pipeline_onehot_logreg", golden_logistic)):
        if tap.wants(name):
            document, rows, expected = made()
            rows = [[None if v == "" else v for v in row] for row in rows]
            compare(tap, name, kernel_predictions(driver, document, rows), expected)


# ---------------------------------------------------------------- refusals

class OwnScaler(preprocessing.StandardScaler):
    def transform(self, x, copy=None):
        return super().transform(x) ** 2


def refusal_cases(tap):
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier
    x, y, _ = decimals()
    frame, target, binary = people(missing=False)
    ridge = linear_model.Ridge()
    onehot = preprocessing.OneHotEncoder
    cases = [
        (KNeighborsClassifier(), x, y > 0, "KNeighborsClassifier"),
        (make_pipeline(preprocessing.MinMaxScaler(clip=True), MLPRegressor(max_iter=2)), x, y, "clip=True"),
        (make_pipeline(PCA(2), ridge), x, y, "PCA"),
        (make_pipeline(OwnScaler(), ridge), x, y, "OwnScaler"),
        (make_pipeline(preprocessing.FunctionTransformer(np.abs), ridge), x, y, "absolute"),
        (make_pipeline(preprocessing.MinMaxScaler(clip=True), ridge), x, y, "clip"),
        (make_pipeline(SimpleImputer(missing_values=-9), ridge), x, y, "missing_values"),
        (linear_model.SGDClassifier(loss="modified_huber"), x, y > 0, "modified_huber"),
        (ensemble.GradientBoostingRegressor(n_estimators=2, init=ridge), x, y, "init"),
        (make_pipeline(ColumnTransformer([("c", onehot(max_categories=2), ["size"])]), ridge), frame, target,
         "infrequent"),
        (make_pipeline(ColumnTransformer([("c", onehot(), ["rooms"]), ("n", "passthrough", ["rooms"])]), ridge),
         frame, target, "both as a number and as a category"),
    ]
    for model, data, answer, words in cases:
        if not tap.wants(f"refuses {words}"):
            continue
        model.fit(data, answer)
        try:
            sklearn_export.export(model)
            said = "nothing"
        except sklearn_export.CannotExport as error:
            said = str(error)
        tap.ok(words in said, f"refuses {words}", f"said {said}")
    try:
        sklearn_export.export(linear_model.Ridge())
        said = "nothing"
    except sklearn_export.CannotExport as error:
        said = str(error)
    tap.ok("not fitted" in said, "refuses a model that is not fitted", f"said {said}")


def command_line_case(tap, driver, folder):
    """The program itself, with names and a file."""
    import joblib
    x, y = regression_data()
    path = os.path.join(folder, "model.joblib")
    joblib.dump(linear_model.LinearRegression().fit(x, y), path)
    names = ",".join(f"größe {i}" for i in range(x.shape[1]))
    run = subprocess.run([sys.executable, f"{TOP}/tools/sklearn_export.py", "--feature-names", names, path],
                         stdout=subprocess.PIPE, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    got = kernel_predictions(driver, run.stdout.decode().strip(), x[:20])
    tap.ok(run.returncode == 0 and names.split(",")[3] in run.stdout.decode(), "the command line writes a model")
    compare(tap, "the command line", got, peer_rows(joblib.load(path), x[:20]))


def main():
    tap = Tap(sys.argv[1] if len(sys.argv) > 1 else "")
    with tempfile.TemporaryDirectory() as folder:
        driver = build_driver(folder)

        def run(name, model, data, target, odd=None, mixed=0):
            check(tap, driver, name, model, data, target, odd, mixed)

        for cases in (linear_cases, linear_class_cases, tree_cases, hist_cases, pipeline_cases,
                      encoder_cases, scaling_cases, network_cases):
            cases(run)
        golden_cases(tap, driver)
        refusal_cases(tap)
        if tap.wants("the command line"):
            command_line_case(tap, driver, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
