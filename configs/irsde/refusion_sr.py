# As sr.py with Refusion's network, optimizer and lam (CVPRW 2023).
_base_ = [
    '../_base_/models/refusion_nafnet.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/refusion_500k.py', '../_base_/default_runtime.py'
]
