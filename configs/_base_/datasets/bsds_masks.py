# Masks as in builtin_masks.py, on BSDS500.
_base_ = ['./builtin_masks.py', './bsds500.py']
train_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.bsds500.train,
    pipeline=[_base_.load, *_base_.train_dataloader.dataset.pipeline]))
test_dataloader = val_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.bsds500.test,
    pipeline=[_base_.load, *_base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(
    metrics=_base_.test_evaluator.metrics + _base_.more_scores)
