"""Settings: `RUSHES_*` variables and rushes.toml. A default is safe; a dangerous setting has a name that says so."""

from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class Settings(BaseSettings):
    """Everything an operator can set. Each name is a variable RUSHES_<NAME> and a key of rushes.toml."""

    model_config = SettingsConfigDict(env_prefix="RUSHES_", toml_file="rushes.toml", extra="ignore")

    database_url: str = Field(default="", description="PostgreSQL to use; empty for the embedded one of `rushes up`.")
    data: Path = Field(
        default=Path(), description="Data folder: objects, scratch, logs, key, and the embedded database."
    )
    objects_url: str = Field(
        default="", description="Where files are kept: empty for DATA/objects, else s3://, gs:// or az://."
    )
    host: str = Field(default="127.0.0.1", description="Address `rushes serve` listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port `rushes serve` listens on; 0 for any free one.")
    public_url: str = Field(default="", description="The server's address as customers see it; links begin with it.")
    catalog_dir: Path | None = Field(default=None, description="A folder of model cards of your own.")
    price_file: Path | None = Field(default=None, description="A YAML file of prices that override the cards'.")
    test_models: bool = Field(
        default=False, description="Offer the model rushes-test, whose payload says how it behaves."
    )
    ordered_faults: bool = Field(default=False, description="Obey the payload key rushes_fault. For development only.")
    key_in_query: bool = Field(default=False, description="Accept ?key=; such keys reach logs of proxies.")
    open_model_list: bool = Field(
        default=True, description="The model list under the session prefix needs no credential."
    )
    allow_unsafe_database: bool = Field(
        default=False, description="Start although PostgreSQL may lose accepted requests."
    )
    allow_private: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Private subnets that input and webhook URLs may point to, comma separated."
    )
    egress_ports: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["80", "443"], description="Ports that input and webhook URLs may use, comma separated."
    )
    lease_seconds: float = Field(default=30, gt=0, description="How long a claim lasts without a heartbeat.")
    heartbeat_seconds: float = Field(default=10, gt=0, description="How often a qworker renews its leases.")
    rescue_seconds: float = Field(default=5, gt=0, description="How often maintenance runs.")
    max_tries: int = Field(default=3, ge=1, description="Tries of a request before it fails.")
    retry_delays: list[float] = Field(
        default_factory=lambda: [5.0, 60.0], description="Seconds before each further try, as a JSON list."
    )
    attempt_seconds: float = Field(default=1800, gt=0, description="Deadline of one attempt.")
    cancel_grace_seconds: float = Field(default=60, gt=0, description="How long a cancelled engine may take to stop.")
    drain_seconds: float = Field(default=30, ge=0, description="How long a qworker may finish what it runs on SIGTERM.")
    artifact_days: float = Field(default=7, gt=0, description="How long a video stays readable.")
    file_days: float = Field(default=7, gt=0, description="How long an uploaded file stays.")
    record_days: float = Field(default=90, gt=0, description="How long the record of a finished request stays.")
    link_seconds: int = Field(default=86_400, gt=0, description="How long a signed link works.")
    slots: int = Field(default=1, ge=1, le=64, description="Requests a qworker runs at once.")
    engines: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Engines, or tables of engines.toml, that a worker serves, comma separated; empty for all it can.",
    )
    engines_file: Path | None = Field(
        default=None, description="Which engine serves which models; engines.toml of the working directory if not set."
    )
    submits_per_minute: int | None = Field(default=None, description="Submit limit per key; none on one's own machine.")
    polls_per_minute: int | None = Field(default=None, description="Poll limit per key; none on one's own machine.")
    upload_bytes_per_day: int | None = Field(default=None, description="Upload limit per organisation.")
    max_queued: int | None = Field(default=None, description="Unfinished requests an organisation may have.")
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Addresses or subnets whose X-Forwarded-For is believed, comma separated."
    )
    access_token_seconds: float = Field(default=900, gt=0, description="How long an access token holds.")
    sdk_token_seconds: float = Field(
        default=43_200, gt=0, description="The same for the published SDK, which never refreshes while it runs."
    )
    session_days: float = Field(default=30, gt=0, description="How long a login lasts without being used.")
    log_level: str = Field(default="info", description="debug, info, warning or error.")

    @field_validator("allow_private", "egress_ports", "engines", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """A list in a variable is separated by commas."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="after")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        for text in value:
            ip_network(text, strict=False)
        return value

    @cached_property
    def artifact_seconds(self) -> int:
        return int(self.artifact_days * 86_400)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
