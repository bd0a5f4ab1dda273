# Deblurring of camera shake with a small network on built-in photos: no
# download, minutes on two cores.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_blur.py',
    '../_base_/schedules/quickstart_4k.py', '../_base_/default_runtime.py'
]
# little is missing from the image, so lam is small, as in the paper
model = dict(sde=dict(max_sigma=10 / 255))
