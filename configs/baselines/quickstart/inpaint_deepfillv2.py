# A small version of mmagic's DeepFillv2 for comparison with
# quickstart/inpaint.py: same photos, crops and iterations.
_base_ = [
    '../../_base_/models/quickstart_deepfillv2.py',
    '../../_base_/datasets/builtin_masks.py',
    '../../_base_/schedules/quickstart.py',
    '../../_base_/default_runtime.py'
]
optim_wrapper = dict(
    _delete_=True, constructor='MultiOptimWrapperConstructor',
    generator=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3)),
    disc=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4)))
