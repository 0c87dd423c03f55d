"""Benchmarks: every claim of speed as a ratio, both sides measured in one run.

    make bench

Each contestant runs in a process of its own, by turns with those it is compared with, and tells the
seconds of its work without start-up and preparation. What stays is `results.json` here and the page
`docs/benchmarks.md` with its plots.
"""
