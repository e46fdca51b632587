"""`python -m lifecycle_kit.course build LESSON.py ...`, and `... copies FOLDER LESSON ...`."""

from __future__ import annotations

import argparse
import sys

from lifecycle_kit.course.copies import build_lesson, make_learner_copy
from lifecycle_kit.errors import LifecycleError


def main(words: list[str] | None = None) -> int:
    """Run one of the two verbs; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lifecycle_kit.course", description="Build lessons.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    build = verbs.add_parser("build", help="execute a lesson's text and store the notebook beside it")
    build.add_argument("lessons", nargs="+", metavar="LESSON.py")
    copies = verbs.add_parser("copies", help="write learners' copies, without solutions and trainer notes")
    copies.add_argument("folder", metavar="FOLDER")
    copies.add_argument("lessons", nargs="+", metavar="LESSON")
    asked = parser.parse_args(words)
    try:
        for lesson in asked.lessons:
            written = build_lesson(lesson) if asked.verb == "build" else make_learner_copy(lesson, asked.folder)
            print(written)
    except LifecycleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
