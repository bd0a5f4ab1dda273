# EDSR on DF2K (x4). Loads the weights of mmagic's
# edsr_x4c64b16_1xb16-300k_div2k.
_base_ = [
    '../_base_/models/edsr.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/edsr_300k.py', '../_base_/default_runtime.py'
]
