# NAFNet (Chen et al., ECCV 2022) as in mmagic's
# nafnet_c64eb11128mb1db1111_8xb8-lr1e-3-400k_gopro.py. Mended there:
# - it trains on BGR and tests on RGB. The published weights want RGB, and so
#   it is in both here.
# - its windows of local pooling are made for patches of 256. Ours are of 128;
#   the published weights want 256 (model.generator.train_size).
model = dict(
    type='BaseEditModel',
    generator=dict(
        type='NAFNetLocal', img_channels=3, mid_channels=64,
        enc_blk_nums=[1, 1, 1, 28], middle_blk_num=1,
        dec_blk_nums=[1, 1, 1, 1], train_size=(1, 3, 128, 128)),
    pixel_loss=dict(type='PSNRLoss'),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
