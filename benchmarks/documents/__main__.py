"""`python -m benchmarks.documents` writes the documents' blocks."""

from benchmarks.documents import documents
from benchmarks.files import write_text

for path, text in documents().items():
    write_text(path, text)
