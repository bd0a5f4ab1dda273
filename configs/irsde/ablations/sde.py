# As ../derain.py; restored by Euler-Maruyama on the reverse SDE, the paper's
# sampler.
_base_ = '../derain.py'
model = dict(sampler=dict(type='irsde_mm.EulerMaruyamaSampler'))
