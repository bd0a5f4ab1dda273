# IR-SDE on RESIDE indoor, with the settings of deraining as the authors state.
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/reside.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
