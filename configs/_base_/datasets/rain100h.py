# Rain100H: 1800 training and 100 test pairs (Yang et al., CVPR 2017).
_base_ = './paired.py'
hint = ('Rain100H is distributed by its authors (Yang et al., CVPR 2017, '
        '"Deep Joint Rain Detection and Removal"); '
        'tools/prepare_data.py rain100h lays it out.')
# for clean photos of --data
degradation = [dict(type='irsde_mm.RainStreaks')]

train_dataloader = dict(dataset=dict(
    data_root='data/rain100h/train', hint=hint))
test_dataloader = val_dataloader = dict(dataset=dict(
    data_root='data/rain100h/test', hint=hint))
