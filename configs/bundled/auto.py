# One model for photos of unknown degradation, see docs/models.md. Train
# bundled/dehaze_process first.
_base_ = [
    '../_base_/models/bundled_nafnet.py',
    '../_base_/datasets/bundled_mixture.py',
    '../_base_/schedules/bundled_auto.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(self_ensemble=2), sde=dict(eps=1e-5))
load_from = 'work_dirs/bundled/dehaze_process/iter_20000.pth'
