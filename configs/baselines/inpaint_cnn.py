# The paper's CNN baseline on CelebA-HQ with thin masks: the network of
# irsde/inpaint.py trained by plain regression, with the same data and
# schedule.
_base_ = [
    '../_base_/models/cnn_unet.py', '../_base_/datasets/celebahq.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
