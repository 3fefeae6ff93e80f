"""Measurements, never tests: `python -m benchmarks.compile`, `python -m benchmarks.run`."""
