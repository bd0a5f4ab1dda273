# AdamW 1e-3, cosine to 1e-7 over 400k iterations, as in mmagic's GoPro config.
# The batch size stays that of our data bases.
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=400_000)
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='AdamW', lr=1e-3, weight_decay=1e-3,
    betas=(0.9, 0.9)))
param_scheduler = dict(
    _delete_=True, type='CosineAnnealingLR', by_epoch=False, T_max=400_000,
    eta_min=1e-7)
