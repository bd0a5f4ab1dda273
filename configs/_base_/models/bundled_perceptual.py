# As bundled_nafnet.py, with features of VGG16 in the loss, which take most of
# the training time.
_base_ = './bundled_nafnet.py'
model = dict(pixel_loss=dict(
    _delete_=True, type='irsde_mm.SumLoss', losses=[
        _base_.model.pixel_loss,
        dict(type='irsde_mm.PerceptualLoss', loss_weight=0.01)]))
