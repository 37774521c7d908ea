"""A table explained as a whole: tile by tile, end to end.

"Ours" is CREATE TABLE AS SELECT id, explain.shap_batch(model, t) OVER () FROM t:
reading a table of 30 float8 columns, explaining, writing a table of arrays.
The peer's rows lie in memory.  BULK_ROWS sets how many rows there are.
"""
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from harness import CPU, FEATURES, NAMES, X_TRAIN, connection, report, server_cpu, sql, the_model
from trees import BOOSTERS, PEER, booster, peer_rows  # noqa: F401 (PEER is for bench.py)

ROWS = int(os.environ.get("BULK_ROWS", 1000000))


def load_many():
    """A million different rows out of those of bench_rows."""
    if sql("SELECT to_regclass('bench_many') IS NOT NULL")[0][0]:
        return
    columns = ", ".join(f"{name} + copy * 1e-3 * sin({name} + {i}) AS {name}" for i, name in enumerate(NAMES))
    sql(f"CREATE TABLE bench_many AS SELECT copy * 20000 + id AS id, {columns} "
        f"FROM generate_series(0, {(ROWS - 1) // 20000}) AS copy, bench_rows LIMIT {ROWS}")
    sql("VACUUM ANALYZE bench_many")


def seconds(query):
    """One run: wall (or CPU) seconds."""
    sql("DROP TABLE IF EXISTS bench_out")
    sql("CHECKPOINT")
    wall, cpu = time.perf_counter(), server_cpu()
    sql(query)
    return server_cpu() - cpu if CPU else time.perf_counter() - wall


def table_of(expression, limit=None):
    rows = "bench_many" if limit is None else f"(SELECT * FROM bench_many WHERE id < {limit})"
    return f"CREATE TABLE bench_out AS SELECT id, {expression} AS phi FROM {rows} t"


def batch(name, limit=None, function="shap_batch", options=""):
    """Seconds per row of a table made by a batch function."""
    load_many()
    n = min(ROWS, limit or ROWS)
    query = table_of(f"explain.{function}({the_model(name)}, t{options}) OVER ()", n)
    seconds(table_of(f"explain.{function}({the_model(name)}, t{options}) OVER ()", 2000))     # warm up
    return seconds(query) / n


# --- figures -------------------------------------------------------------------

def path(trees, depth, limit, peer_limit, goal):
    name = booster(trees, depth)
    report(f"shap_batch, {trees} trees, depth {depth}, table of arrays / pred_contribs",
           batch(name, limit), peer_rows(name, peer_limit, pred_contribs=True), goal)


def figure_bulk_depth6():
    path(100, 6, ROWS, 1000, 60)


def figure_bulk_depth4():
    path(100, 4, ROWS, 2000, 40)


def figure_bulk_depth8():
    path(100, 8, 200000, 200, 80)


def figure_bulk_depth10():
    path(100, 10, 50000, 50, 80)


def figure_bulk_1000():
    path(1000, 6, 100000, 100, 50)


def figure_bulk_interventional():
    name = booster(100, 6)
    other = f"{name}_1000"
    sql("INSERT INTO bench_models SELECT %s, explain.with_background(m, %s::float8[]) FROM bench_models "
        "WHERE name = %s ON CONFLICT DO NOTHING", other, X_TRAIN[:1000].tolist(), name)
    report("interventional, 1000 background rows / path-dependent",
           batch(other, 200000, options=", method => 'tree_interventional'"), batch(name, 200000), 1.3, at_least=False)


def figure_bulk_interactions():
    name = booster(100, 6)
    report("shap_interaction_batch, 100 trees, depth 6 / pred_interactions",
           batch(name, 20000, "shap_interaction_batch"), peer_rows(name, 20, pred_interactions=True), 100)


def tile_kernel(name, n):
    """Seconds per row of the kernel alone, in a C program (make bench builds it), on the same rows."""
    program = os.path.join(os.environ["BUILD"], "bench", "kernel_tile")
    with tempfile.TemporaryDirectory() as folder:
        model, rows = os.path.join(folder, "model.json"), os.path.join(folder, "rows")
        BOOSTERS[name].save_model(model)
        with connection.cursor("rows", withhold=True) as found, open(rows, "wb") as out:
            found.itersize = 10000
            found.execute(f"SELECT {', '.join(NAMES)} FROM bench_many WHERE id < {n}")
            while part := found.fetchmany(10000):
                out.write(np.array(part).tobytes())
        wall, cpu = map(float, subprocess.run([program, model, rows], capture_output=True, check=True, text=True).stdout.split())
    return (wall, cpu)[CPU] / 1e6


def figure_bulk_kernel():
    """What the server costs beside the kernel, and how far the kernel is from the estimated limit."""
    load_many()
    name = booster(100, 6)
    n = min(ROWS, 200000)
    kernel = tile_kernel(name, n)
    table = min(batch(name, n) for _ in range(3))
    report("shap_batch, table of arrays / tile kernel alone, in C", table, kernel, 1.3, at_least=False)
    each = f"{kernel * 1e9 / 100:.0f} ns per (row, tree) in the kernel, {table * 1e9 / 100:.0f} ns end to end"
    print(f"  {each}; the estimated limit is 20 to 25 ns: {kernel * 1e9 / 100 / 22.5:.1f} and"
          f" {table * 1e9 / 100 / 22.5:.1f} times that", flush=True)


def figure_bulk_sessions():
    """Two sessions on two halves of the table, against one on the whole."""
    load_many()
    name = booster(100, 6)
    half = ROWS // 2
    query = "CREATE TABLE bench_half_{0} AS SELECT id, explain.shap_batch({1}, t) OVER () AS phi " \
            "FROM (SELECT * FROM bench_many WHERE id {2} {3}) t"
    one = batch(name)
    sessions = [subprocess.Popen([sys.executable, "-c",
                                  "import psycopg2, sys\nc = psycopg2.connect('')\nc.autocommit = True\n"
                                  "k = c.cursor()\nk.execute('SET jit = off; SET max_parallel_workers_per_gather = 0')\n"
                                  "sys.stdin.readline()\nk.execute(sys.argv[1])",
                                  query.format(i, the_model(name), ("<", ">=")[i], half)],
                                 stdin=subprocess.PIPE) for i in range(2)]
    time.sleep(1)
    begin = time.perf_counter()
    for session in sessions:
        session.stdin.write(b"\n")
        session.stdin.close()
    for session in sessions:
        session.wait()
    both = (time.perf_counter() - begin) / ROWS
    sql("DROP TABLE bench_half_0, bench_half_1")
    report("one session / two sessions, each on half of the table", both, one, 1.8)


def figure_bulk_forms():
    """Which form to use when: the same rows, by every door."""
    load_many()
    name = booster(100, 6)
    model = the_model(name)
    n = min(ROWS, 200000)
    rows = f"(SELECT * FROM bench_many WHERE id < {n}) t"
    wide = ", ".join(f"repeat('x', 20) AS w{i}" for i in range(100))
    sql("DROP TABLE IF EXISTS bench_wide")
    sql(f"CREATE TABLE bench_wide AS SELECT t.*, {wide} FROM {rows}")
    sql("VACUUM ANALYZE bench_wide")
    forms = [
        ("SELECT count(shap_array)", f"SELECT count(explain.shap_array({model}, t)) FROM {rows}"),
        ("SELECT count(shap_batch OVER ())", f"SELECT count(f) FROM (SELECT explain.shap_batch({model}, t) OVER () AS f FROM {rows}) s"),
        ("CREATE TABLE AS, shap_array", f"CREATE TABLE bench_out AS SELECT id, explain.shap_array({model}, t) FROM {rows}"),
        ("CREATE TABLE AS, shap_batch", f"CREATE TABLE bench_out AS SELECT id, explain.shap_batch({model}, t) OVER () FROM {rows}"),
        ("CREATE MATERIALIZED VIEW, shap_batch", f"CREATE MATERIALIZED VIEW bench_view AS SELECT id, explain.shap_batch({model}, t) OVER () FROM {rows}"),
        ("wide table, whole row", f"CREATE TABLE bench_out AS SELECT id, explain.shap_batch({model}, t) OVER () FROM bench_wide t"),
        ("wide table, narrow subquery", f"CREATE TABLE bench_out AS SELECT id, explain.shap_batch({model}, t) OVER () "
                                        f"FROM (SELECT id, {', '.join(NAMES)} FROM bench_wide) t"),
    ]
    for label, query in forms:
        print(f"  {label:56s} {seconds(query) / n * 1e6:10.2f} us/row", flush=True)
        sql("DROP MATERIALIZED VIEW IF EXISTS bench_view")
    sql("DROP TABLE IF EXISTS bench_out")
    sql(f"CREATE TABLE bench_out (id int4, phi float8[])")
    begin = time.perf_counter()
    sql(f"INSERT INTO bench_out SELECT id, explain.shap_batch({model}, t) OVER () FROM {rows}")
    print(f"  {'INSERT ... SELECT, shap_batch':56s} {(time.perf_counter() - begin) / n * 1e6:10.2f} us/row", flush=True)
    sql("SET max_parallel_workers_per_gather = 2")
    sql("ALTER TABLE bench_many SET (parallel_workers = 2)")
    parallel = f"CREATE TABLE bench_out AS SELECT id, explain.shap_array({model}, t) FROM bench_many t WHERE id < {n}"
    print(f"  {'CREATE TABLE AS, shap_array, 2 workers':56s} {seconds(parallel) / n * 1e6:10.2f} us/row", flush=True)
    sql("SET max_parallel_workers_per_gather = 0")
    sql("ALTER TABLE bench_many RESET (parallel_workers)")
    sql("SET jit = on")
    print(f"  {'CREATE TABLE AS, shap_batch, jit on':56s} {seconds(forms[3][1]) / n * 1e6:10.2f} us/row", flush=True)
    sql("SET jit = off")


def figure_bulk_split():
    """Where the time goes: each step adds one part."""
    load_many()
    name = booster(100, 6)
    model = the_model(name)
    n = min(ROWS, 200000)
    rows = f"(SELECT * FROM bench_many WHERE id < {n}) t"
    linear = "bulk_linear"
    sql("INSERT INTO bench_models SELECT %s, explain.linear_model(%s, %s, 1.0) ON CONFLICT DO NOTHING", linear,
        NAMES, [1.0] * FEATURES)
    steps = [
        ("executor: read the rows, a window function", f"SELECT count(r) FROM (SELECT row_number() OVER () AS r, t FROM {rows} OFFSET 0) s"),
        ("and conversion: predict_batch, linear model", f"SELECT count(f) FROM (SELECT explain.predict_batch({the_model(linear)}, t) OVER () AS f FROM {rows}) s"),
        ("and kernel: shap_batch, 100 trees", f"SELECT count(f) FROM (SELECT explain.shap_batch({model}, t) OVER () AS f FROM {rows}) s"),
        ("and output: a table of arrays", f"CREATE TABLE bench_out AS SELECT id, explain.shap_batch({model}, t) OVER () FROM {rows}"),
    ]
    before = 0
    for label, query in steps:
        seconds(query)
        now = min(seconds(query) for _ in range(3)) / n * 1e6
        print(f"  {label:56s} {now:10.2f} us/row, {now - before:+.2f}", flush=True)
        before = now
