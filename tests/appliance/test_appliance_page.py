"""The page of a box under systemd, behind nginx: what is open, what is answered, and what each of the two can reach."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.appliance.box import AUTHORITY, CONFIG, STORE, Box
from tests.appliance.test_appliance_box import PROBE
from tests.appliance.visitors import Visitor, a_therapist

HANDSHAKES = (Path(__file__).parent / "scripts" / "handshakes.py").read_bytes()
KINDS: Final = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6")
# What waits for somebody, in the kernel's own words (proc(5), /proc/net/tcp): TCP that listens, anything else at all.
LISTENS: Final = "0A"


def open_sockets(box: Box) -> list[tuple[str, str, int]]:
    """Every socket of the guest that somebody on a network could reach, whoever has it: kind, address, port."""
    units = "sotto-capture sotto-web sotto-sync sotto-nginx"
    script = (
        f"for p in 1 $(systemctl show -P MainPID {units}); do [ $p = 0 ] || for k in {' '.join(KINDS)}; do "
        'n=$(readlink /proc/$p/ns/net); tail -n +2 /proc/$p/net/$k | sed "s/^/$k $n /"; done; done | sort -u'
    )
    found = set()
    for line in box.agent.sh(script).splitlines():
        kind, namespace, _, local, _, state, *_ = line.split()
        address, port = local.split(":")
        if state == LISTENS or not kind.startswith("tcp"):
            found.add((namespace, kind, address, int(port, 16)))
    return sorted((kind, address, port) for _, kind, address, port in found)


def written_bytes(box: Box, unit: str) -> int:
    """How much the processes of a unit have written so far, to whatever it was."""
    script = f"cat $(sed 's,.*,/proc/&/io,' /sys/fs/cgroup/system.slice/{unit}/cgroup.procs)"
    lines = box.agent.sh(script).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("wchar:"))


def test_443_is_the_only_door_of_a_box(running: Box) -> None:
    assert open_sockets(running) == [("tcp6", "0" * 32, 443)]
    enabled = running.agent.sh("systemctl is-enabled sotto-nginx.socket sotto-nginx.service sotto.target")
    assert set(enabled.split()) == {"enabled"}
    assert running.agent.sh("ls -A /etc/systemd/system/nginx.service; pgrep -c nginx").split()[-1] == "2"


def test_it_speaks_tls_1_2_and_1_3_with_the_clinics_certificate_and_nothing_in_plain(running: Box) -> None:
    running.agent.put("/run/handshakes.py", HANDSHAKES)
    told = running.agent.sh(f"/opt/sotto/bin/python /run/handshakes.py {AUTHORITY}").splitlines()
    assert told == ["TLSv1.2", "TLSv1.3", "plain: HTTP/1.1 400 Bad Request"]


def test_the_first_admin_signs_in_through_nginx_and_sees_the_box(running: Box) -> None:
    admin = Visitor(running, "ada")
    stranger = admin.open("/box/health")
    assert stranger.headers["strict-transport-security"]
    assert "Health of the box" not in stranger.text
    admin.become_first_admin()
    health = admin.open("/box/health")
    assert (health.status, "Health of the box" in health.text) == (200, True)
    certificates = admin.open("/box/certificates")
    assert "room-1.practice.example, 127.0.0.1" in certificates.text
    assert "days left" in certificates.text
    modes = "cd /var/lib/sotto-web && stat -c '%n %U %a' . people.db && [ ! -e first-admin.code ]"
    assert running.agent.sh(modes).splitlines() == [". sotto-web 700", "people.db sotto-web 600"]


def test_a_recording_goes_to_its_therapist_and_nginx_sends_it(running: Box) -> None:
    therapist = a_therapist(running)
    recording = running.begin()
    running.microphone.noise(3).player.wait()
    running.end()
    path, here = f"/recordings/{recording}/session.mp4.age", f"{STORE}/{recording}/session.mp4.age"
    size = int(running.agent.sh(f"stat -c %s {here}"))
    before = written_bytes(running, "sotto-web.service")
    whole = therapist.open(path, save="/run/whole")
    assert (whole.status, whole.headers["content-length"]) == (200, str(size))
    assert "x-accel-redirect" not in whole.headers
    rest = therapist.open(path, save="/run/rest", Range="bytes=100000-", If_Range=whole.headers["etag"])
    assert (rest.status, rest.headers["content-range"]) == (206, f"bytes 100000-{size - 1}/{size}")
    assert running.agent.sh(f"cmp /run/whole {here}; tail -c +100001 {here} | cmp /run/rest - && echo same") == "same\n"
    assert size > 500_000
    assert written_bytes(running, "sotto-web.service") - before < 100_000, "the page says that it may; nginx sends it"

    noted = running.agent.sh(f"/opt/sotto/bin/sotto audit --config {CONFIG} --json")
    assert '"pull"' in noted
    assert Visitor(running, "ada").open(path).status == 403  # an admin looks after boxes, not at recordings
    assert "Sign in" in Visitor(running, "nobody").open(path).text
    assert therapist.open(f"/sealed/{recording}/session.mp4.age").status == 404


def test_nginx_reads_sealed_files_and_its_own_key_and_reaches_nothing_else(running: Box) -> None:
    assert running.could("sotto-nginx.service", PROBE) == {"inet-socket", "store-read", "page-certificate", "page-key"}


def test_after_a_reload_nginx_shows_the_new_certificate_and_has_the_same_socket(running: Box) -> None:
    shown = "openssl x509 -noout -fingerprint -sha256"
    served = f"openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | {shown}"
    before = running.agent.sh(served)
    running.certify()
    assert running.agent.sh(served) == before
    running.agent.sh("systemctl reload sotto-nginx.service")
    running.until(f'[ "$({served})" = "$({shown} -in /etc/sotto/tls/page.pem)" ]')
    assert running.agent.sh(served) != before
    assert open_sockets(running) == [("tcp6", "0" * 32, 443)]
