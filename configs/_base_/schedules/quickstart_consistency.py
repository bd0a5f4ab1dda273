# quickstart_finetune.py, with the averaged weights as the target.
_base_ = './quickstart_finetune.py'
custom_hooks = [
    dict(type='irsde_mm.ConsistencyHook',
         ema_type='irsde_mm.ExponentialMovingAverage', momentum=0.01,
         priority='NORMAL'),
]
