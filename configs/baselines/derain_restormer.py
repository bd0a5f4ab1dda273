# Restormer on Rain100H. Loads the weights of mmagic's
# restormer_official_rain13k.
_base_ = [
    '../_base_/models/restormer.py', '../_base_/datasets/rain100h.py',
    '../_base_/schedules/restormer_300k.py', '../_base_/default_runtime.py'
]
