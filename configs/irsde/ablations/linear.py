# As ../derain.py; theta grows linearly (the paper's appendix).
_base_ = '../derain.py'
model = dict(sde=dict(schedule='linear'))
