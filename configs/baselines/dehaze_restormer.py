# Restormer on RESIDE indoor; mmagic has no weights for this data set.
_base_ = [
    '../_base_/models/restormer.py', '../_base_/datasets/reside.py',
    '../_base_/schedules/restormer_300k.py', '../_base_/default_runtime.py'
]
