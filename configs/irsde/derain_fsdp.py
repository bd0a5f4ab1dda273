# derain.py with weights, gradients and the state of the optimizer sharded over
# the processes, see docs/large_models.md. Without the average of the weights
# and the pictures, which read the weights of one process.
_base_ = './derain.py'
strategy = dict(type='irsde_mm.FSDPStrategy')
custom_hooks = []
default_hooks = dict(pictures=None)
