# The regression network that bundled/sr starts from. It works at the
# resolution of the small photo.
_base_ = [
    '../_base_/models/quickstart_cnn.py',
    '../_base_/datasets/bundled_low_resolution.py',
    '../_base_/schedules/bundled_tuning.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(network=dict(
    width=48, enc_blocks=[6], middle_blocks=4, dec_blocks=[6],
    patch_size=4)))
