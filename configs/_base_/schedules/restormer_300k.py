# AdamW 3e-4 for 92k iterations, then cosine to 1e-6 until 300k (Zamir et al.,
# CVPR 2022; mmagic has no training config). Its growing patches are left out;
# all models train on the same crops.
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=300_000)
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='AdamW', lr=3e-4, weight_decay=1e-4,
    betas=(0.9, 0.999)))
param_scheduler = dict(
    _delete_=True, type='CosineAnnealingLR', by_epoch=False, begin=92_000,
    end=300_000, eta_min=1e-6)
