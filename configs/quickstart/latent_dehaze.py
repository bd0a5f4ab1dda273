# Dehazing with a small process on latents of built-in photos, in minutes on
# two cores. Train latent_autoencoder_dehaze.py first.
_base_ = [
    '../_base_/models/quickstart_latent.py',
    '../_base_/datasets/builtin_haze.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(autoencoder_checkpoint='work_dirs/latent_autoencoder_dehaze/'
             'iter_1600.pth')
