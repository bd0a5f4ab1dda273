# mmagic's partial convolutions for comparison with quickstart/inpaint.py: same
# photos, crops and iterations, but twelve times the parameters.
_base_ = [
    '../../_base_/models/quickstart_pconv.py',
    '../../_base_/datasets/builtin_masks.py',
    '../../_base_/schedules/quickstart.py',
    '../../_base_/default_runtime.py'
]
optim_wrapper = dict(optimizer=dict(lr=1e-3))
