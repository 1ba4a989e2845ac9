"""What compose starts, started as processes of this machine.

All that differs from what compose says: a service's name is 127.0.0.1, a port is a free one (each replica has its own),
and a folder of a container is a folder of the test's. As root each process of ours has the container's own folders, in
a namespace of mounts, on a root that cannot be written to, as the user that compose names and without any right.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from infra.processes import Child, free_ports, start
from tests.infra.deploy.compose import Service
from tests.infra.deploy.dockerfile import stages
from tests.namespaces import MAY_MOUNT
from tests.sandbox import ROOT

PORTS = {"postgres": [5432], "temporal": [7233, 9090], "sandbox": [8099, 8025], "worker": [8081, 9464], "api": [8080]}
OURS = ("migration", "worker", "api", "sandbox")
HOSTS = ("SQL_HOST", "POSTGRES_SEEDS")
"""Variables that are a service's name alone; elsewhere a port, `--host` or `getent hosts` tells that it is one."""
OF_THE_PROXY = ("proxy:8080", "api:8080")
"""nginx is tried by itself (test_proxy.py): here the first process of the API takes its place."""
PORTS_OF_THE_ENGINE = [
    f"{service}_{kind}_PORT"
    for kind in ("GRPC", "MEMBERSHIP")
    for service in ("FRONTEND", "HISTORY", "MATCHING", "WORKER")
]
CONFINED = """
owner=$1; shift
mount -t tmpfs none /media; cd /media; mkdir -p run/secrets volume; mount --bind "$VOLUME" volume
for name in $GIVEN; do touch run/secrets/$name; mount --bind "$SECRETS/$name" run/secrets/$name; done
n=0; for folder in $CLOSED; do n=$((n + 1)); mkdir $n; mount --bind "$folder" $n; done
n=0; for folder in $CLOSED; do
  n=$((n + 1)); top="/$(cut -d / -f 2 <<< "$folder")"
  mountpoint -q "$top" || mount -t tmpfs -o mode=$([ "$top" = /tmp ] && echo 1777 || echo 755) none "$top"
  mkdir -p "$folder"; mount --move $n "$folder"
done
mount --rbind run /run
mount -t tmpfs none /var/lib; mkdir /var/lib/orders; mount --move volume /var/lib/orders
mountpoint -q /tmp || mount -t tmpfs -o mode=1777 none /tmp
mount -o remount,ro,bind /; cd /
exec env -u SECRETS -u GIVEN -u VOLUME -u CLOSED -u OLDPWD setpriv --reuid "${owner%:*}" --regid "${owner#*:}" \
  --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs --pdeathsig KILL -- "$@"
"""


@dataclass
class Here:
    secrets: Path
    logs: Path
    ports: dict[tuple[str, int, int], int]
    """By service, replica and port."""
    running: dict[tuple[str, int], Child] = field(default_factory=dict)
    confined: bool = os.geteuid() == 0 and MAY_MOUNT

    @classmethod
    def of(cls, services: dict[str, Service], secrets: Path, logs: Path, **known: int) -> "Here":
        wanted = [
            (name, replica, port)
            for name, ports in PORTS.items()
            for replica in range(services[name].replicas)
            for port in ports
        ]
        ports = dict(zip(wanted, free_ports(len(wanted)), strict=True))
        ports |= {(name, 0, PORTS[name][0]): port for name, port in known.items()}
        here = cls(secrets, logs, ports)
        here.volume.mkdir(mode=0o777)
        here.volume.chmod(0o777)  # as in the image
        for file in secrets.iterdir():
            file.write_text(here.text(file.read_text(), "", 0))
        return here

    def text(self, text: str, service: str, replica: int) -> str:
        for name in OF_THE_PROXY:
            text = text.replace(name, f"127.0.0.1:{self.ports['api', 0, 8080]}")
        names = "|".join(PORTS)
        text = re.sub(rf"(?<![\w.-])(?:{names})(?=:\d{{4}}\b)", "127.0.0.1", text)
        text = re.sub(rf"(--host\0|getent hosts )(?:{names})\b", r"\g<1>127.0.0.1", text)

        def port(found: re.Match[str]) -> str:
            number = int(found[0])
            own = self.ports.get((service, replica, number))
            others = [free for (_, n, each), free in self.ports.items() if each == number and n == 0]
            return str(own or others[0])

        numbers = "|".join(str(each) for ports in PORTS.values() for each in ports)
        text = re.sub(rf"(?<!\w)(?:{numbers})(?!\w)", port, text)
        if self.confined and service in OURS:
            return text
        return text.replace("/run/secrets", str(self.secrets)).replace("/var/lib/orders", str(self.volume))

    @property
    def volume(self) -> Path:
        return self.logs / "volume"

    def environ(self, service: Service, replica: int) -> dict[str, str]:
        image = stages()["runtime"].pairs("ENV") if service.ours else {}
        if service.name == "sandbox":
            image |= stages()["sandbox"].pairs("ENV")
        environ = {**image, **service.environ}
        found = {
            name: "127.0.0.1" if name in HOSTS else self.text(value, service.name, replica)
            for name, value in environ.items()
            if name != "PATH"
        }
        if not self.confined and service.ours:
            found["ORDERS_HOME"] = str(self.volume / service.name)
        if service.name == "temporal":  # those of its four services, which are its own defaults
            numbers = [self.ports["temporal", 0, 7233], *free_ports(7)]
            found |= {name: str(number) for name, number in zip(PORTS_OF_THE_ENGINE, numbers, strict=True)}
        return found | {"PATH": f"{Path(sys.executable).parent}:{ROOT / '.cluster/bin'}:{os.environ['PATH']}"}

    def command(self, service: Service, replica: int, command: list[str]) -> list[str]:
        command = self.text("\0".join(command), service.name, replica).split("\0")
        if not (self.confined and service.ours):
            return command
        folders = {"SECRETS": str(self.secrets), "GIVEN": " ".join(service.raw.get("secrets", ()))}
        folders |= {"VOLUME": str(self.volume), "CLOSED": " ".join(closed(ROOT, sys.base_prefix))}
        environ = [f"{name}={value}" for name, value in folders.items()]
        namespace = ["unshare", "--mount", "bash", "-euc", CONFINED, "confined"]
        return ["env", *environ, *namespace, service.raw["user"], *command]

    def start(self, service: Service, replica: int = 0) -> Child:
        log = self.logs / f"{service.name}-{replica}.log"
        command = self.command(service, replica, service.command)
        child = start(service.name, command, log=log, environ=self.environ(service, replica), folder=ROOT)
        self.running[service.name, replica] = child
        return child

    def run(self, service: Service, command: list[str], replica: int = 0) -> subprocess.CompletedProcess[str]:
        """Another command in the place of the service's own, until it ends."""
        return subprocess.run(
            self.command(service, replica, command),
            env=self.environ(service, replica),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def leave(self) -> None:
        for child in reversed(self.running.values()):
            child.kill()


def engine_is_built() -> bool:
    return (ROOT / ".cluster/bin/temporal-server").exists()


def closed(*folders: str | Path) -> list[str]:
    """Those that a container would not see: below a folder which only its owner may enter, or below /tmp."""
    return [
        str(each)
        for each in map(Path, folders)
        if Path("/tmp") in each.parents or any(not folder.stat().st_mode & 1 for folder in each.parents)
    ]
