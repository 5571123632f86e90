"""Asking a worker over HTTP to release its brake."""

import json
import urllib.error
import urllib.request

from riskstream.errors import ConfigError, RiskstreamError

__all__ = ["release_brake"]

TIMEOUT_SECONDS = 10.0


def release_brake(url: str, partition: int | None, token: str | None = None) -> list[int]:
    """The partitions that go on. The token is needed where the worker listens beyond loopback.

    Raises:
        ConfigError: The address is no http one.
        RiskstreamError: The worker cannot be reached, or refused.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"A worker's address begins with http:// or https://; not {url}.")
    query = "" if partition is None else f"?partition={partition}"
    request = urllib.request.Request(  # noqa: S310  (http only, see above)
        f"{url.rstrip('/')}/brake/release{query}",
        method="POST",
        data=b"",
        headers={} if token is None else {"Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            released = json.load(answer)["released"]
    except urllib.error.HTTPError as fault:
        with fault:
            text = f"The worker at {url} refused: {fault.code} {fault.reason}."
            if fault.code in {401, 403}:
                text += " It wants its token: set http.token_file here as there."
        raise RiskstreamError(text) from fault
    except (OSError, ValueError, KeyError, TypeError) as fault:
        reason = getattr(fault, "reason", fault)
        raise RiskstreamError(
            f"No worker of riskstream answers at {url}: {reason}. Its address stands in its log; "
            "name it with --worker-url."
        ) from fault
    return [int(number) for number in released]
