# The CNN baseline for denoise_consistency.py: denoise_cnn.py, which is trained
# first, and 800 iterations with the same distance.
_base_ = [
    '../_base_/models/quickstart_cnn.py',
    '../_base_/datasets/bsds_noise.py',
    '../_base_/schedules/quickstart_finetune.py',
    '../_base_/default_runtime.py'
]
model = dict(
    generator=dict(network=dict(conditional=False)),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.SumLoss', losses=[
            dict(type='mmagic.L1Loss'),
            dict(type='irsde_mm.PerceptualLoss', loss_weight=0.05)]))
load_from = 'work_dirs/bsds/denoise_cnn/iter_1600.pth'
