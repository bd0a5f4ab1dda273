"""Loading checkpoints into models."""
import torch
from irsde_mm.apis import init_restorer
from irsde_mm.inference import RestorationPipeline
from irsde_mm.model_files import load_weights, read_checkpoint


def test_weights_of_a_parallel_model(tmp_path):
    model = init_restorer('quickstart/derain', device='cpu')
    weights = {key: torch.randn_like(value) for key, value
               in model.state_dict().items()}
    path = tmp_path / 'parallel.pth'
    torch.save(dict(state_dict={f'module.{key}': value for key, value
                                in weights.items()}), path)
    load_weights(model, str(path))
    assert all(torch.equal(value, weights[key])
               for key, value in model.state_dict().items())


def test_pipeline_of_a_parallel_checkpoint(trained, tmp_path):
    content = read_checkpoint(trained / 'iter_2.pth')
    weights = content['state_dict']
    content['state_dict'] = {f'module.{key}': value
                             for key, value in weights.items()}
    torch.save(content, tmp_path / 'parallel.pth')
    pipeline = RestorationPipeline.from_file(tmp_path / 'parallel.pth')
    for key, value in pipeline.network.state_dict().items():
        assert torch.equal(value.cpu(), weights[f'generator.{key}'])


def test_check_checkpoint_does_not_change_the_model(trained):
    """Only adopt_settings does."""
    model = init_restorer(str(trained / 'derain.py'), device='cpu')
    content = read_checkpoint(trained / 'iter_2.pth')
    content['meta']['irsde_mm']['objective'] = 'clean'
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.check_checkpoint(content)
    assert model.objective == 'output'
    assert all(torch.equal(value, before[key])
               for key, value in model.state_dict().items())
    model.adopt_settings(content)
    assert model.objective == 'clean'
