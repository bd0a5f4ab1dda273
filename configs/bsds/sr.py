# Super-resolution (x4) on BSDS500.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/bsds_low_resolution.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
# two more calls add the detail that one call averages out
model = dict(sampler=dict(num_steps=3, eta=1.))
