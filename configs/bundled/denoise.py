# The bundled model for denoising, see docs/models.md. Train bundled/auto
# first.
_base_ = [
    '../_base_/models/bundled_perceptual.py',
    '../_base_/datasets/bundled_noise.py',
    '../_base_/schedules/bundled_tuning.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(self_ensemble=4))
load_from = 'work_dirs/bundled/auto/iter_16000.pth'
