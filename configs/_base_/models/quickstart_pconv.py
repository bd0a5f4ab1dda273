# Partial convolutions on four of seven levels, the minimum.
_base_ = './pconv.py'
model = dict(
    encdec=dict(encoder=dict(num_layers=4), decoder=dict(num_layers=4)),
    data_preprocessor=dict(pad_size_divisor=16))
