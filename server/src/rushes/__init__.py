"""rushes: a self-hosted video-generation cloud that speaks the request-queue API."""

__version__ = "0.1.0"
