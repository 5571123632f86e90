"""Faust's recovery, replaced: the hop takes on its assignment, then the streams resume."""

import asyncio
from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from mode import Service
from structlog import get_logger
from typing_extensions import override

__all__ = ["HopRecovery", "HopTableManager"]

log = get_logger(__name__)


class HopRecovery(Recovery):
    """Runs ``Hop.assign`` for every assignment; a newer assignment cancels an older one."""

    @override
    async def on_rebalance(
        self, assigned: Any, revoked: Any, newly_assigned: Any, generation_id: int = 0
    ) -> None:
        self._generation_id = generation_id
        self.signal_recovery_start.set()

    @Service.task
    @override
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start):
                return
            self.signal_recovery_start.clear()
            generation = self._generation_id
            taken = asyncio.create_task(self.app.hop.assign(set(self.app.consumer.assignment())))
            superseded = asyncio.create_task(self.signal_recovery_start.wait())
            try:
                await asyncio.wait({taken, superseded}, return_when=asyncio.FIRST_COMPLETED)
                if not taken.done():
                    log.info("assignment_superseded", generation=generation)
                    continue
                taken.result()
                if generation == self.app.consumer_generation_id:
                    await self._resume_streams(generation_id=generation)
            except Exception as fault:  # noqa: BLE001  (whatever it is, this process must end)
                self.app.hop.fail(fault)
                return
            finally:
                for task in (taken, superseded):
                    task.cancel()
                await asyncio.gather(taken, superseded, return_exceptions=True)

    @Service.task
    @override
    async def _slurp_changelogs(self) -> None:
        """Changelogs are read by ``changelog.rebuild``."""

    @Service.task
    @override
    async def _publish_stats(self) -> None:
        """Progress is in ``riskstream_recovered_records_total``."""


class HopTableManager(TableManager):
    """Faust's table manager with the recovery above."""

    _recovery: Recovery | None

    @property
    @override
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = HopRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
