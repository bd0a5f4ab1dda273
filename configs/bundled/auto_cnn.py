# The regression beside bundled/auto, see docs/models.md.
_base_ = [
    '../_base_/models/bundled_cnn.py',
    '../_base_/datasets/bundled_mixture.py',
    '../_base_/schedules/bundled_cnn.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(network=dict(
    enc_blocks=[2, 3, 5, 4], dec_blocks=[1, 3, 3, 2], self_ensemble=2)))
load_from = 'irsde_mm/weights/auto.safetensors'
