# Restormer on color noise (sigma 25). Loads the weights of mmagic's
# restormer_official_dfwb-color-sigma25 (its metafile links the blind ones).
# Fixed here: mmagic's config adds noise of 25 * 255 gray levels instead of 25.
_base_ = [
    '../_base_/models/restormer.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/restormer_300k.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(LayerNorm_type='BiasFree'))
