# Adam 2e-4: mmagic's first stage on CelebA. Its second goes on for 300k with
# 5e-5 and the encoder's normalisation frozen (norm_eval=True).
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=800_002)
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='Adam', lr=2e-4))
param_scheduler = None
