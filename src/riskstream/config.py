"""Settings: ``RISKSTREAM_…`` in the environment, over ``riskstream.toml``, over the defaults.

Nested names are joined by ``__`` in the environment: ``RISKSTREAM_KAFKA__BOOTSTRAP_SERVERS``.
Unknown keys are refused.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from riskstream.errors import ConfigError
from riskstream.security import SecuritySettings

__all__ = [
    "BrakeSettings",
    "CatalogSettings",
    "ConsoleSettings",
    "DuplicateSettings",
    "HttpSettings",
    "KafkaSettings",
    "LimitSettings",
    "LogSettings",
    "MetricsSettings",
    "NotifySettings",
    "OidcSettings",
    "PollSettings",
    "PrivacySettings",
    "ReferenceSettings",
    "RiskSettings",
    "Settings",
    "StateSettings",
    "ViewSettings",
    "WebhookSettings",
    "WorkerSettings",
    "load_settings",
]

CONFIG_FILE_VARIABLE = "RISKSTREAM_CONFIG"
"""Names the settings file; without it ``riskstream.toml`` of the working directory is read."""

LEAST_KEY_BYTES = 16
ViewName = Literal["ocsf", "ecs", "cef"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class KafkaSettings(_Section):
    """How to reach Kafka, and how our topics are created."""

    bootstrap_servers: str = "127.0.0.1:9092"
    client_id: str = "riskstream"
    partitions: int = Field(default=4, ge=1, le=4096)
    """Of every topic that ``riskstream topics create`` makes."""
    replication_factor: int = Field(default=1, ge=1, le=10)
    request_timeout_seconds: float = Field(default=30.0, gt=0)
    session_timeout_seconds: float = Field(default=10.0, gt=0)
    transaction_timeout_seconds: float = Field(default=120.0, gt=0)
    """When Kafka gives up a transaction that nobody ends. Longer than a broker takes to restart."""
    compression: Literal["none", "gzip", "lz4", "zstd", "snappy"] = "zstd"
    security: SecuritySettings = SecuritySettings()


class WorkerSettings(_Section):
    """One worker process."""

    app_id: str = Field(default="riskstream", pattern=r"^[A-Za-z0-9._-]+$")
    """Prefix of consumer groups and transactional ids. One application has one."""
    name: str = Field(default="worker", pattern=r"^[A-Za-z0-9._-]+$")
    """Stable name of this machine or pod; members of the group are called after it."""
    processing_guarantee: Literal["exactly_once", "at_least_once"] = "exactly_once"
    """``at_least_once`` is for brokers without transactions: outputs may repeat after a fault."""
    lost_offsets: Literal["stop", "skip"] = "stop"
    """What to do when records were deleted before they were read: ``skip`` goes on from the
    oldest that is left and says how many are gone."""
    shutdown_timeout_seconds: float = Field(default=20.0, gt=0)
    """After SIGTERM: the time for the units in flight to end before the process is stopped."""
    chunk_records: int = Field(default=5000, ge=1, le=100_000)
    """Most records in one unit of work."""
    fetch_bytes: int = Field(default=4_194_304, ge=1024)
    """Most bytes fetched at once per partition."""
    purge_classified: bool = True
    """Delete what assess has committed, and its duplicate filter no longer needs, from the
    classified topic."""


class LimitSettings(_Section):
    """Bounds on what one record may cost; see ``pipeline.limits.Limits``."""

    max_record_bytes: int = Field(default=1_000_000, ge=1024)
    max_events_per_record: int = Field(default=10_000, ge=1)
    max_depth: int = Field(default=64, ge=4, le=512)
    max_message_bytes: int = Field(default=1_000_000, ge=65_536)
    max_classified_bytes: int = Field(default=4_000_000, ge=65_536)


class BrakeSettings(_Section):
    """When a partition is paused because too much of it ends as dead letters."""

    enabled: bool = True
    max_ratio: float = Field(default=0.5, gt=0, le=1)
    """Share of dead letters among the last ``window`` events of a partition."""
    window: int = Field(default=1000, ge=10)
    max_run: int = Field(default=1000, ge=10)
    """Dead letters in a row."""


class DuplicateSettings(_Section):
    """Which events are taken for repetitions; see ``pipeline.duplicates``."""

    enabled: bool = True
    window_minutes: int = Field(default=60, ge=1, le=10_080)
    """An event id is known so long after it was last received, and half as long again at most."""
    max_ids_per_partition: int = Field(default=1_048_576, ge=300, le=268_435_456)
    """Most ids held per classified partition, in 16 to 32 bytes each."""


class CatalogSettings(_Section):
    """The catalog."""

    overlay: Path | None = None
    """A file in the catalog's own form; its rows replace or add event types."""


class RiskSettings(_Section):
    """The risk policy."""

    policy: Path | None = None
    """A policy file that replaces the one shipped."""


class PrivacySettings(_Section):
    """Whether outputs show names of users and addresses; see ``pipeline.mask``."""

    mask_key_file: Path | None = None
    """A file with a secret of at least 16 bytes, which turns masking on. All workers of an
    application need the same."""

    def mask_key(self) -> bytes | None:
        """The secret; None where masking is off.

        Raises:
            ConfigError: The file cannot be read, or holds too little.
        """
        path = self.mask_key_file
        if path is None:
            return None
        try:
            key = path.read_bytes().strip()
        except OSError as fault:
            raise ConfigError(
                f"privacy.mask_key_file: {path} cannot be read: {fault.strerror}."
            ) from fault
        if len(key) < LEAST_KEY_BYTES:
            raise ConfigError(
                f"privacy.mask_key_file: {path} holds {len(key)} bytes, and a key needs "
                f"{LEAST_KEY_BYTES}. Make one with: openssl rand -hex 32 > {path}"
            )
        return key


class ReferenceSettings(_Section):
    """Files of an operator's that tell more of an address. None is shipped.

    A file is taken anew when it changes. Replace it by renaming another into its place.
    """

    geoip_city: Path | None = None
    """An MMDB file in the form of GeoLite2 City or Country."""
    geoip_asn: Path | None = None
    """An MMDB file in the form of GeoLite2 ASN."""
    lists: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], Path] = {}
    """Lists of networks by name, one address or CIDR block per line; the policy weighs them."""


class ViewSettings(_Section):
    """Scored events in other schemas; see ``views``."""

    topics: Annotated[tuple[ViewName, ...], NoDecode] = ()
    """Views that assess writes to topics of their own, in the transaction of the scored events."""

    @field_validator("topics", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """``ocsf,ecs`` of an environment variable; each view once."""
        names = value.replace(",", " ").split() if isinstance(value, str) else value
        return list(dict.fromkeys(names)) if isinstance(names, list) else names


class StateSettings(_Section):
    """Where the rows of the tables are kept while a worker runs. Kafka always has them, too."""

    store: Literal["memory", "rocksdict"] = "memory"
    """``rocksdict`` is on disk: for more users than memory holds, and for quick restarts."""
    directory: Path = Path("riskstream-state")
    """Of ``rocksdict``; relative to the working directory. May be deleted while no worker runs."""
    disk_memory_bytes: int = Field(default=67_108_864, ge=8_388_608)
    """Per process, for RocksDB's cache and write buffers over all partitions."""
    cached_rows: int = Field(default=4096, ge=16)
    """Rows kept decoded, per partition and table, in either store; at most twice as many."""


class HttpSettings(_Section):
    """What a worker shows over HTTP."""

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65_535)
    """First port; with several processes on a host each takes the next. 0 takes any free one."""
    health_host: str | None = None
    """Where ``/health`` listens, if it has a port of its own; without it ``host``."""
    health_port: int | None = Field(default=None, ge=0, le=65_535)
    """First port of ``/health``, counted up like ``port``. Without it ``/health`` is beside
    ``/metrics``."""
    advertised_host: str | None = None
    """How other workers reach this one, to read rows that it has; without it ``host``, or the
    machine's name where that is every address."""
    token: SecretStr | None = None
    """Whoever shows it may read rows, and release brakes from elsewhere."""
    token_file: Path | None = None
    """The same, in a file; read anew for each request."""


class MetricsSettings(_Section):
    """What metrics tell apart."""

    max_accounts: int = Field(default=20, ge=1, le=1000)
    """OneLogin accounts that get series of their own, per process; the rest is ``other``."""


class WebhookSettings(_Section):
    """``riskstream source webhook``: the listener of OneLogin's event broadcaster."""

    host: str = "127.0.0.1"
    port: int = Field(default=8088, ge=0, le=65_535)
    path: str = Field(default="/onelogin/events", pattern=r"^/[\w./-]*$")
    header: str = Field(default="Authorization", pattern=r"^[A-Za-z0-9-]+$")
    """Carries the secret, with or without ``Bearer`` before it."""
    secret: SecretStr | None = None
    previous_secret: SecretStr | None = None
    """Valid beside ``secret`` while OneLogin is given the new one."""
    secret_file: Path | None = None
    """One secret a line, all of them valid; read again when it changes."""
    key: str = Field(default="onelogin-webhook", min_length=1, max_length=256)
    """Of the raw records. One key is one partition, which keeps the order of arrival."""
    max_body_bytes: int = Field(default=1_000_000, ge=1024)
    """A larger body is refused; Kafka would not take it, nor ``limits.max_record_bytes``."""
    max_pending_bytes: int = Field(default=67_108_864, ge=1024)
    """Bodies that Kafka has not acknowledged; beyond that senders are told to come again."""
    ack_timeout_seconds: float = Field(default=10.0, gt=0)
    body_timeout_seconds: float = Field(default=10.0, gt=0)
    retry_after_seconds: int = Field(default=10, ge=1)
    shutdown_timeout_seconds: float = Field(default=20.0, gt=0)
    tls_certificate: Path | None = None
    """PEM, with the chain. Without it plain HTTP, for a proxy in front that ends TLS."""
    tls_key: Path | None = None


class PollSettings(_Section):
    """``riskstream source poll``: reads OneLogin's events API."""

    name: str = Field(default="onelogin", pattern=r"^[A-Za-z0-9._-]{1,128}$")
    """Of the source: key of its raw records and of its checkpoint. One account has one."""
    subdomain: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]+$")
    """Of the account: ``example`` is ``https://example.onelogin.com``."""
    region: Literal["us", "eu"] | None = None
    """In place of the subdomain: ``https://api.us.onelogin.com``."""
    base_url: str | None = None
    """In place of both."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    """Read again for each token, so the secret may change while the poller runs."""
    interval_seconds: float = Field(default=30.0, gt=0)
    """Between the end of one sweep and the next."""
    overlap_seconds: int = Field(default=600, ge=5)
    """How late an event may show up in the API and still be seen; each sweep looks back so far."""
    slice_hours: int = Field(default=24, ge=1, le=2160)
    """Longest span of one sweep, when there is much to catch up on."""
    page_size: int = Field(default=1000, ge=1, le=10_000)
    """Asked for; the API may give less."""
    sort: str = "+id"
    """Asked for; empty leaves it out. Nothing is lost in any order."""
    reserve_calls: int = Field(default=500, ge=0)
    """Of the account's calls in an hour, left to others."""
    request_timeout_seconds: float = Field(default=30.0, gt=0)
    max_page_bytes: int = Field(default=67_108_864, ge=65_536)
    backoff_seconds: float = Field(default=1.0, gt=0)
    """First wait after a fault; each further one is twice as long."""
    backoff_max_seconds: float = Field(default=300.0, gt=0)
    max_known_ids: int = Field(default=200_000, ge=0)
    """Ids remembered to leave repetitions out; what is forgotten ingest's filter drops."""


class NotifySettings(_Section):
    """``riskstream notify``: messages about risky events, to a webhook."""

    url: SecretStr | None = None
    """Where messages go. Of chat services the address is itself a secret."""
    url_file: Path | None = None
    style: Literal["slack", "pagerduty", "json"] = "slack"
    """Shape of the payload, and what is escaped in it."""
    template: Path | None = None
    """A payload of your own in place of the style's: JSON with ``$name`` in its texts."""
    alert_template: Path | None = None
    """The same for alerts; without it ``template``, and without that the style's."""
    events: bool = True
    """Scored events are told of: those of ``levels``, ``kinds`` and ``categories``."""
    alerts: bool = True
    """Every alert is told of, whatever ``levels``, ``kinds`` and ``categories`` say."""
    routing_key: SecretStr | None = None
    """PagerDuty's integration key: ``$routing_key`` of the template."""
    routing_key_file: Path | None = None
    levels: tuple[Literal["no", "low", "medium", "high"], ...] = ("high",)
    """Worth a message; empty for all."""
    kinds: tuple[str, ...] = ()
    """Kinds of events worth a message; empty for all."""
    categories: tuple[Literal["apps", "users", "onelogin", "provisioning", "uncataloged"], ...] = ()
    """Whose scored topics are read; empty for all."""
    http_port: int | None = Field(default=None, ge=0, le=65_535)
    """Of ``/metrics`` and ``/health``, at ``http.host``; without it neither is served."""
    console_url: str = Field(default="", pattern=r"^(https?://[^\s<>\"|]+)?$")
    """How people reach the console, for a link in each message: ``$link``."""
    window_minutes: int = Field(default=60, ge=1, le=10_080)
    """One message per subject and reason in this time."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=300)
    """For one answer of the receiver."""
    give_up_seconds: float = Field(default=900.0, gt=0)
    """After so long of trying again a record becomes a dead letter."""
    ca_file: Path | None = None
    """PEM; who may sign the receiver's certificate. Without it those that the system trusts."""


class OidcSettings(_Section):
    """An OpenID Connect provider, such as OneLogin itself."""

    issuer: str = ""
    """Its address; ``/.well-known/openid-configuration`` below it is read."""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    client_secret_file: Path | None = None
    """A file that holds it, in its place."""
    scopes: str = "openid profile email groups"
    name_claim: str = "email"
    """Who somebody is; what stands in the audit log and under feedback."""
    groups_claim: str = "groups"


class ConsoleSettings(_Section):
    """The console: `riskstream console`."""

    host: str = "127.0.0.1"
    port: int = Field(default=8470, ge=0, le=65_535)
    """0 takes any free one."""
    directory: Path = Path("riskstream-console")
    """Of its store. May be deleted while no console runs: all of it is read from Kafka again, as
    far as the topics reach back, but for the audit log, which lies in ``audit.ndjson``."""
    retention_days: int = Field(default=90, ge=1, le=3650)
    """How long events are kept after their time."""
    max_bytes: int = Field(default=50_000_000_000, ge=50_000_000)
    """Of the store; when it is larger the oldest events go first."""
    access: Literal["open", "proxy", "oidc"] = "open"
    """``open`` is without login, on loopback alone; ``proxy`` believes a header that a trusted
    proxy sets; ``oidc`` asks an OpenID Connect provider."""
    published_on_loopback: bool = False
    """Of a container whose port the host publishes on its loopback alone: ``open`` may listen on
    any address inside. The host's name in a request must be a loopback one all the same."""
    public_url: str = ""
    """How people reach it, such as ``https://events.example.com``; needed by proxy and oidc."""
    viewers: tuple[str, ...] = ()
    """Users and groups that may look. ``*`` is everybody who is known."""
    analysts: tuple[str, ...] = ()
    """Users and groups that may also export and give feedback."""
    admins: tuple[str, ...] = ()
    """Users and groups that may also replay dead letters and read the audit log."""
    proxy_user_header: str = "X-Forwarded-User"
    proxy_groups_header: str = "X-Forwarded-Groups"
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses whose headers are believed."""
    session_secret: SecretStr = SecretStr("")
    """Signs sessions. Without one they end with the process; several consoles need the same."""
    session_secret_file: Path | None = None
    """A file that holds it, in its place."""
    http_port: int | None = Field(default=None, ge=0, le=65_535)
    """Of ``/metrics`` and ``/health``, at ``http.host``; without it there are no metrics."""
    session_hours: float = Field(default=12.0, gt=0, le=720)
    oidc: OidcSettings = OidcSettings()


class LogSettings(_Section):
    """Logs go to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"
    """``auto`` is JSON unless stderr is a terminal."""


class Settings(BaseSettings):
    """All settings of riskstream."""

    model_config = SettingsConfigDict(
        env_prefix="RISKSTREAM_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        nested_model_default_partial_update=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    worker: WorkerSettings = WorkerSettings()
    limits: LimitSettings = LimitSettings()
    brake: BrakeSettings = BrakeSettings()
    duplicates: DuplicateSettings = DuplicateSettings()
    catalog: CatalogSettings = CatalogSettings()
    risk: RiskSettings = RiskSettings()
    reference: ReferenceSettings = ReferenceSettings()
    privacy: PrivacySettings = PrivacySettings()
    views: ViewSettings = ViewSettings()
    state: StateSettings = StateSettings()
    http: HttpSettings = HttpSettings()
    metrics: MetricsSettings = MetricsSettings()
    webhook: WebhookSettings = WebhookSettings()
    poll: PollSettings = PollSettings()
    notify: NotifySettings = NotifySettings()
    console: ConsoleSettings = ConsoleSettings()
    log: LogSettings = LogSettings()

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the file."""
        toml = TomlConfigSettingsSource(settings_cls, _config_file())
        return (init_settings, env_settings, toml)


def _config_file() -> Path:
    return Path(os.environ.get(CONFIG_FILE_VARIABLE, "riskstream.toml"))


def load_settings(**overrides: object) -> Settings:
    """Read the settings.

    Args:
        overrides: Sections as mappings, over everything else: ``kafka={"partitions": 8}``.

    Raises:
        ConfigError: A value is wrong or a key unknown; every fault is named, with its source.
    """
    named = os.environ.get(CONFIG_FILE_VARIABLE)
    if named and not Path(named).is_file():
        raise ConfigError(f"{CONFIG_FILE_VARIABLE} names {named}, and there is no such file.")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(f"{_config_file()} is not valid TOML: {fault}") from fault
    except ValidationError as fault:
        lines = [
            f"  {'.'.join(str(part) for part in error['loc'])}: "
            f"{error['msg'].removeprefix('Value error, ')}"
            for error in fault.errors()
        ]
        raise ConfigError("The settings have faults:\n" + "\n".join(lines)) from fault
