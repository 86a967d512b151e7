import pytest
import torch

from isopts.cli.device import choose_device
from isopts.errors import InputError


def test_names_of_devices(device):
    assert choose_device(device.type).type == device.type
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["gpu", "cpu:0", "cuda:", "cuda:x", "", "mps"])
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match="expected auto, cpu, cuda or cuda:N"):
        choose_device(name)


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="use --device cpu"):
        choose_device("cuda:99")
