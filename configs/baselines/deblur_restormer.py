# Restormer on GoPro. Loads the weights of mmagic's restormer_official_gopro.
_base_ = [
    '../_base_/models/restormer.py', '../_base_/datasets/gopro.py',
    '../_base_/schedules/restormer_300k.py', '../_base_/default_runtime.py'
]
