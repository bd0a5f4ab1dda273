# The quickstart's deraining from the result of baselines/quickstart/derain_cnn
# on: train that first.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
# what is left to restore is small, and so is lam
model = dict(
    type='irsde_mm.RefiningRestorer',
    initial=dict(
        type='irsde_mm.RegressionNetwork',
        network=_base_.model.generator),
    initial_checkpoint='work_dirs/derain_cnn/iter_1600.pth',
    sde=dict(max_sigma=10 / 255))
