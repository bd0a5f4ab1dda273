# As quickstart.py, with AdamW for mmagic's Restormer.
_base_ = './quickstart.py'
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='AdamW', lr=1e-3, weight_decay=1e-4))
