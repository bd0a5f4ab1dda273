default_scope = 'mmagic'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(
        type='irsde_mm.LoggerHook', interval=100, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='irsde_mm.CheckpointHook', interval=5000, by_epoch=False,
        max_keep_ckpts=3, save_best='PSNR', rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    settings=dict(type='irsde_mm.SettingsHook'),
    resume=dict(type='irsde_mm.ResumeHook'),
    plain_checkpoint=dict(type='irsde_mm.PlainCheckpointHook'),
    guard=dict(type='irsde_mm.GuardHook'),
    preemption=dict(type='irsde_mm.PreemptionHook'),
    progress=dict(type='irsde_mm.ProgressHook'),
    # to switch it off: default_hooks = dict(pictures=None)
    pictures=dict(type='irsde_mm.PicturesHook'),
    results=dict(type='irsde_mm.ResultsHook'),
    skipped=dict(type='irsde_mm.SkippedImagesHook'))

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))
# each rank draws its own times and noise
randomness = dict(seed=0, diff_rank_seed=True)

log_level = 'INFO'
log_processor = dict(type='LogProcessor', window_size=100, by_epoch=False)
load_from = None
resume = False

visualizer = dict(
    type='ConcatImageVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    fn_key='img_path',
    img_keys=['input', 'pred_img', 'gt_img'],
    bgr2rgb=True)
