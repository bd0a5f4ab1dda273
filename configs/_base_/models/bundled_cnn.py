# The network of bundled_nafnet.py as a regression.
_base_ = './quickstart_cnn.py'
model = dict(generator=dict(network=dict(
    enc_blocks=[1, 1, 2, 4], middle_blocks=3, dec_blocks=[1, 1, 1, 1])))
