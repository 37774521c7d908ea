"""End-to-end speed in SQL beside the peers, from one run: make bench [T=figure].

Each figure prints ours, the peer's and their ratio.  Medians of RUNS; fixed
generator and seed; one thread everywhere (a peer whose CPU time is not about
its wall time is reported); jit off; no parallel workers.  "Ours" is the time
of SELECT count(explain.f(model, t)) FROM t over a table with 30 float8 columns,
so it includes reading the table and making the results.  BENCH_CPU=1 compares
CPU times instead of wall times, for a machine that has other things to do.
"""
import os
import platform
import statistics
import sys
import time

import numpy as np
import psycopg2
import xgboost

RUNS = 5
FEATURES = 30
SEED = 20261123
CPU = os.environ.get("BENCH_CPU") == "1"      # compare CPU times: for a busy machine

connection = psycopg2.connect("")
connection.autocommit = True
cursor = connection.cursor()


def sql(query, *arguments):
    cursor.execute(query, arguments or None)
    return cursor.fetchall() if cursor.description else None


def server_cpu():
    """CPU seconds that our backend has used."""
    with open(f"/proc/{connection.info.backend_pid}/schedstat") as stat:
        return int(stat.read().split()[0]) / 1e9


def median_of(run, cpu_clock):
    """Median wall and CPU seconds of RUNS runs after a first one."""
    run()
    times = []
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), cpu_clock()
        run()
        times.append((time.perf_counter() - wall, cpu_clock() - cpu))
    return tuple(map(statistics.median, zip(*times)))


def ours(query, rows):
    return median_of(lambda: sql(query), server_cpu)[CPU] / rows


def peer(run, rows):
    wall, cpu = median_of(run, time.process_time)
    if not CPU and not 0.8 < cpu / wall < 1.1:
        print(f"  (peer: CPU time is {cpu / wall:.2f} of wall time: threads, or a busy machine)")
    return (wall, cpu)[CPU] / rows


def report(name, mine, theirs, goal, at_least=True):
    ratio = theirs / mine
    if not at_least:
        ratio = mine / theirs
    met = ratio >= goal if at_least else ratio <= goal
    print(f"{name:58s} {mine * 1e6:10.2f} {theirs * 1e6:10.2f} {ratio:8.2f}"
          f"  {'>=' if at_least else '<='} {goal:<5g} {'' if met else 'MISSED'}", flush=True)


# --- data and models -----------------------------------------------------------

def make_data(rows, seed):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, FEATURES))
    y = (x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + np.abs(x[:, 3]) + x[:, 4] ** 2 * x[:, 5]
         + x[:, 6:].sum(axis=1) / 5 + generator.normal(size=rows))
    return x, y


X_TRAIN, Y_TRAIN = make_data(50000, SEED)
X, _ = make_data(20000, SEED + 1)
NAMES = [f"x{i}" for i in range(FEATURES)]


def load_table():
    columns = ", ".join(f"{name} float8" for name in NAMES)
    sql(f"CREATE TABLE bench_rows (id int4, {columns})")
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"bench_rows.{os.getpid()}.csv")
    with open(path, "w") as out:
        for i, row in enumerate(X):
            out.write(f"{i}," + ",".join(map(repr, map(float, row))) + "\n")
    with open(path) as source:
        cursor.copy_expert("COPY bench_rows FROM STDIN CSV", source)
    os.unlink(path)
    sql("CREATE TABLE bench_models (name text PRIMARY KEY, m explain.model)")
    sql("VACUUM ANALYZE bench_rows")


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


def the_model(name):
    return f"(SELECT m FROM bench_models WHERE name = '{name}')"


def our_rows(function, name, limit, options=""):
    query = f"SELECT count(explain.{function}({the_model(name)}, t{options})) " \
            f"FROM (SELECT * FROM bench_rows WHERE id < {limit}) t"
    return ours(query, limit)


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


FIGURES = {name[len("figure_"):]: run for name, run in list(globals().items())
           if name.startswith("figure_")}


def main():
    chosen = sys.argv[1:] or list(FIGURES)
    unknown = set(chosen) - set(FIGURES)
    if unknown:
        sys.exit(f"unknown figure {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    with open("/proc/cpuinfo") as cpu:
        machine = next((line.split(":", 1)[1].strip() for line in cpu if line.startswith("model name")), "?")
    server = sql("SHOW server_version")[0][0]
    print(f"{machine}, {platform.system()}; PostgreSQL {server}, XGBoost {xgboost.__version__};"
          f" jit off, no parallel workers; {'CPU' if CPU else 'wall'} time, medians of {RUNS}")
    sql("CREATE EXTENSION IF NOT EXISTS explain_ext")
    sql("SET jit = off")
    sql("SET max_parallel_workers_per_gather = 0")
    load_table()
    print(f"{'':58s} {'ours us/row':>10s} {'peer us':>10s} {'ratio':>8s}  goal")
    for name in chosen:
        FIGURES[name]()


main()
