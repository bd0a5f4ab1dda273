# Refusion (Luo et al., CVPRW 2023): NAFNet instead of the U-Net, lam 50/255.
_base_ = './irsde_unet.py'
model = dict(
    generator=dict(
        _delete_=True, type='irsde_mm.ConditionalNAFNet', img_channels=3,
        width=64, enc_blocks=[1, 1, 1, 28], middle_blocks=1,
        dec_blocks=[1, 1, 1, 1]),
    sde=dict(max_sigma=50 / 255))
