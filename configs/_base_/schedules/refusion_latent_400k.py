# Lion 3e-5, cosine to 1e-7 in 400k iterations: the published options of
# Refusion for dehazing on latents (latent-dehazing, nasde.yml). The averaging
# of the weights, which they do not name, is that of IR-SDE.
_base_ = './refusion_500k.py'
train_cfg = dict(max_iters=400_000)
optim_wrapper = dict(optimizer=dict(lr=3e-5))
param_scheduler = dict(T_max=400_000)
