import torch

from isopts.geometry.spanning_forest import product_to_root, spanning_forest


def test_two_parts_by_hand() -> None:
    neighbors = torch.tensor([[1, 2], [0, 2], [0, 1], [4, 4], [3, 3]])
    costs = torch.tensor([[1.0, 3.0], [1.0, 2.0], [3.0, 2.0], [1.0, 1.0], [1.0, 1.0]])
    forest = spanning_forest(costs, neighbors)
    assert forest.parents.tolist() == [0, 0, 1, 3, 3]  # the link of cost 3 is left out
    assert forest.sizes.tolist() == [3, 2, 1, 2, 1]
    places = torch.empty(5, dtype=torch.int64)
    places[forest.order] = torch.arange(5)
    assert places[0] < places[1] < places[2]
    assert places[3] + 1 == places[4]


def test_subtrees_are_consecutive() -> None:
    generator = torch.Generator().manual_seed(0)
    neighbors = torch.randint(0, 400, (400, 2), generator=generator)
    forest = spanning_forest(torch.rand((400, 2), generator=generator) + 0.1, neighbors)
    places = torch.empty(400, dtype=torch.int64)
    places[forest.order] = torch.arange(400)
    below = torch.arange(400)
    for _ in range(400):  # walk up from every point; all it meets have it in their range
        assert ((places[below] <= places) & (places < places[below] + forest.sizes[below])).all()
        below = forest.parents[below]
    assert int(forest.sizes[forest.parents == torch.arange(400)].sum()) == 400


def test_signs_multiply_up_to_the_root() -> None:
    signs = product_to_root(torch.tensor([1.0, -1.0, -1.0, -1.0, 1.0]), torch.tensor([0, 0, 1, 2, 4]))
    assert signs.tolist() == [1.0, -1.0, 1.0, -1.0, 1.0]
