"""A real Home Assistant in a process of its own, and its HTTP and WebSocket interfaces.

`scripts/develop` runs it for developers, `tests/real` tests the integration in it.
"""

from collections.abc import Mapping
import json
from pathlib import Path
import shutil
from typing import NotRequired, Self, TypedDict, cast

import aiohttp

from development.process import LOOPBACK, REPOSITORY, HomeError, Json, Process, port_is_free, until

DOMAIN = "openai_account"
USER = "demo"
RESTART = 100
"""The exit code by which Home Assistant requests a restart."""

CONFIGURATION = f"""\
homeassistant:
  auth_mfa_modules: []
frontend:
config:
automation: !include automations.yaml
script: !include scripts.yaml
history:
logbook:
energy:
my:
recorder:
  commit_interval: 1
system_health:
logger:
  default: info
  logs:
    custom_components.{DOMAIN}: debug
    # Missing libraries for images and videos, which nothing here needs
    haffmpeg: critical
    homeassistant.components.camera.img_util: critical
    aiohttp_fast_zlib: error
"""

# Assist, which Home Assistant always loads, imports these two for voice commands. They would have
# to be compiled, and nothing here has a microphone.
VOICE = {
    "pymicro_vad.py": "class MicroVad: ...\n",
    "pyspeex_noise.py": "class AudioProcessor: ...\n",
}


class State(TypedDict):
    """An entity's state, as the REST API returns it."""

    entity_id: str
    state: str
    attributes: dict[str, Json]


class RegistryEntity(TypedDict):
    """An entry of the entity registry."""

    entity_id: str
    unique_id: str
    platform: str
    device_id: str | None
    disabled_by: str | None


class Device(TypedDict):
    """An entry of the device registry."""

    id: str
    config_entries: list[str]
    name: str | None


class Entry(TypedDict):
    """A config entry."""

    entry_id: str
    title: str
    state: str


class FlowResult(TypedDict):
    """The result of a step of a config flow: a form, an entry or an abort."""

    type: str
    flow_id: NotRequired[str]
    errors: NotRequired[dict[str, str] | None]
    description_placeholders: NotRequired[dict[str, str] | None]
    reason: NotRequired[str]
    title: NotRequired[str]
    result: NotRequired[Entry]


class Home:
    """A Home Assistant with this integration and one user, and the calls of its APIs.

    It listens on 127.0.0.1 only, and sends no request of its own to the internet.
    """

    def __init__(self, folder: Path, port: int, password: str) -> None:
        """Prepare it; `folder` is its configuration folder, created at the start if needed."""
        self.folder = folder
        self.port = port
        self.password = password
        self.url = f"http://{LOOPBACK}:{port}"
        hass = REPOSITORY / ".venv/hass/bin/hass"
        # The lock file has all packages: with --skip-pip, none is downloaded at run time.
        self.process = Process(
            "Home Assistant",
            [hass, "--config", folder, "--skip-pip", "--log-no-color", "--verbose"],
            folder / "process.log",
            {"PYTHONPATH": str(folder / "voice")},
        )
        # What the user's requests are authorized by, once they are logged in
        self.token = ""
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Start it."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self.stop()

    def _prepare(self) -> None:
        """Write the files that Home Assistant reads at its start."""
        custom = self.folder / "custom_components"
        custom.mkdir(parents=True, exist_ok=True)
        link = custom / DOMAIN
        link.unlink(missing_ok=True)
        link.symlink_to(REPOSITORY / "custom_components" / DOMAIN, target_is_directory=True)
        (self.folder / "configuration.yaml").write_text(CONFIGURATION)
        # What was created in the browser is kept.
        for name in ("automations.yaml", "scripts.yaml"):
            (self.folder / name).touch()
        blueprints = self.folder / "blueprints/automation"
        blueprints.mkdir(parents=True, exist_ok=True)
        shutil.copytree(
            REPOSITORY / "blueprints/automation" / DOMAIN, blueprints / DOMAIN, dirs_exist_ok=True
        )
        (self.folder / "voice").mkdir(exist_ok=True)
        for name, text in VOICE.items():
            (self.folder / "voice" / name).write_text(text)
        http: dict[str, Json] = {
            "server_host": [LOOPBACK],
            "server_port": self.port,
            "cors_allowed_origins": [],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": False,
            "ssl_profile": "intermediate_v6",
            "use_x_frame_options": True,
            "created_at": "2026-11-01T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }
        self._store(
            "http", 3, 1, {"stable": http, "pending": None, "yaml_migration_done": True}, anew=True
        )
        # Onboarding's only step left is the user, who is created without a browser.
        self._store(
            "onboarding", 4, 1, {"done": ["core_config", "analytics", "integration"]}, anew=False
        )
        # Without an entry, Marketplace creates its own and downloads its catalog. It leaves a
        # disabled entry alone.
        marketplace: dict[str, Json] = {
            "created_at": "2026-11-01T00:00:00+00:00",
            "data": {},
            "disabled_by": "user",
            "discovery_keys": {},
            "domain": "marketplace",
            "entry_id": "01M85SXQ951VCDH8AH63T0GG3W",
            "minor_version": 1,
            "modified_at": "2026-11-01T00:00:00+00:00",
            "options": {},
            "pref_disable_new_entities": False,
            "pref_disable_polling": False,
            "source": "system",
            "subentries": [],
            "title": "",
            "unique_id": None,
            "version": 1,
        }
        self._store("core.config_entries", 1, 5, {"entries": [marketplace]}, anew=False)

    def _store(self, key: str, version: int, minor: int, data: Json, *, anew: bool) -> None:
        path = self.folder / ".storage" / key
        if path.exists() and not anew:
            return
        path.parent.mkdir(exist_ok=True)
        document = {"version": version, "minor_version": minor, "key": key, "data": data}
        path.write_text(json.dumps(document, indent=2))

    async def start(self) -> None:
        """Start it, log in, and wait until it runs; raises HomeError if it does not."""
        if not port_is_free(self.port):
            raise HomeError(f"Port {self.port} is in use by another program.")
        self._prepare()
        await self.process.start()
        await self.process.answers(f"{self.url}/manifest.json")
        await self.log_in()

        async def is_running() -> bool:
            self.process.check()
            try:
                config = cast("dict[str, Json]", await self.get("/api/config"))
            except aiohttp.ClientError:
                return False
            return config["state"] == "RUNNING"

        await until(is_running, "Home Assistant has started", 120)

    async def stop(self) -> int | None:
        """Stop it; return its exit code."""
        if self._session:
            await self._session.close()
            self._session = None
        try:
            return await self.process.stop()
        except TimeoutError:
            raise HomeError("Home Assistant did not stop in time and was killed.") from None

    async def log_in(self) -> None:
        """Log in as its user, who is created first if needed."""
        async with aiohttp.ClientSession(self.url) as session:
            # Once onboarding is done, Home Assistant no longer serves this path.
            async with session.get("/api/onboarding") as response:
                new = response.status == 200 and any(
                    step["step"] == "user" and not step["done"] for step in await response.json()
                )
            code = await (self._onboard(session) if new else self._authorize(session))
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "client_id": f"{self.url}/",
            }
            async with session.post("/auth/token", data=form) as response:
                token = str((await response.json())["access_token"])
        self._session = aiohttp.ClientSession(
            self.url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=aiohttp.ClientTimeout(total=90),
        )
        self.token = token
        if new:
            await self.command(
                "config/core/update",
                location_name="Demo",
                country="US",
                currency="USD",
                time_zone="UTC",
                unit_system="metric",
            )

    async def _onboard(self, session: aiohttp.ClientSession) -> str:
        user = {
            "name": USER.title(),
            "username": USER,
            "password": self.password,
            "client_id": f"{self.url}/",
            "language": "en",
        }
        async with session.post("/api/onboarding/users", json=user) as response:
            response.raise_for_status()
            return str((await response.json())["auth_code"])

    async def _authorize(self, session: aiohttp.ClientSession) -> str:
        client = {"client_id": f"{self.url}/"}
        start = {"handler": ["homeassistant", None], "redirect_uri": f"{self.url}/", **client}
        async with session.post("/auth/login_flow", json=start) as response:
            response.raise_for_status()
            flow = str((await response.json())["flow_id"])
        credentials = {"username": USER, "password": self.password, **client}
        async with session.post(f"/auth/login_flow/{flow}", json=credentials) as response:
            answer = await response.json()
        if answer["type"] != "create_entry":
            raise HomeError(f"Home Assistant rejected the password of {USER}: it has been changed.")
        return str(answer["result"])

    async def get(self, path: str) -> Json:
        """Send a GET request to the REST API; raises aiohttp.ClientResponseError."""
        assert self._session is not None
        async with self._session.get(path) as response:
            response.raise_for_status()
            return cast("Json", await response.json())

    async def post(self, path: str, data: Json) -> Json:
        """Send a POST request to the REST API; raises aiohttp.ClientResponseError."""
        assert self._session is not None
        async with self._session.post(path, json=data) as response:
            response.raise_for_status()
            return cast("Json", await response.json())

    async def command(self, kind: str, **fields: Json) -> Json:
        """Send a WebSocket command and return its result; raises HomeError if it fails."""
        assert self._session is not None
        async with self._session.ws_connect("/api/websocket", max_msg_size=0) as socket_:
            await socket_.receive_json()
            await socket_.send_json({"type": "auth", "access_token": self.token})
            await socket_.receive_json()
            await socket_.send_json({"id": 1, "type": kind, **fields})
            answer = await socket_.receive_json()
        if not answer.get("success"):
            raise HomeError(f"Home Assistant rejected the command {kind}.")
        return cast("Json", answer["result"])

    async def states(self) -> dict[str, State]:
        """Return all states by entity id."""
        states = cast("list[State]", await self.get("/api/states"))
        return {state["entity_id"]: state for state in states}

    async def entities(self) -> list[RegistryEntity]:
        """Return this integration's entities, including disabled ones."""
        entities = cast("list[RegistryEntity]", await self.command("config/entity_registry/list"))
        return [entity for entity in entities if entity["platform"] == DOMAIN]

    async def entries(self) -> list[Entry]:
        """Return this integration's config entries."""
        return cast(
            "list[Entry]", await self.get(f"/api/config/config_entries/entry?domain={DOMAIN}")
        )

    async def device(self, entry: Entry) -> Device:
        """Return an entry's device, waiting until it exists."""

        async def find() -> Device | None:
            devices = cast("list[Device]", await self.command("config/device_registry/list"))
            return next(
                (one for one in devices if entry["entry_id"] in one["config_entries"]), None
            )

        return await until(find, "The account has a device", 30)

    async def start_flow(self) -> str:
        """Start the config flow for a new account; return the flow's id."""
        path = "/api/config/config_entries/flow"
        return str(cast("FlowResult", await self.post(path, {"handler": DOMAIN}))["flow_id"])

    async def set_options(self, entry: Entry, fields: Mapping[str, Json]) -> FlowResult:
        """Submit the form of an account's options; return the result."""
        path = "/api/config/config_entries/options/flow"
        flow = cast("FlowResult", await self.post(path, {"handler": entry["entry_id"]}))
        return cast("FlowResult", await self.post(f"{path}/{flow['flow_id']}", dict(fields)))

    async def send_flow(self, flow: str, fields: Mapping[str, str]) -> FlowResult:
        """Submit a form of a config flow; return the result."""
        path = f"/api/config/config_entries/flow/{flow}"
        return cast("FlowResult", await self.post(path, dict(fields)))
