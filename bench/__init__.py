"""Benchmarks, run by hand and by `make bench`: they print a table and never fail a build (see docs/benchmarks.md)."""
