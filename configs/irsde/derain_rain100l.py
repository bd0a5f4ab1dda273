# IR-SDE on Rain100L: the paper trains a model for each of the two sets.
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/rain100l.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
