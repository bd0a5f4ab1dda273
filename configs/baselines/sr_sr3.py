# SR3 on DF2K (x4): the network of irsde/sr.py with a process that starts from
# pure noise, and with the same data and schedule.
_base_ = [
    '../_base_/models/sr3_unet.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
