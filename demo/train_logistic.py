"""Train the demo's logistic regression: the log-odds that a loan goes bad.

    /usr/bin/python3 demo/train_logistic.py

Reads credit_data.csv; writes credit_logistic.csv (the coefficient table) and
credit_imputation.csv. Made with statsmodels 0.13.5 (Debian: python3-statsmodels).
"""
import credit
import pandas as pd
import statsmodels.api as sm


def imputation(rows):
    """Medians of the numeric features, which stand in for missing numbers."""
    return credit.features(rows).select_dtypes("number").median()


def design(rows, medians):
    """Columns keyed by (feature, level): numbers in their own units, 0/1 dummies.

    The first level has no dummy. A missing category has none either, so that it
    counts as the first level, in training as in prediction.
    """
    columns = {("(Intercept)", ""): 1.0}
    for name, values in credit.features(rows).items():
        if name in credit.CATEGORICAL:
            for level in values.cat.categories[1:]:
                columns[name, level] = (values == level).astype(float)
        else:
            columns[name, ""] = values.fillna(medians[name]).astype(float)
    return pd.DataFrame(columns, index=rows.index)


def fit(rows, medians):
    """A binomial GLM with logit link, by iteratively reweighted least squares.

    Newton steps double the correct digits, so that a last step below 1e-9 leaves
    coefficients that are exact to rounding.
    """
    glm = sm.GLM(credit.target(rows), design(rows, medians), family=sm.families.Binomial())
    result = glm.fit(tol=1e-9, tol_criterion="params", maxiter=100)
    if not result.converged:
        raise SystemExit("the logistic regression did not converge")
    return result


def write_tables(result, terms, medians):
    credit.write_csv(
        "credit_logistic.csv", ["feature", "level", "coefficient", "standard_error"],
        [(*term, coefficient, error)
         for term, coefficient, error in zip(terms, result.params, result.bse)])
    credit.write_csv("credit_imputation.csv", ["feature", "value"], medians.items())


def main():
    rows = credit.load()
    test = credit.held_out(rows)
    medians = imputation(rows[~test])
    result = fit(rows[~test], medians)
    write_tables(result, design(rows, medians).columns, medians)
    for part, chosen in (("training", ~test), ("held-out", test)):
        score = result.predict(design(rows[chosen], medians))
        print(f"logistic, {part} rows: {chosen.sum()}, "
              f"AUC {credit.auc(credit.target(rows[chosen]), score):.4f}")


if __name__ == "__main__":
    main()
