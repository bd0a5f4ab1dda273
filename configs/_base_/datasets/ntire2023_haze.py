# Large hazy photos of the NTIRE 2023 challenge on HR NonHomogeneous Dehazing,
# the data of Refusion's published options. Patches of 256 pixels and batches
# of 16 are those of its autoencoder (unet-latent, train_haze.yml); the option
# use_swap is left out. Folder names and scores are ours: borders are included.
_base_ = './paired.py'
patch_size = 256
hint = ('the photos come from the NTIRE 2023 HR NonHomogeneous Dehazing '
        'challenge (https://codalab.lisn.upsaclay.fr/competitions/10216); '
        'tools/prepare_data.py ntire2023_haze lays them out.')
names = dict(data_prefix=dict(img='hazy', gt='clear'), hint=hint)
# for clean photos of --data
degradation = [dict(type='irsde_mm.Haze')]

train_dataloader = dict(dataset=dict(
    data_root='data/ntire2023_haze/train', **names, min_size=patch_size,
    pipeline=[*_base_.load, dict(
        type='PairedRandomCrop', gt_patch_size=patch_size), *_base_.flips,
        dict(type='PackInputs')]))
test_dataloader = val_dataloader = dict(dataset=dict(
    data_root='data/ntire2023_haze/val', **names))
val_evaluator = dict(metrics=_base_.scores)
test_evaluator = dict(metrics=_base_.scores + _base_.perceptual)
