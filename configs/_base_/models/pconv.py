# Partial convolutions (Liu et al., ECCV 2018) as in mmagic's
# pconv_stage1_8xb1_celeba-256x256.py. Fixed here:
# - mmagic's perceptual loss downloads VGG-16 whatever the value of
#   `pretrained`, so it is off. With the file in torch's hub folder, restore
#   loss_composed_percep and loss_out_percep from mmagic's config.
# - SyncBN does not train on a CPU; BN has the same weights (for several GPUs:
#   sync_bn='torch').
# - mmagic's model takes a mask; our data marks holes by white pixels only.
# - mmagic's config leaves the channel order to the data; the weights expect
#   BGR.
# - mmagic's model fails on sizes that are not a multiple of 128, so images are
#   padded.
model = dict(
    type='PConvInpaintor',
    data_preprocessor=dict(
        type='irsde_mm.WhiteHolePreprocessor', output_channel_order='BGR',
        pad_size_divisor=128),
    encdec=dict(
        type='PConvEncoderDecoder',
        encoder=dict(
            type='PConvEncoder', norm_cfg=dict(type='BN'), norm_eval=False),
        decoder=dict(type='PConvDecoder', norm_cfg=dict(type='BN'))),
    disc=None,
    loss_composed_percep=None,
    loss_out_percep=False,
    loss_l1_hole=dict(type='L1Loss', loss_weight=6.),
    loss_l1_valid=dict(type='L1Loss', loss_weight=1.),
    loss_tv=dict(type='MaskedTVLoss', loss_weight=0.1),
    train_cfg=dict(disc_step=0, start_iter=0))
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel')
