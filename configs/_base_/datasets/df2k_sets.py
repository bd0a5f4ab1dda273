# DF2K: 3450 training images, DIV2K (Agustsson and Timofte, CVPRW 2017) and
# Flickr2K (Lim et al., CVPRW 2017). Tested on DIV2K valid, on whole images
# and on the central 256x256, and on Set5 (Bevilacqua et al., BMVC 2012). As
# published, the network gets the small image upsampled to the large size. The
# bases df2k*.py add a scale each.
_base_ = './paired.py'
hint = ('DIV2K, Flickr2K and Set5 are distributed by their authors; '
        'tools/prepare_data.py df2k, div2k_valid and set5 lay them out.')
# name: folder, small images, large images, crop
test_sets = dict(
    DIV2K=('data/DIV2K', 'DIV2K_valid_LR_bicubic/X', 'DIV2K_valid_HR', []),
    DIV2K_256=('data/DIV2K', 'DIV2K_valid_LR_bicubic/X', 'DIV2K_valid_HR',
               [_base_.centre]),
    Set5=('data/Set5', 'LRbicx', 'GTmod12', []))
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(metric, prefix=name) for metric in _base_.test_evaluator.metrics])
    for name in test_sets]
