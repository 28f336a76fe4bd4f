"""Whether a server answers that it is ready."""

import http.client
import ssl
from pathlib import Path

from rushes.platform.listener import Listener

_PATIENCE = 0.5


def is_ready(listener: Listener, authority: Path | None) -> bool:
    """Whether GET /readyz answers 200 within half a second, over TLS if an authority is given."""
    if authority is None:
        connection = http.client.HTTPConnection(listener.host, listener.port, timeout=_PATIENCE)
    else:
        trusted = ssl.create_default_context(cafile=str(authority))
        connection = http.client.HTTPSConnection(listener.host, listener.port, timeout=_PATIENCE, context=trusted)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
