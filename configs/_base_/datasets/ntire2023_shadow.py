# Photos with shadows of the NTIRE 2023 challenge on Image Shadow Removal, the
# data of Refusion's published options: 1000 training and 100 validation pairs
# (WSRD: Vasluianu et al., CVPRW 2023). Patches of 128 pixels are those of its
# options on images (deshadow). Folder names and scores are ours: borders are
# included. No degradation draws shadows, so --data needs pairs.
_base_ = './paired.py'
hint = ('WSRD is distributed by its authors '
        '(https://github.com/fvasluianu97/WSRD-DNSR); '
        'tools/prepare_data.py ntire2023_shadow lays it out.')
names = dict(data_prefix=dict(img='shadow', gt='shadow_free'), hint=hint)
degradation = []

train_dataloader = dict(dataset=dict(
    data_root='data/ntire2023_shadow/train', **names))
test_dataloader = dict(dataset=dict(
    data_root='data/ntire2023_shadow/val', **names))
# whole photos would take longer than the training between two validations
val_dataloader = dict(dataset=dict(
    data_root='data/ntire2023_shadow/val', **names, indices=50,
    pipeline=[*_base_.load, _base_.centre, dict(type='PackInputs')]))
val_evaluator = dict(metrics=_base_.scores)
test_evaluator = dict(metrics=_base_.scores + _base_.perceptual)
