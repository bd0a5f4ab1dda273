# IR-SDE that refines the result of a regression network, which is trained
# first. Little remains to be restored, so lam is small.
_base_ = './quickstart_nafnet.py'
model = dict(
    type='irsde_mm.RefiningRestorer',
    initial=dict(
        type='irsde_mm.RegressionNetwork', network=_base_.model.generator),
    sde=dict(max_sigma=10 / 255),
    output=dict(type='irsde_mm.CleanOutput', residual=True),
    sampler=dict(
        _delete_=True, type='irsde_mm.JumpSampler', num_steps=5, eta=0.7),
    pixel_loss=dict(_delete_=True, type='irsde_mm.OutputLoss'))
