# The autoencoder for latent_dehaze.py, trained first, in minutes on two cores.
# Validation decodes the latent of the clean image: the limit of a process on
# latents.
_base_ = [
    '../_base_/models/quickstart_latent_autoencoder.py',
    '../_base_/datasets/builtin_haze.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
# the loss diverges with the learning rate of the other quickstarts
optim_wrapper = dict(optimizer=dict(lr=1e-3))
