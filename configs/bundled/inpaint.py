# The bundled model for inpainting, see docs/models.md. Train
# bundled/inpaint_cnn first.
_base_ = [
    '../_base_/models/quickstart_refining.py',
    '../_base_/datasets/bsds_masks.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(initial_checkpoint='work_dirs/inpaint_cnn/iter_4000.pth')
