# GoPro: 2103 training and 1111 test pairs (Nah et al., CVPR 2017).
_base_ = './paired.py'
hint = ('GoPro is distributed by its authors (Nah et al., CVPR 2017, "Deep '
        'Multi-scale CNN for Dynamic Scene Deblurring"); '
        'tools/prepare_data.py gopro lays it out.')
pairs = dict(data_prefix=dict(img='blur', gt='sharp'), hint=hint)
# for clean photos of --data: averaged frames, as in this data set
degradation = [dict(type='irsde_mm.MotionBlur', kind='frames')]

train_dataloader = dict(dataset=dict(data_root='data/gopro/train', **pairs))
test_dataloader = dict(dataset=dict(data_root='data/gopro/test', **pairs))
# the whole set would take longer than the training between two validations
val_dataloader = dict(dataset=dict(
    data_root='data/gopro/test', **pairs, indices=50,
    pipeline=[*_base_.load, _base_.centre, dict(type='PackInputs')]))
