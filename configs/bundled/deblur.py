# The bundled model for deblurring, see docs/models.md. Train bundled/auto
# first.
_base_ = [
    '../_base_/models/bundled_perceptual.py',
    '../_base_/datasets/bundled_blur.py',
    '../_base_/schedules/bundled_tuning.py', '../_base_/default_runtime.py'
]
load_from = 'work_dirs/bundled/auto/iter_16000.pth'
