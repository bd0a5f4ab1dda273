# quickstart_nafnet.py on latents. The autoencoder is trained first, see
# quickstart_latent_autoencoder.py.
_base_ = './quickstart_nafnet.py'
model = dict(
    type='irsde_mm.LatentRestorer',
    generator=dict(in_channels=4, long_skip=True),
    autoencoder=dict(
        type='irsde_mm.LatentUNet', in_channels=3, base_channels=8,
        channel_factors=[1, 2, 4], latent_channels=4))
