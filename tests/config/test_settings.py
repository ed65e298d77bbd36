"""Environment, credentials and secret files: who wins, and that no secret is ever shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.load import check_site, load_site
from config.settings import read_settings, state_directory
from controller.cli import cli
from tests.config.conftest import Town

SECRET = "geheim-7431"  # noqa: S105 - what must not be shown


def test_nothing_set_is_the_default() -> None:
    settings = read_settings({})
    assert settings.mqtt.password is None
    assert settings.state == Path("/var/lib/veilleuse")


@pytest.mark.parametrize(
    ("environ", "state"),
    [
        ({"STATE_DIRECTORY": "/a"}, "/a"),
        ({"STATE_DIRECTORY": "/a:/b"}, "/a"),
        ({"STATE_DIRECTORY": "/a", "VEILLEUSE_STATE": "/c"}, "/c"),
        ({"VEILLEUSE_STATE": ""}, "/var/lib/veilleuse"),
    ],
)
def test_the_state_directory(environ: dict[str, str], state: str) -> None:
    assert state_directory(environ) == Path(state)


def test_the_environment_wins_over_credentials_over_the_sites_file(minimal: Town, tmp_path: Path) -> None:
    minimal.change(
        "  # username: veilleuse\n  # password_file: /etc/veilleuse/mqtt-password",
        "  username: from-site\n  password_file: pw",
    )
    minimal.write("from-file\n", "pw")
    minimal.path("pw").chmod(0o600)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "mqtt-password").write_text("from-credential\n", encoding="utf-8")
    systemd = {"CREDENTIALS_DIRECTORY": str(credentials)}
    variable = {
        "VEILLEUSE_MQTT__PASSWORD": "from-variable",
        "VEILLEUSE_MQTT__USERNAME": "u",
        "VEILLEUSE_MQTT__URL": "mqtts://h",
    }

    def password(environ: dict[str, str]) -> str | None:
        return load_site(minimal.directory, environ).mqtt.password

    assert password({}) == "from-file"
    assert password(systemd) == "from-credential"
    assert password(systemd | variable) == "from-variable"
    mqtt = load_site(minimal.directory, variable).mqtt
    assert (mqtt.username, mqtt.url) == ("u", "mqtts://h")
    assert load_site(minimal.directory, {}).mqtt.username == "from-site"


def test_a_credential_may_carry_the_variables_name(tmp_path: Path) -> None:
    (tmp_path / "VEILLEUSE_MQTT__PASSWORD").write_text(SECRET, encoding="utf-8")
    settings = read_settings({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert settings.mqtt.password is not None
    assert settings.mqtt.password.get_secret_value() == SECRET


def test_a_secret_shows_nowhere(minimal: Town) -> None:
    environ = {"VEILLEUSE_MQTT__PASSWORD": SECRET}
    site = load_site(minimal.directory, environ)
    assert site.mqtt.password == SECRET
    shown = [
        repr(site),
        str(site),
        repr(site.mqtt),
        repr(read_settings(environ)),
        str(read_settings(environ).model_dump()),
    ]
    result = CliRunner().invoke(cli, ["check", "--json", str(minimal.directory)], env=environ)
    assert json.loads(result.stdout)["ok"] is True
    assert all(SECRET not in text for text in (*shown, result.output))


def test_a_secret_shows_in_no_error_either(minimal: Town) -> None:
    environ = {
        "VEILLEUSE_MQTT__PASSWORT": SECRET,
        "VEILLEUSE_MQTT__URL": f"mqtt://user:{SECRET}@host",
        "VEILLEUSE_MQTT__PASSWORD": SECRET,
    }
    _, problems = check_site(minimal.directory, environ)
    lines = [str(problem) for problem in problems]
    assert [line.partition(": ")[2].split(":")[1].strip() for line in lines] == [
        "VEILLEUSE_MQTT__PASSWORT",
        "VEILLEUSE_MQTT__URL",
    ]
    assert 'did you mean "VEILLEUSE_MQTT__PASSWORD"?' in lines[0]
    assert "no user or password in the address" in lines[1]
    assert all(SECRET not in line for line in lines)


def test_the_configurations_hash_does_not_depend_on_secrets(minimal: Town) -> None:
    plain = load_site(minimal.directory, {}).config_hash
    assert load_site(minimal.directory, {"VEILLEUSE_MQTT__PASSWORD": SECRET}).config_hash == plain


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (None, 0, "error: password_file: {path} cannot be read: No such file or directory"),
        ("", 0o600, "error: password_file: {path} is empty"),
        ("x\n", 0o644, "warning: password_file: everybody can read {path}; chmod 640 it"),
    ],
)
def test_a_password_file_that_is_no_good(minimal: Town, content: str | None, mode: int, message: str) -> None:
    minimal.change("# password_file: /etc/veilleuse/mqtt-password", "password_file: pw")
    line, column = minimal.place("pw\n")
    path = minimal.path("pw")
    if content is not None:
        path.write_text(content, encoding="utf-8")
        path.chmod(mode)
    assert minimal.found() == [f"site.yaml:{line}:{column}: {message.format(path=path)}"]


def test_other_variables_of_ours_are_left_alone() -> None:
    assert read_settings({"VEILLEUSE_SITE": "/x", "VEILLEUSE_LOG": "debug"}) == read_settings({})


def test_certificates_must_exist(minimal: Town) -> None:
    minimal.change("# username: veilleuse", "ca_file: ca.pem")
    line, column = minimal.place("ca.pem")
    assert minimal.found() == [
        f"site.yaml:{line}:{column}: error: mqtt.ca_file: there is no file {minimal.path('ca.pem')}"
    ]
    minimal.write("x", "ca.pem")
    assert load_site(minimal.directory, {}).mqtt.ca_file == minimal.path("ca.pem")
