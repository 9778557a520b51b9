"""Benchmarks: the product against a floor measured in the same run, since only ratios travel between machines.

A benchmark is a function that takes a `Bench` and returns results; `registry.BENCHES` lists them.
`python -m tests.bench` runs all, `--quick` with less, `--only NAME …` some.
"""
