# IR-SDE on GoPro, the paper's setting (Luo et al., ICML 2023).
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/gopro.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
