# As ntire2023_shadow.py, with the patches of 256 pixels and batches of 16 of
# Refusion's autoencoder for dehazing (unet-latent, train_haze.yml).
_base_ = './ntire2023_shadow.py'
patch_size = 256
train_dataloader = dict(batch_size=16, dataset=dict(
    min_size=patch_size, pipeline=[*_base_.load, dict(
        type='PairedRandomCrop', gt_patch_size=patch_size), *_base_.flips,
        dict(type='PackInputs')]))
