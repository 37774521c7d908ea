#!/usr/bin/python3
"""Random XGBoost models, read by the kernels and predicted on rows that sit on
their thresholds, against XGBoost itself (Debian's python3-xgboost 1.7.4).

    xgboost_fuzz.py [MODELS [SEED]]

Every model must give XGBoost's own float32 bits for every row, so that every
row reaches the same leaf of every tree; raw predictions in double must agree
as far as n float32 additions can, n 2^-24 of the sum of |leaf|; JSON and UBJSON
must give the same.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import xgboost as xgb

warnings.filterwarnings("ignore")
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ROWS, FEATURES = 200, 5

# objective -> domain of labels
OBJECTIVES = {
    "reg:squarederror": "real", "reg:squaredlogerror": "positive", "reg:pseudohubererror": "real",
    "reg:absoluteerror": "real", "reg:logistic": "unit", "binary:logistic": "binary",
    "binary:logitraw": "binary", "binary:hinge": "binary", "count:poisson": "count",
    "reg:gamma": "positive", "reg:tweedie": "positive", "survival:cox": "positive",
    "survival:aft": "interval", "multi:softmax": "class", "multi:softprob": "class",
    "rank:pairwise": "rank", "rank:ndcg": "rank", "rank:map": "rankbinary",
}


def build(folder):
    """The driver, from the kernels and no server."""
    program = os.path.join(folder, "xgboost_predict")
    objects = []
    for source in sorted(glob.glob(os.path.join(TOP, "src/kernel/*.c"))):
        target = os.path.join(folder, os.path.basename(source) + ".o")
        wide = ["-mavx2", "-mno-fma"] if source.endswith("_avx2.c") and os.uname().machine == "x86_64" else []
        subprocess.check_call(["cc", "-std=gnu99", "-O2", "-ffp-contract=off", *wide, "-c", source, "-o", target])
        objects.append(target)
    subprocess.check_call(["cc", "-std=gnu99", "-O2", "-I" + os.path.join(TOP, "src/kernel"),
                           os.path.join(TOP, "test/oracle/xgboost_predict.c"), *objects, "-lm", "-o", program])
    return program


def features(rng, categorical):
    """Columns on the grids that real data have, where thresholds meet values."""
    kinds = {
        "gauss": lambda: rng.normal(size=ROWS),
        "tenths": lambda: np.round(rng.normal(size=ROWS), 1),
        "hundredths": lambda: np.round(rng.normal(size=ROWS) * 10, 2),
        "integers": lambda: rng.integers(-50, 50, ROWS).astype(float),
        "seconds": lambda: 1.6e9 + rng.integers(0, 10**7, ROWS).astype(float),
        "float32": lambda: rng.normal(size=ROWS).astype(np.float32).astype(float),
        "tiny": lambda: rng.normal(size=ROWS) * 1e-40,
    }
    x = np.empty((ROWS, FEATURES))
    for f in range(FEATURES):
        x[:, f] = rng.integers(0, rng.integers(2, 70), ROWS) if categorical[f] else \
            kinds[rng.choice(list(kinds))]()
    if rng.random() < 0.6:
        x[rng.random(x.shape) < 0.2] = np.nan
    return x


def labels(rng, domain, x, targets):
    z = np.nan_to_num((x - np.nanmean(x, axis=0)) / (np.nanstd(x, axis=0) + 1e-300))
    s = z @ rng.normal(size=(FEATURES, targets)) + 0.3 * rng.normal(size=(ROWS, targets))
    y = {
        "real": lambda: s * 10, "positive": lambda: np.exp(s / 2), "interval": lambda: np.exp(s / 2),
        "unit": lambda: 1 / (1 + np.exp(-s)), "binary": lambda: (s > 0) * 1.0,
        "count": lambda: rng.poisson(np.exp(np.clip(s / 2, -3, 3))) * 1.0,
        "class": lambda: np.digitize(s, np.quantile(s, [0.3, 0.6])) * 1.0,
        "rank": lambda: np.digitize(s, np.quantile(s, [0.5, 0.8])) * 1.0,
        "rankbinary": lambda: (s > 0) * 1.0,
    }[domain]()
    return y if targets > 1 else y[:, 0]


def settings(rng, objective, categorical):
    booster = rng.choice(["gbtree", "gbtree", "dart", "forest", "gblinear"])
    if any(categorical) and booster == "gblinear":
        booster = "gbtree"
    p = {"objective": objective, "nthread": 1, "seed": int(rng.integers(1 << 30)), "verbosity": 0,
         "disable_default_eval_metric": 1}
    if booster == "gblinear":
        p.update(booster="gblinear", updater="coord_descent", eta=0.3)
    else:
        method = "hist" if any(categorical) else rng.choice(["hist", "exact", "approx"])
        p.update(tree_method=str(method), max_depth=int(rng.integers(1, 7)), eta=float(rng.choice([0.1, 0.3, 1])),
                 gamma=float(rng.choice([0, 0, 0.5])), max_cat_to_onehot=int(rng.choice([1, 4, 100])))
    if booster == "dart":
        p.update(booster="dart", rate_drop=0.3, normalize_type=str(rng.choice(["tree", "forest"])))
    if booster == "forest":
        p.update(num_parallel_tree=3, subsample=0.7, eta=1)
    if OBJECTIVES[objective] == "class":
        p["num_class"] = 3
    if rng.random() < 0.5:
        p["base_score"] = float(rng.choice([0.1, 0.3, 0.7]))
    return str(booster), p


def train(rng, objective, x, y, parameters, categorical):
    types = ["c" if c else "q" for c in categorical]
    d = xgb.DMatrix(x, feature_types=types, enable_categorical=True)
    domain = OBJECTIVES[objective]
    if domain == "interval":
        d.set_float_info("label_lower_bound", y)
        d.set_float_info("label_upper_bound", np.where(rng.random(ROWS) < 0.5, y, np.inf))
    else:
        d.set_label(y)
    if domain.startswith("rank"):
        d.set_group([20] * (ROWS // 20))
    return xgb.train(parameters, d, int(rng.integers(1, 15))), types


def edge_rows(rng, model, x, categorical):
    """Training rows with one value put on, beside, or between the floats next to a threshold."""
    thresholds = []
    booster = model["learner"]["gradient_booster"]
    for tree in booster.get("gbtree", booster)["model"].get("trees", []):
        for left, f, t, c in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"],
                                 tree["split_type"]):
            if left != -1 and c == 0:
                thresholds.append((f, np.float32(t)))
    rows = []
    rng.shuffle(thresholds)
    for f, t in thresholds[:60]:
        below = np.nextafter(t, np.float32(-np.inf))
        middle = (float(t) + float(below)) / 2
        for value in (float(t), np.nextafter(float(t), -np.inf), np.nextafter(float(t), np.inf), float(below),
                      middle, np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf)):
            row = x[rng.integers(ROWS)].copy()
            row[int(f)] = value
            rows.append(row)
    for f in np.flatnonzero(categorical):
        for value in (-1, -0.5, 0.5, 1.5, 69, 70, 1000, 16777214):
            row = x[rng.integers(ROWS)].copy()
            row[f] = value
            rows.append(row)
    return np.vstack([x] + [np.array(rows)] if rows else [x])


def ours(program, path, iterations, rows, outputs):
    answer = subprocess.run([program, path, str(iterations)], input=rows.tobytes(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(answer.stdout).reshape(len(rows), 4, outputs)


def one(rng, number, program, folder):
    objective = list(OBJECTIVES)[number % len(OBJECTIVES)]
    categorical = rng.random(FEATURES) < (0.4 if rng.random() < 0.4 else 0)
    targets = 3 if objective in ("reg:squarederror", "binary:logistic") and rng.random() < 0.5 else 1
    booster, parameters = settings(rng, objective, categorical)
    if booster == "gblinear":
        targets = 1
    x = features(rng, categorical)
    if booster == "gblinear":
        x = (x - np.nanmean(x, axis=0)) / (np.nanstd(x, axis=0) + 1e-300)
    y = labels(rng, OBJECTIVES[objective], x, targets)
    model, types = train(rng, objective, x, y, parameters, categorical)

    rounds = model.num_boosted_rounds()
    used, asked = rounds, -1
    if booster != "gblinear" and rounds > 1:
        used = int(rng.integers(1, rounds + 1))
        if rng.random() < 0.5:
            model.set_attr(best_iteration=str(used - 1))
        else:
            asked = used
    scope = (0, 0) if booster == "gblinear" else (0, used)

    paths = [os.path.join(folder, "model." + suffix) for suffix in ("json", "ubj")]
    for path in paths:
        model.save_model(path)
    rows = edge_rows(rng, json.load(open(paths[0])), x, categorical)
    d = xgb.DMatrix(rows, feature_types=types, enable_categorical=True)
    margin = model.predict(d, output_margin=True, iteration_range=scope).astype(float).reshape(len(rows), -1)
    response = model.predict(d, iteration_range=scope).astype(float).reshape(len(rows), -1)

    got = ours(program, paths[0], asked, rows, margin.shape[1])
    same = np.array_equal(got, ours(program, paths[1], asked, rows, margin.shape[1]))
    finite = np.isfinite(margin)
    bits = 0 if booster == "gblinear" else int((got[:, 0] != margin)[finite].sum())
    raw = (np.abs(got[:, 1] - margin) / got[:, 3])[finite].max()
    if objective == "multi:softmax":
        off = (np.argmax(margin, axis=1) != response[:, 0]).mean()
    else:
        # links with exp make a relative error of an absolute one; others leave it as it is
        scale = got[:, 3].max(axis=1, keepdims=True)
        unit = scale if np.array_equal(margin, response) else np.abs(response) * (1 + scale) + 1e-37
        off = (np.abs(got[:, 2] - response) / unit)[np.isfinite(response)].max()
    additions = FEATURES + 2 if booster == "gblinear" else 1 + used * parameters.get("num_parallel_tree", 1)
    allowed = additions * 2.0 ** -24
    good = same and bits == 0 and raw <= allowed and off <= allowed + 3e-7
    kind = f"{objective} {booster}{' categorical' if any(categorical) else ''}{' targets' if targets > 1 else ''}"
    print(f"{'ok' if good else 'not ok'} {number + 1} - {kind}: {len(rows)} rows, {used} of {rounds} rounds")
    if not good:
        print(f"#   UBJSON equal: {same}, float32 sums off: {bits}, raw: {raw:.3g}, response: {off:.3g}")
    return len(rows), raw, good


def main():
    models = int(sys.argv[1]) if len(sys.argv) > 1 else 54
    rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 20240501)
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder)
        done = [one(rng, i, program, folder) for i in range(models)]
    print(f"# {sum(d[0] for d in done)} rows; largest raw error {max(d[1] for d in done):.3g} of the sum of |leaf|")
    print(f"1..{models}")
    return 0 if all(d[2] for d in done) else 1


sys.exit(main())
