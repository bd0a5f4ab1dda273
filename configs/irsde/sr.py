# IR-SDE on DF2K (x4), the paper's setting (Luo et al., ICML 2023).
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
model = dict(sde=dict(max_sigma=30 / 255))
