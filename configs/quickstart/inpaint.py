# Inpainting of thin strokes with a small network on built-in photos: no
# download, minutes on two cores.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_masks.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
