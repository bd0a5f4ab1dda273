# One of mmagic's pixel losses as the inner distance of our objective, on the
# quickstart's deraining.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(pixel_loss=dict(distance=dict(
    type='mmagic.CharbonnierLoss', eps=1e-6)))
