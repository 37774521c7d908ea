"""Trees and linear models, beside XGBoost."""
import statistics
import time

import numpy as np
import psycopg2
import xgboost

from harness import FEATURES, NAMES, RUNS, SEED, X, X_TRAIN, Y_TRAIN, our_rows, ours, peer, report, sql, the_model

PEER = f"XGBoost {xgboost.__version__}"

BOOSTERS = {}


def booster(trees, depth):
    """A trained booster, also stored in bench_models under its name."""
    name = f"{trees}x{depth}"
    if name not in BOOSTERS:
        train = xgboost.DMatrix(X_TRAIN, Y_TRAIN, feature_names=NAMES)
        BOOSTERS[name] = xgboost.train(
            {"max_depth": depth, "eta": 0.1, "tree_method": "hist", "nthread": 1, "seed": SEED,
             "min_child_weight": 1}, train, trees)
        sql("INSERT INTO bench_models VALUES (%s, explain.xgboost_model(%s::bytea))", name,
            psycopg2.Binary(bytes(BOOSTERS[name].save_raw("ubj"))))
    return name


def peer_rows(name, limit, **options):
    # one matrix for each run: a booster remembers its predictions for a matrix
    matrices = [xgboost.DMatrix(X[:limit], feature_names=NAMES, nthread=1) for _ in range(RUNS + 1)]
    return peer(lambda: BOOSTERS[name].predict(matrices.pop(), **options), limit)


# --- figures -------------------------------------------------------------------

def path(trees, depth, ours_limit, peer_limit, goal):
    name = booster(trees, depth)
    report(f"shap_array, {trees} trees, depth {depth} / pred_contribs",
           our_rows("shap_array", name, ours_limit),
           peer_rows(name, peer_limit, pred_contribs=True), goal)


def figure_path():
    path(100, 6, 20000, 1000, 15)


def figure_path1000():
    path(1000, 6, 2000, 100, 5)


def figure_path_deep():
    path(100, 10, 1000, 50, 5)


def figure_interactions():
    name = booster(100, 6)
    report("shap_interaction_array, 100 trees, depth 6 / pred_interactions",
           our_rows("shap_interaction_array", name, 1000),
           peer_rows(name, 20, pred_interactions=True), 30)


def figure_interventional():
    name = booster(100, 6)
    path_dependent = our_rows("shap_array", name, 20000)
    for rows in (100, 1000):
        other = f"{name}_{rows}"
        sql("INSERT INTO bench_models SELECT %s, explain.with_background(m, %s::float8[]) "
            "FROM bench_models WHERE name = %s", other, X_TRAIN[:rows].tolist(), name)
        report(f"interventional, {rows} background rows / path-dependent",
               our_rows("shap_array", other, 20000, ", method => 'tree_interventional'"),
               path_dependent, 1.5, at_least=False)


def figure_linear():
    weights = np.random.default_rng(SEED).normal(size=FEATURES)
    sql("INSERT INTO bench_models SELECT 'linear', explain.with_background("
        "explain.linear_model(%s, %s, 1.0), %s::float8[])",
        NAMES, weights.tolist(), X_TRAIN[:100].tolist())
    sums = ", ".join(f"sum({name})" for name in NAMES)
    report("linear shap_array, 30 features / SELECT of 30 sums",
           our_rows("shap_array", "linear", 20000),
           ours(f"SELECT {sums} FROM (SELECT * FROM bench_rows WHERE id < 20000) t", 20000),
           2, at_least=False)


def figure_predict():
    name = booster(500, 6)
    report("predict, 500 trees, depth 6 / batch predict",
           our_rows("predict", name, 20000), peer_rows(name, 20000), 0.5)


def figure_first_call():
    """First call in new sessions, and memory, on a model of about 175,000 nodes."""
    train = xgboost.DMatrix(X_TRAIN, Y_TRAIN, feature_names=NAMES)
    grown = xgboost.train({"max_depth": 8, "eta": 0.1, "tree_method": "hist", "nthread": 1,
                           "seed": SEED, "min_child_weight": 5}, train, 500)
    sql("INSERT INTO bench_models VALUES ('large', explain.xgboost_model(%s::bytea))",
        psycopg2.Binary(bytes(grown.save_raw("ubj"))))
    nodes, size = sql("SELECT (explain.model_summary(m)->>'node_count')::int, pg_column_size(m) "
                      "FROM bench_models WHERE name = 'large'")[0]
    for function in ("predict", "shap_array"):
        times, memory = [], []
        for _ in range(RUNS):
            with psycopg2.connect("") as fresh, fresh.cursor() as first:
                first.execute("SELECT 1")
                begin = time.perf_counter()
                first.execute(f"SELECT explain.{function}({the_model('large')}, t) "
                              "FROM bench_rows t LIMIT 1")
                times.append(time.perf_counter() - begin)
                first.execute("SELECT sum(total_bytes) FROM pg_backend_memory_contexts "
                              "WHERE name = 'explain_ext model'")
                memory.append(first.fetchone()[0])
        print(f"first {function} in a session, {nodes} nodes: {statistics.median(times) * 1e3:.1f} ms"
              f" (goal <= 40); memory {float(memory[0]) / 1e6:.1f} MB, stored value {size / 1e6:.1f} MB"
              f" (goal: at most 10 MB more)", flush=True)
