# The bundled model for deblurring, see docs/models.md.
_base_ = [
    '../_base_/models/quickstart_published.py', '../_base_/datasets/bsds_blur.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
# a_T = 0.3 makes two steps enough; they stay near the mean of the possible
# images
model = dict(
    sde=dict(max_sigma=10 / 255, eps=0.3), sampler=dict(num_steps=2),
    pixel_loss=dict(exact=True))
