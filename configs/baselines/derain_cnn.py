# The paper's CNN baseline on Rain100H: the network of irsde/derain.py trained
# by plain regression, with the same data and schedule.
_base_ = [
    '../_base_/models/cnn_unet.py', '../_base_/datasets/rain100h.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
