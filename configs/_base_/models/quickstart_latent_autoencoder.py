# The autoencoder of Refusion (refusion_latent_autoencoder.py), small: 4
# channels at a quarter of the size.
_base_ = './refusion_latent_autoencoder.py'
model = dict(generator=dict(channel_factors=[1, 2, 4], latent_channels=4))
