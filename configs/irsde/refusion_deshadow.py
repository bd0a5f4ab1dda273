# As deshadow.py, with the network, optimizer and lam of Refusion (CVPRW 2023),
# which removes shadows on images (deshadow, refusion.yml).
_base_ = [
    '../_base_/models/refusion_nafnet.py',
    '../_base_/datasets/ntire2023_shadow.py',
    '../_base_/schedules/refusion_500k.py', '../_base_/default_runtime.py'
]
