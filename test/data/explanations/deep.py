"""Writes mlp_*/deep.csv: DeepLIFT's rescale rule averaged over the background, from its definition in numpy.

Run in this folder: python3 deep.py
"""
import json

import numpy as np


def forward(x, layers, g):
    """Inputs of the units of each layer; the last one is the output."""
    inputs = []
    for i, (weight, bias) in enumerate(layers):
        inputs.append(x @ weight + bias)
        x = g(inputs[-1])
    return inputs


def deep(x, background, layers, g):
    a = forward(x, layers, g)
    a0 = forward(background, layers, g)
    m = np.ones((len(background), 1))
    for i in range(len(layers) - 1, -1, -1):
        m = m @ layers[i][0].T
        if i > 0:
            m = m * (g(a[i - 1]) - g(a0[i - 1])) / (a[i - 1] - a0[i - 1])
    return (m * (x - background)).mean(0)


for name in "mlp_relu", "mlp_tanh":
    with open(name + "/model.json") as file:
        model = json.load(file)
    rows, background = (np.loadtxt(f"{name}/{what}.csv", delimiter=",", skiprows=1) for what in ("rows", "background"))
    g = np.tanh if model["activation"] == "tanh" else lambda a: np.maximum(a, 0)
    layers = [(np.array(w), np.array(b)) for w, b in zip(model["coefs"], model["intercepts"])]
    values = [deep(x, background, layers, g) for x in rows]
    np.savetxt(name + "/deep.csv", values, delimiter=",", fmt="%.17g", comments="",
               header=",".join(f"c{i}" for i in range(rows.shape[1])))
