# Shadow removal on latents, with the autoencoder of
# refusion_latent_autoencoder_deshadow.py. Not published: Refusion's options
# remove shadows on images (refusion_deshadow.py); its sizes, patches and
# schedule on latents are those of dehazing.
_base_ = [
    '../_base_/models/refusion_latent.py',
    '../_base_/datasets/ntire2023_shadow_1024.py',
    '../_base_/schedules/refusion_latent_400k.py',
    '../_base_/default_runtime.py'
]
model = dict(autoencoder_checkpoint='work_dirs/refusion_latent_autoencoder_'
             'deshadow/iter_300000.pth')
