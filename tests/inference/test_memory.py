"""Free memory and peak memory of a call."""
import psutil
import pytest
import torch
from irsde_mm.inference import NetworkCalls
from irsde_mm.inference.host_memory import container_memory
from irsde_mm.inference.memory import free_memory, peak_allocation

CPU = torch.device('cpu')


def group(folder, limit, used, cached, v2=True):
    """Write the files of a control group."""
    folder.mkdir(parents=True, exist_ok=True)
    names = (('memory.max', 'memory.current', 'inactive_file') if v2 else
             ('memory.limit_in_bytes', 'memory.usage_in_bytes',
              'total_inactive_file'))
    (folder / names[0]).write_text(f'{limit}\n')
    (folder / names[1]).write_text(f'{used}\n')
    (folder / 'memory.stat').write_text(f'anon 7\n{names[2]} {cached}\n')


def test_limits_of_containers(tmp_path):
    """Every group up to the root may have a limit; the page cache counts as
    free."""
    member = tmp_path / 'cgroup'
    assert container_memory(tmp_path, member) == []
    member.write_text('9:cpu:/a\n4:memory:/a/b\n0::/c/d\n')
    group(tmp_path / 'c' / 'd', 1000, 800, 300)
    group(tmp_path / 'c', 'max', 900, 0)
    group(tmp_path / 'memory', 5000, 1000, 0, v2=False)
    assert container_memory(tmp_path, member) == [4000, 500]
    group(tmp_path / 'c', 700, 900, 0)
    assert sorted(container_memory(tmp_path, member)) == [0, 500, 4000]


def test_free_memory_of_the_system():
    assert 0 < free_memory(CPU) <= psutil.virtual_memory().total


@pytest.mark.parametrize('mode', [torch.no_grad, torch.inference_mode])
def test_peak_of_a_call(mode):
    """Freed tensors, earlier tensors and views do not count."""
    weight = torch.ones(1000)

    def call():
        a = torch.zeros(1000) + weight.view(10, 100).flatten()
        b = a * 2
        del a
        return b + 1

    with mode():
        assert peak_allocation(call, CPU) == 2 * 4000
        assert peak_allocation(lambda: weight[:10], CPU) == 0


@pytest.mark.parametrize('scale', [1, 4, 8])
def test_no_call_is_larger_than_a_tile(scale):
    """Neither that which measures the memory of a call on a crop."""
    sides = []

    class Upsampling(torch.nn.Module):
        divisor = 1

        def forward(self, x):
            sides.append(scale * max(x.shape[-2:]))
            return x.repeat_interleave(scale, 2).repeat_interleave(scale, 3)

    size = 1200 // scale
    result = NetworkCalls(output_scale=scale).once(
        Upsampling(), torch.rand(1, 1, size, size))
    assert result.shape == (1, 1, size * scale, size * scale)
    assert sides[0] == 128 and 256 < max(sides) <= 512
