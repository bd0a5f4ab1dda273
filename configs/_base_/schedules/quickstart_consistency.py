# quickstart.py, with the averaged weights as the target of training.
_base_ = './quickstart.py'
custom_hooks = [
    dict(type='irsde_mm.ConsistencyHook',
         ema_type='irsde_mm.ExponentialMovingAverage', momentum=0.01,
         priority='NORMAL'),
]
