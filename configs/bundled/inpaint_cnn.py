# The regression network that bundled/inpaint starts from.
_base_ = [
    '../_base_/models/quickstart_cnn.py', '../_base_/datasets/bsds_masks.py',
    '../_base_/schedules/quickstart_4k.py', '../_base_/default_runtime.py'
]
