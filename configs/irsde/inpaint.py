# IR-SDE on CelebA-HQ with thin masks, the paper's setting (Luo et al., ICML
# 2023).
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/celebahq.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
model = dict(sde=dict(max_sigma=30 / 255))
