# mmagic's NAFNet at about the size of the quickstart's network: 0.32 million
# parameters, against 0.38.
_base_ = './nafnet.py'
model = dict(generator=dict(
    mid_channels=16, enc_blk_nums=[1, 1, 2], dec_blk_nums=[1, 1, 1],
    train_size=(1, 3, 64, 64)))
