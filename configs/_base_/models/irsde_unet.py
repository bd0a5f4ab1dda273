# The published network and process: Luo et al., ICML 2023, section 5 and
# appendix; lam = 10/255, T = 100, cosine schedule, eps = 0.005.
model = dict(
    type='irsde_mm.IRSDERestorer',
    generator=dict(
        type='irsde_mm.ConditionalUNet', in_channels=3, out_channels=3,
        base_channels=64, depth=4),
    sde=dict(
        type='irsde_mm.IRSDE', max_sigma=10 / 255, num_steps=100,
        schedule='cosine', eps=0.005),
    sampler=dict(type='irsde_mm.PosteriorSampler'),
    pixel_loss=dict(
        type='irsde_mm.MaximumLikelihoodLoss',
        distance=dict(type='mmagic.L1Loss')),
    test_cfg=dict(seed=0),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
