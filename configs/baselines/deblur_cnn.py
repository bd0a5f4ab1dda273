# The paper's CNN baseline on GoPro: the network of irsde/deblur.py trained by
# plain regression, with the same data and schedule.
_base_ = [
    '../_base_/models/cnn_unet.py', '../_base_/datasets/gopro.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
