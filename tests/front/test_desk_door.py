"""What is for the clinic's desk is for nobody else, whatever they show; and what it is told names nobody."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from device.fleet_status import METRICS_PATH, ORDERS_PATH, PIECE_BYTES, STATUS_PATH, FleetStatus
from device.order_results import Result, Results, write_results
from device.status import publish
from device.store import StoreReader
from device.web.fleet.app import DESK_HEADER, DESK_WORD, create_fleet_app
from device.web.front import Front
from device.web.nginx import Places, nginx_config
from tests.front.desks import ClinicCa, Reached, reached
from tests.front.nginx_server import HOST
from tests.web.conftest import Box, bare_box, box  # noqa: F401  # the same box
from tests.web.published import BOX, add_recording, status
from tests.web.visitors import the_therapist

PATHS = [STATUS_PATH, METRICS_PATH, ORDERS_PATH, "/fleet/", "/fleet/v1/nothing"]


@pytest.fixture(scope="module")
def ca() -> ClinicCa:
    return ClinicCa()


@pytest.fixture
def one(box: Box, ca: ClinicCa) -> Iterator[Reached]:  # noqa: F811  # pytest's way
    with reached(box, ca) as made:
        yield made


def told(one: Reached) -> FleetStatus:
    code, said = one.asks(STATUS_PATH, one.ca.desk())
    assert code == 200, said
    return FleetStatus.model_validate_json(said)


def piece(data: bytes, start: int = 0, size: int = PIECE_BYTES) -> tuple[bytes, dict[str, str]]:
    """A piece of an order, and what is said with it."""
    some = data[start : start + size]
    digest = b64encode(sha256(data).digest()).decode()
    said = f"bytes {start}-{start + len(some) - 1}/{len(data)}"
    return some, {"Content_Range": said, "Repr_Digest": f"sha-256=:{digest}:"}


def test_a_desks_certificate_lets_in(one: Reached) -> None:
    assert told(one).box == BOX


def test_whoever_shows_another_certificate_or_none_is_refused(one: Reached) -> None:
    other = ClinicCa()
    for shown in (
        None,
        one.ca.issue("room-1.example", HOST),  # a box's own: it is for servers alone
        other.desk(),  # of another clinic
        one.ca.desk(ago=timedelta(days=40)),  # it ended
        one.ca.desk(ago=-timedelta(days=1)),  # it has not begun
    ):
        for path in PATHS:
            for method in ("GET", "PUT"):
                code, said = one.asks(path, shown, method=method)
                assert code in (0, 400, 403), (code, said)
                assert b"garden" not in said
    assert not one.spool.exists()


def test_no_header_of_ones_own_opens_the_door(one: Reached) -> None:
    for path in (STATUS_PATH, "/./fleet/v1/status", "//fleet/v1/status", "/fleet%2Fv1/status", "/x/../fleet/v1/status"):
        code, said = one.asks(path, None, X_Sotto_Desk="SUCCESS")
        assert code in (400, 403, 404), (path, code)
        assert b"garden" not in said


def test_the_rest_of_the_page_needs_no_certificate_and_the_desk_is_nobody_there(one: Reached) -> None:
    assert one.asks("/sign-in", None)[0] == one.asks("/sign-in", one.ca.desk())[0] == 200
    assert one.asks("/api/v1/recordings", one.ca.desk())[0] == 401


def test_without_a_clinics_authority_nobody_is_let_in() -> None:
    places = Places(store=Path("/s"), socket=Path("/p"), run=Path("/r"), certificate=Path("/c"), key=Path("/k"))
    said = nginx_config(places, port=443)
    assert "ssl_verify_client" not in said
    assert "location /fleet/ {\n            return 403;" in said


def test_the_status_says_how_the_box_is(one: Reached, box: Box) -> None:  # noqa: F811
    add_recording(box.store)
    publish(status(faults=(("The store is nearly full.", "Wait."),)), box.run)
    write_results(
        one.state,
        Results().with_one(
            Result(digest="ab" * 32, outcome="undone", at="t", about="config", number=7, what="w", hint="h")
        ),
    )
    said = told(one)
    assert said.state == "idle"
    assert said.clock_trusted is True
    assert said.store_minutes_left == 9000
    assert said.faults[0] == ("The store is nearly full.", "Wait.")
    assert said.last_session is not None
    assert len(said.sounds) == 1
    assert said.certificate_days is not None
    assert 80 < said.certificate_days < 91
    assert [(order.about, order.number, order.outcome) for order in said.orders] == [("config", 7, "undone")]
    assert said.numbers == {"config": 7}
    assert said.version


def test_nothing_that_names_anybody_or_any_recording_is_told(one: Reached, box: Box) -> None:  # noqa: F811
    person = the_therapist(box.people)
    recording_id = add_recording(box.store, therapist=person.mark)
    publish(status(on_duty=person.mark), box.run)
    for path in (STATUS_PATH, METRICS_PATH):
        _, said = one.asks(path, one.ca.desk())
        for secret in (person.mark, person.name, person.login, recording_id):
            assert secret.encode() not in said
    assert set(json.loads(one.asks(STATUS_PATH, one.ca.desk())[1])) == set(FleetStatus.__struct_fields__)


def test_a_box_whose_capture_does_not_answer_says_that(one: Reached, box: Box) -> None:  # noqa: F811
    publish(status(published_unix_s=1.0), box.run)
    said = told(one)
    assert said.state is None
    assert said.faults


def test_prometheus_reads_the_same(one: Reached, box: Box) -> None:  # noqa: F811
    publish(status(), box.run)
    _, said = one.asks(METRICS_PATH, one.ca.desk())
    found = {family.name: family.samples for family in text_string_to_metric_families(said.decode())}
    assert found["sotto_capture_up"][0].value == 1
    assert found["sotto_store_left_seconds"][0].value == 9000 * 60
    assert found["sotto_info"][0].labels["box"] == BOX


def test_an_order_comes_in_pieces_and_lies_whole_in_the_spool(one: Reached) -> None:
    desk, order = one.ca.desk(), bytes(range(256)) * 1000
    for start in range(0, len(order), PIECE_BYTES):
        assert not list(one.spool.glob("*.order"))
        body, said = piece(order, start)
        code, answer = one.asks(ORDERS_PATH, desk, method="PUT", body=body, **said)
        assert code == 202, answer
    assert json.loads(answer) == {"have": len(order), "whole": True}
    (path,) = one.spool.iterdir()
    assert path.name == f"{sha256(order).hexdigest()}.order"
    assert path.read_bytes() == order


def test_what_was_cut_goes_on_where_it_was(one: Reached) -> None:
    desk, order = one.ca.desk(), bytes(200_000)
    body, said = piece(order, 0)
    assert one.asks(ORDERS_PATH, desk, method="PUT", body=body, **said)[0] == 202
    for start in (0, 2 * PIECE_BYTES):  # not the next one
        body, said = piece(order, start)
        code, answer = one.asks(ORDERS_PATH, desk, method="PUT", body=body, **said)
        assert (code, json.loads(answer)) == (409, {"have": PIECE_BYTES, "whole": False})


def test_what_is_no_piece_of_an_order_is_refused_and_kept_nowhere(one: Reached) -> None:
    desk, order = one.ca.desk(), bytes(100)
    body, said = piece(order)
    for changes, code in (
        ({"Content_Range": "bytes 0-99/9999999999"}, 413),
        ({"Content_Range": "bytes 0-98/100"}, 400),
        ({"Content_Range": "bytes 5-4/100"}, 400),
        ({"Content_Range": ""}, 400),
        ({"Repr_Digest": "sha-256=:short:"}, 400),
        ({"Repr_Digest": "md5=:xx:"}, 400),
    ):
        assert one.asks(ORDERS_PATH, desk, method="PUT", body=body, **(said | changes))[0] == code, changes
    other = {"Repr_Digest": piece(b"another")[1]["Repr_Digest"]}
    assert one.asks(ORDERS_PATH, desk, method="PUT", body=body, **(said | other))[0] == 422
    assert one.asks(ORDERS_PATH, desk, method="PUT", body=bytes(200_000), **said)[0] == 413
    assert not one.spool.exists() or not list(one.spool.iterdir())


def test_a_spool_that_nobody_empties_takes_no_more(one: Reached) -> None:
    desk, codes = one.ca.desk(), []
    for number in range(9):
        body, said = piece(bytes([number]))
        codes.append(one.asks(ORDERS_PATH, desk, method="PUT", body=body, **said)[0])
    assert codes == [202] * 8 + [507]


def test_without_nginxs_word_there_is_nothing_and_nobody_else_can_say_it(tmp_path: Path, box: Box) -> None:  # noqa: F811
    app = create_fleet_app(
        store=StoreReader(box.store.path),
        run=box.run,
        box=BOX,
        front=Front(),
        certificate=None,
        spool=tmp_path / "spool",
        state=None,
    )
    client = app.test_client()
    for method in ("GET", "PUT"):
        for path in PATHS:
            assert client.open(path, method=method).status_code == 403
    assert client.get(STATUS_PATH, headers={DESK_HEADER: DESK_WORD}).status_code == 200
    places = Places(store=Path("/s"), socket=Path("/p"), run=Path("/r"), certificate=Path("/c"), key=Path("/k"))
    everybody = nginx_config(places, port=443).partition("location / {")[2].partition("}")[0]
    assert f'proxy_set_header {DESK_HEADER} "";' in everybody
