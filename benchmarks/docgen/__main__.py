"""`python -m benchmarks.docgen` writes the documents' blocks and begins missing pages."""

import sys

from benchmarks.common.errors import UserError
from benchmarks.common.files import write_text
from benchmarks.docgen import documents


def main() -> int:
    """Write every document; return the exit code, 2 for a document that cannot be written."""
    try:
        texts = documents()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for path, text in texts.items():
        if not path.exists():
            print(f"{path} is new: the part without blocks is yours to write")
        write_text(path, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
