# Lion 3e-5, cosine to 1e-7 in 300k iterations: the published options of
# Refusion's autoencoder for dehazing (unet-latent, train_haze.yml). The
# averaging of the weights, which they do not name, is that of IR-SDE.
_base_ = './refusion_500k.py'
train_cfg = dict(max_iters=300_000)
optim_wrapper = dict(optimizer=dict(lr=3e-5))
param_scheduler = dict(T_max=300_000)
