# A small network for minutes of training on two cores. It predicts the clean
# image in one call. docs/recipe.md compares outputs, lam, distances, training
# times and numbers of calls.
_base_ = './irsde_unet.py'
model = dict(
    generator=dict(
        _delete_=True, type='irsde_mm.ConditionalNAFNet', width=16,
        enc_blocks=[1, 1, 2], middle_blocks=1, dec_blocks=[1, 1, 1],
        pad_mode='reflect'),
    sde=dict(max_sigma=50 / 255),
    output=dict(type='irsde_mm.CleanOutput', residual=True),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.OutputLoss',
        distance=dict(type='mmagic.L1Loss')),
    sampler=dict(
        _delete_=True, type='irsde_mm.JumpSampler', num_steps=1, eta=0.7),
    timesteps='late')
