# As ../derain.py; theta is constant (the paper's appendix).
_base_ = '../derain.py'
model = dict(sde=dict(schedule='constant'))
