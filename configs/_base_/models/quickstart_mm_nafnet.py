# mmagic's NAFNet about as large as the network of the quickstart: 0.32
# million parameters beside its 0.38.
_base_ = './nafnet.py'
model = dict(generator=dict(
    mid_channels=16, enc_blk_nums=[1, 1, 2], dec_blk_nums=[1, 1, 1],
    train_size=(1, 3, 64, 64)))
