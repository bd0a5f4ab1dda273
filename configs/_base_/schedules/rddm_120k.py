# Published options of RDDM (Liu et al., CVPR 2024) for raindrops: Adam 8e-5,
# betas (0.9, 0.99), 120k iterations. They average the weights with momentum
# 0.005 every 10 iterations, as IR-SDE does.
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=120_000)
optim_wrapper = dict(optimizer=dict(lr=8e-5))
param_scheduler = dict(
    _delete_=True, type='ConstantLR', factor=1., by_epoch=False)
