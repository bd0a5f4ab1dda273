# RDDM on Rain100H with the published options for raindrops (Liu et al., CVPR
# 2024): sum_scale = 1, batches of 2. Not published: the network
# (published_rddm.py), Rain100H in patches of 128 pixels instead of RainDrop
# at 256.
_base_ = [
    '../../_base_/models/published_rddm.py',
    '../../_base_/datasets/rain100h.py',
    '../../_base_/schedules/rddm_120k.py', '../../_base_/default_runtime.py'
]
model = dict(sde=dict(sum_scale=1.))
train_dataloader = dict(batch_size=2)
