# The bundled model for inpainting, see docs/models.md. Train
# bundled/dehaze_process first.
_base_ = [
    '../_base_/models/bundled_nafnet.py',
    '../_base_/datasets/bundled_masks.py',
    '../_base_/schedules/bundled_tuning.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(self_ensemble=4))
load_from = 'work_dirs/bundled/dehaze_process/iter_20000.pth'
