# SwinIR on DF2K (x4). Loads the weights of mmagic's
# swinir_x4s48w8d6e180_8xb4-lr2e-4-500k_div2k.
_base_ = [
    '../_base_/models/swinir_sr.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/swinir_500k.py', '../_base_/default_runtime.py'
]
