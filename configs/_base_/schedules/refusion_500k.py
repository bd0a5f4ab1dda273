# Lion 4e-5, cosine to 1e-7: Refusion (Luo et al., CVPRW 2023). Iterations and
# weight averaging are those of irsde_500k.py, so that the two can be compared.
_base_ = './irsde_500k.py'
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Lion', lr=4e-5, betas=(0.9, 0.99)))
param_scheduler = dict(
    _delete_=True, type='CosineAnnealingLR', by_epoch=False, T_max=500_000,
    eta_min=1e-7)
