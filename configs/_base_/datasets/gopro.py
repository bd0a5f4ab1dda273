# GoPro: 2103 training and 1111 test pairs (Nah et al., CVPR 2017).
_base_ = './paired.py'
hint = ('GoPro is distributed by its authors (Nah et al., CVPR 2017, "Deep '
        'Multi-scale CNN for Dynamic Scene Deblurring"); '
        'tools/prepare_data.py gopro lays it out.')
prefix = dict(img='blur', gt='sharp')
# what --data does with clean photos: frames averaged, as this set was made
degradation = [dict(type='irsde_mm.MotionBlur', kind='frames')]

centre = dict(
    type='Crop', keys=['img', 'gt'], crop_size=(256, 256), random_crop=False)

train_dataloader = dict(dataset=dict(
    data_root='data/gopro/train', data_prefix=prefix, hint=hint))
test_dataloader = dict(dataset=dict(
    data_root='data/gopro/test', data_prefix=prefix, hint=hint))
# all would take longer than the training in between
val_dataloader = dict(dataset=dict(
    data_root='data/gopro/test', data_prefix=prefix, hint=hint, indices=50,
    pipeline=[*_base_.load, centre, dict(type='PackInputs')]))
