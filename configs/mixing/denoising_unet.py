# mmagic's DenoisingUnet (Ho et al., NeurIPS 2020) as the noise predictor of
# quickstart/derain.py. Its 6 input channels are the state and the condition.
# The middle block attends between all pixels; with fewer levels, whole photos
# would take gigabytes.
_base_ = '../quickstart/derain.py'
model = dict(generator=dict(
    _delete_=True, type='irsde_mm.UnetNoisePredictor', network=dict(
        type='mmagic.DenoisingUnet', image_size=64, in_channels=6,
        out_channels=3, base_channels=32, channels_cfg=[1, 1, 2, 2, 2],
        resblocks_per_downsample=1, attention_res=[],
        output_cfg=dict(mean='eps', var='fixed_small'))))
optim_wrapper = dict(optimizer=dict(lr=1e-3))
