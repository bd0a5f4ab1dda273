# The paper's CNN baseline on DF2K, four times larger: the network of
# irsde/sr.py by plain regression, same data and schedule.
_base_ = [
    '../_base_/models/cnn_unet.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
