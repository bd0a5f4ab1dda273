# The CNN baseline for sr_consistency.py: sr_cnn.py, which is trained
# first, and 800 iterations with the same distance.
_base_ = './sr_cnn.py'
model = dict(
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.SumLoss', losses=[
            dict(type='mmagic.L1Loss'),
            dict(type='irsde_mm.PerceptualLoss', loss_weight=0.05)]))
train_cfg = dict(max_iters=800)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=20),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=20, end=800,
         eta_min=1e-6)]
load_from = 'work_dirs/bsds/sr_cnn/iter_1600.pth'
