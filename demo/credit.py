"""What the training scripts share: the data, its split, and how files are written.

Import this module before numpy: it pins the numeric libraries to one thread,
so that two runs add numbers up in the same order and write the same bytes.
"""
import os

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"

import csv
from pathlib import Path

import pandas as pd

DEMO = Path(__file__).resolve().parent
TARGET = "bad"
CATEGORICAL = ["home", "marital", "records", "job"]


def load():
    """The applications by id; categorical columns have byte-wise sorted levels."""
    rows = pd.read_csv(DEMO / "credit_data.csv", index_col="id",
                       keep_default_na=False, na_values=[""])
    for name in CATEGORICAL:
        levels = sorted(rows[name].dropna().unique(), key=str.encode)
        rows[name] = pd.Categorical(rows[name], categories=levels)
    return rows


def features(rows):
    return rows.drop(columns="status")


def target(rows):
    """1 where the loan went bad, else 0."""
    return (rows["status"] == TARGET).astype(int)


def held_out(rows):
    """Every fourth application: a rule that SQL repeats as id % 4 = 0."""
    return rows.index % 4 == 0


def auc(truth, score):
    """Area under the ROC curve: the Mann-Whitney statistic, ties count half."""
    bad = truth == 1
    n_bad, n_good = bad.sum(), (~bad).sum()
    rank_sum = pd.Series(score, index=truth.index).rank()[bad].sum()
    return (rank_sum - n_bad * (n_bad + 1) / 2) / (n_bad * n_good)


def write_csv(name, header, rows):
    """Floats are written as the shortest text that reads back to the same float8."""
    with open(DEMO / name, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([float.__repr__(v) if isinstance(v, float) else v for v in row]
                         for row in rows)
