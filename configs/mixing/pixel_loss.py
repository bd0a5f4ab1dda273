# A pixel loss of mmagic as the distance inside our objective, on
# quickstart/derain.py.
_base_ = '../quickstart/derain.py'
model = dict(pixel_loss=dict(distance=dict(
    type='mmagic.CharbonnierLoss', eps=1e-6)))
