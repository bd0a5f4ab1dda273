# Partial convolutions on CelebA-HQ with thin masks. Loads the weights of
# mmagic's pconv_stage2_4xb2_celeba-256x256, except for their copy of VGG.
_base_ = [
    '../_base_/models/pconv.py', '../_base_/datasets/celebahq.py',
    '../_base_/schedules/pconv_800k.py', '../_base_/default_runtime.py'
]
