# As quickstart.py, with AdamW for mmagic's NAFNet.
_base_ = './quickstart.py'
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='AdamW', lr=5e-3, weight_decay=1e-3,
    betas=(0.9, 0.9)))
