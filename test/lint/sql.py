#!/usr/bin/python3
"""Rules for the install script, on PostgreSQL's own parse tree.

What is created must mean the same whatever the caller's search_path is, must
never run with another role's rights, and must not take over what somebody put
in its place before. Each rule is tried on SQL that breaks it. Prints TAP.
"""
import glob
import os
import re
import sys

from pglast import ast, parse_plpgsql, parse_sql
from pglast.enums import A_Expr_Kind, ObjectType, RoleSpecType
from pglast.visitors import Visitor

# In declarations pg_catalog comes first: CREATE EXTENSION sets the path.
DECLARED = {"text", "float8", "int4", "int8", "bytea", "json", "jsonb", "cstring", "internal", "record"}
# Values of options, which the grammar reads as types.
WORDS = {"safe", "variable", "double", "plain", "external", "extended"}
# What an A_Expr looks up by an operator's name (the others only name their own syntax).
BY_OPERATOR = {A_Expr_Kind.AEXPR_OP, A_Expr_Kind.AEXPR_OP_ANY, A_Expr_Kind.AEXPR_OP_ALL}


def options(statement):
    return {option.defname: option.arg for option in statement.options or ()}


def above(ancestors):
    """The nodes that a node is in, from the inside out."""
    while ancestors is not None and ancestors.node is not None:
        yield ancestors.node
        ancestors = ancestors.parent


class Names(Visitor):
    """Names that WITH gives: the only relations that need no schema."""

    def __init__(self):
        self.found = set()

    def visit_CommonTableExpr(self, ancestors, node):
        self.found.add(node.ctename)


class Rules(Visitor):
    """Notes what breaks a rule in a statement; in_body: of a function."""

    def __init__(self, in_body, local):
        self.in_body, self.local, self.found = in_body, local, []

    def note(self, rule, what=""):
        self.found.append(f"{rule}: {what}" if what else rule)

    def qualified(self, names, kind):
        if len(names) < 2:
            self.note(f"unqualified {kind}", names[-1].sval)

    def visit(self, ancestors, node):
        if getattr(node, "replace", False) is True:
            self.note("CREATE OR REPLACE")
        if getattr(node, "if_not_exists", False):
            self.note("IF NOT EXISTS")

    # names

    def visit_FuncCall(self, ancestors, node):
        self.visit(ancestors, node)
        self.qualified(node.funcname, "function")

    def visit_TypeName(self, ancestors, node):
        declared = DECLARED | WORDS if any(isinstance(step, ast.DefineStmt) for step in above(ancestors)) else DECLARED
        if len(node.names or ()) == 1 and (self.in_body or node.names[0].sval not in declared):
            self.note("unqualified type", node.names[0].sval)

    def visit_RangeVar(self, ancestors, node):
        if not node.schemaname and node.relname not in self.local:
            self.note("unqualified relation", node.relname)

    def visit_A_Expr(self, ancestors, node):
        if node.kind in BY_OPERATOR:
            self.qualified(node.name, "operator")
        else:
            self.note("operator that cannot be qualified", node.kind.name)

    def visit_CaseExpr(self, ancestors, node):
        if node.arg is not None:
            self.note("simple CASE, which looks = up")

    def visit_JoinExpr(self, ancestors, node):
        if node.usingClause or node.isNatural:
            self.note("JOIN USING, which looks = up")

    def visit_SortBy(self, ancestors, node):
        if node.useOp:
            self.qualified(node.useOp, "operator")

    # what is created

    def visit_CreateFunctionStmt(self, ancestors, node):
        self.visit(ancestors, node)
        self.qualified(node.funcname, "name of a function")
        given, name = options(node), node.funcname[-1].sval
        if given.get("security") is not None and given["security"].boolval:
            self.note("SECURITY DEFINER", name)
        if given.get("leakproof") is not None and given["leakproof"].boolval:
            self.note("LEAKPROOF", name)
        if not node.is_procedure:
            for option in ("volatility", "parallel"):
                if option not in given:
                    self.note(f"no {option}", name)
            if "cost" not in given and "strict" not in given:
                self.note("neither COST nor strictness", name)
        if given["language"].sval == "c" and given["as"][0].sval != "MODULE_PATHNAME":
            self.note("library other than MODULE_PATHNAME", name)

    def visit_DefineStmt(self, ancestors, node):
        self.visit(ancestors, node)
        self.qualified(node.defnames, "name")

    def visit_CreateEnumStmt(self, ancestors, node):
        self.qualified(node.typeName, "name of a type")

    def visit_ViewStmt(self, ancestors, node):
        self.visit(ancestors, node)
        if not any(o.defname == "security_invoker" and getattr(o.arg, "sval", "true") == "true" for o in node.options or ()):
            self.note("view without security_invoker", node.view.relname)

    def visit_GrantStmt(self, ancestors, node):
        if node.objtype == ObjectType.OBJECT_TABLE and any(
                role.roletype == RoleSpecType.ROLESPEC_PUBLIC for role in node.grantees):
            self.note("GRANT on a table TO PUBLIC")


def check(tree, in_body):
    names = Names()
    names(tree)
    rules = Rules(in_body, names.found)
    rules(tree)
    return rules.found


def nodes(tree):
    """All (kind, content) in what parse_plpgsql gives."""
    if isinstance(tree, list):
        for item in tree:
            yield from nodes(item)
    elif isinstance(tree, dict):
        for kind, content in tree.items():
            yield kind, content
            yield from nodes(content)


def dynamic(text, in_do):
    """EXECUTE may only run format() of a constant with quoting placeholders."""
    call = parse_sql("SELECT " + text)[0].stmt.targetList[0].val
    if in_do or not isinstance(call, ast.FuncCall) or call.funcname[-1].sval != "format":
        return ["dynamic SQL"]
    pattern = call.args[0]
    constant = isinstance(pattern, ast.A_Const) and isinstance(pattern.val, ast.String)
    return [] if constant and "%s" not in pattern.val.sval else ["dynamic SQL without quoting"]


def expression(text):
    """An expression or statement of PL/pgSQL."""
    try:
        return parse_sql(text)
    except Exception:
        return parse_sql("SELECT " + text)


def check_plpgsql(text, in_do):
    found = []
    for kind, content in nodes(parse_plpgsql(text)):
        if kind == "PLpgSQL_stmt_assign":
            assigned = content["expr"]["PLpgSQL_expr"]
            assigned["query"] = re.sub(r"^[^:=]+:?=", "", assigned["query"])
        elif kind == "PLpgSQL_expr":
            found += check(expression(content["query"]), True)
        elif kind == "PLpgSQL_type":
            name = content["typname"].strip()
            # unknown: libpg_query's name for the types of FOUND and of rows
            if "." not in name and name.lower() not in ("unknown", "record"):
                found.append(f"unqualified type: {name}")
        elif kind in ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"):
            found += dynamic(content["query"]["PLpgSQL_expr"]["query"], in_do)
        elif isinstance(content, dict) and "dynquery" in content:
            found += dynamic(content["dynquery"]["PLpgSQL_expr"]["query"], in_do)
    return found


def check_statement(statement, text):
    found = check(statement, False)
    if isinstance(statement, ast.DoStmt):
        return found + check_plpgsql(text, True)
    if not isinstance(statement, ast.CreateFunctionStmt):
        return found
    language, body = options(statement)["language"].sval, options(statement).get("as")
    if language == "plpgsql":
        found += check_plpgsql(text, False)
    elif language == "sql" and body:
        found += check(parse_sql(body[0].sval), True)
    elif language == "sql":
        found += check(statement.sql_body, True)
    return found


def check_script(text):
    """Every break of a rule, with the line where its statement begins."""
    script = re.sub(r"^\\.*$", lambda match: " " * len(match[0]), text, flags=re.M)
    raw = script.encode()
    found = []
    for item in parse_sql(script):
        own = raw[item.stmt_location:item.stmt_location + item.stmt_len if item.stmt_len else None].decode()
        begin = item.stmt_location + len(own.encode()) - len(re.sub(r"^(\s+|--.*\n|/\*.*?\*/)*", "", own).encode())
        line = raw[:begin].count(b"\n") + 1
        found += [f"line {line}: {rule}" for rule in check_statement(item.stmt, own)]
    return found


FUNCTION = "CREATE FUNCTION explain.f() RETURNS text AS 'MODULE_PATHNAME', 'f' LANGUAGE C IMMUTABLE PARALLEL SAFE STRICT"
PLPGSQL = ("CREATE FUNCTION explain.f() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 AS "
           "$$ DECLARE a pg_catalog.text; BEGIN %s END $$")
SQL = "CREATE FUNCTION explain.f() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE STRICT AS $$ %s $$"
ALLOWED = [
    FUNCTION,
    PLPGSQL % "a := pg_catalog.max(a); IF a OPERATOR(pg_catalog.=) 'x' THEN RETURN a; END IF;",
    PLPGSQL % "EXECUTE pg_catalog.format('TABLE %I', a);",
    SQL % "WITH w AS (SELECT 1) SELECT CASE WHEN coalesce(true, false) THEN 'a'::pg_catalog.text END FROM w",
]
FORBIDDEN = [
    ("SECURITY DEFINER", FUNCTION + " SECURITY DEFINER"),
    ("LEAKPROOF", FUNCTION + " LEAKPROOF"),
    ("no volatility", FUNCTION.replace("IMMUTABLE", "")),
    ("no parallel", FUNCTION.replace("PARALLEL SAFE", "")),
    ("neither COST", FUNCTION.replace("STRICT", "")),
    ("library other", FUNCTION.replace("MODULE_PATHNAME", "$libdir/x")),
    ("CREATE OR REPLACE", FUNCTION.replace("CREATE", "CREATE OR REPLACE")),
    ("CREATE OR REPLACE", "CREATE OR REPLACE VIEW explain.v WITH (security_invoker) AS SELECT 1"),
    ("IF NOT EXISTS", "CREATE TABLE IF NOT EXISTS explain.t ()"),
    ("IF NOT EXISTS", "CREATE SCHEMA IF NOT EXISTS explain"),
    ("IF NOT EXISTS", PLPGSQL % "CREATE TABLE IF NOT EXISTS explain.t ();"),
    ("unqualified name of a function", FUNCTION.replace("explain.f", "f")),
    ("unqualified name", "CREATE TYPE f"),
    ("unqualified type", FUNCTION.replace("RETURNS text", "RETURNS model")),
    ("unqualified relation", "CREATE TABLE t ()"),
    ("view without", "CREATE VIEW explain.v AS SELECT 1"),
    ("view without", "CREATE VIEW explain.v WITH (security_invoker = false) AS SELECT 1"),
    ("view without", PLPGSQL % "CREATE VIEW explain.v AS SELECT 1;"),
    ("GRANT", "GRANT SELECT ON explain.t TO PUBLIC"),
    ("unqualified operator", PLPGSQL % "IF a = 'x' THEN RETURN a; END IF;"),
    ("unqualified operator", PLPGSQL % "a := a || 'x';"),
    ("unqualified function", PLPGSQL % "RETURN upper(a);"),
    ("unqualified type", PLPGSQL.replace("pg_catalog.text", "text") % ""),
    ("unqualified type", PLPGSQL % "RETURN a::regclass;"),
    ("unqualified relation", PLPGSQL % "PERFORM FROM t;"),
    ("unqualified relation", PLPGSQL % "FOR a IN SELECT 1 FROM t LOOP END LOOP;"),
    ("dynamic SQL", PLPGSQL % "EXECUTE a;"),
    ("dynamic SQL without", PLPGSQL % "EXECUTE pg_catalog.format('TABLE %s', a);"),
    ("dynamic SQL", PLPGSQL.replace("RETURNS", "RETURNS SETOF") % "RETURN QUERY EXECUTE a;"),
    ("dynamic SQL", "DO $$ BEGIN EXECUTE pg_catalog.format('TABLE %I', 'a'); END $$"),
    ("unqualified function", "DO $$ BEGIN PERFORM now(); END $$"),
    ("unqualified operator", SQL % "SELECT 1 < ANY (ARRAY[1])"),
    ("operator that cannot", SQL % "SELECT 1 WHERE 1 IN (1, 2)"),
    ("operator that cannot", SQL % "SELECT nullif(1, 2)"),
    ("simple CASE", SQL % "SELECT CASE 1 WHEN 1 THEN 2 END"),
    ("JOIN USING", SQL % "SELECT 1 FROM explain.a JOIN explain.b USING (c)"),
    ("unqualified function", "CREATE FUNCTION explain.f() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE STRICT RETURN upper('a')"),
]


def main():
    scripts = sorted(glob.glob(os.path.join(os.environ["BUILD"], "explain_ext--*.sql"))) + sorted(glob.glob("sql/explain_ext--*--*.sql"))
    failures = [(f"allowed: {sql}", check_script(sql)) for sql in ALLOWED if check_script(sql)]
    failures += [(f"not found, {rule}: {sql}", check_script(sql)) for rule, sql in FORBIDDEN
                 if not any(f": {rule}" in found for found in check_script(sql))]
    print(f"{'not ok' if failures else 'ok'} 1 - the rules find {len(FORBIDDEN)} planted faults")
    for name, found in failures:
        print("#  ", name, found)
    count, failed = 1, bool(failures)
    for script in scripts:
        with open(script, encoding="utf-8") as file:
            found = check_script(file.read())
        count, failed = count + 1, failed or bool(found)
        print(f"{'not ok' if found else 'ok'} {count} - {os.path.basename(script)}")
        for line in found:
            print("#  ", line)
    print(f"1..{max(count, 2)}")
    return not failed


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
