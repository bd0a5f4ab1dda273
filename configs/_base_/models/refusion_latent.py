# Refusion on latents (Luo et al., CVPRW 2023), with the sizes of its published
# options for dehazing (latent-dehazing, nasde.yml). The autoencoder is trained
# first, see refusion_latent_autoencoder.py.
_base_ = './refusion_nafnet.py'
model = dict(
    type='irsde_mm.LatentRestorer',
    generator=dict(img_channels=8, long_skip=True),
    autoencoder=dict(
        type='irsde_mm.LatentUNet', in_channels=3, base_channels=8,
        channel_factors=[4, 8, 8, 16], latent_channels=8))
