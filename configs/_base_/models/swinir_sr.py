# SwinIR (Liang et al., ICCVW 2021) as in mmagic's
# swinir_x4s48w8d6e180_8xb4-lr2e-4-500k_div2k.py; it expects RGB.
model = dict(
    type='irsde_mm.SuperResolver', scale=4,
    generator=dict(
        type='SwinIRNet', upscale=4, in_chans=3, img_size=48, window_size=8,
        img_range=1.0, depths=[6, 6, 6, 6, 6, 6], embed_dim=180,
        num_heads=[6, 6, 6, 6, 6, 6], mlp_ratio=2, upsampler='pixelshuffle',
        resi_connection='1conv'),
    pixel_loss=dict(type='L1Loss', loss_weight=1.0, reduction='mean'),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
