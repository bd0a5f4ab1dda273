# A small network for minutes of training on two cores. It predicts the clean
# image; docs/recipe.md compares outputs, lam, distances and training times.
_base_ = './quickstart_published.py'
model = dict(
    output=dict(
        _delete_=True, type='irsde_mm.CleanOutput', residual=True),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.OutputLoss',
        distance=dict(type='mmagic.L1Loss')),
    sampler=dict(
        _delete_=True, type='irsde_mm.JumpSampler', num_steps=5, eta=0.7),
    timesteps='late')
