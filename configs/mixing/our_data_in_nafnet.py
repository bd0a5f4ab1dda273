# mmagic's unchanged NAFNet config with our photos, rain and metrics.
_base_ = 'mmagic::nafnet/nafnet_c64eb11128mb1db1111_8xb8-lr1e-3-400k_gopro.py'
patch_size = region = 64
degradation = [dict(type='irsde_mm.RainStreaks')]
crop = dict(type='Crop', keys=['gt'], crop_size=(region, region))
train_dataloader = dict(num_workers=0, dataset=dict(
    _delete_=True, type='irsde_mm.BuiltinPhotos', split='train',
    pipeline=[crop, *degradation, dict(type='PackInputs')]))
test_dataloader = val_dataloader = dict(num_workers=0, dataset=dict(
    _delete_=True, type='irsde_mm.BuiltinPhotos', split='test',
    pipeline=[dict(degradation[0], fixed=True), dict(type='PackInputs')]))
test_evaluator = val_evaluator = dict(
    _delete_=True, type='Evaluator', metrics=[
        dict(type='irsde_mm.PSNR'), dict(type='irsde_mm.SSIM')])
# mmagic's config writes to ./work_dirs/ and ignores --work-dir
default_hooks = dict(checkpoint=dict(
    out_dir=None, save_best='PSNR', rule='greater'))
