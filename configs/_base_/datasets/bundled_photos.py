# Training photos of the bundled models: BSDS500 and others, which
# tools/train_bundled.py puts into data/bundled. 8 % stay clean, except in
# dehazing, so that the models leave clean photos unchanged. The tests are those
# of the bsds_*.py bases, on BSDS500 val.
photos = dict(
    type='irsde_mm.CleanImageDataset', data_root='data/bundled',
    max_skipped=10)
load_photo = dict(type='irsde_mm.LoadImage', key='gt', cache_mb=600)
clean = [dict(type='irsde_mm.GaussianNoise', sigma=0.)]
some_jpeg = dict(type='mmcv.RandomApply', prob=0.2, transforms=[
    dict(type='irsde_mm.JPEG', quality=(60, 95))])
