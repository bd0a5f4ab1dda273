# The paper's CNN baseline on color noise (sigma 25): the network of
# irsde/denoise.py trained by plain regression, with the same data and
# schedule.
_base_ = [
    '../_base_/models/cnn_unet.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(network=dict(conditional=False)))
