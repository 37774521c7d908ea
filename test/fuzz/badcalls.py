#!/usr/bin/python3
"""badcalls: calls every function of the extension with hostile arguments.

    badcalls.py [--calls N] [--seed S] [--show]

Reads the extension's functions from pg_proc, draws arguments of each type from
lists of hostile values, and expects an answer or an error of the user's. A
failure is: the connection is lost, an error of class XX, or a cancelled call
that came back more than half a second after statement_timeout. What failed is
printed with its statement, ready for psql beside the tables of prepare().

The server is the one that PGHOST and the like name; the database is made and
dropped. The same seed and count give the same calls. Prints TAP.
"""
import argparse
import collections
import glob
import json
import os
import random
import time

import psycopg2

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT = 1.0           # statement_timeout, seconds
GRACE = 0.5             # how much later a cancelled call may come back
DATABASE = "badcalls"

FILES = ["xgboost/multi_softprob.ubj", "xgboost/reg_dart.ubj", "xgboost/reg_gblinear.ubj",
         "xgboost/reg_rf.ubj", "xgboost/reg_gblinear.json", "xgboost34/*.ubj",
         "lightgbm/v2_cat.txt", "lightgbm/linear_missing.txt", "lightgbm/rf_multiclass.txt",
         "lightgbm/xentlambda.txt", "lightgbm/cat_linear.txt"]
PARTS = ("_accum", "_combine", "_step", "_merge")
NUMBERS = ["0", "1", "-1", "0.5", "2", "3", "-0.0", "'NaN'", "'Infinity'", "'-Infinity'", "1e308",
           "-1e308", "5e-324", "1e15", "2147483648", "NULL", "1e-17", "255"]
INTEGERS = ["NULL", "0", "1", "-1", "2", "3", "7", "100", "1000000", "1000001", "2147483647",
            "(-2147483648)"]
STRINGS = ["", " ", "a", "b", "x", "0", "1", "NaN", "%s%n", "it's", "a\"b", "{}", "[", "null", "é",
           "\n", "{\"family\":\"tree\"}", "x" * 1024, "x" * 1025, "𝕏" * 300, "(Intercept)",
           "\\x00ff", "a@1", "@", ";--", "true", "yes"]
WORDS = ["auto", "linear", "tree_path_dependent", "tree_interventional", "exact", "deep", "zero", "background", "up", "down", "sum", "mean",
         "error", "native", "impute", "other", "missing", "raw", "response", "softmax",
         "gradient", "gradient_x_input", "smooth", "smooth_squared", "smooth_variance", "finite_difference",
         "guided_backprop", "deconvnet"]
OPS = ["<=", "<", ">", ">=", "in", "not in", "is null", "is not null", "leaf", "=", ""]
SCALARS = ["1::int2", "1", "1::int8", "1.5::numeric", "'NaN'::numeric", "1e400::numeric", "1.5::float4",
           "'x'::varchar(5)", "'x'::char(9)", "'x'::name", "true", "'2020-01-01'::date",
           "'infinity'::timestamptz", "'1 day'::interval", "'\\x00'::bytea", "'{}'::json", "'[1]'::jsonb",
           "'raw'::explain.space", "'{1,2}'::float8[]", "ROW(1,'x')", "'x'", "NULL", "NULL::float8",
           "1::oid", "'1.1.1.1'::inet", "'a'::\"char\"", "1::money", "'3'::hostile.small",
           "'b'::hostile.word", "B'1'", "repeat('y', 100000)"]
LINKS = ["identity", "logit", "log", "probit", "cloglog", "inverse", "softmax", "ovr", "signed_square",
         "softplus", "step", "isolation", "cumulative_softplus", "sorted"]
JSON_VALUES = [None, True, False, 0, 1, -1, 0.5, 1e308, 2 ** 31, 2 ** 63, "NaN", "Infinity", "", "a", "x",
               [], {}, [[]], [None], [1, 2, 3], {"a": 1}, ["a", "a"], "error", "native", "logit", {"impute": "x"}]
PREPROCESSING = {"features": ["u", {"name": "v", "levels": ["p", "q"], "unknown": "other"}, "w"],
                 "inputs": [{"feature": "u", "impute": 1, "center": 2, "scale": 3},
                            {"feature": "v", "level": "p"}, {"feature": "w", "bin": [0, 1]}]}


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def read(name):
    with open(os.path.join(TOP, name), "rb") as file:
        return file.read()


# --- what the calls find in the database -------------------------------------


def chain(depth):
    """A tree with one path of so many different features."""
    features, threshold, left, right, value, cover = [], [], [], [], [], []
    for i in range(depth):
        features += [f"f{i}", None]
        threshold += [0, None]
        left += [2 * i + 1, None]
        right += [2 * i + 2, None]
        value += [None, i]
        cover += [depth - i + 1, 1]
    return {"family": "tree", "features": [f"f{i}" for i in range(depth)], "trees": [
        {"feature": features + [None], "threshold": threshold + [None], "left_child": left + [None],
         "right_child": right + [None], "value": value + [-1.5], "cover": cover + [1]}]}


def documents():
    """Models in JSON: the documented examples, every link, and extremes."""
    examples = [json.loads(read(name)) for name in sorted(glob.glob(os.path.join(TOP, "doc/examples/*.json")))]
    for link in LINKS:
        outputs = ["x", "y", "z"]
        examples.append({"family": "linear", "features": ["a", "b"], "outputs": outputs, "link": link,
                         "intercept": [0, 0.5, 1], "coefficients": {o: {"a": 1, "b": -1} for o in outputs},
                         "background": {"rows": [[0, 0], [1, 1]]}})
        examples.append({"family": "linear", "features": ["a"], "link": link, "intercept": 0.25,
                         "coefficients": {"a": 1e308}})
    examples += [chain(1), chain(64), chain(65), chain(3000)]
    examples.append({"family": "linear", "features": [f"f{i}" for i in range(2000)],
                     "intercept": 0, "coefficients": [1] * 2000})
    outputs = [f"o{i}" for i in range(300)]
    examples.append({"family": "linear", "features": ["%s", "it's", "a\"b\n"], "outputs": outputs,
                     "link": "softmax", "intercept": [0] * 300,
                     "coefficients": {o: {"%s": 1, "it's": 2, "a\"b\n": 3} for o in outputs}})
    return examples + networks()


def networks():
    """With ReLU, without, with columns of a category, of an image."""
    def dense(units, inputs):
        return {"kind": "dense", "units": units, "bias": [0.1] * units,
                "weights": [[(-1) ** (i + o) / (1 + i + o) for i in range(inputs)] for o in range(units)]}

    columns = [{"feature": "a", "center": 1, "scale": 2}, {"feature": "c", "level": "p"}, {"feature": "f"},
               {"feature": "b", "missing": 0.5}, {"feature": "b", "indicator": True}]
    features = ["a", {"name": "c", "levels": ["p", "q"]}, {"name": "f", "kind": "boolean"},
                {"name": "b", "missing": "native"}]
    return [
        {"family": "network", "features": ["a", "b"], "layers": [dense(4, 2), {"kind": "relu"}, dense(1, 4)],
         "background": {"rows": [[0, 0], [1, 1], [2, -1]]}},
        {"family": "network", "features": features, "columns": columns, "outputs": ["x", "y", "z"], "link": "softmax",
         "layers": [dense(3, 5), {"kind": "tanh"}, dense(3, 3)]},
        {"family": "network", "image": {"channels": ["r", "g"], "height": 2, "width": 3},
         "layers": [dense(3, 12), {"kind": "relu"}, dense(1, 3), {"kind": "sigmoid"}]},
        {"family": "network", "features": ["a"], "layers": [dense(1, 1), {"kind": "square"}, dense(1, 1)]}]


def model_files():
    return [(name, read(name)) for pattern in FILES
            for name in sorted(glob.glob(os.path.join(TOP, "test/data/models", pattern)))]


def prepare(db):
    """Models of both families with and without covers and background, by value
    and in a registry; files; states of all the aggregates."""
    db.execute("CREATE EXTENSION explain_ext; CREATE SCHEMA hostile; CALL explain.create_registry()")
    db.execute("CREATE DOMAIN hostile.small AS float8 CHECK (VALUE < 100); CREATE TYPE hostile.word AS ENUM ('a','b');"
               "CREATE TYPE hostile.row AS (a int, b float8, c text);"
               "CREATE TABLE hostile.model (id serial PRIMARY KEY, m explain.model);"
               "CREATE TABLE hostile.file (id serial PRIMARY KEY, content bytea)")
    # what an aggregate of the user's own makes of our parts: states of type bytea get out, and in again
    for kind in ("linear", "tree"):
        db.execute(f"CREATE AGGREGATE hostile.{kind}_step(record) (SFUNC = explain.{kind}_model_step, STYPE = bytea);"
                   f"CREATE AGGREGATE hostile.{kind}_merge(bytea) (SFUNC = explain.{kind}_model_merge, STYPE = bytea)")
    for document in documents():
        # a link may want several outputs, or one; such a document is good for mutations only
        db.execute("SAVEPOINT document")
        try:
            db.execute("INSERT INTO hostile.model (m) VALUES (%s)", (json.dumps(document),))
        except psycopg2.DataError:
            db.execute("ROLLBACK TO document")
    for name, content in model_files():
        reader = "lightgbm_model" if name.endswith(".txt") else "xgboost_model"
        db.execute("INSERT INTO hostile.file (content) VALUES (%s)", (content,))
        db.execute(f"INSERT INTO hostile.model (m) VALUES (explain.{reader}(%s::bytea))", (content,))
    # the same with a background of numbers that every kind of feature takes
    db.execute("INSERT INTO hostile.model (m) SELECT explain.with_background(m,"
               " array_cat(ARRAY[array_fill(0::float8, ARRAY[n])], ARRAY[array_fill(1::float8, ARRAY[n])]))"
               " FROM hostile.model, LATERAL (SELECT (explain.model_header(m)).features AS n) h WHERE n < 100"
               " AND NOT EXISTS (SELECT FROM explain.model_levels(m) GROUP BY feature HAVING count(*) < 2)")
    # linear ones with a covariance: the unit matrix
    db.execute("WITH linear AS MATERIALIZED (SELECT m FROM hostile.model WHERE (explain.model_header(m)).family = 'linear')"
               " INSERT INTO hostile.model (m) SELECT explain.with_covariance(m, unit) FROM linear,"
               " LATERAL (SELECT count(*) AS n FROM explain.coefficients(m)) c, LATERAL (SELECT array_agg(line) AS unit FROM"
               " (SELECT array_agg((i = j)::int::float8 ORDER BY j) AS line FROM generate_series(1, n) i, generate_series(1, n) j"
               " GROUP BY i ORDER BY i) u) v WHERE n < 20")
    db.execute("SELECT explain.register_model('h' || id, m) FROM hostile.model")
    db.execute("""
        CREATE TABLE hostile.state AS
        SELECT (SELECT hostile.linear_step(r) FROM (VALUES ('a', 1.5), ('b', 2), (NULL, 3)) r(feature, coefficient)) AS linear,
            (SELECT hostile.tree_step(r) FROM (VALUES (0, 'a', 1.5, 1, 2, NULL), (1, NULL, NULL, NULL, NULL, 3), (2, NULL, NULL, NULL, NULL, 4))
                r(node, feature, threshold, left_child, right_child, value)) AS tree,
            (SELECT explain.background(r) FROM (VALUES (1, 'x', true), (2, 'y', NULL)) r) AS background,
            (SELECT explain.background(ARRAY[i, 1, NULL]::float8[], 3, 7) FROM generate_series(1, 9) i) AS arrays,
            (SELECT explain.model_similarity_state(i, i + 1, 2) FROM generate_series(1, 9) i) AS similarity,
            (SELECT explain.attribution_summary(ARRAY[i, -1, 0]::float8[]) FROM generate_series(1, 9) i) AS summary,
            (SELECT explain.marginal_effect_summary('{{1,0.5,-0.5},{NULL,NULL,NULL}}'::float8[]) FROM generate_series(1, 9)) AS effects""")


Model = collections.namedtuple("Model", "id features outputs")
Feature = collections.namedtuple("Feature", "name levels")


def read_models(db):
    db.execute("SELECT id, array(SELECT output FROM explain.model_outputs(m)) FROM hostile.model ORDER BY id")
    models = {key: Model(key, [], outputs) for key, outputs in db.fetchall()}
    db.execute("SELECT id, feature, array(SELECT level FROM explain.model_levels(m) l WHERE l.feature = f.feature"
               " ORDER BY level_number LIMIT 9) FROM hostile.model, explain.model_features(m) f"
               " ORDER BY id, feature_number")
    for key, name, levels in db.fetchall():
        models[key].features.append(Feature(name, levels))
    return list(models.values())


Parameter = collections.namedtuple("Parameter", "name type")
Function = collections.namedtuple("Function", "name kind retset returns parameters required")


def read_functions(db):
    """What can be called from SQL: not what takes type internal."""
    db.execute("""
        SELECT p.oid::regproc::text, p.prokind, p.proretset, p.prorettype::regtype::text, p.pronargs - p.pronargdefaults,
            array(SELECT coalesce(p.proargnames[array_position(p.proargmodes, 'i') + i::int - 1], p.proargnames[i], '') FROM generate_series(1, p.pronargs) i),
            array(SELECT t::regtype::text FROM unnest(p.proargtypes) WITH ORDINALITY u(t, i) ORDER BY i)
        FROM pg_proc p
        WHERE 'internal'::regtype <> ALL (p.proargtypes)
        AND (p.pronamespace = 'hostile'::regnamespace OR p.oid IN (
            SELECT d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass
            AND d.deptype = 'e' AND e.extname = 'explain_ext'))
        ORDER BY p.oid::regprocedure::text""")
    return [Function(name, kind, retset, returns, [Parameter(*p) for p in zip(names, types)], required)
            for name, kind, retset, returns, required, names, types in db.fetchall()]


# --- drawing arguments -------------------------------------------------------


class Draw:
    """Draws SQL expressions. A call is about one model, so that most of its
    arguments fit each other and get past the first check."""

    def __init__(self, rng, models, functions):
        self.rng, self.models, self.model = rng, models, models[0]
        self.makers = collections.defaultdict(list)
        for function in functions:
            # parts of aggregates refuse to be called alone; no text is a good name
            if (function.kind == "p" or function.retset or function.returns == "text"
                    or function.kind == "f" and function.name.endswith(PARTS)):
                continue
            self.makers[function.returns].append(function)
        self.documents = documents()
        self.files = len(model_files())
        self.depth = 0

    def chance(self, share):
        return self.rng.random() < share

    def call(self, function):
        """One call of the function as a FROM-less expression or a query."""
        if self.depth == 0:
            self.model = self.rng.choice(self.models)
        self.depth += 1
        if function.kind == "a":
            text = self.aggregate(function)
        elif function.kind == "w":
            text = self.window(function)
        else:
            text = f"{function.name}({', '.join(self.arguments(function))})"
        self.depth -= 1
        return text

    def arguments(self, function):
        n = self.rng.randint(function.required, len(function.parameters))
        return [self.argument(p) for p in function.parameters[:n]]

    def aggregate(self, function):
        """Over a few rows; of records, which must have one type, over copies of one."""
        rows = [", ".join(f"{e} AS a{i}" for i, e in enumerate(self.arguments(function)))
                for _ in range(self.rng.choice([1, 2, 3]))]
        if any(p.type == "record" for p in function.parameters):
            rows = [rows[0]] * len(rows)
        names = ", ".join(f"a{i}" for i in range(len(function.parameters)))
        order = self.rng.choice(["", "", "", " ORDER BY 1", ") FILTER (WHERE false"])
        source = " UNION ALL ".join(f"SELECT {row}" for row in rows)
        return f"(SELECT {function.name}({names}{order}) FROM ({source}) r)"

    def window(self, function):
        """The first answer over rows that are alike, some of them null: few or many enough for a tile."""
        arguments = self.arguments(function)
        if self.chance(0.3):
            arguments[1] = f"CASE WHEN i % 3 > 0 THEN {arguments[1]} END"
        over = self.rng.choice(["", "", "ORDER BY i DESC", "PARTITION BY i % 2", "ROWS 1 PRECEDING"])
        rows = self.rng.choice([1, 2, 40, 300])
        return (f"(SELECT {function.name}({', '.join(arguments)}) OVER ({over}) AS answer"
                f" FROM generate_series(1, {rows}) i OFFSET {self.rng.choice([0, 0, rows // 2])} LIMIT 1)")

    def argument(self, parameter):
        if parameter.type != "record" and self.chance(0.03):
            return f"NULL::{parameter.type}"
        if self.depth < 3 and self.chance(0.15) and self.makers[parameter.type]:
            return f"({self.call(self.rng.choice(self.makers[parameter.type]))})"
        method = getattr(self, "of_" + parameter.type.replace("explain.", "").replace("[]", "_array").replace(" ", "_"))
        text = method(parameter.name)
        return text if parameter.type == "record" else f"({text})::{parameter.type}"

    # numbers and words

    def of_double_precision(self, name):
        return self.rng.choice(NUMBERS)

    def of_integer(self, name):
        return self.rng.choice(INTEGERS)

    def of_bigint(self, name):
        return self.rng.choice(INTEGERS + ["9223372036854775807", "(-9223372036854775808)"])

    def of_boolean(self, name):
        return self.rng.choice(["true", "false", "NULL"])

    def of_space(self, name):
        return self.rng.choice(["'raw'", "'response'", "NULL"])

    def of_link(self, name):
        return quote(self.rng.choice(LINKS))

    def of_label(self, name):
        known = self.model.outputs[:9] + [f.name for f in self.model.features[:9]]
        if name in ("output", "versus"):
            known = self.model.outputs[:9] * 3
        return self.word(known + WORDS if self.chance(0.8) else STRINGS)

    def word(self, words):
        return "NULL" if self.chance(0.1) else quote(self.rng.choice(words))

    def of_text(self, name):
        if name == "model_name" or name == "name":
            names = [f"h{self.model.id}", f"h{self.model.id}@1"] * 4 + ["nobody", "h1@0", "h1@99999999999"]
            return self.word(names if self.chance(0.8) else STRINGS) if self.chance(0.9) else quote(self.document())
        if name == "file":
            return f"convert_from({self.bytes_of_file()}, 'LATIN1')"
        return self.word(STRINGS + WORDS)

    # models and their documents

    def of_model(self, name):
        if self.chance(0.1):
            return quote(self.document())
        key = self.model.id if self.chance(0.8) else self.rng.choice(self.models).id
        return f"SELECT m FROM hostile.model WHERE id = {key}"

    def mutated(self, value):
        """A copy of a JSON value with something in it replaced, dropped or doubled."""
        if isinstance(value, dict) and value and self.chance(0.8):
            key = self.rng.choice(list(value))
            changed = dict(value)
            if self.chance(0.1):
                del changed[key]
            elif self.chance(0.1):
                changed[self.rng.choice(["", "colour", "background", "missing", "cover"])] = value[key]
            else:
                changed[key] = self.mutated(value[key])
            return changed
        if isinstance(value, list) and value and self.chance(0.8):
            at = self.rng.randrange(len(value))
            if self.chance(0.15):
                return value[:at] + value[at + 1:]
            if self.chance(0.1):
                return value + value[at:]
            return value[:at] + [self.mutated(value[at])] + value[at + 1:]
        return self.rng.choice(JSON_VALUES)

    def document(self):
        text = json.dumps(self.mutated(self.rng.choice(self.documents)))
        if self.chance(0.1):
            at = self.rng.randrange(len(text))
            text = text[:at] + self.rng.choice(["", "\"", "]", "1e999", "\\u0000", "\ud7ff"]) + text[at + 1:]
        return text

    def of_cstring(self, name):
        states = ["background", "arrays", "similarity", "summary"]
        if self.chance(0.5):
            return quote(self.document())
        state = f"(SELECT {self.rng.choice(states)}::text FROM hostile.state)"
        at = self.rng.randrange(1, 120)
        return self.rng.choice([
            state, f"overlay({state} PLACING {quote(self.rng.choice(['', '0', 'f', '9999999999', ' ', '-']))} FROM {at} FOR 1)",
            f"left({state}, {at})", f"repeat('[', {10 ** self.rng.randint(1, 6)})"]) + "::cstring"

    # bytes

    def damaged(self, value):
        at = int(self.rng.expovariate(1 / 200))
        return self.rng.choice([
            value, f"substr({value}, 1, {at})", f"{value} || '\\x00'::bytea",
            f"set_byte({value}, {at} % greatest(length({value}), 1), {self.rng.choice([0, 1, 127, 128, 255])})",
            f"overlay({value} PLACING '\\x7fffffffffffffff' FROM {at + 1})", "'\\x'"])

    def bytes_of_file(self):
        if self.chance(0.1):
            return f"convert_to({quote(self.document())}, 'UTF8')"
        return self.damaged(f"(SELECT content FROM hostile.file WHERE id = {self.rng.randint(1, self.files)})")

    def of_bytea(self, name):
        if name == "file":
            return self.bytes_of_file()
        return self.damaged(f"(SELECT {self.rng.choice(['linear', 'tree'])} FROM hostile.state)")

    def of_background_sample(self, name):
        return f"SELECT {self.rng.choice(['background', 'arrays'])} FROM hostile.state"

    def of_similarity_state(self, name):
        return "SELECT similarity FROM hostile.state"

    def of_attribution_summary_state(self, name):
        return "SELECT summary FROM hostile.state"

    def of_marginal_effect_summary_state(self, name):
        return "SELECT effects FROM hostile.state"

    # arrays, objects and records that (mostly) fit the model

    def number_for(self, feature):
        if feature.levels and self.chance(0.7):
            return str(self.rng.randrange(len(feature.levels) + 1))
        return self.rng.choice(NUMBERS if self.chance(0.3) else ["0", "1", "-2.5", "0.5"])

    def of_double_precision_array(self, name):
        numbers = [self.number_for(feature) for feature in self.model.features]
        if name == "background":
            rows = [f"ARRAY[{', '.join(self.number_for(f) for f in self.model.features)}]::float8[]"
                    for _ in range(self.rng.randint(1, 3))]
            return f"ARRAY[{', '.join(rows)}]"
        if name in ("covariance", "effects"):
            n = len(numbers) + (name == "covariance")
            return "'{" + ",".join("{" + ",".join(
                "1" if i == j else self.rng.choice(["0"] * 9 + ["0.5", "-1", "NaN", "NULL", "1e308", "Infinity"])
                for j in range(n)) + "}" for i in range(n)) + "}'"
        if name in ("base", "intercepts"):
            numbers = [self.rng.choice(NUMBERS) for _ in self.model.outputs]
        if self.chance(0.15):
            return self.rng.choice(["'{}'", "'{{1,2},{3,4}}'", "'[5:6]={1,2}'", "array_fill(0::float8, ARRAY[65536])",
                                    "array_fill(1::float8, ARRAY[3, 70000])", "'{NULL}'", "array_fill(NULL::float8, ARRAY[9])",
                                    f"ARRAY[{', '.join(numbers + ['1'])}]", f"ARRAY[{', '.join(numbers[1:])}]"])
        return f"ARRAY[{', '.join(numbers)}]"

    def of_text_array(self, name):
        names = {"outputs": self.model.outputs, "levels": [l for f in self.model.features for l in f.levels][:9]}.get(
            name, [f.name for f in self.model.features])
        if self.chance(0.3):
            return self.rng.choice(["'{}'", "'{a,a}'", "'{NULL}'", "'{\"\"}'", "'{{a,b},{c,d}}'", "'[0:1]={a,b}'",
                                    "array_fill('x'::text, ARRAY[70000])", "array(SELECT 'n' || i FROM generate_series(1, 70000) i)",
                                    f"ARRAY[{', '.join(quote(s) for s in STRINGS)}]"])
        return f"ARRAY[{', '.join(quote(n + self.rng.choice(['', '', '_'])) for n in names)}]"

    def value_for(self, feature):
        if self.chance(0.15):
            return self.rng.choice(JSON_VALUES)
        return self.rng.choice(feature.levels) if feature.levels else self.rng.choice([0, 1, -2.5, 0.5, None, 1e308])

    def of_jsonb(self, name):
        if name == "preprocessing":
            return quote(json.dumps(self.mutated(PREPROCESSING)))
        if name == "groups":
            names = [f.name for f in self.model.features][:20] + ["nobody"] * self.chance(0.1)
            self.rng.shuffle(names)
            groups = {"g": names[:2], "h": names[2:self.rng.randint(2, 6)]}
            return quote(json.dumps(self.mutated(groups) if self.chance(0.3) else groups))
        if self.chance(0.05):
            return quote(json.dumps(self.rng.choice(JSON_VALUES)))
        value = {f.name: self.value_for(f) for f in self.model.features if not self.chance(0.01)}
        return quote(json.dumps(value)) + self.rng.choice([""] * 9 + ["::jsonb || '{\"extra\": 1e400}'"])

    def of_record(self, name):
        if self.chance(0.04):
            return self.rng.choice(["NULL::hostile.row", "ROW()", "ROW(1, 2)", "(1, 'x', NULL)::hostile.row",
                                    "(SELECT r FROM (SELECT 1 AS a, 2 AS a) r)", "(SELECT v FROM explain.models v LIMIT 1)"])
        if not name:
            name = self.rng.choice(["coefficient_row", "node_row"])
        if name == "coefficient_row":
            columns = self.coefficient_columns()
        elif name == "node_row":
            columns = self.node_columns()
        else:
            columns = [(f.name, self.scalar(f)) for f in self.model.features[:1500]]
        columns = [c for c in columns if not self.chance(0.02)] or [("a", "1")]
        return "(SELECT r FROM (SELECT {}) r)".format(", ".join('{} AS "{}"'.format(
            value, column.replace('"', '""')[:60]) for column, value in columns))

    def scalar(self, feature):
        if self.chance(0.08):
            return self.rng.choice(SCALARS)
        if feature.levels:
            return self.word(feature.levels)
        return self.rng.choice(["0", "1.5", "-2::float8", "NULL::int", "true"])

    def typed(self, value):
        return self.rng.choice(SCALARS) if self.chance(0.06) else value

    def coefficient_columns(self):
        return [(c, self.typed(v)) for c, v in [
            ("feature", self.word(["a", "b", "(Intercept)", "const", ""])), ("coefficient", self.rng.choice(NUMBERS)),
            ("output", self.word(["x", "y"])), ("level", self.word(["p", "q", ""])), ("low", self.rng.choice(NUMBERS)),
            ("high", self.rng.choice(NUMBERS)), ("standard_error", self.rng.choice(NUMBERS)),
            ("kind", self.word(["intercept", "value", "level", "bin", "missing", "?"]))] if self.chance(0.6)]

    def node_columns(self):
        return [(c, self.typed(v)) for c, v in [
            ("tree", self.rng.choice(INTEGERS)), ("node", self.rng.choice(INTEGERS)), ("feature", self.word(["a", "b"])),
            ("op", self.word(OPS)), ("threshold", self.rng.choice(NUMBERS)), ("levels", "'{p,NULL,q}'::text[]"),
            ("coded", "true"), ("left_child", self.rng.choice(INTEGERS)), ("right_child", self.rng.choice(INTEGERS)),
            ("missing_child", self.rng.choice(INTEGERS)), ("value", self.rng.choice(NUMBERS + ["'{1,2}'::float8[]"])),
            ("cover", self.rng.choice(NUMBERS)), ("gain", self.rng.choice(NUMBERS)), ("output", self.word(["x", "y"])),
            ("weight", self.rng.choice(NUMBERS)), ("zero_missing", "true"), ("linear_constant", self.rng.choice(NUMBERS)),
            ("linear_features", "'{a,NULL}'::text[]"), ("linear_coefficients", "'{1,NaN}'::float8[]")] if self.chance(0.7)]


def statement(function, call):
    """A query that really computes the call and writes its result out as text."""
    if function.kind == "p":
        return f"CALL {call}"
    if function.retset:
        return f"SELECT sum(length(x::text)) FROM {call} x"
    return f"SELECT length(({call})::text)"


# --- making the calls --------------------------------------------------------


def connect():
    connection = psycopg2.connect(dbname=DATABASE)
    with connection.cursor() as db:
        db.execute(f"SET statement_timeout = {int(TIMEOUT * 1000)}; SET client_min_messages = error")
    connection.commit()
    return connection


def reconnect():
    """After a crash, when the server has recovered."""
    for _ in range(60):
        try:
            return connect()
        except psycopg2.OperationalError:
            time.sleep(1)
    raise SystemExit("Bail out! the server does not come back")


class Caller:
    def __init__(self):
        self.connection = connect()
        self.answers = collections.Counter()
        self.failures = []

    def once(self, sql):
        """Run it: SQLSTATE and seconds, or no SQLSTATE if the connection was lost."""
        start = time.monotonic()
        try:
            with self.connection.cursor() as db:
                db.execute(sql)
            state = "00000"
        except psycopg2.Error as error:
            state = error.pgcode
        seconds = time.monotonic() - start
        if self.connection.closed:
            return None, seconds
        self.connection.rollback()
        return state, seconds

    def run(self, sql):
        state, seconds = self.once(sql)
        self.answers[state or "lost"] += 1
        if state is None:
            self.failures.append(("connection lost", sql))
            self.connection = reconnect()
        elif state.startswith("XX"):
            self.failures.append((state, sql))
        elif seconds > TIMEOUT + GRACE:
            # a busy machine is late now and then, a loop without a check always
            again = min(self.once(sql)[1] for _ in range(3))
            if again > TIMEOUT + GRACE:
                self.failures.append((f"{again:.1f} s", sql))
        return state


def administer(sql):
    connection = psycopg2.connect(dbname=os.environ.get("PGDATABASE", "postgres"))
    connection.autocommit = True
    connection.cursor().execute(sql)
    connection.close()


def report(caller, functions, calls, seed):
    """One test for each kind of failure, and one that the calls were worth something."""
    kinds = [("no connection lost", lambda why: why == "connection lost"),
             ("no error of class XX", lambda why: why.startswith("XX")),
             ("every cancel in time", lambda why: why.endswith(" s"))]
    for number, (name, is_kind) in enumerate(kinds, 1):
        found = [failure for failure in caller.failures if is_kind(failure[0])]
        print(f"{'not ok' if found else 'ok'} {number} - {name}")
        for why, sql in found[:20]:
            print(f"# {why}: {sql[:2000]}".replace("\n", " "))
    answered = caller.answers["00000"]
    held = answered > calls / 10 and len(caller.answers) > 10
    print(f"{'ok' if held else 'not ok'} 4 - answers and errors of many kinds")
    print(f"# {calls} calls of {functions} functions, seed {seed}: "
          + ", ".join(f"{state} {count}" for state, count in caller.answers.most_common()))
    print("1..4")
    return held and not caller.failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print each statement with its answer")
    options = parser.parse_args()

    administer(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    administer(f"CREATE DATABASE {DATABASE}")
    with psycopg2.connect(dbname=DATABASE) as connection, connection.cursor() as db:
        prepare(db)
        functions = read_functions(db)
        models = read_models(db)
    connection.close()

    draw = Draw(random.Random(options.seed), models, functions)
    caller = Caller()
    for number in range(options.calls):
        function = functions[number % len(functions)]
        sql = statement(function, draw.call(function))
        state = caller.run(sql)
        if options.show:
            print(f"# {state} {sql[:3000]}")
    caller.connection.close()
    administer(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    return report(caller, len(functions), options.calls, options.seed)


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
