# The regression beside bundled/deblur, see docs/models.md.
_base_ = [
    '../_base_/models/bundled_cnn.py',
    '../_base_/datasets/bundled_blur.py',
    '../_base_/schedules/bundled_cnn.py', '../_base_/default_runtime.py'
]
load_from = 'irsde_mm/weights/deblur.safetensors'
