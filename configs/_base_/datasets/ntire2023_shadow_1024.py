# As ntire2023_shadow.py, with the patches of 1024 pixels and batches of 8 of
# Refusion's process on latents for dehazing (latent-dehazing, nasde.yml).
_base_ = './ntire2023_shadow.py'
patch_size = 1024
train_dataloader = dict(batch_size=8, dataset=dict(
    min_size=patch_size, pipeline=[*_base_.load, dict(
        type='PairedRandomCrop', gt_patch_size=patch_size), *_base_.flips,
        dict(type='PackInputs')]))
