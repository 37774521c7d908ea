"""Networks, beside PyTorch: one row at a time, and in batches.

PyTorch computes in float32, its default and what its users run; we compute in
float8.  Its tensors are made beforehand: only the model is timed.
"""
import copy
import json

import numpy as np
import torch

from harness import FEATURES, SEED, X, our_rows, ours, peer, report, sql

PEER = f"PyTorch {torch.__version__}"
torch.set_num_threads(1)
torch.manual_seed(SEED)

MLP = torch.nn.Sequential(torch.nn.Linear(FEATURES, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(),
                          torch.nn.Linear(64, 1))
# the digits CNN of test/data/models/torch, with other weights
CNN = torch.nn.Sequential(
    torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
    torch.nn.Conv2d(8, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
    torch.nn.Linear(64, 10)).eval()
for network in (MLP, CNN):
    network.requires_grad_(False)       # only derivatives for the inputs are timed


def as_list(tensor):
    return tensor.detach().double().numpy().tolist()


def layer_json(module):
    """One layer in the JSON form of explain.model."""
    if isinstance(module, torch.nn.Linear):
        return {"kind": "dense", "weights": as_list(module.weight), "bias": as_list(module.bias)}
    if isinstance(module, torch.nn.Conv2d):
        return {"kind": "conv2d", "weights": as_list(module.weight), "bias": as_list(module.bias),
                "kernel": list(module.kernel_size), "channels": module.out_channels, "padding": module.padding[0]}
    if isinstance(module, torch.nn.BatchNorm2d):
        return {"kind": "batch_norm", "gamma": as_list(module.weight), "beta": as_list(module.bias),
                "mean": as_list(module.running_mean), "variance": as_list(module.running_var), "epsilon": module.eps}
    if isinstance(module, torch.nn.MaxPool2d):
        return {"kind": "max_pool", "kernel": [2, 2], "stride": [2, 2]}
    return {torch.nn.ReLU: {"kind": "relu"}, torch.nn.Flatten: {"kind": "flatten"}}[type(module)]


def store(name, network, **members):
    document = {"family": "network", "layers": [layer_json(module) for module in network], **members}
    sql("INSERT INTO bench_models VALUES (%s, %s::json::explain.model) ON CONFLICT DO NOTHING",
        name, json.dumps(document))


def store_mlp():
    store("mlp", MLP, features=[{"name": f"x{i}"} for i in range(FEATURES)])


def gradient_row(row):
    x = row.clone().requires_grad_()
    MLP(x).sum().backward()
    return x.grad


def integrated_gradients(row, baseline, points=50):
    """The usual quadrature: all points of one row in one batch."""
    alpha = (torch.arange(points) + 0.5)[:, None] / points
    path = (baseline + alpha * (row - baseline)).requires_grad_()
    gradient, = torch.autograd.grad(MLP(path).sum(), path)
    return (row - baseline) * gradient.mean(0)


def figure_gradient():
    store_mlp()
    mine = our_rows("gradient_array", "mlp", 20000)
    rows = torch.tensor(X[:1000], dtype=torch.float32).split(1)
    report("gradient_array, MLP 30-64-64-1 / PyTorch row by row", mine,
           peer(lambda: [gradient_row(row) for row in rows], len(rows)), 20)
    batches = torch.tensor(X[:16384], dtype=torch.float32).split(4096)
    report("gradient_array, MLP 30-64-64-1 / PyTorch, batches of 4096", mine,
           peer(lambda: [gradient_row(batch) for batch in batches], 16384), 0.3)


def figure_integrated_gradients():
    store_mlp()
    mine = our_rows("integrated_gradient_array", "mlp", 5000, ", baseline => 'zero'")
    rows = torch.tensor(X[:500], dtype=torch.float32).split(1)
    zero = torch.zeros(1, FEATURES)
    report("integrated_gradient_array, exact / PyTorch, 50 points", mine,
           peer(lambda: [integrated_gradients(row, zero) for row in rows], len(rows)), 1)
    report_accuracy()


def by_pieces(network, row):
    """Integrated gradients from zero in float64: pieces between kinks, found layer by layer."""
    knots = torch.tensor([0.0, 1.0], dtype=torch.float64)
    for depth in (1, 3):                                    # what the two ReLU layers read
        value = network[:depth](knots[:, None] * row)
        low, high = value[:-1], value[1:]
        part = low / (low - high)
        crossing = knots[:-1, None] + part * (knots[1:] - knots[:-1])[:, None]
        knots = torch.cat([knots, crossing[(part > 0) & (part < 1)]]).sort().values
    middle = ((knots[1:] + knots[:-1]) / 2)[:, None] * row
    middle.requires_grad_()
    gradient, = torch.autograd.grad(network(middle).sum(), middle)
    return (row[0] * ((knots[1:] - knots[:-1])[:, None] * gradient).sum(0)).numpy()


def report_accuracy():
    """How far both are from the exact value."""
    ours_of_rows = [row[0] for row in sql(
        "SELECT explain.integrated_gradient_array((SELECT m FROM bench_models WHERE name = 'mlp'), t, "
        "baseline => 'zero') FROM bench_rows t WHERE id < 20 ORDER BY id")]
    usual = [integrated_gradients(row, torch.zeros(1, FEATURES)).numpy()[0]
             for row in torch.tensor(X[:20], dtype=torch.float32).split(1)]
    double = copy.deepcopy(MLP).double()
    exact = np.array([by_pieces(double, row) for row in torch.tensor(X[:20]).split(1)])
    print(f"  largest error: ours {np.abs(np.array(ours_of_rows) - exact).max():.1e}, "
          f"50 points {np.abs(np.array(usual) - exact).max():.1e}", flush=True)


def figure_cnn():
    store("cnn", CNN, image={"channels": ["grey"], "height": 8, "width": 8}, outputs=10)
    image = np.random.default_rng(SEED).random((2000, 1, 8, 8))
    sql("CREATE TABLE IF NOT EXISTS bench_images (id int4, pixels float8[])")
    sql("INSERT INTO bench_images SELECT i, array_agg(random()) FROM generate_series(0, 19999) i, "
        "generate_series(1, 64) GROUP BY i")
    query = "SELECT count(explain.predict((SELECT m FROM bench_models WHERE name = 'cnn'), pixels, output => '3')) " \
            "FROM bench_images"
    rows = torch.tensor(image, dtype=torch.float32).split(1)
    with torch.no_grad():
        report("predict, digits CNN / PyTorch row by row", ours(query, 20000),
               peer(lambda: [CNN(row) for row in rows], len(rows)), 5)
