"""What comes from the environment and from secret files, never from site.yaml.

In the order of precedence: ``VEILLEUSE_MQTT__PASSWORD``, ``VEILLEUSE_MQTT__USERNAME``, ``VEILLEUSE_MQTT__URL`` and
``VEILLEUSE_MQTT__PASSWORD_FILE`` in the environment; files of the same names, or ``mqtt-password`` and
``mqtt-username``, in ``$CREDENTIALS_DIRECTORY`` (systemd's LoadCredential=); last ``mqtt.password_file`` of the site.
``VEILLEUSE_STATE`` is the state directory (default ``$STATE_DIRECTORY``, else /var/lib/veilleuse).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.model import broker_url
from config.problems import Findings, Spot, did_you_mean, known_words
from config.wording import plain

PREFIX = "VEILLEUSE_"
NESTED = "__"
DEFAULT_STATE = Path("/var/lib/veilleuse")
_ENVIRONMENT = "environment"


class MqttSettings(BaseModel):
    """``VEILLEUSE_MQTT__*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(broker_url)] | None = None
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None


class Settings(BaseSettings):
    """The environment's part of the configuration; the password shows as stars wherever it is printed."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    mqtt: MqttSettings = MqttSettings()
    state: Path = DEFAULT_STATE

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """Only what read_settings hands in: the process' own environment is asked once, at the edge."""
        return (init_settings,)


class _Flat(PydanticBaseSettingsSource):
    """Names like ``MQTT__PASSWORD`` from any mapping, as nested keys."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """What the mapping has for one field of Settings, flat or nested."""
        head = f"{field_name}{NESTED}"
        nested = {name[len(head) :]: text for name, text in self.values.items() if name.startswith(head)}
        return (nested or self.values.get(field_name)), field_name, bool(nested)

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in Settings.model_fields.items()}
        return {name: value for name, value in found.items() if value}


def read_settings(environ: Mapping[str, str] | None = None, findings: Findings | None = None) -> Settings:
    """The settings of ``environ`` (default: the process' own). What is wrong is noted, else raised as ValueError."""
    environ = os.environ if environ is None else environ
    noted = Findings() if findings is None else findings
    values = _credentials(environ, noted)
    values |= {name.removeprefix(PREFIX).lower(): text for name, text in environ.items() if _is_ours(name) and text}
    if "state" not in values and environ.get("STATE_DIRECTORY"):
        values["state"] = environ["STATE_DIRECTORY"].partition(":")[0]
    try:
        settings = Settings(**_Flat(values)())
    except ValidationError as error:
        _note(error, noted)
        settings = Settings()
    if findings is None and noted.failed:
        raise ValueError("; ".join(problem.message for problem in noted.ordered()))
    return settings


def state_directory(environ: Mapping[str, str] | None = None) -> Path:
    """Where what must survive is kept."""
    return read_settings(environ, Findings()).state


def read_secret(path: Path, named_at: Spot, findings: Findings) -> str | None:
    """The first line of a secret file; None, with an error noted, when it cannot be read or is empty."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "not UTF-8 text"
        findings.error(named_at, f"password_file: {path} cannot be read: {cause}")
        return None
    if not lines or not lines[0]:
        findings.error(named_at, f"password_file: {path} is empty")
        return None
    if path.stat().st_mode & 0o004:
        findings.warning(named_at, f"password_file: everybody can read {path}; chmod 640 it")
    return lines[0]


def _is_ours(name: str) -> bool:
    """Other VEILLEUSE_ variables belong to the command line."""
    return name == f"{PREFIX}STATE" or name.startswith(f"{PREFIX}MQTT{NESTED}")


def _credentials(environ: Mapping[str, str], findings: Findings) -> dict[str, str]:
    """systemd's credentials by setting: a file a secret."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return {}
    values: dict[str, str] = {}
    for setting in ("mqtt__password", "mqtt__username"):
        names = (f"{PREFIX}{setting.upper()}", f"{PREFIX}{setting}".lower(), setting.replace(NESTED, "-"))
        path = next((p for name in names if (p := Path(directory, name)).is_file()), None)
        if path and (secret := read_secret(path, Spot(str(path)), Findings())):
            values[setting] = secret
        elif path:
            findings.error(Spot(str(path)), "this credential is empty or cannot be read")
    return values


def _note(error: ValidationError, findings: Findings) -> None:
    """Never the value itself: it may be the secret."""
    for detail in error.errors(include_input=False):
        name = PREFIX + NESTED.join(str(part) for part in detail["loc"]).upper()
        if detail["type"] == "extra_forbidden":
            known = [f"{PREFIX}MQTT{NESTED}{field.upper()}" for field in MqttSettings.model_fields]
            hint = did_you_mean(name, known)
            findings.error(Spot(_ENVIRONMENT), f"{name}: unknown variable{hint or ';'} allowed: {known_words(known)}")
        else:
            findings.error(Spot(_ENVIRONMENT), f"{name}: {plain(detail)}")
