# As sr.py, with the network, optimizer and lam of Refusion (CVPRW 2023).
_base_ = [
    '../_base_/models/refusion_nafnet.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/refusion_500k.py', '../_base_/default_runtime.py'
]
