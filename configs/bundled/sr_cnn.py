# The regression network that bundled/sr starts from.
_base_ = [
    '../_base_/models/quickstart_cnn.py',
    '../_base_/datasets/bsds_low_resolution.py',
    '../_base_/schedules/quickstart_8k.py', '../_base_/default_runtime.py'
]
