"""A fetcher that does not ask a broker again at once.

Apache Kafka holds a fetch that finds nothing until something comes or the time is up. The
embedded broker answers at once, and aiokafka then asks at once: an idle worker took a third of a
core. Imported by ``client``, so every consumer of ours has it.
"""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Any, Final

import aiokafka.consumer.consumer
from aiokafka.consumer.fetcher import Fetcher
from typing_extensions import override

__all__ = ["LEAST_SECONDS", "PacedFetcher"]

LEAST_SECONDS: Final = 0.03
"""Between two fetches of which the first found nothing."""


class PacedFetcher(Fetcher):
    """aiokafka's, with a pause after an empty answer that came early."""

    @override
    async def _proc_fetch_request(self, assignment: Any, node_id: int, request: Any) -> bool:
        began = monotonic()
        found: bool = await super()._proc_fetch_request(assignment, node_id, request)
        if not found and assignment.active:
            # Ended by whoever cancels it, as the fetch before it: aiokafka awaits it afterwards.
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(began + LEAST_SECONDS - monotonic())
        return found


aiokafka.consumer.consumer.Fetcher = PacedFetcher
