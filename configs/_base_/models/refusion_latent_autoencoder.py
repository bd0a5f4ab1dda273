# The autoencoder of Refusion (Luo et al., CVPRW 2023) with the sizes of its
# published options for dehazing (unet-latent, train_haze.yml): 8 channels at
# an eighth of the size. The weight 0.001 is that of the published code.
model = dict(
    type='irsde_mm.AutoencoderModel',
    generator=dict(
        type='irsde_mm.LatentUNet', in_channels=3, base_channels=8,
        channel_factors=[4, 8, 8, 16], latent_channels=8),
    pixel_loss=dict(type='mmagic.L1Loss'), reg_weight=0.001,
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
