# Super-resolution (x4) with a small network on built-in photos: no download,
# minutes on two cores.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_low_resolution.py',
    '../_base_/schedules/quickstart_4k.py', '../_base_/default_runtime.py'
]
# two more calls add the detail that one call averages out
model = dict(sampler=dict(num_steps=3, eta=1.))
