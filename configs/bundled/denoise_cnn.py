# The regression beside bundled/denoise, see docs/models.md.
_base_ = [
    '../_base_/models/bundled_cnn.py',
    '../_base_/datasets/bundled_noise.py',
    '../_base_/schedules/bundled_cnn.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(network=dict(self_ensemble=4)))
load_from = 'irsde_mm/weights/denoise.safetensors'
