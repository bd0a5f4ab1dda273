# As ntire2023_haze.py, with the patches of 1024 pixels and batches of 8 of
# Refusion's published options for a process on latents (latent-dehazing,
# nasde.yml). It trained on parts that were cut from the photos beforehand.
_base_ = './ntire2023_haze.py'
patch_size = region = 1024
train_dataloader = dict(batch_size=8, dataset=dict(
    min_size=region, pipeline=[*_base_.load, dict(
        type='PairedRandomCrop', gt_patch_size=patch_size), *_base_.flips,
        dict(type='PackInputs')]))
