"""What every figure uses: the connection, the clocks, the table, the report.

Medians of RUNS; fixed generator and seed; one thread everywhere (a peer whose
CPU time is not about its wall time is reported); jit off; no parallel workers.
"Ours" is the time of SELECT count(explain.f(model, t)) FROM t over a table with
30 float8 columns, so it includes reading the table and making the results.
BENCH_CPU=1 compares CPU times instead of wall times, for a machine that has
other things to do.
"""
import os
import statistics
import time

import numpy as np
import psycopg2

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


# --- data -----------------------------------------------------------

def make_data(rows, seed):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, FEATURES))
    y = (x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + np.abs(x[:, 3]) + x[:, 4] ** 2 * x[:, 5]
         + x[:, 6:].sum(axis=1) / 5 + generator.normal(size=rows))
    return x, y


X_TRAIN, Y_TRAIN = make_data(50000, SEED)
X, _ = make_data(20000, SEED + 1)
NAMES = [f"x{i}" for i in range(FEATURES)]


def open_bench():
    sql("CREATE EXTENSION IF NOT EXISTS explain_ext")
    sql("SET jit = off")
    sql("SET max_parallel_workers_per_gather = 0")
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


def the_model(name):
    return f"(SELECT m FROM bench_models WHERE name = '{name}')"


def our_rows(function, name, limit, options=""):
    query = f"SELECT count(explain.{function}({the_model(name)}, t{options})) " \
            f"FROM (SELECT * FROM bench_rows WHERE id < {limit}) t"
    return ours(query, limit)
