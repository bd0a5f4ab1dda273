# As inpaint_clean.py, for one or two calls, see docs/consistency.md. load_from
# can be a checkpoint of inpaint_clean.py.
_base_ = './inpaint.py'
model = dict(
    output=dict(type='irsde_mm.CleanOutput', residual=True),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.ConsistencyLoss', end_steps=64,
        distance=dict(type='irsde_mm.SumLoss', losses=[
            dict(type='mmagic.L1Loss'),
            dict(type='irsde_mm.PerceptualLoss', loss_weight=0.01)])),
    sampler=dict(
        _delete_=True, type='irsde_mm.JumpSampler', num_steps=2),
    timesteps='late')
custom_hooks = [
    dict(type='irsde_mm.ConsistencyHook',
         ema_type='irsde_mm.ExponentialMovingAverage', momentum=0.005,
         interval=10, priority='NORMAL')]
