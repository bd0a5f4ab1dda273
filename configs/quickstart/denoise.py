# Denoising (sigma 25) with a small network on built-in photos: no download,
# minutes on two cores. On noise of one level, IR-SDE with the clean output
# beats the Denoising-SDE (docs/recipe.md).
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_noise.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
