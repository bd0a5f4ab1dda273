# Restormer (Zamir et al., CVPR 2022) as in mmagic's restormer_official_*.py.
# Fixed here: mmagic's config has no output_channel_order and so takes the
# channel order of the data, which is BGR for ours. The published weights
# expect RGB.
model = dict(
    type='BaseEditModel',
    generator=dict(
        type='Restormer', inp_channels=3, out_channels=3, dim=48,
        num_blocks=[4, 6, 6, 8], num_refinement_blocks=4,
        heads=[1, 2, 4, 8], ffn_expansion_factor=2.66, bias=False,
        LayerNorm_type='WithBias', dual_pixel_task=False),
    pixel_loss=dict(type='L1Loss', loss_weight=1.0, reduction='mean'),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.],
        output_channel_order='RGB'))
