"""Which OCSF class and activity each event type is, by the data files of this room."""

import tomllib
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final, NamedTuple

from riskstream.events.event import EventTypeRef

__all__ = ["OTHER", "Placing", "Placings", "load_placings"]

OTHER: Final = 99
"""The activity that stands for all that a class has no word of its own for."""
CLASSES_FILE: Final = "ocsf_1_8.toml"
TYPES_FILE: Final = "ocsf_types.tsv"
_BY_KIND: Final = "kind:"


class Placing(NamedTuple):
    """Where one event type belongs."""

    class_uid: int
    class_name: str
    category_uid: int
    category_name: str
    activity_id: int
    activity: str
    """OCSF's word; ``Other`` for 99."""
    entity: str
    """Of entities, groups and privileges: what the event is about, in the words of ``targets``."""

    @property
    def type_uid(self) -> int:
        """OCSF's one number for class and activity."""
        return self.class_uid * 100 + self.activity_id


class Placings(NamedTuple):
    """All of them."""

    version: str
    """Of OCSF."""
    by_name: MappingProxyType[str, Placing]
    by_kind: MappingProxyType[str, Placing]
    """For event types that the file does not have: uncataloged ones, and those of an overlay."""

    def of(self, event_type: EventTypeRef) -> Placing:
        """The placing of an event's type."""
        found = self.by_name.get(event_type.name) or self.by_kind.get(event_type.kind)
        return found or self.by_kind["unknown"]


@cache
def load_placings() -> Placings:
    """As shipped."""
    files = resources.files(__package__)
    schema = tomllib.loads(files.joinpath(CLASSES_FILE).read_text(encoding="utf-8"))
    by_name: dict[str, Placing] = {}
    by_kind: dict[str, Placing] = {}
    for line in files.joinpath(TYPES_FILE).read_text(encoding="utf-8").splitlines()[1:]:
        name, class_uid, activity_id, entity = line.split("\t")
        found = schema["classes"][class_uid]
        placing = Placing(
            int(class_uid),
            found["name"],
            found["category"],
            schema["categories"][str(found["category"])],
            int(activity_id),
            found["activities"][activity_id],
            entity,
        )
        if name.startswith(_BY_KIND):
            by_kind[name.removeprefix(_BY_KIND)] = placing
        else:
            by_name[name] = placing
    return Placings(schema["version"], MappingProxyType(by_name), MappingProxyType(by_kind))
