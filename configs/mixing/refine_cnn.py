# quickstart/derain.py, starting from the result of
# baselines/quickstart/derain_cnn.py, which must be trained first.
_base_ = '../quickstart/derain.py'
# little remains to be restored, so lam is small
model = dict(
    type='irsde_mm.RefiningRestorer',
    initial=dict(
        type='irsde_mm.RegressionNetwork',
        network=_base_.model.generator),
    initial_checkpoint='work_dirs/derain_cnn/iter_1600.pth',
    sde=dict(max_sigma=10 / 255),
    output=dict(type='irsde_mm.CleanOutput', residual=True),
    pixel_loss=dict(_delete_=True, type='irsde_mm.OutputLoss'))
