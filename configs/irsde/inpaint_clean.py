# As inpaint.py; the network predicts the clean image, see docs/recipe.md.
_base_ = './inpaint.py'
model = dict(
    output=dict(type='irsde_mm.CleanOutput', residual=True),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.OutputLoss',
        distance=dict(type='mmagic.L1Loss')),
    sampler=dict(
        _delete_=True, type='irsde_mm.JumpSampler', num_steps=5, eta=0.7),
    timesteps='late')
