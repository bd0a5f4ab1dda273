# SwinIR (Liang et al., ICCVW 2021) as in mmagic's
# swinir_s128w8d6e180_8xb1-lr2e-4-1600k_dfwb-colorDN25.py; it expects RGB.
model = dict(
    type='BaseEditModel',
    generator=dict(
        type='SwinIRNet', upscale=1, in_chans=3, img_size=128, window_size=8,
        img_range=1.0, depths=[6, 6, 6, 6, 6, 6], embed_dim=180,
        num_heads=[6, 6, 6, 6, 6, 6], mlp_ratio=2, upsampler='',
        resi_connection='1conv'),
    pixel_loss=dict(type='CharbonnierLoss', eps=1e-9),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
