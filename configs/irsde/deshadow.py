# Shadow removal with IR-SDE, as in its published options (deshadow,
# ir-sde.yml): lam 10/255, patches of 128 pixels. They now say batch size 4 and
# 700k iterations, as for every task; irsde_500k.py says why not here.
_base_ = [
    '../_base_/models/irsde_unet.py',
    '../_base_/datasets/ntire2023_shadow.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
