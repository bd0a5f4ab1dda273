# IR-SDE for dehazing. The other bundled models start from its weights.
_base_ = [
    '../_base_/models/bundled_nafnet.py',
    '../_base_/datasets/bundled_haze.py',
    '../_base_/schedules/bundled_first.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(self_ensemble=2))
