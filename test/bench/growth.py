"""How the cost of a row grows with trees, depth, features and rows: doc/bulk.svg."""
import os
import time

import matplotlib
import numpy as np
import psycopg2
import xgboost

from bulk import ROWS, batch, load_many, seconds
from harness import CPU, NAMES, SEED, X, X_TRAIN, Y_TRAIN, sql, the_model
from trees import BOOSTERS, PEER, booster  # noqa: F401 (PEER is for bench.py)

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

PLOT = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "doc", "bulk.svg")
OURS, THEIRS = "#1f5fa8", "#b4530a"


def their_seconds(name, x):
    """One run, after a short one."""
    BOOSTERS[name].predict(xgboost.DMatrix(x[:2], feature_names=BOOSTERS[name].feature_names, nthread=1), pred_contribs=True)
    matrix = xgboost.DMatrix(x, feature_names=BOOSTERS[name].feature_names, nthread=1)
    clock = time.process_time if CPU else time.perf_counter
    begin = clock()
    BOOSTERS[name].predict(matrix, pred_contribs=True)
    return clock() - begin


def both(name, ours_rows, their_rows):
    """Microseconds per row: ours, theirs."""
    return batch(name, ours_rows) * 1e6, their_seconds(name, X[:their_rows]) / their_rows * 1e6


def widened(x, features):
    """More features out of 30, as columns of numpy and as SQL."""
    return np.hstack([x if i == 0 else np.sin(x * (i + 1)) for i in range(-(-features // 30))])[:, :features]


def of_features(features, their_rows):
    name = f"{features} features"
    names = [f"f{i}" for i in range(features)]
    if name not in BOOSTERS:
        train = xgboost.DMatrix(widened(X_TRAIN, features), Y_TRAIN, feature_names=names)
        BOOSTERS[name] = xgboost.train({"max_depth": 6, "eta": 0.1, "tree_method": "hist", "nthread": 1, "seed": SEED}, train, 100)
        sql("INSERT INTO bench_models VALUES (%s, explain.xgboost_model(%s::bytea))", name,
            psycopg2.Binary(bytes(BOOSTERS[name].save_raw("ubj"))))
        columns = ", ".join(f"sin({NAMES[i % 30]} * {i // 30 + 1}) AS f{i}" if i >= 30 else f"{NAMES[i]} AS f{i}" for i in range(features))
        sql(f'CREATE TABLE "bench {name}" AS SELECT id, {columns} FROM bench_rows')
        sql(f'VACUUM ANALYZE "bench {name}"')
    query = f'CREATE TABLE bench_out AS SELECT id, explain.shap_batch({the_model(name)}, t) OVER () AS phi FROM "bench {name}" t'
    seconds(query)
    return seconds(query) / len(X) * 1e6, their_seconds(name, widened(X[:their_rows], features)) / their_rows * 1e6


def of_rows(name, n):
    """Seconds of a table of so many rows and no more."""
    if n > ROWS:
        return np.nan
    sql("DROP TABLE IF EXISTS bench_first")
    sql(f"CREATE TABLE bench_first AS SELECT * FROM bench_many WHERE id < {n}")
    return seconds(f"CREATE TABLE bench_out AS SELECT id, explain.shap_batch({the_model(name)}, t) OVER () AS phi FROM bench_first t")


def measure():
    """title, label of x, of y, and the points (x, ours, theirs; none where not measured)"""
    load_many()
    rows = min(ROWS, 100000)
    yield ("Trees of depth 6, 30 features", "trees", "µs per row",
           [(n, *both(booster(n, 6), rows, 20000 // n)) for n in (10, 30, 100, 300, 1000)])
    yield ("100 trees, 30 features", "depth", "µs per row",
           [(d, *both(booster(100, d), rows, their)) for d, their in ((2, 2000), (4, 1000), (6, 200), (8, 100), (10, 20))])
    yield ("100 trees of depth 6", "features", "µs per row",
           [(f, *of_features(f, 200)) for f in (5, 10, 30, 90, 270)])
    name = booster(100, 6)
    yield ("100 trees of depth 6, 30 features", "rows", "seconds",
           [(n, of_rows(name, n), their_seconds(name, X[:n]) if n <= 1000 else np.nan)
            for n in (100, 1000, 10000, 100000, 1000000)])


def draw(panels):
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bulk", "font.size": 11, "font.family": "sans-serif"})
    figure, grid = pyplot.subplots(2, 2, figsize=(10, 7.5))
    for axes, (title, x_label, y_label, points) in zip(grid.flat, panels):
        x, ours, theirs = zip(*points)
        axes.plot(x, theirs, marker="s", color=THEIRS, label=f"{PEER}, pred_contribs, rows in memory")
        axes.plot(x, ours, marker="o", color=OURS, label="shap_batch, table to table")
        axes.set_title(title)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.set_yscale("log")
        if x_label != "depth":
            axes.set_xscale("log")
            axes.set_xticks(x, [f"{n:,}" for n in x])
            axes.minorticks_off()
        else:
            axes.set_xticks(x)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncol=2, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.95))
    figure.savefig(PLOT, metadata={"Date": None})


def figure_bulk_growth():
    panels = []
    for panel in measure():
        panels.append(panel)
        title, x_label, y_label, points = panel
        print(f"  {title}")
        for x, ours, theirs in points:
            print(f"    {x:>8,} {x_label:10s} {ours:12.4g} {theirs:12.4g} {y_label}", flush=True)
    draw(panels)
    print(f"  drawn: {os.path.relpath(PLOT)}")
