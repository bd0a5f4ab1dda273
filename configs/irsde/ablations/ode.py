# As ../derain.py; restored by the probability flow, without fresh noise.
_base_ = '../derain.py'
model = dict(sampler=dict(type='irsde_mm.ProbabilityFlowSampler'))
