"""The benchmarks of tools/benchmark.py, one file each."""
