# ResShift on DF2K (x4) with the published options (Yue et al., NeurIPS 2023):
# batches of 64. Not published: network and latents (published_resshift.py),
# DF2K in patches of 128 pixels instead of ImageNet and FFHQ at 256.
_base_ = [
    '../../_base_/models/published_resshift.py',
    '../../_base_/datasets/df2k.py',
    '../../_base_/schedules/resshift_500k.py',
    '../../_base_/default_runtime.py'
]
train_dataloader = dict(batch_size=64)
