"""What every example's picture has in common: where it goes, and that its folder exists."""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

OUTPUT = Path(__file__).parent / "output"


def axes(**labels):
    """An empty picture of one plot."""
    _, plot = plt.subplots(figsize=(7, 4), layout="constrained")
    plot.set(**labels)
    return plot


def save(plot, picture):
    """Write a plot's picture, and close it."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    plot.figure.savefig(picture, dpi=150)
    plt.close(plot.figure)
    print("picture in", picture)


def path(name, description):
    """--picture PATH of the command line, or examples/output/name."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--picture", type=Path, default=OUTPUT / name)
    return parser.parse_args().picture
