"""Documents of people (PDF, Word, Excel, PowerPoint) as text for models that read no files."""

from agent_marketplace.documents.reader import DocumentReader, DocumentRefused

__all__ = ["DocumentReader", "DocumentRefused"]
