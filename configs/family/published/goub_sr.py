# GOUB on DF2K (x4) with the published options (Yue et al., ICML 2024): batches
# of 8 patches of 128 pixels. The data set is that of irsde/sr.py.
_base_ = [
    '../../_base_/models/goub_unet.py', '../../_base_/datasets/df2k.py',
    '../../_base_/schedules/goub_900k.py', '../../_base_/default_runtime.py'
]
train_dataloader = dict(batch_size=8)
param_scheduler = dict(milestones=[300_000, 500_000, 600_000, 700_000])
