# mmagic's Restormer, small, beside quickstart/denoise.py: the same photos,
# crops and iterations.
_base_ = [
    '../../_base_/models/quickstart_restormer.py',
    '../../_base_/datasets/builtin_noise.py',
    '../../_base_/schedules/quickstart.py', '../../_base_/default_runtime.py'
]
model = dict(generator=dict(LayerNorm_type='BiasFree'))
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='AdamW', lr=1e-3, weight_decay=1e-4))
