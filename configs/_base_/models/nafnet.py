# NAFNet (Chen et al., ECCV 2022) as in mmagic's
# nafnet_c64eb11128mb1db1111_8xb8-lr1e-3-400k_gopro.py. Fixed here:
# - mmagic's config trains on BGR and tests on RGB. The published weights
#   expect RGB, so both use RGB.
# - mmagic's windows of local pooling assume patches of 256, which the
#   published weights need (model.generator.train_size). Ours are 128.
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
