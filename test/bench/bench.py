"""End-to-end speed in SQL beside the peers, from one run: make bench [T=figure].

Each figure prints ours, the peer's and their ratio (harness.py says how they
are measured).  A figure is a function figure_NAME of one of the MODULES.
"""
import importlib
import platform
import sys

import harness

MODULES = ("trees", "networks", "bulk", "growth")


def find_figures():
    """name -> (module, function), in the order of the files."""
    figures = {}
    for module in map(importlib.import_module, MODULES):
        for name, function in vars(module).items():
            if name.startswith("figure_"):
                figures[name[len("figure_"):]] = (module, function)
    return figures


def print_head(peers):
    with open("/proc/cpuinfo") as cpu:
        machine = next((line.split(":", 1)[1].strip() for line in cpu if line.startswith("model name")), "?")
    server = harness.sql("SHOW server_version")[0][0]
    print(f"{machine}, {platform.system()}; PostgreSQL {server}, {', '.join(sorted(peers))};"
          f" jit off, no parallel workers; {'CPU' if harness.CPU else 'wall'} time, medians of {harness.RUNS}")
    print(f"{'':58s} {'ours us/row':>10s} {'peer us':>10s} {'ratio':>8s}  goal")


def main():
    figures = find_figures()
    chosen = sys.argv[1:] or list(figures)
    unknown = set(chosen) - set(figures)
    if unknown:
        sys.exit(f"unknown figure {', '.join(sorted(unknown))}; there are {', '.join(figures)}")
    harness.open_bench()
    print_head({figures[name][0].PEER for name in chosen})
    for name in chosen:
        figures[name][1]()


main()
