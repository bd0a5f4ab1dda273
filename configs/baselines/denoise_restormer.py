# Restormer on colour noise of sigma 25. The weights of mmagic's
# restormer_official_dfwb-color-sigma25 load (its metafile names the blind
# ones). Mended: its noise is of 25 * 255 grey levels; that of our data is 25.
_base_ = [
    '../_base_/models/restormer.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/restormer_300k.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(LayerNorm_type='BiasFree'))
