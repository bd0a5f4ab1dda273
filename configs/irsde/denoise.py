# Denoising-SDE for color noise (Luo et al., ICML 2023, section 5.4), tested
# with sigma 25 on three sets.
_base_ = [
    '../_base_/models/denoising_unet.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
