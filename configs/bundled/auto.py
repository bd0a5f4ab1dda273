# One model for photos of unknown degradation; the other configs start from its
# weights. Not bundled yet, see docs/models.md.
_base_ = [
    '../_base_/models/bundled_nafnet.py',
    '../_base_/datasets/bundled_mixture.py',
    '../_base_/schedules/bundled_auto.py', '../_base_/default_runtime.py'
]
