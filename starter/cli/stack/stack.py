"""The stack of one machine: engine, sandbox, worker and API as processes of their own, started and stopped in order."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import SecretStr

from infra.database.upgrade import Unusable
from infra.home import Home, HomeError, Stack
from infra.processes import Child, NotReady, start
from infra.settings import Settings, SettingsError
from infra.temporal import EngineError, start_dev_server
from starter.cli.failure import Failed
from starter.cli.processes import command
from starter.cli.stack import environment
from starter.cli.tables import short

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

READY_SECONDS = 60
STOP_SECONDS = 60
"""Above what worker and API take to drain."""
REAL_ENGINE = ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")
Say = Callable[[str], None]


@dataclass
class Running:
    """A stack that runs. `children` by name, in the order in which they were started."""

    home: Home
    stack: Stack
    environ: dict[str, str]
    empty: bool
    """Nothing is sold here yet."""
    sandboxed: dict[str, dict[str, str]]
    """By part that the sandbox plays: the settings that lead to it."""
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def sandbox(self) -> str | None:
        """Where the embedded outside world is; None when every part is real."""
        return f"http://127.0.0.1:{self.stack.ports['sandbox']}" if "sandbox" in self.stack.ports else None

    @property
    def sandbox_token(self) -> str:
        """What opens the sandbox's controls."""
        return self.stack.secrets[environment.SANDBOX_TOKEN].get_secret_value()

    def links(self) -> dict[str, str]:
        found = {"API docs": f"{self.stack.api_url}/docs"}
        if "web_ui" in self.stack.ports:
            web_ui = f"http://127.0.0.1:{self.stack.ports['web_ui']}/namespaces/default/workflows"
            found = {"Web UI": web_ui} | found
        if self.sandbox:
            found |= {"Mailbox": f"{self.sandbox}/mailbox", "Sandbox": self.sandbox}
        return found

    def begin(self, name: str, module: str, *arguments: str, **environ: str) -> Child:
        """Starts a process of ours; from the main thread only (see `infra.processes.start`)."""
        return self.begin_in(self.environ | environ, name, module, *arguments)

    def begin_in(self, environ: Mapping[str, str], name: str, module: str, *arguments: str) -> Child:
        self.children[name] = start(name, command(module, *arguments), log=self.home.log(name), environ=environ)
        return self.children[name]

    def check(self) -> None:
        """Nothing is restarted in silence: who died is named."""
        for name, child in self.children.items():
            if (code := child.exit_code) is not None:
                raise Failed(f"the {name} ended ({ending(code)}): {child.last_words()}; its log is {short(child.log)}")

    def stop(self) -> None:
        """Newest first: no new orders, then calls under way finish, then the world and the engine go."""
        try:
            while self.children:
                self.children[next(reversed(self.children))].stop(STOP_SECONDS)
                self.children.popitem()
        except BaseException:
            for child in self.children.values():
                child.kill()
            raise


def ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


@contextmanager
def running(home: Home, given: Mapping[str, str], *, pace: float, say: Say = lambda _: None) -> Iterator[Running]:
    """Starts what has no real settings in `given`, and all of our own; stops it at the end of the block."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with home.held():
            made = prepared(home, given)
            try:
                begin_all(made, given, pace, say)
                yield made
            finally:
                say("stopping")
                made.stop()
    except (HomeError, SettingsError, NotReady, EngineError, Unusable) as trouble:
        raise Failed(str(trouble)) from None


def prepared(home: Home, given: Mapping[str, str]) -> Running:
    before = home.read()
    ports, secrets = environment.ports(before), environment.made_secrets(before)
    if chosen := given.get("ORDERS_API_PORT"):
        ports["api"] = int(chosen) if chosen.isdigit() else 0
    sandboxed = environment.embedded(given, home, ports, secrets)
    if sandboxed:
        environment.require_packages()
    ours = {environment.PICKUP_KEY: secrets[environment.PICKUP_KEY]}
    common = ours | environment.environment_of(given, home.path, ports["api"])
    environ = common | {name: value for part in sandboxed.values() for name, value in part.items()}
    settings = Settings.from_environment(environ)
    unused = [] if sandboxed else ["sandbox", "smtp"]
    unused += ["engine", "web_ui"] if any(name in given for name in REAL_ENGINE) else []
    stack = Stack(
        api_url=f"http://{reachable(settings.orders_api_host)}:{ports['api']}",
        api_key=before.api_key if before else SecretStr(""),
        ports={name: port for name, port in ports.items() if name not in unused},
        sandboxed=list(sandboxed),
        secrets={name: SecretStr(value) for name, value in secrets.items()},
    )
    return Running(home, stack, environ, empty=False, sandboxed=sandboxed)


def reachable(host: str) -> str:
    """Where to call what listens there."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104
    return anywhere.get(host, f"[{host}]" if ":" in host else host)


def begin_all(made: Running, given: Mapping[str, str], pace: float, say: Say) -> None:
    ports = made.stack.ports
    with ThreadPoolExecutor(1) as beside:
        opened = beside.submit(open_database, made)
        if "sandbox" in ports:
            say("starting the sandbox")
            begin_sandbox(made, pace)
        if "engine" in ports:
            say("starting the engine")
            engine = start_dev_server(
                made.home.log("engine"), database=made.home.engine, port=ports["engine"], ui_port=ports["web_ui"]
            )
            # first of all to start is last of all to stop
            made.children = {"engine": engine.child, **made.children}
            made.environ |= engine.settings()
        say("migrating the database")
        opened.result()
    made.home.write(made.stack)
    say("starting worker and API")
    worker = made.begin("worker", "workers", ORDERS_METRICS_ADDRESS=f"127.0.0.1:{ports['metrics']}")
    api = made.begin("api", "starter.api")
    if "sandbox" in made.children:
        made.children["sandbox"].wait_for_port(ports["sandbox"], seconds=READY_SECONDS)
    wait_for_api(api, made.stack.api_url)
    worker.wait_for_line("worker_ready", seconds=READY_SECONDS)


def wait_for_api(api: Child, url: str, seconds: float = READY_SECONDS) -> None:
    """Until it takes orders, and can start them."""
    api.wait_for_url(f"{url}/readyz", seconds, containing='"engine":"ok"')


def begin_sandbox(made: Running, pace: float) -> None:
    environ = environment.environment_of_sandbox(made.environ, made.sandboxed, made.sandbox_token)
    where = ["--port", str(made.stack.ports["sandbox"]), "--smtp-port", str(made.stack.ports["smtp"])]
    where += ["--state", str(made.home.sandbox), "--pace", str(pace), "--parts", ",".join(made.sandboxed)]
    made.begin_in(environ, "sandbox", "infra.sandbox", *where)


def open_database(made: Running) -> None:
    """Migrates it, looks whether anything is sold, and makes sure that the stack's own key is good."""
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from infra.database import engine as connections
    from infra.database.tables import Product
    from infra.database.upgrade import migrate

    settings = Settings.from_environment(made.environ)
    try:
        migrate(settings)
        engine = connections.create(settings.database_url.get_secret_value(), pool_size=1)
        with connections.sessions(engine).begin() as tx:
            made.empty = tx.scalars(select(Product.sku).limit(1)).first() is None
            key = good_key(tx, made.stack.api_key.get_secret_value())
            made.stack = made.stack.model_copy(update={"api_key": SecretStr(key)})
        engine.dispose()
    except SQLAlchemyError as trouble:
        why = type(getattr(trouble, "orig", None) or trouble).__name__
        raise Failed(f"the database does not answer ({why}): check DATABASE_URL") from None


def good_key(tx: "Session", known: str) -> str:
    from starter.keys import KeyTaken, caller, create

    if known and caller(tx, known):
        return known
    for n in range(1, 1000):
        with suppress(KeyTaken):
            return create(tx, "default" if n == 1 else f"default-{n}", ["admin"])
    raise Failed("there are a thousand keys named default: revoke them, and give another ORDERS_HOME")


def watch(made: Running, seconds: float = 0.3) -> None:
    """Until a process ends by itself (then it fails) or Ctrl-C."""
    while True:
        made.check()
        time.sleep(seconds)
