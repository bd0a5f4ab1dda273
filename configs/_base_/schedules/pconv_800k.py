# Adam 2e-4, the first stage of mmagic's CelebA configs. Their second stage
# continues for 300k iterations with 5e-5 and frozen encoder normalization
# (norm_eval=True).
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=800_002)
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='Adam', lr=2e-4))
param_scheduler = None
