"""The model that uses every policy, for engines too."""

from tests.stages.conftest import every_policy

__all__ = ["every_policy"]
