# derain.py with its training photos in shards, see docs/shards.md.
_base_ = [
    '../_base_/models/quickstart_nafnet.py', '../_base_/datasets/bsds_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
train_dataloader = dict(dataset=dict(
    _delete_=True, type='irsde_mm.ShardDataset',
    urls='data/shards/bsds500-*.tar', max_skipped=10,
    hint='Pack them: python tools/prepare_data.py shards --config '
    'bsds/derain --out data/shards/bsds500',
    pipeline=_base_.train_dataloader.dataset.pipeline))
