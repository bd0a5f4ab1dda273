"""The measurements of tools/benchmark.py, a file each."""
