# As ../derain.py; the process has 1000 steps instead of 100.
_base_ = '../derain.py'
model = dict(sde=dict(num_steps=1000))
