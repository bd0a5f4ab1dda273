# MAXIM (Tu et al., CVPR 2022), the published S-2; the weights expect RGB. Its
# training is not public (google-research/maxim has no training code); L1 on
# all stages and scales is our choice.
model = dict(
    type='irsde_mm.MultiStageRestorer',
    generator=dict(type='irsde_mm.MAXIM', variant='S-2'),
    pixel_loss=dict(type='L1Loss'),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
