-- The demo's tables. Run it with psql from the top folder of the project:
--
--     psql -X -v ON_ERROR_STOP=1 -f demo/demo_tables.sql
--
-- An empty CSV cell is NULL. Numbers are integers as in the source.

BEGIN;

CREATE TABLE credit (
	id			integer PRIMARY KEY,
	status		text NOT NULL CHECK (status IN ('bad', 'good')),
	seniority	integer,
	home		text,
	time		integer,
	age			integer,
	marital		text,
	records		text,
	job			text,
	expenses	integer,
	income		integer,
	assets		integer,
	debt		integer,
	amount		integer,
	price		integer
);

COMMENT ON TABLE credit IS
	'4,454 loan applications and how the loans ended (data set credit_data of the R package modeldata)';
COMMENT ON COLUMN credit.id IS 'Number of the application; the models were not trained on those with id % 4 = 0';
COMMENT ON COLUMN credit.status IS 'How the loan ended: good or bad (what the models predict)';
COMMENT ON COLUMN credit.seniority IS 'Years in the present job';
COMMENT ON COLUMN credit.home IS 'Housing of the applicant: ignore, other, owner, parents, priv or rent';
COMMENT ON COLUMN credit.time IS 'Term of the loan asked for, presumably in months';
COMMENT ON COLUMN credit.age IS 'Age of the applicant in years';
COMMENT ON COLUMN credit.marital IS 'Marital status: divorced, married, separated, single or widow';
COMMENT ON COLUMN credit.records IS 'Whether there are records on the applicant: no or yes';
COMMENT ON COLUMN credit.job IS 'Type of job: fixed, freelance, others or partime';
COMMENT ON COLUMN credit.expenses IS 'Expenses of the applicant';
COMMENT ON COLUMN credit.income IS 'Income of the applicant; NULL where the source has zero or nothing';
COMMENT ON COLUMN credit.assets IS 'Assets of the applicant';
COMMENT ON COLUMN credit.debt IS 'Debt of the applicant';
COMMENT ON COLUMN credit.amount IS 'Amount of the loan asked for';
COMMENT ON COLUMN credit.price IS 'Price of the good to be bought';

CREATE TABLE credit_coefficients (
	feature			text NOT NULL,
	level			text,
	coefficient		double precision NOT NULL,
	standard_error	double precision NOT NULL
);

COMMENT ON TABLE credit_coefficients IS
	'Logistic regression of status = bad: one row per coefficient, on the log-odds scale';
COMMENT ON COLUMN credit_coefficients.feature IS 'Column of credit, or (Intercept)';
COMMENT ON COLUMN credit_coefficients.level IS
	'Level that a dummy stands for (the first level has none); NULL for numbers';
COMMENT ON COLUMN credit_coefficients.coefficient IS 'Change of the log-odds per unit of the feature';
COMMENT ON COLUMN credit_coefficients.standard_error IS 'Standard error of the coefficient';

CREATE TABLE credit_imputation (
	feature	text PRIMARY KEY,
	value	double precision NOT NULL
);

COMMENT ON TABLE credit_imputation IS 'What the logistic regression takes for a missing number';
COMMENT ON COLUMN credit_imputation.feature IS 'Numeric column of credit';
COMMENT ON COLUMN credit_imputation.value IS 'Median of the column in the training rows';

CREATE TABLE credit_levels (
	feature		text,
	position	integer,
	level		text NOT NULL,
	PRIMARY KEY (feature, position)
);

COMMENT ON TABLE credit_levels IS
	'Names of the category codes in the XGBoost model, whose file has the codes only';
COMMENT ON COLUMN credit_levels.feature IS 'Categorical column of credit';
COMMENT ON COLUMN credit_levels.position IS 'Code of the level, from 0';
COMMENT ON COLUMN credit_levels.level IS 'Name of the level; levels are in byte order';

\copy credit from 'demo/credit_data.csv' csv header
\copy credit_coefficients from 'demo/credit_logistic.csv' csv header
\copy credit_imputation from 'demo/credit_imputation.csv' csv header
\copy credit_levels from 'demo/credit_levels.csv' csv header

COMMIT;

ANALYZE credit, credit_coefficients, credit_imputation, credit_levels;
