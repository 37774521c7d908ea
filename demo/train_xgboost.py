"""Train the demo's XGBoost model: the probability that a loan goes bad.

    /usr/bin/python3 demo/train_xgboost.py

Reads credit_data.csv; writes credit_xgboost.ubj and credit_levels.csv.
Made with XGBoost 1.7.4 (Debian: python3-xgboost).
"""
import credit
import xgboost as xgb

MODEL = credit.DEMO / "credit_xgboost.ubj"
ROUNDS = 120

# Chosen by five-fold cross-validation within the training rows.
PARAMETERS = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 4,
    "eta": 0.05,
    "min_child_weight": 10,
    "reg_lambda": 1,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "seed": 20240229,
    "nthread": 1,
}


def matrix(rows, label=None):
    """A DMatrix with native categories ('c') and numbers ('q'); NaN is missing."""
    x = credit.features(rows)
    types = ["c" if name in credit.CATEGORICAL else "q" for name in x.columns]
    return xgb.DMatrix(x, label, feature_types=types, enable_categorical=True, nthread=1)


def train(rows):
    """The margin starts at the logit of the share of bad loans."""
    truth = credit.target(rows)
    parameters = {**PARAMETERS, "base_score": truth.mean()}
    return xgb.train(parameters, matrix(rows, truth), ROUNDS)


def write_levels(rows):
    """XGBoost 1.7 stores category codes only: this says which level a code is."""
    credit.write_csv(
        "credit_levels.csv", ["feature", "position", "level"],
        [(name, position, level)
         for name in credit.features(rows).columns if name in credit.CATEGORICAL
         for position, level in enumerate(rows[name].cat.categories)])


def main():
    rows = credit.load()
    test = credit.held_out(rows)
    model = train(rows[~test])
    model.save_model(MODEL)
    write_levels(rows)
    for part, chosen in (("training", ~test), ("held-out", test)):
        score = model.predict(matrix(rows[chosen]))
        print(f"xgboost, {part} rows: {chosen.sum()}, "
              f"AUC {credit.auc(credit.target(rows[chosen]), score):.4f}")


if __name__ == "__main__":
    main()
