# SR3 (Saharia et al., TPAMI 2022) with the network of irsde_unet.py: noise
# betas 1e-6 to 1e-2 in 2000 steps, L1 on the noise, a continuous noise level
# per image, x0 clamped to [-1, 1]. Tests jump along the same process in as
# many steps as IR-SDE has; num_steps=None takes all 2000.
model = dict(
    type='irsde_mm.IRSDERestorer',
    generator=dict(
        type='irsde_mm.ConditionalUNet', in_channels=3, out_channels=3,
        base_channels=64, depth=4),
    sde=dict(
        type='irsde_mm.VPSDE', num_steps=2000, schedule='linear',
        beta_start=1e-6, beta_end=1e-2),
    sampler=dict(
        type='irsde_mm.PosteriorSampler', num_steps=100, clamp=(-1, 1)),
    pixel_loss=dict(
        type='irsde_mm.NoiseMatchingLoss',
        distance=dict(type='mmagic.L1Loss')),
    timesteps='continuous',
    test_cfg=dict(seed=0),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
