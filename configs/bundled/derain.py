# The bundled model for deraining, see docs/models.md. Train bundled/auto
# first.
_base_ = [
    '../_base_/models/bundled_nafnet.py',
    '../_base_/datasets/bundled_rain.py',
    '../_base_/schedules/bundled_first.py', '../_base_/default_runtime.py'
]
model = dict(
    generator=dict(enc_blocks=[2, 3, 5, 4], dec_blocks=[1, 3, 3, 2],
                   self_ensemble=2),
    pixel_loss=dict(_delete_=True, type='irsde_mm.SumLoss', losses=[
        _base_.model.pixel_loss,
        dict(type='irsde_mm.DetailLoss', loss_weight=2.)]))
load_from = 'work_dirs/bundled/auto/iter_16000.pth'
