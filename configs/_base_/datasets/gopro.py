# GoPro: 2103 training and 1111 test pairs (Nah et al., CVPR 2017).
_base_ = './paired.py'
hint = ('GoPro is distributed by its authors (Nah et al., CVPR 2017, "Deep '
        'Multi-scale CNN for Dynamic Scene Deblurring"); '
        'tools/prepare_data.py gopro lays it out.')
prefix = dict(img='blur', gt='sharp')
# what --data does with clean photos: frames averaged, as this set was made
degradation = [dict(type='irsde_mm.MotionBlur', kind='frames')]

train_dataloader = dict(dataset=dict(
    data_root='data/gopro/train', data_prefix=prefix, hint=hint))
test_dataloader = val_dataloader = dict(dataset=dict(
    data_root='data/gopro/test', data_prefix=prefix, hint=hint))
