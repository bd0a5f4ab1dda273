# RDDM on ISTD with the published options for shadow removal (Liu et al., CVPR
# 2024): sum_scale = 0.01, batches of 2. Not published: the network
# (published_rddm.py); learning rate and iterations are those of raindrops.
_base_ = [
    '../../_base_/models/published_rddm.py',
    '../../_base_/datasets/istd.py',
    '../../_base_/schedules/rddm_120k.py', '../../_base_/default_runtime.py'
]
train_dataloader = dict(batch_size=2)
