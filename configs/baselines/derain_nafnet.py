# NAFNet on Rain100H; mmagic has no weights for this data set.
_base_ = [
    '../_base_/models/nafnet.py', '../_base_/datasets/rain100h.py',
    '../_base_/schedules/nafnet_400k.py', '../_base_/default_runtime.py'
]
