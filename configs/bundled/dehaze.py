# The bundled model for dehazing, see docs/models.md. Train bundled/dehaze_cnn
# first.
_base_ = [
    '../_base_/models/quickstart_refining.py',
    '../_base_/datasets/bundled_haze.py',
    '../_base_/schedules/bundled_cnn.py', '../_base_/default_runtime.py'
]
regression = dict(
    enc_blocks=[1, 1, 2, 4], middle_blocks=3, dec_blocks=[1, 1, 1, 1],
    self_ensemble=2)
# With a_T = 0.005, x_T would show in training how much haze is left.
model = dict(
    initial=dict(network=regression),
    initial_checkpoint='work_dirs/bundled/dehaze_cnn/iter_20000.pth',
    generator=dict(width=8, self_ensemble=2), sde=dict(eps=1e-5),
    sampler=dict(num_steps=1))
optim_wrapper = dict(optimizer=dict(lr=5e-3))
