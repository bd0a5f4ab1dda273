# As quickstart.py, but longer: small differences take more steps to learn.
_base_ = './quickstart.py'
train_cfg = dict(max_iters=4000)
warm_up, decay = _base_.param_scheduler
param_scheduler = [warm_up, dict(decay, end=4000)]
del warm_up, decay
