# Rain100L, the light set: 200 training and 100 test pairs (Yang et al., CVPR
# 2017).
_base_ = './paired.py'
hint = ('Rain100L is distributed by its authors (Yang et al., CVPR 2017, '
        '"Deep Joint Rain Detection and Removal"); '
        'tools/prepare_data.py rain100l lays it out.')
# for clean photos of --data
degradation = [dict(
    type='irsde_mm.RainStreaks', angle=(-30, 30), length=(10, 30),
    density=(0.0015, 0.004), brightness=(40, 100), layers=(1, 1))]

train_dataloader = dict(dataset=dict(
    data_root='data/rain100l/train', hint=hint))
test_dataloader = val_dataloader = dict(dataset=dict(
    data_root='data/rain100l/test', hint=hint))
