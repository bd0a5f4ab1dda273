# A small version of mmagic's NAFNet for comparison with quickstart/deblur.py:
# same photos, crops and iterations.
_base_ = [
    '../../_base_/models/quickstart_mm_nafnet.py',
    '../../_base_/datasets/builtin_blur.py',
    '../../_base_/schedules/quickstart_4k.py',
    '../../_base_/default_runtime.py'
]
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='AdamW', lr=5e-3, weight_decay=1e-3,
    betas=(0.9, 0.9)))
