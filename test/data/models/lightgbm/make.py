#!/usr/bin/env python3
"""Golden LightGBM models beyond those of the shared data: make.py FOLDER.

Needs LightGBM 4.6 (not in Debian), numpy and pandas.  Writes NAME.txt (the
model), NAME.X.csv (rows as LightGBM's C API gets them: codes for categories,
empty for missing), NAME.pred.csv (raw_*, pred_*) and NAME.contrib.csv.  Rows
sit on thresholds and one ulp beside them, on +-1e-35f, and on categories that
the training data did not have.

v2_cat, in the format of LightGBM 2, was made with its 2.2.3 command line from
400 random rows: objective=binary sigmoid=0.7 num_leaves=6 num_trees=6
categorical_feature=1.
"""
import sys

import lightgbm as lgb
import numpy as np
import pandas as pd

FOLDER = sys.argv[1]
ZERO = float(np.float32(1e-35))
ZEROS = [0.0, -0.0, ZERO, -ZERO, np.nextafter(ZERO, 1), -np.nextafter(ZERO, 1), 5e-324]
COMMON = dict(verbose=-1, num_threads=1, deterministic=True, force_row_wise=True, seed=7,
              num_leaves=6, min_data_in_leaf=5, learning_rate=0.3, min_data_per_group=5,
              cat_smooth=1, max_cat_to_onehot=1)


def table(seed, n, columns, missing=0.0, zeros=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    x[rng.random(x.shape) < zeros] = 0
    x[rng.random(x.shape) < missing] = np.nan
    return rng, x


def is_linear(booster):
    return "[linear_tree: 1]" in booster.model_to_string()


def probes(booster, x, categorical=()):
    """Rows of the training data with single values put on the edges of splits."""
    rng = np.random.default_rng(1)
    rows = [x[i] for i in rng.integers(0, len(x), 8)]
    splits = booster.trees_to_dataframe() if booster.num_trees() else pd.DataFrame()
    names = booster.feature_name()
    splits = splits[splits.split_feature.notna()]
    for _, s in splits.sample(min(len(splits), 12), random_state=3).iterrows():
        f = names.index(s.split_feature)
        if f in categorical:
            edges = [-1, -0.5, 1e6, 2.7, np.nan]
        else:
            t = float(s.threshold)
            edges = [t, np.nextafter(t, np.inf), np.nextafter(t, -np.inf)]
        for edge in edges:
            row = x[rng.integers(0, len(x))].copy()
            row[f] = edge
            rows.append(row)
    # infinite values in linear leaves give NaN in LightGBM and an error here
    infinite = [] if is_linear(booster) else [np.inf, -np.inf]
    for zero in ZEROS + [np.nan] + infinite:
        row = x[rng.integers(0, len(x))].copy()
        row[[f for f in range(x.shape[1]) if f not in categorical]] = zero
        rows.append(row)
    return np.array(rows)


def cell(value):
    return "" if np.isnan(value) else repr(float(value))


def write_csv(name, header, rows):
    with open(f"{FOLDER}/{name}.csv", "w") as out:
        out.write(",".join(["row_id"] + header) + "\n")
        for i, row in enumerate(rows):
            out.write(",".join([str(i + 1)] + [cell(v) for v in row]) + "\n")


def save(name, booster, x, averaged=False):
    booster.save_model(f"{FOLDER}/{name}.txt")
    again = lgb.Booster(model_file=f"{FOLDER}/{name}.txt")
    raw = again.predict(x, raw_score=True).reshape(len(x), -1)
    pred = again.predict(x).reshape(len(x), -1)
    outputs = raw.shape[1]
    write_csv(f"{name}.X", booster.feature_name(), x)
    write_csv(f"{name}.pred", [f"{what}_{k}" for what in ("raw", "pred") for k in range(outputs)],
              np.hstack([raw, pred]))
    if not is_linear(booster):
        contrib = again.predict(x, pred_contrib=True)
        write_csv(f"{name}.contrib", [f"phi_{i}" for i in range(contrib.shape[1])], contrib)


def fit(name, params, x, y, rounds=8, categorical=(), probe=None, **dataset):
    data = lgb.Dataset(x, y, categorical_feature=list(categorical), free_raw_data=False, **dataset)
    booster = lgb.train({**COMMON, **params}, data, rounds)
    save(name, booster, probes(booster, x, categorical) if probe is None else probe(booster))


def numbers():
    rng, x = table(1, 300, 4, missing=0.1, zeros=0.2)
    signal = np.nan_to_num(x[:, 0]) - 2 * (np.nan_to_num(x[:, 1]) > 0.3) + np.isnan(x[:, 2])
    y = signal + rng.normal(scale=0.3, size=len(x))
    classes = np.digitize(y, [-1.5, 0])
    fit("dart_binary", dict(objective="binary", boosting="dart", drop_rate=0.5), x, y > 0, 12)
    fit("goss_l1_sqrt", dict(objective="regression_l1", reg_sqrt=True,
                             data_sample_strategy="goss"), x, y)
    fit("ova_sigmoid", dict(objective="multiclassova", num_class=3, sigmoid=1.5), x, classes)
    fit("xentlambda", dict(objective="cross_entropy_lambda"), x, 1 / (1 + np.exp(-y)))
    fit("xent", dict(objective="cross_entropy"), x, 1 / (1 + np.exp(-y)))
    fit("tweedie_zero", dict(objective="tweedie", zero_as_missing=True), x, np.exp(y))
    fit("gamma_unused_missing", dict(objective="gamma", use_missing=False), x, np.exp(y))
    fit("rf_multiclass", dict(objective="multiclass", num_class=3, boosting="rf", bagging_freq=1,
                              bagging_fraction=0.6), x, classes)
    fit("rank", dict(objective="lambdarank"), x, classes, group=[30] * 10)
    # a class nobody is of: constant trees
    fit("constant_class", dict(objective="multiclass", num_class=4, min_data_in_leaf=20), x, classes)
    fit("custom", dict(objective=lambda z, data: (z - data.get_label(), np.ones(len(z)))), x, y)
    big = np.where(np.isnan(x), np.nan, np.round(x * 3) * 1e308 / 10)
    fit("huge", dict(objective="huber"), big, y)
    fit("linear_missing", dict(objective="regression", linear_tree=True,
                               linear_lambda=0.1), x, y)


def categories():
    rng, x = table(2, 400, 4, missing=0.05)
    x[:, 1] = rng.integers(0, 45, len(x))
    x[:, 3] = rng.integers(0, 4, len(x))
    x[rng.random(len(x)) < 0.1, 1] = np.nan
    y = np.sin(np.nan_to_num(x[:, 1])) + (x[:, 3] == 2) + 0.3 * np.nan_to_num(x[:, 0])
    fit("cat_binary", dict(objective="binary"), x, y > 0.5, 8, categorical=(1, 3))
    fit("cat_linear", dict(objective="regression", linear_tree=True), x, y, 6, categorical=(1, 3))


def frame(ordered):
    rng, x = table(3, 300, 2)
    colour = pd.Categorical(rng.choice(["rouge", 'vert "x"', "bl\u00e9,u", "noir"], len(x)))
    size = pd.Categorical(rng.choice([10, 20, 35], len(x)), ordered=ordered)
    only = pd.Categorical(["one"] * len(x))
    data = pd.DataFrame({"a b": x[:, 0], "colour": colour, "size": size, "only": only, "z": x[:, 1]})
    y = x[:, 0] + 2 * (colour == "rouge") - (np.asarray(size) == 20) + 0.1 * x[:, 1]
    return data, y


def pandas():
    for ordered in (False, True):
        data, y = frame(ordered)
        booster = lgb.train({**COMMON, "objective": "regression"}, lgb.Dataset(data, y), 6)
        codes = np.column_stack([data[c].cat.codes if hasattr(data[c], "cat") else data[c] for c in data])
        save("pandas_ordered" if ordered else "pandas_named", booster,
             probes(booster, codes.astype(float), (1, 3) if ordered else (1, 2, 3)))


numbers()
categories()
pandas()
