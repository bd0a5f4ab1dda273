# Super-resolution (x4) on BSDS500 with one or two calls, see docs/consistency.md.
_base_ = [
    '../_base_/models/quickstart_consistency.py',
    '../_base_/datasets/bsds_low_resolution.py',
    '../_base_/schedules/quickstart_consistency.py',
    '../_base_/default_runtime.py'
]
