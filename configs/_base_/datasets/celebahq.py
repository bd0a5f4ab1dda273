# CelebA-HQ at 256x256 (Karras et al., ICLR 2018). Training draws any of the
# masks; the test pairs 100 images with 100 thin masks, mask i for image i.
_base_ = './paired.py'
hint = ('CelebA-HQ is distributed by its authors (Karras et al., ICLR 2018); '
        'tools/prepare_data.py celebahq and thin_masks lay it out.')
# for clean photos of --data: masks are generated at any size
degradation = [dict(
    type='irsde_mm.KeepMask', kinds=['thin', 'thick', 'box', 'half'])]
mask = dict(
    type='irsde_mm.KeepMask', folder='data/inpainting_masks/thin', hint=hint)
load_gt = dict(type='irsde_mm.LoadImage', key='gt')

train_dataloader = dict(dataset=dict(
    _delete_=True, type='irsde_mm.CleanImageDataset',
    data_root='data/celebahq/train_256', min_size=128, hint=hint,
    max_skipped=_base_.max_skipped,
    pipeline=[load_gt, mask, *_base_.augment, dict(type='PackInputs')]))
test_dataloader = val_dataloader = dict(dataset=dict(
    _delete_=True, type='irsde_mm.CleanImageDataset',
    data_root='data/celebahq/test_256', hint=hint,
    pipeline=[load_gt, dict(mask, fixed=True), dict(type='PackInputs')]))
