# IR-SDE that refines the result of a regression network, which is trained
# first. Little remains to be restored, so lam is small.
_base_ = './quickstart_nafnet.py'
model = dict(
    type='irsde_mm.RefiningRestorer',
    initial=dict(
        type='irsde_mm.RegressionNetwork', network=_base_.model.generator),
    sde=dict(max_sigma=10 / 255), sampler=dict(num_steps=3, eta=1.))
