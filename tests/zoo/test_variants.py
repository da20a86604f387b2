"""An option that a subclass brings: which file plays, and that its options are listed."""

import pytest

from zoo.build import family_class, options_of
from zoo.registry import FAMILIES, about, default_of, sources


@pytest.mark.parametrize(
    ("family", "options", "files"),
    [
        ("aegan", ["input_noise"], ["aegan"]),
        ("aegan", ["blocks"], ["aegan", "aegan_blocks"]),
        ("bigbigan", ["unary_x"], ["bigbigan"]),
        ("bigbigan", ["downscale"], ["bigbigan", "bigbigan_low_resolution"]),
        ("bigbigan", ["classes"], ["bigbigan", "bigbigan_classes"]),
        (
            "bigbigan",
            ["classes", "downscale"],
            ["bigbigan", "bigbigan_low_resolution", "bigbigan_classes"],
        ),
    ],
)
def test_an_option_chooses_the_file(family: str, options: list[str], files: list[str]) -> None:
    assert [path.stem for path in sources(family, options)] == files
    chosen = [owner.__module__.rpartition(".")[2] for owner in family_class(family, options).mro()]
    assert set(files) <= set(chosen)


@pytest.mark.parametrize("family", FAMILIES)
def test_options_of_variants_are_options_of_the_family(family: str) -> None:
    for option in about(family).variants:
        assert options_of(family)[option] == default_of(family, option)
        assert issubclass(family_class(family, [option]), family_class(family))
