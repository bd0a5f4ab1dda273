# IR-SDE on RESIDE indoor; the authors name the settings of deraining.
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/reside.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
