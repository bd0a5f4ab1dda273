# The paper's CNN baseline (Luo et al., ICML 2023, section 5): the published
# network, trained with L1 to predict the clean image in one call, without a
# process.
model = dict(
    type='BaseEditModel',
    generator=dict(
        type='irsde_mm.RegressionNetwork',
        network=dict(
            type='irsde_mm.ConditionalUNet', in_channels=3, out_channels=3,
            base_channels=64, depth=4)),
    pixel_loss=dict(type='L1Loss'),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
