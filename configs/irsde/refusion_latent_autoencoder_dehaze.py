# The autoencoder for refusion_latent_dehaze.py, trained first. Validation
# decodes the latent of the clean image: the limit of a process on latents.
_base_ = [
    '../_base_/models/refusion_latent_autoencoder.py',
    '../_base_/datasets/ntire2023_haze.py',
    '../_base_/schedules/refusion_latent_autoencoder_300k.py',
    '../_base_/default_runtime.py'
]
