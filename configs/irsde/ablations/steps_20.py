# As ../derain.py; restored in 20 steps, with the objective's bias removed.
_base_ = '../derain.py'
model = dict(sampler=dict(num_steps=20))
