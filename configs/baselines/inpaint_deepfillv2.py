# DeepFillv2 on CelebA-HQ with thin masks. Loads the weights of mmagic's
# deepfillv2_8xb2_celeba-256x256.
_base_ = [
    '../_base_/models/deepfillv2.py', '../_base_/datasets/celebahq.py',
    '../_base_/schedules/deepfillv2_500k.py', '../_base_/default_runtime.py'
]
