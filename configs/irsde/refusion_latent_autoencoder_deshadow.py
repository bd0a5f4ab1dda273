# The autoencoder for refusion_latent_deshadow.py, trained first. Not
# published: its sizes, patches and schedule are those of dehazing.
_base_ = [
    '../_base_/models/refusion_latent_autoencoder.py',
    '../_base_/datasets/ntire2023_shadow_256.py',
    '../_base_/schedules/refusion_latent_autoencoder_300k.py',
    '../_base_/default_runtime.py'
]
