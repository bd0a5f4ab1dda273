# A small version of mmagic's NAFNet for comparison with bsds/derain.py.
_base_ = [
    '../_base_/models/quickstart_mm_nafnet.py',
    '../_base_/datasets/bsds_rain.py',
    '../_base_/schedules/quickstart_nafnet.py', '../_base_/default_runtime.py'
]
