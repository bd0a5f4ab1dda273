# The paper's CNN baseline on RESIDE indoor: the network of irsde/dehaze.py
# trained by plain regression, with the same data and schedule.
_base_ = [
    '../_base_/models/cnn_unet.py', '../_base_/datasets/reside.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
