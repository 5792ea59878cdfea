"""SIP peers that are not ours: baresip, a phone, and Kamailio, a registrar and proxy. Loopback only."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.system import free_port, stop, tail
from tests.e2e.waiting import wait

REALM = "offhook.test"
_MODULES = Path("/usr/lib/x86_64-linux-gnu/kamailio/modules")

_KAMAILIO = """\
#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
mpath="{modules}/"
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "htable.so"
loadmodule "ctl.so"
modparam("ctl", "binrpc", "unix:{folder}/control")
modparam("usrloc", "db_mode", 0)
modparam("htable", "htable", "passwords=>size=4;")

event_route[htable:mod-init] {{
{passwords}
}}

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (is_method("ACK") && !loose_route()) {{ if (t_check_trans()) t_relay(); exit; }}
        loose_route();
        t_relay();
        exit;
    }}
    t_check_trans();
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{realm}", "$sht(passwords=>$au)", "0")) {{ www_challenge("{realm}", "1"); exit; }}
        if ($au != $tU) {{ sl_send_reply("403", "Forbidden"); exit; }}
        save("location");
        exit;
    }}
    if (!pv_proxy_authenticate("{realm}", "$sht(passwords=>$au)", "0")) {{ proxy_challenge("{realm}", "1"); exit; }}
    consume_credentials();
    if (is_method("INVITE")) record_route();
    if (!lookup("location")) {{ sl_send_reply("404", "Not Registered"); exit; }}
    t_relay();
}}
"""

# A tab between name and value is what baresip's parser wants.
_BARESIP = """\
poll_method\tepoll
sip_listen\t127.0.0.1:{sip_port}
call_local_timeout\t120
audio_player\taubridge,null
audio_source\taufile,{speech}
audio_alert\taubridge,null
ausrc_srate\t{rate}
auplay_srate\t{rate}
ausrc_channels\t1
auplay_channels\t1
audio_txmode\tthread
ausrc_format\ts16
auplay_format\ts16
auenc_format\ts16
audec_format\ts16
audio_buffer\t20-160
rtp_ports\t{rtp}
jitter_buffer_delay\t2-10
module_path\t/usr/lib/baresip/modules
module\tg711.so
module\tg722.so
module\taufile.so
module\taubridge.so
module\tsndfile.so
snd_path\t{folder}
module_tmp\tuuid.so
module_tmp\taccount.so
module_app\tmenu.so
module_app\tctrl_tcp.so
ctrl_tcp_listen\t127.0.0.1:{control}
"""


@dataclass(frozen=True, slots=True)
class Kamailio:
    """A registrar with digest authentication that relays calls to whoever is registered."""

    port: int
    folder: Path

    @classmethod
    @contextmanager
    def running(cls, folder: Path, passwords: dict[str, str]) -> Iterator[Self]:
        """Run it until the end of the block. passwords: by user."""
        folder.mkdir(parents=True)
        proxy = cls(free_port(), folder)
        known = "\n".join(f'    $sht(passwords=>{user}) = "{password}";' for user, password in passwords.items())
        config = folder / "kamailio.cfg"
        config.write_text(
            _KAMAILIO.format(port=proxy.port, modules=_MODULES, folder=folder, passwords=known, realm=REALM)
        )
        log = folder / "log"
        command = [
            "kamailio",
            "-f",
            str(config),
            "-DD",
            "-E",
            "-w",
            str(folder),
            "-Y",
            str(folder),
            "-m",
            "32",
            "-M",
            "4",
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait((folder / "control").exists, 10, lambda: f"Kamailio does not start\n{tail(log)}")
            yield proxy
        finally:
            stop(process)

    def wait_registered(self, user: str, within: float = 20.0) -> None:
        """Return when *user* is registered. Raises TimeoutError."""
        wait(lambda: self.knows(user), within, lambda: f"{user} is not registered\n{tail(self.folder / 'log')}")

    def knows(self, user: str) -> bool:
        """Whether *user* is registered."""
        command = ["kamcmd", "-s", f"unix:{self.folder}/control", "ul.lookup", "location", user]
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
        return "Contact" in found.stdout


@dataclass(frozen=True, slots=True)
class Account:
    """How baresip calls. registrar: port of a Kamailio to register at and call through; None calls directly."""

    user: str = "visitor"
    codec: str = "PCMU/8000"
    password: str = ""
    registrar: int | None = None

    def line(self, sip_port: int) -> str:
        """The line of baresip's accounts file."""
        if self.registrar is None:
            return f"<sip:{self.user}@127.0.0.1:{sip_port}>;regint=0;audio_codecs={self.codec}"
        return (
            f"<sip:{self.user}@127.0.0.1:{self.registrar}>;auth_user={self.user};auth_pass={self.password};"
            f'outbound="sip:127.0.0.1:{self.registrar}";regint=60;audio_codecs={self.codec}'
        )


@dataclass(slots=True)
class Baresip:
    """A phone that plays a WAV from the start of its call and records what it hears."""

    folder: Path
    _socket: socket.socket
    _buffer: bytes = b""
    _events: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    @contextmanager
    def running(cls, folder: Path, account: Account, speech: Path, rate: int) -> Iterator[Self]:
        """Run it until the end of the block. speech: mono WAV at *rate* Hz, the codec's own; its end ends the call."""
        folder.mkdir(parents=True)
        sip_port, control, rtp = free_port(), free_port(), free_port() // 2 * 2
        config = _BARESIP.format(
            sip_port=sip_port, control=control, rtp=f"{rtp}-{rtp + 40}", speech=speech, rate=rate, folder=folder
        )
        (folder / "config").write_text(config)
        (folder / "accounts").write_text(account.line(sip_port) + "\n")
        (folder / "contacts").write_text("")
        log = folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["baresip", "-s", "-f", str(folder)], stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            yield cls(folder, _connected(control, log))
        finally:
            stop(process, within=5.0)

    def dial(self, uri: str) -> None:
        """Call *uri*."""
        message = json.dumps({"command": "dial", "params": uri, "token": "dial"}).encode()
        self._socket.sendall(b"%d:%s," % (len(message), message))

    def wait_for(self, event: str, within: float) -> dict[str, Any]:
        """The next event of this type, such as CALL_CLOSED or REGISTER_OK. Raises TimeoutError with the log."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            while self._events:
                happened = self._events.pop(0)
                if happened["type"] == event:
                    return happened
            self._read()
        raise TimeoutError(f"no {event} within {within:.0f} s\n{tail(self.folder / 'log')}")

    @property
    def heard(self) -> Path:
        """The recording of what it heard, complete once its call is closed."""
        return next(iter(sorted(self.folder.glob("dump-*-dec.wav"))))

    def _read(self) -> None:
        """Take what the control socket says: JSON in netstrings."""
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            return
        if not data:
            raise ConnectionError(f"baresip is gone\n{tail(self.folder / 'log')}")
        self._buffer += data
        while (parts := self._buffer.partition(b":"))[1]:
            size = int(parts[0])
            if len(parts[2]) <= size:
                return
            message = json.loads(parts[2][:size])
            self._buffer = parts[2][size + 1 :]
            if message.get("event"):
                self._events.append(message)


def _connected(port: int, log: Path) -> socket.socket:
    """A connection to baresip's control port, once it listens."""
    made: list[socket.socket] = []

    def connect() -> bool:
        try:
            made.append(socket.create_connection(("127.0.0.1", port), timeout=0.2))
        except OSError:
            return False
        return True

    wait(connect, 10, lambda: f"baresip does not start\n{tail(log)}")
    return made[0]
