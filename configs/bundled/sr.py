# The bundled model for super-resolution (x4), see docs/models.md. Train
# bundled/sr_cnn first.
_base_ = [
    '../_base_/models/quickstart_refining.py',
    '../_base_/datasets/bsds_low_resolution.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(initial_checkpoint='work_dirs/sr_cnn/iter_8000.pth')
