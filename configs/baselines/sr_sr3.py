# SR3 on DF2K, four times larger: the network of irsde/sr.py on a process that
# starts from pure noise, same data and schedule.
_base_ = [
    '../_base_/models/sr3_unet.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
