# A small version of mmagic's SwinIR for comparison with quickstart/sr.py: same
# photos, crops and iterations.
_base_ = [
    '../../_base_/models/quickstart_swinir_sr.py',
    '../../_base_/datasets/builtin_low_resolution.py',
    '../../_base_/schedules/quickstart_4k.py',
    '../../_base_/default_runtime.py'
]
optim_wrapper = dict(optimizer=dict(lr=1e-3))
