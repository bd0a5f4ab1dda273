# SR3 on Rain100H: the network of irsde/derain.py with a process that starts
# from pure noise, and with the same data and schedule.
_base_ = [
    '../_base_/models/sr3_unet.py', '../_base_/datasets/rain100h.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
