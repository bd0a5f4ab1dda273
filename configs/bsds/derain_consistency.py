# Deraining with two calls: derain.py, which is trained first, and
# 800 iterations of consistency training, see docs/consistency.md.
_base_ = [
    '../_base_/models/quickstart_consistency.py',
    '../_base_/datasets/bsds_rain.py',
    '../_base_/schedules/quickstart_consistency.py',
    '../_base_/default_runtime.py'
]
load_from = 'work_dirs/bsds/derain/iter_1600.pth'
