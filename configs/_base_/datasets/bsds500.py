# BSDS500 (Arbelaez et al., TPAMI 2011): 200 photos for training, the 100 of
# val for testing. The bsds_*.py bases degrade them, and their tests add NIQE
# and DISTS.
bsds500 = dict(
    train=dict(
        type='irsde_mm.CleanImageDataset', data_root='data/bsds500/train',
        max_skipped=10),
    test=dict(
        type='irsde_mm.CleanImageDataset', data_root='data/bsds500/val',
        max_skipped=0))
load = dict(type='irsde_mm.LoadImage', key='gt')
more_scores = [dict(type='irsde_mm.NIQE'), dict(type='irsde_mm.DISTS')]
