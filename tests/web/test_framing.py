"""The framing check on the page: what capture sees now, for pages of ours alone, and kept by nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import expect

from device.capture.picture import ClockPicture, StillEncoder
from device.session_events import State
from device.status import publish
from device.stills import STILL_NAME, Still, StillServer
from device.words import Consent
from tests.web.conftest import Box
from tests.web.published import recording_status, status
from tests.web.test_browser import Visit, browser, visit  # noqa: F401  # the same Chromium


def jpeg(number: int) -> bytes:
    """A picture of the simulated camera."""
    (still,) = StillEncoder(320, 180).encode(ClockPicture(320, 180, 2).draw(number), 0)
    return still.data


class Camera:
    """Capture's side: what it has now."""

    def __init__(self) -> None:
        self.still: Still | None = None

    def latest(self) -> Still | None:
        return self.still


@pytest.fixture
def camera(box: Box) -> Iterator[Camera]:
    camera = Camera()
    with closing(StillServer(box.run / STILL_NAME, camera.latest)):
        yield camera


def test_the_page_hands_a_still_on_and_has_nobody_keep_it(camera: Camera, client: FlaskClient) -> None:
    camera.still = Still(jpeg(1), 120)
    answer = client.get("/framing.jpg")
    assert (answer.status_code, answer.data) == (200, camera.still.jpeg)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["X-Sotto-Age-Ms"] == "120"
    assert "ETag" not in answer.headers
    camera.still = None
    assert (client.get("/framing.jpg").status_code, client.get("/framing.jpg").data) == (204, b"")


@pytest.mark.usefixtures("box")
def test_without_capture_there_is_no_still(client: FlaskClient) -> None:
    assert client.get("/framing.jpg").status_code == 204


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_somebody_elses_page_gets_none(camera: Camera, client: FlaskClient, site: str) -> None:
    camera.still = Still(jpeg(1), 0)
    answer = client.get("/framing.jpg", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert camera.still.jpeg not in answer.data
    assert client.get("/framing.jpg", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_the_page_cannot_ask_for_a_framing_check(box: Box, client: FlaskClient) -> None:
    publish(status(State.ARMED, Consent.SOUND_AND_PICTURE), box.run)
    for path in ("/requests/framing", "/framing", "/framing.jpg"):
        assert client.post(path, json={}, headers={"X-Sotto-Page": "1"}).status_code in (404, 405)


def colours(visit: Visit) -> int:  # noqa: F811
    """How many different pixels the page has drawn of the camera's picture; one, where nothing is drawn."""
    return int(
        visit.page.evaluate(
            """() => {
                const canvas = document.querySelector("#framing canvas");
                const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
                copy.drawImage(canvas, 0, 0);
                const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
                return new Set(new Uint32Array(data.buffer)).size;
            }"""
        )
    )


@pytest.mark.parametrize("path", ["room", ""])
def test_the_page_shows_what_the_camera_sees_and_forgets_it_with_the_check(
    camera: Camera,
    visit: Callable[..., Visit],  # noqa: F811
    path: str,
    tmp_path: Path,
) -> None:
    seen = visit(path, status(State.ARMED, Consent.SOUND_AND_PICTURE))
    figure = seen.page.locator("#framing")
    expect(seen.page.locator("[data-details]")).to_contain_text("RECORD held for 1.5 seconds")
    expect(figure).to_be_hidden()
    seen.show(status(State.FRAMING, Consent.SOUND_AND_PICTURE))
    expect(seen.say("headline")).to_have_text("Framing check: nothing is stored.")
    expect(seen.say("devices")).to_have_text("microphone closed, camera open")
    expect(figure).to_contain_text("Waiting for the camera")
    camera.still = Still(jpeg(7), 100)
    expect(figure).to_have_attribute("data-seen", "true")
    assert colours(seen) > 1
    seen.page.screenshot(path=tmp_path / "framing.png")

    camera.still = None  # as capture answers from the press on, before the state is published
    expect(figure).to_have_attribute("data-seen", "false")
    assert colours(seen) == 1
    camera.still = Still(jpeg(8), 100)
    expect(figure).to_have_attribute("data-seen", "true")
    seen.show(recording_status())
    expect(figure).to_be_hidden()
    assert colours(seen) == 1


def test_a_still_that_is_not_followed_by_another_is_gone_in_two_seconds(
    camera: Camera,
    visit: Callable[..., Visit],  # noqa: F811
) -> None:
    seen = visit("room", status(State.FRAMING, Consent.SOUND_AND_PICTURE))
    figure = seen.page.locator("#framing")
    camera.still = Still(jpeg(7), 100)
    expect(figure).to_have_attribute("data-seen", "true")
    seen.page.route("**/framing.jpg", lambda _route: None)  # the page's service hangs
    expect(figure).to_have_attribute("data-seen", "false")
    assert colours(seen) == 1


def test_when_capture_falls_silent_the_picture_goes_with_its_words(
    camera: Camera,
    visit: Callable[..., Visit],  # noqa: F811
) -> None:
    seen = visit("room", status(State.FRAMING, Consent.SOUND_AND_PICTURE))
    camera.still = Still(jpeg(7), 100)
    expect(seen.page.locator("#framing")).to_have_attribute("data-seen", "true")
    seen.fall_silent()
    expect(seen.page.locator("#framing")).to_be_hidden()
    expect(seen.say("headline")).to_have_text("The capture service does not answer.")


def test_the_page_asks_to_stop_a_framing_check_but_not_for_a_mark_in_one(
    visit: Callable[..., Visit],  # noqa: F811
    capture: Box,
) -> None:
    seen = visit("room", status(State.FRAMING, Consent.SOUND_AND_PICTURE))
    seen.page.get_by_role("button", name="Mark").click()
    expect(seen.page.locator("[data-answer]").first).to_have_text("There is no recording now.")
    seen.page.get_by_role("button", name="Stop").click()
    assert capture.next_heard() == ("requests.sock", b'{"ask":"stop"}')
