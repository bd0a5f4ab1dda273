# The paper's CNN baseline on DF2K (x4): the network of irsde/sr.py trained by
# plain regression, with the same data and schedule.
_base_ = [
    '../_base_/models/cnn_unet.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
