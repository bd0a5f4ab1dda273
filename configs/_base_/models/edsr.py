# EDSR (Lim et al., CVPRW 2017), baseline size, as in mmagic's
# edsr_x4c64b16_1xb16-300k_div2k.py; it expects RGB.
model = dict(
    type='irsde_mm.SuperResolver', scale=4,
    generator=dict(
        type='EDSRNet', in_channels=3, out_channels=3, mid_channels=64,
        num_blocks=16, upscale_factor=4, res_scale=1,
        rgb_mean=[0.4488, 0.4371, 0.4040], rgb_std=[1.0, 1.0, 1.0]),
    pixel_loss=dict(type='L1Loss', loss_weight=1.0, reduction='mean'),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
