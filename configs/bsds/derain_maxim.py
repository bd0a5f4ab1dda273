# A small MAXIM for comparison with bsds/derain.py.
_base_ = [
    '../_base_/models/quickstart_maxim.py', '../_base_/datasets/bsds_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
optim_wrapper = dict(clip_grad=dict(max_norm=1))
