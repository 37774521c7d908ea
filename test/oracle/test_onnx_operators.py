#!/usr/bin/python3
"""The reader of ONNX files against the operator tests of the ONNX project
(Debian's libonnx-testdata): over a thousand models with inputs and outputs.

Weights that a test passes as inputs become initializers first, so that a model
has the one input whose first dimension is its rows.  A model must give the
output that comes with it, or be refused by name; models of the operators that
doc/onnx.md lists without conditions must not be refused.

Prints TAP.  BUILD names a folder with kernels.a; without it the kernels are
compiled.  A word as argument runs the models whose names contain it.
"""
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = "/usr/share/libonnx-testdata/data"
TOLERANCE = 5e-6        # float32 sums of a few hundred terms

# Tests that exist for these must run and agree, with the least number of them.
EXPECTED = {"Conv": 15, "Gemm": 3, "MaxPool": 6, "AveragePool": 6, "Relu": 2, "Sigmoid": 3, "Tanh": 3,
            "Softplus": 2, "LeakyRelu": 3, "Elu": 3, "BatchNormalization": 4, "Softmax": 2, "Flatten": 3,
            "Reshape": 5, "Transpose": 3, "GlobalAveragePool": 2, "GlobalMaxPool": 2, "Clip": 4, "Add": 2,
            "Mul": 2, "Sub": 1, "Div": 2, "Squeeze": 2, "Unsqueeze": 6, "Identity": 1, "Dropout": 2}


def build_driver(folder):
    flags = ["-std=gnu99", "-O1", "-ffp-contract=off", "-D_GNU_SOURCE", "-w",
             *(f"-I{TOP}/{part}" for part in ("src", "src/kernel", "test/unit"))]
    compiler = os.environ.get("CC", "gcc")
    archive = os.path.join(os.environ.get("BUILD", ""), "kernels.a")
    objects = [archive]
    if not os.path.exists(archive):
        wide = {"_avx2.c": ["-mavx2", "-mno-fma"],
                "avx512.c": ["-mavx2", "-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mno-fma"]}
        objects = []
        for source in sorted(glob.glob(f"{TOP}/src/kernel/*.c")):
            target = os.path.join(folder, os.path.basename(source) + ".o")
            more = [flag for end, list in wide.items() if source.endswith(end) for flag in list]
            subprocess.check_call([compiler, *flags, *(more if os.uname().machine == "x86_64" else []),
                                   "-c", source, "-o", target])
            objects.append(target)
    program = os.path.join(folder, "onnx_predict")
    subprocess.check_call([compiler, *flags, os.path.join(TOP, "test/oracle/onnx_predict.c"), *objects, "-lm", "-o", program])
    return program


def read_tensor(path):
    tensor = onnx.TensorProto()
    with open(path, "rb") as file:
        tensor.ParseFromString(file.read())
    return numpy_helper.to_array(tensor)


def load(folder):
    """Model, rows and expected rows; None where the test is not about rows of numbers."""
    model = onnx.load(os.path.join(folder, "model.onnx"))
    known = {i.name for i in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in known]
    values = [read_tensor(p) for p in sorted(glob.glob(f"{folder}/test_data_set_0/input_*.pb"),
                                             key=lambda p: int(p.rsplit("_", 1)[1][:-3]))]
    expected = read_tensor(f"{folder}/test_data_set_0/output_0.pb")
    if not inputs or len(inputs) != len(values) or len(model.graph.output) != 1 or values[0].ndim == 0 or expected.ndim == 0:
        return None
    if values[0].dtype.kind not in "fiub" or expected.dtype.kind not in "fiub" or expected.shape[0] != values[0].shape[0]:
        return None
    for port, value in zip(inputs[1:], values[1:]):
        tensor = numpy_helper.from_array(value, port.name)
        model.graph.initializer.append(tensor)
        model.graph.input.remove(port)
    rows = values[0].shape[0]
    return model, values[0].reshape(rows, -1).astype(float), expected.reshape(rows, -1).astype(float)


def run(program, model, x):
    data = model.SerializeToString()
    lines = "\n".join(" ".join(repr(float(v)) for v in row) for row in x) + "\n"
    done = subprocess.run([program], input=str(len(data)).encode() + b"\n" + data + lines.encode(), stdout=subprocess.PIPE)
    text = done.stdout.decode()
    if done.returncode != 0:
        return None, text.strip() or f"exit status {done.returncode}"
    rows = text.splitlines()[1:]
    return np.array([[float(v) for v in row.split()] for row in rows]), None


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    agreed, failed, refused, skipped, worst = {}, [], {}, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        program = build_driver(folder)
        for path in sorted(glob.glob(f"{DATA}/*/*{only}*/model.onnx")):
            name = os.path.basename(os.path.dirname(path))
            try:
                loaded = load(os.path.dirname(path))
            except Exception:           # sequences, optional values: not read by python3-onnx's helper
                loaded = None
            if loaded is None:
                skipped += 1
                continue
            model, x, expected = loaded
            got, why = run(program, model, x)
            if why is not None and why.endswith("the output is an input"):
                # of operators that change no number, which are no model alone
                model.graph.node.append(onnx.helper.make_node("Neg", [model.graph.output[0].name], ["negative"]))
                model.graph.output[0].name = "negative"
                expected = -expected
                got, why = run(program, model, x)
            if got is None:
                refused[name] = why
                if why.split(":")[0] not in ("1", "3", "9", "10"):
                    failed.append(f"{name}: {why}")
                continue
            if got.shape == expected.shape:
                difference = np.max(np.abs(got - expected) / np.maximum(1, np.abs(expected)), initial=0)
                worst = max(worst, difference) if difference < TOLERANCE else worst
            if got.shape != expected.shape or not difference < TOLERANCE:
                failed.append(f"{name}: {got.shape} {expected.shape} {got[:1, :4]} {expected[:1, :4]}")
                continue
            for operator in {node.op_type for node in model.graph.node}:
                agreed.setdefault(operator, []).append(name)
    print(f"{'not ok' if failed else 'ok'} 1 - no model of the ONNX project gives another output or an unclassed error")
    for line in failed:
        print("#  ", line.replace("\n", " "))
    n = 1
    for operator, least in EXPECTED.items() if not only else ():
        n += 1
        count = len(agreed.get(operator, []))
        print(f"{'ok' if count >= least else 'not ok'} {n} - {operator}: {least} models or more agree")
    names = {name for list in agreed.values() for name in list}
    print(f"# {len(names)} models agree, largest difference {worst:.2g}; {len(refused)} refused, {skipped} not about rows")
    print(f"1..{n}")
    if os.environ.get("V"):
        for name, why in refused.items():
            print("#", name, why)
        print("#", {operator: len(list) for operator, list in sorted(agreed.items())})
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
