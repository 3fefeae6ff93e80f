"""Training data: datasets, splits, and loaders that hand out batches."""

from srcgrad.data.datasets import ArrayDataset, Dataset, Subset
from srcgrad.data.loader import DataLoader, collate
from srcgrad.data.splits import random_split, train_test_split

__all__ = ["ArrayDataset", "DataLoader", "Dataset", "Subset", "collate", "random_split", "train_test_split"]
