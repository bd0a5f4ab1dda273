# IR-SDE that starts from the result of a regression network, which is trained
# first. With a_T = 0.4, two steps are enough.
_base_ = './quickstart_published.py'
model = dict(
    type='irsde_mm.RefiningRestorer',
    initial=dict(
        type='irsde_mm.RegressionNetwork', network=_base_.model.generator),
    generator=dict(width=8), sde=dict(max_sigma=10 / 255, eps=0.4),
    sampler=dict(num_steps=2), pixel_loss=dict(exact=True))
