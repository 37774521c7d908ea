#!/usr/bin/python3
"""doc/model.schema.json against Debian's implementation of JSON Schema.

The schema accepts the documented examples, refuses what the reader refuses as
far as a schema can know (test/data/json/refused.tsv says for each document),
and lists the links and families that the code has.  Prints TAP.
"""
import glob
import json
import os
import re

import jsonschema

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
count = 0


def path(*parts):
    return os.path.join(TOP, *parts)


def ok(held, name, *comments):
    global count
    count += 1
    print(f"{'ok' if held else 'not ok'} {count} - {name}")
    for comment in () if held else comments:
        print("#  ", comment)


def read(*parts):
    with open(path(*parts), encoding="utf-8") as file:
        return file.read()


def test_schema(schema):
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
        ok(True, "the schema is one of draft 2020-12")
    except jsonschema.SchemaError as error:
        ok(False, "the schema is one of draft 2020-12", error.message)


def test_lists(schema):
    links = re.findall(r'\[EX_LINK_\w+\] = "(\w+)"', read("src", "kernel", "link.c"))
    ok(links and schema["properties"]["link"]["enum"] == links, "links are those of link.c", links)
    names = re.findall(r'\.name = "(\w+)",\n\t\.sections', "".join(
        read(file) for file in sorted(glob.glob(path("src", "kernel", "*.c")))))
    ok(names and sorted(schema["properties"]["family"]["enum"]) == sorted(names),
       "families are those of the code", names)


def test_examples(validator):
    for file in sorted(glob.glob(path("doc", "examples", "*.json"))):
        document = json.loads(read(file))
        errors = [error.message for error in validator.iter_errors(document)]
        ok(not errors, f"{os.path.basename(file)} is valid", *errors)
        document["colour"] = "red"
        ok(not validator.is_valid(document), f"{os.path.basename(file)} with an unknown key is not")


def test_documentation():
    """The documents of doc/model-json.md and the files of doc/examples are the same."""
    shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", read("doc", "model-json.md"), re.S)]
    files = [json.loads(read(file)) for file in glob.glob(path("doc", "examples", "*.json"))]
    ok(shown and all(file in shown for file in files), "every example is documented")
    ok(all(document in files for document in shown), "every documented example is a file")


def test_refused(validator):
    for line in read("test", "data", "json", "refused.tsv").splitlines():
        if line.startswith("#"):
            continue
        status, who, _, text = line.split("\t")
        if status == "SYNTAX":
            continue
        valid = validator.is_valid(json.loads(text.replace("'", '"')))
        ok(valid == (who == "json"), f"{'passes' if who == 'json' else 'is refused'}: {text}")


def main():
    schema = json.loads(read("doc", "model.schema.json"))
    validator = jsonschema.Draft202012Validator(schema)
    test_schema(schema)
    test_lists(schema)
    test_examples(validator)
    test_documentation()
    test_refused(validator)
    print(f"1..{count}")


main()
