# As ../derain.py; the objective compares noises (the paper, section 5.1).
_base_ = '../derain.py'
model = dict(pixel_loss=dict(type='irsde_mm.NoiseMatchingLoss'))
