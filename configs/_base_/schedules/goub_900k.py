# Published options of GOUB (Yue et al., ICML 2024) and UniDB (Zhu et al., ICML
# 2025) for deraining: Adam 1e-4, betas (0.9, 0.99), 900k iterations, halved
# four times. The averaging of the weights is that of IR-SDE.
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=900_000)
param_scheduler = dict(milestones=[300_000, 500_000, 600_000, 750_000])
