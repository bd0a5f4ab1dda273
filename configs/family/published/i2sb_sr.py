# I2SB on DF2K (x4) with the published options (Liu et al., ICML 2023): batches
# of 256. Not published: the network (published_i2sb.py), DF2K in patches of
# 128 pixels instead of ImageNet at 256.
_base_ = [
    '../../_base_/models/published_i2sb.py',
    '../../_base_/datasets/df2k.py',
    '../../_base_/schedules/i2sb_1000k.py', '../../_base_/default_runtime.py'
]
train_dataloader = dict(batch_size=256)
