# Refusion's dehazing of large photos on latents (Luo et al., CVPRW 2023). The
# autoencoder is trained first, with refusion_latent_autoencoder_dehaze.py.
_base_ = [
    '../_base_/models/refusion_latent.py',
    '../_base_/datasets/ntire2023_haze_1024.py',
    '../_base_/schedules/refusion_latent_400k.py',
    '../_base_/default_runtime.py'
]
model = dict(autoencoder_checkpoint='work_dirs/refusion_latent_autoencoder_'
             'dehaze/iter_300000.pth')
