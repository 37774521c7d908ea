"""What the source libraries answer for some applications, for tests to compare with.

    /usr/bin/python3 demo/expected.py

Run it after train_xgboost.py and train_logistic.py: it reads the model file of
the first and repeats the fit of the second. Writes expected_predictions.csv and
expected_contribs.csv. XGBoost's float32 results are written as the float8 of
the same value.
"""
import credit
import numpy as np
import train_logistic
import train_xgboost
import xgboost as xgb

N_ROWS = 50
PER_COLUMN = 5


def choose(rows):
    """Up to five rows for each column that has missing values (two missing at
    once first), the extremes of every number, and rows spread over the rest."""
    missing = rows.isna()
    most_first = missing.sum(axis=1).sort_values(ascending=False, kind="stable").index
    chosen = set()
    for name in rows.columns[missing.any()]:
        chosen.update(most_first[missing.loc[most_first, name]][:PER_COLUMN])
    for name in rows.select_dtypes("number").columns:
        chosen.update((rows[name].idxmin(), rows[name].idxmax()))
    rest = rows.index.difference(list(chosen))
    spread = np.linspace(0, len(rest) - 1, N_ROWS - len(chosen)).astype(int)
    return rows.loc[sorted(chosen.union(rest[spread]))]


def logistic_probabilities(rows, chosen):
    training = rows[~credit.held_out(rows)]
    medians = train_logistic.imputation(training)
    result = train_logistic.fit(training, medians)
    return result.predict(train_logistic.design(chosen, medians))


def main():
    rows = credit.load()
    chosen = choose(rows)
    model = xgb.Booster({"nthread": 1}, model_file=train_xgboost.MODEL)
    matrix = train_xgboost.matrix(chosen)
    columns = (model.predict(matrix, output_margin=True), model.predict(matrix),
               logistic_probabilities(rows, chosen))
    credit.write_csv(
        "expected_predictions.csv",
        ["id", "xgboost_margin", "xgboost_probability", "logistic_probability"],
        zip(chosen.index, *(map(float, column) for column in columns)))
    contribs = model.predict(matrix, pred_contribs=True)
    credit.write_csv(
        "expected_contribs.csv", ["id", *credit.features(rows).columns, "bias"],
        [(key, *map(float, phi)) for key, phi in zip(chosen.index, contribs)])
    print(f"expected values for {len(chosen)} applications, "
          f"{chosen.isna().any(axis=1).sum()} of them with missing values")


if __name__ == "__main__":
    main()
