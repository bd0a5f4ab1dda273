# SwinIR on color noise (sigma 25). Loads the weights of mmagic's
# swinir_s128w8d6e180_8xb1-lr2e-4-1600k_dfwb-colorDN25.
_base_ = [
    '../_base_/models/swinir_denoising.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/swinir_1600k.py', '../_base_/default_runtime.py'
]
