# As ../derain.py; the objective compares exact posterior means. The Euler mean
# of the published objective trains a slightly biased noise.
_base_ = '../derain.py'
model = dict(pixel_loss=dict(exact=True))
