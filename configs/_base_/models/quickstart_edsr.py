# EDSR at about the size of the quickstart's network: 0.31 million parameters,
# against 0.38.
_base_ = './edsr.py'
model = dict(generator=dict(mid_channels=32, num_blocks=12))
