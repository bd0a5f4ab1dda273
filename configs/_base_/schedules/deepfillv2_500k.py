# Adam 1e-4 for generator and discriminator, as in mmagic's CelebA config.
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=500_003)
optim_wrapper = dict(
    _delete_=True, constructor='MultiOptimWrapperConstructor',
    generator=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4)),
    disc=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4)))
param_scheduler = None
