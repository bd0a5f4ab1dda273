# As quickstart.py, but five times as long: detail takes the most steps to
# learn.
_base_ = './quickstart.py'
train_cfg = dict(max_iters=8000)
warm_up, decay = _base_.param_scheduler
param_scheduler = [warm_up, dict(decay, end=8000)]
del warm_up, decay
