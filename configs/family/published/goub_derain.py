# GOUB on Rain100H with the published options (Yue et al., ICML 2024): batches
# of 8 patches of 128 pixels. The data set is that of irsde/derain.py.
_base_ = [
    '../../_base_/models/goub_unet.py', '../../_base_/datasets/rain100h.py',
    '../../_base_/schedules/goub_900k.py', '../../_base_/default_runtime.py'
]
train_dataloader = dict(batch_size=8)
