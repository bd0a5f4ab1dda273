# As derain.py, on the light set: the paper trains a model for each.
# Rain100L: 200 training and 100 test pairs (Yang et al., CVPR 2017).
_base_ = './derain.py'
train_dataloader = dict(dataset=dict(data_root='data/rain100l/train'))
val_dataloader = dict(dataset=dict(data_root='data/rain100l/test'))
test_dataloader = dict(dataset=dict(data_root='data/rain100l/test'))
