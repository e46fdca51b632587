"""Pictures of the kit's results: tidy frames in, matplotlib Axes out. They compute nothing but layout."""

from __future__ import annotations

from lifecycle_kit.plots.style import alt_text, save, set_alt, show

__all__ = ["alt_text", "save", "set_alt", "show"]
