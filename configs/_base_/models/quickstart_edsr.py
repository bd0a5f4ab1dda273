# EDSR about as large as the network of the quickstart: 0.31 million
# parameters beside its 0.38.
_base_ = './edsr.py'
model = dict(generator=dict(mid_channels=32, num_blocks=12))
