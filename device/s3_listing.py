"""What a bucket holds: page after page, each asked for when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from device.s3_answers import Listed, Page, objects, uploads, versions
from device.s3_errors import nonsense
from device.s3_http import S3Http


def list_objects(http: S3Http, prefix: str) -> Iterator[Listed]:
    """Every object whose key begins so, as it is now, ordered by key."""
    return _all(http, {"list-type": "2", "prefix": prefix}, objects)


def list_versions(http: S3Http, prefix: str) -> Iterator[Listed]:
    """Every version of every object whose key begins so, and every mark that says that one was deleted."""
    return _all(http, {"versions": "", "prefix": prefix}, versions)


def list_uploads(http: S3Http, prefix: str) -> Iterator[Listed]:
    """Every upload under way to a key that begins so, whoever began it."""
    return _all(http, {"uploads": "", "prefix": prefix}, uploads)


def _all(http: S3Http, query: dict[str, str], read: Callable[[bytes], Page]) -> Iterator[Listed]:
    following: dict[str, str] | None = {}
    while following is not None:
        page = read(http.ask("GET", query={**query, **following}).body)
        if page.following is not None and page.following == following:
            raise nonsense()
        following = page.following
        yield from (one for one in page.listed if one.key.startswith(query["prefix"]))
