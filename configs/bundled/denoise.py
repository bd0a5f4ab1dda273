# The bundled model for denoising, see docs/models.md. Train
# bundled/dehaze_process first. The VGG16 features take most of the training
# time.
_base_ = [
    '../_base_/models/bundled_nafnet.py',
    '../_base_/datasets/bundled_noise.py',
    '../_base_/schedules/bundled_tuning.py', '../_base_/default_runtime.py'
]
model = dict(
    generator=dict(self_ensemble=4), pixel_loss=dict(
        _delete_=True, type='irsde_mm.SumLoss', losses=[
            _base_.model.pixel_loss,
            dict(type='irsde_mm.PerceptualLoss', loss_weight=0.01)]))
load_from = 'work_dirs/bundled/dehaze_process/iter_20000.pth'
