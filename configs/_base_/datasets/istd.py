# ISTD: 1330 training and 540 test pairs with and without a shadow (Wang et
# al., CVPR 2018). Its masks are not used. Patches of 256 pixels: RDDM (CVPR
# 2024) trains on images of that size. Scores include borders. No degradation
# draws shadows, so --data needs pairs.
_base_ = './paired.py'
patch_size = 256
hint = ('ISTD is distributed by its authors (Wang et al., CVPR 2018, "Stacked '
        'Conditional Generative Adversarial Networks for Jointly Learning '
        'Shadow Detection and Shadow Removal"); '
        'tools/prepare_data.py istd lays it out.')
names = dict(data_prefix=dict(img='shadow', gt='shadow_free'), hint=hint)
degradation = []

train_dataloader = dict(dataset=dict(
    data_root='data/istd/train', **names, min_size=patch_size,
    pipeline=[*_base_.load, dict(
        type='PairedRandomCrop', gt_patch_size=patch_size), *_base_.flips,
        dict(type='PackInputs')]))
test_dataloader = dict(dataset=dict(data_root='data/istd/test', **names))
# the whole set would take longer than the training between two validations
val_dataloader = dict(dataset=dict(
    data_root='data/istd/test', **names, indices=50,
    pipeline=[*_base_.load, _base_.centre, dict(type='PackInputs')]))
val_evaluator = dict(metrics=_base_.scores)
test_evaluator = dict(metrics=_base_.scores + _base_.perceptual)
