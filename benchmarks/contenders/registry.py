"""All contenders, in the order in which they take turns."""

from typing import Final

from benchmarks.contenders import (
    confluent_loop,
    kafka_streams,
    quix,
    reduced_riskstream,
    riskstream_worker,
    stock_faust,
)
from benchmarks.contenders.contender import Contender

__all__ = ["CONTENDERS"]

CONTENDERS: Final[dict[str, Contender]] = {
    contender.name: contender
    for contender in (
        riskstream_worker.EXACTLY_ONCE,
        riskstream_worker.AT_LEAST_ONCE,
        stock_faust.CONTENDER,
        quix.CONTENDER,
        confluent_loop.CONTENDER,
        kafka_streams.CONTENDER,
        reduced_riskstream.CONTENDER,
    )
}
"""By name."""
