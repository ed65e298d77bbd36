"""One mistake, one message at its place: the table of what operators get wrong."""

from __future__ import annotations

import pytest

from tests.config.conftest import Town

_SCHOOL = '"{}", instance: 1201, profile: generic-heating}}\n  - {{id: gymnase, bus: gtb, address: '

MISTAKES = {
    "unknown key": (
        "  country: FR ", "  contry: FR ", "contry",
        'site.contry: unknown key; did you mean "country"? allowed: country, id, latitude, longitude, name, timezone',
    ),
    "unknown section": (
        "plans:  ", "plan:   ", "plan:  ", 'plan: unknown key; did you mean "plans"? allowed: ',
    ),
    "missing key": (
        "  latitude: 50.291 ", "  #", "id: valbourg", "site.latitude: missing",
    ),
    "number as text": ("latitude: 50.291", 'latitude: "50.291"', '"50.291"', 'site.latitude: "50.291" is not a number'),
    "text as number": (
        "name: Ville de Valbourg", "name: 62000", "62000", "site.name: must be text; put 62000 in quotes",
    ),
    "out of range": ("latitude: 50.291", "latitude: 502.91", "502.91", "site.latitude: 502.91 must be at most 90"),
    "time zone": (
        "Europe/Paris", "Europe/Pari", "Europe/Pari",
        'site.timezone: "Europe/Pari" is no time zone; did you mean "Europe/Paris"?',
    ),
    "id with capitals": (
        "id: valbourg ", "id: Valbourg ", "Valbourg  ",
        'site.id: "Valbourg" must be small letters, digits and hyphens only (a-z, 0-9, -)',
    ),
    "broker without scheme": (
        "mqtt://127.0.0.1:1883", "127.0.0.1:1883", "127.0.0.1:1883",
        "mqtt.url: the address of the broker is mqtt://host:port or mqtts://host:port",
    ),
    "secret in the address": (
        "mqtt://127.0.0.1:1883", "mqtt://u:geheim@127.0.0.1", "mqtt://u:geheim",
        "mqtt.url: no user or password in the address",
    ),
    "secret in the file": (
        "  base: veilleuse", "  password: geheim", "password: geheim",
        "mqtt.password: no secrets in this file: use password_file or VEILLEUSE_MQTT__PASSWORD",
    ),
    "wildcard in the base": ("base: veilleuse", "base: a/#", "a/#", 'mqtt.base: "a/#" cannot begin a topic'),
    "duration without unit": (
        "default: 2h", "default: 2", "2, cap",
        "overrides.default: 2 is not a duration; write it with its unit: 30s, 10m, 3h, 1h30m, 2d",
    ),
    "cap below default": ("cap: 24h", "cap: 1h", "1h}", "overrides.cap: must not be shorter than default"),
    "unknown driver": (
        "gtb: {driver: bacnet,", "gtb: {driver: bacnett,", "bacnett",
        'buses.gtb.driver: "bacnett" is not known; did you mean "bacnet"? allowed: bacnet, modbus',
    ),
    "driver's unknown key": (
        "baudrate: 9600", "baud: 9600", "baud: 9600",
        'buses.chaufferie.baud: unknown key; did you mean "baudrate"? allowed: baudrate, driver, framing',
    ),
    "driver's wrong word": (
        "parity: E", "parity: even", "even",
        'buses.chaufferie.parity: "even" is not known; allowed: E, N, O',
    ),
    "tls on a serial line": (
        "baudrate: 9600", "tls: {ca: ca.pem}, baudrate: 9600", "{driver: modbus, serial",
        "buses.chaufferie: framing and tls are for tcp, not for a serial line",
    ),
    "half a certificate": (
        "armoires: {driver: modbus", "armoires: {driver: modbus, tls: {ca: ca.pem, cert: c.pem}", "{ca: ca.pem, cert",
        "buses.armoires.tls: cert and key go together",
    ),
    "tls with rtu": (
        "armoires: {driver: modbus",
        "armoires: {driver: modbus, framing: rtu, tls: {ca: ca.pem}",
        "{driver: modbus, framing",
        "buses.armoires: tls carries Modbus TCP only, not framing rtu",
    ),
    "driver's own address": ("127.0.0.1/32:47809", "127.0.0.300/32", '"127.0.0.300/32"', "buses.gtb.address: "),
    "both wires": (
        "serial: rs485,", "serial: rs485, tcp: h,", "{driver: modbus, serial",
        "buses.chaufferie: a bus is either tcp or serial, not both",
    ),
    "unknown bus": (
        "cab-gare, bus: armoires", "cab-gare, bus: armoire", 'armoire,',
        'devices.cab-gare.bus: unknown bus "armoire"; did you mean "armoires"? known: armoires, chaufferie, gtb',
    ),
    "unknown profile": (
        "eastron-sdm630", "eastron-sdm63", "eastron-sdm63}",
        'devices.compteur-ecole.profile: unknown profile "eastron-sdm63"; did you mean "eastron-sdm630"? known: ',
    ),
    "profile of another protocol": (
        "unit: 10, profile: eastron-sdm630", "unit: 10, profile: generic-thermostat",
        "generic-thermostat}\n  - {id: compteur-g",
        'devices.compteur-ecole.profile: profile "generic-thermostat" is for bacnet, bus "chaufferie" speaks modbus',
    ),
    "device's unknown key": (
        "unit: 10,", "slave: 10,", "slave",
        "devices.compteur-ecole.slave: unknown key; allowed: address, bus, id, profile, unit",
    ),
    "device's missing key": (
        "instance: 1202, ", "", "{id: gymnase, bus: gtb", "devices.gymnase.instance: missing",
    ),
    "unit out of range": ("unit: 10,", "unit: 300,", "300,", "devices.compteur-ecole.unit: 300 must be at most 247"),
    "same unit twice": (
        "unit: 11", "unit: 10", "10, profile: schneider",
        'devices.compteur-gymnase.unit: address "rs485 unit 10" already exists in line ',
    ),
    "same endpoint twice": (
        "127.0.0.1:5021", "127.0.0.1:5020", '"127.0.0.1:5020", unit: 1, profile: generic-cabinet}\n  - {id: cab-ecoles',
        'devices.cab-gare.address: address "127.0.0.1:5020 unit 1" already exists in line ',
    ),
    "same instance twice": (
        "instance: 1202", "instance: 1201", "1201, profile: generic-thermostat",
        'devices.gymnase.instance: BACnet instance "1201" already exists in line ',
    ),
    "our own instance": (
        "instance: 1202", "instance: 4190000", "4190000, profile: generic-thermostat",
        'devices.gymnase.instance: 4190000 is the instance of bus "gtb" itself',
    ),
    "our own address": (
        '"127.0.0.1:47811", instance: 1202', '"127.0.0.1:47809", instance: 1202', '"127.0.0.1:47809", instance: 1202',
        'devices.gymnase.address: 127.0.0.1:47809 is the address of bus "gtb" itself',
    ),
    "same address twice": (
        '"127.0.0.1:47811", instance: 1202', '"127.0.0.1:47810", instance: 1202', '"127.0.0.1:47810", instance: 1202',
        'devices.gymnase.address: address "127.0.0.1:47810" already exists in line ',
    ),
    "nobody to look for it": (
        '"127.0.0.1:47811", instance: 1202', "auto, instance: 1202", "auto, instance",
        'devices.gymnase.address: it is looked for by broadcast, but bus "gtb" is a network of one (/32)',
    ),
    "no MAC": (
        '"127.0.0.1:47811", instance: 1202', '"2001:300", instance: 1202', '"2001:300"',
        "devices.gymnase.address: '2001:300': a decimal MAC is between 0 and 254; write a longer one as 0x...",
    ),
    "a router to nowhere": (
        '"127.0.0.1:47811", instance: 1202', '"127.0.0.1:47811", via: 10.0.0.1, instance: 1202', "{id: gymnase",
        "devices.gymnase: via is the router to an address of the form network:mac",
    ),
    "two routers": (
        _SCHOOL.format("127.0.0.1:47810") + '"127.0.0.1:47811"',
        _SCHOOL.format('2001:17", via: "10.0.0.1') + '"2001:18", via: 10.0.0.2', "10.0.0.2",
        "devices.gymnase.via: another device reaches network 2001 by 10.0.0.1:47808; a network has one router",
    ),
    "lifetime of a registration": (
        "gtb: {driver: bacnet,", "gtb: {driver: bacnet, foreign: {bbmd: 10.0.0.1, ttl: soon},", "soon",
        "buses.gtb.foreign.ttl: 'soon' is no lifetime; write 60s, 5m or 1h",
    ),
    "no wire at all": (
        'cab-gare, bus: armoires, address: "127.0.0.1:5021"', "cab-gare, bus: armoires", "{id: cab-gare, bus",
        'devices.cab-gare: address: missing; bus "armoires" has neither tcp nor serial',
    ),
    "address on a serial line": (
        "bus: chaufferie, unit: 10", "bus: chaufferie, address: h, unit: 10", "h, unit",
        'devices.compteur-ecole.address: bus "chaufferie" is a serial line: its devices have only a unit',
    ),
    "calendar file missing": (
        "calendars/feries.csv", "calendars/ferie.csv", "calendars/ferie.csv", "calendars.feries.csv: ",
    ),
    "lamp type with falling power": (
        "30: 13.5,", "30: 3.5,", "{power: 42",
        "lamp_types.led-42: the power in profile must not fall when the level rises",
    ),
    "same segment twice": (
        "id: mairie-2, output: 2", "id: gare-1, output: 2", "gare-1, output: 1",
        'cabinets.cab-gare.segments.gare-1.id: segment "gare-1" already exists in line ',
    ),
    "same output twice": (
        "{id: gare-2, output: 2", "{id: gare-2, output: 1", "1, phase: 3}\n  - id: cab-ecoles",
        'cabinets.cab-gare.segments.gare-2.output: device cab-gare output "1" already exists in line ',
    ),
    "output that the device has not": (
        "id: gare-2, output: 2", "id: gare-2, output: 9", "9, phase",
        "cabinets.cab-gare.segments.gare-2.output: profile generic-cabinet has outputs 1 to 8, not 9",
    ),
    "moment": (
        'start: 100, "22:30": 60', 'start: 100, "22h30": 60', '"22h30"',
        "programs.centre.levels.22h30: '22h30' is no moment of the night; allowed: a clock time (22:30, 22:30:15)",
    ),
    "misspelt sun": (
        "lit: {from: sunset, to", "lit: {from: sunst, to", "sunst,",
        "programs.fete.lit.from: 'sunst' is no moment of the night; did you mean \"sunset\"? allowed: ",
    ),
    "level over 100": (
        '"01:00": 70', '"01:00": 170', "170", "programs.fete.levels.01:00: 170 must be at most 100",
    ),
    "moment twice": (
        '"01:00": 70', '"01:00": 70, "1:00": 60', '"1:00": 60', 'programs.fete.levels.1:00: the same moment as "01:00"',
    ),
    "unknown program": (
        "default: ville", "default: vile", "vile",
        'plans.quartiers.default: unknown program "vile"; did you mean "ville"? known: centre, fete, ville, week-end',
    ),
    "days of a rule": (
        "on: [fri, sat]", "on: [fri, saturday]", "saturday",
        'plans.quartiers.rules.2.on.2: "saturday" names no day',
    ),
    "calendar of a rule": (
        "{on: feries, program: week-end}", "{on: ferie, program: week-end}", "ferie, program",
        'plans.quartiers.rules.3.on: "ferie" names no day; did you mean "feries"? allowed: a weekday (fri)',
    ),
    "unknown plan": (
        "id: gare, plan: centre", "id: gare, plan: center", "center",
        'groups.gare.plan: unknown plan "center"; did you mean "centre"? known: centre, quartiers',
    ),
    "unknown street": (
        "street: Avenue de la Gare", "street: Avenue de la Gar", "Avenue de la Gar}",
        'groups.gare.lamps.street: unknown street "Avenue de la Gar"; did you mean "Avenue de la Gare"? known: ',
    ),
    "lamps in two groups": (
        "{cabinet: cab-ecoles}", "{cabinet: cab-ecoles, segment: gare-1}", "{cabinet: cab-ecoles",
        'groups.quartier-ecoles.lamps: already in group "gare": l-017, l-018, l-019, l-020, l-021 and 3 more',
    ),
    "segment that feeds lamps": (
        "lamps: {street: Avenue de la Gare}", "segments: gare-1", "gare-1}\n",
        'groups.gare.segments: segment "gare-1" feeds lamps (l-017, l-018, l-019, l-020, l-021) and follows them',
    ),
    "weekday": (
        'mon-fri: ["10:30', 'mon-fry: ["10:30', "mon-fry",
        "occupancy.cantine.weekly.mon-fry: 'mon-fry' is no weekday and no range of weekdays (mon-fri); did you mean",
    ),
    "interval": (
        '"08:00-17:30"', '"8h-17h30"', '"8h-17h30"',
        "occupancy.ecole.weekly.mon-fri.1: '8h-17h30' is no interval of the day",
    ),
    "weekday twice": (
        'sat: ["08:30-20:00"]', 'mon: ["08:30-20:00"]', 'mon: ["08:30',
        "occupancy.gymnase.weekly.mon: 'mon' gives the hours of mon a second time",
    ),
    "unknown calendar": (
        "    closed: feries", "    closed: ferie", "ferie\n",
        'occupancy.gymnase.closed: unknown calendar "ferie"; did you mean "feries"?',
    ),
    "unknown occupancy": (
        "occupancy: cantine", "occupancy: cantin", "cantin\n",
        'buildings.ecole-jaures.zones.cantine.occupancy: unknown occupancy "cantin"; did you mean "cantine"?',
    ),
    "allures upside down": (
        "comfort: 14, reduced: 12", "comfort: 12, reduced: 14", "{comfort: 12",
        "buildings.gymnase.zones.salle.allures: comfort must not be below reduced, nor reduced below frost",
    ),
    "zone number that the device has not": (
        "      - id: salle", "      - number: 2\n        id: salle", "2\n        id: salle",
        "buildings.gymnase.zones.salle.number: profile generic-thermostat has zones 1 to 1, not 2",
    ),
    "building without a device": (
        "  - id: gymnase\n", "  - id: gymnasse\n", "gymnasse", 'buildings.gymnasse.id: no device "gymnasse"',
    ),
    "meter of an unknown device": (
        "device: compteur-ecole,", "device: compteur-ecol,", "compteur-ecol,",
        'meters.elec-ecole.device: unknown device "compteur-ecol"; did you mean "compteur-ecole"? known: ',
    ),
    "meter without meter points": (
        "device: compteur-gymnase, building", "device: gymnase, building", "gymnase, building",
        "meters.elec-gymnase.device: profile generic-thermostat has no meter.* points",
    ),
    "not a list": ("lamps: lamps.csv", "lamps: [lamps.csv]", "[lamps.csv]", "lamps: must be the path of a file"),
}  # fmt: skip


FOLLOWED = {"unknown section", "same segment twice", "building without a device", "profile of another protocol"}
"""Mistakes that leave something else without what it needs."""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_site_yaml(valbourg: Town, name: str) -> None:
    old, new, place, message = MISTAKES[name]
    valbourg.change(old, new)
    line, column = valbourg.place(place)
    lines = valbourg.found()
    assert f"site.yaml:{line}:{column}: error: {message}" in "\n".join(lines)
    assert len(lines) == 1 or name in FOLLOWED, lines
