"""The studio's ASGI application: its page, its files, its tasks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from depth3d import __version__
from depth3d.errors import Depth3DError, InvalidInput
from depth3d.geometry.camera.paths import PATHS
from depth3d.studio.destinations import destinations
from depth3d.studio.frames import keep_frames
from depth3d.studio.guard import Guard
from depth3d.studio.items import Item
from depth3d.studio.jobs import Job
from depth3d.studio.live import comfort, path_cameras
from depth3d.studio.products import catalog
from depth3d.studio.state import Planned, Studio, networks

__all__ = ["make_app"]

_LARGEST_REQUEST = 4_000_000  # bytes of JSON: long brush strokes
_PAGE = {
    "": ("index.html", "text/html; charset=utf-8"),
    "studio.css": ("studio.css", "text/css; charset=utf-8"),
    "studio.min.js": ("studio.min.js", "text/javascript; charset=utf-8"),
}
_DETAIL, _DRAFT_DETAIL = 640, 384


def make_app(studio: Studio, token: str) -> Guard:
    """Return the application; the worker process starts and ends with it.

    Parameters
    ----------
    studio : Studio
        Its state.
    token : str
        Secret part of every address.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        studio.jobs.start()
        warming = asyncio.create_task(_warm(studio))
        yield
        warming.cancel()
        await studio.jobs.stop()

    routes = _Routes(studio)
    answer, post = _answered, ["POST"]
    app = Starlette(
        lifespan=lifespan,
        routes=[
            *(Route(f"/{name}", routes.page) for name in _PAGE),
            Route("/api/state", answer(routes.state)),
            Route("/api/events", routes.events),
            Route("/api/upload", answer(routes.upload), methods=post),
            Route("/api/items/{key}", answer(routes.remove), methods=["DELETE"]),
            Route("/api/items/{key}/thumbnail", answer(routes.thumbnail)),
            Route("/api/items/{key}/scene", answer(routes.scene), methods=post),
            Route("/api/items/{key}/strokes", answer(routes.strokes), methods=post),
            Route("/api/items/{key}/keep", answer(routes.keep), methods=post),
            Route("/api/items/{key}/frame", answer(routes.frame), methods=post),
            Route("/api/items/{key}/shots", answer(routes.shots), methods=post),
            Route("/api/path", answer(routes.path), methods=post),
            Route("/api/comfort", answer(routes.comfort), methods=post),
            Route("/api/commands", answer(routes.commands), methods=post),
            Route("/api/jobs", answer(routes.start), methods=post),
            Route("/api/jobs/{number:int}/cancel", answer(routes.cancel), methods=post),
            Route("/api/jobs/{number:int}/again", answer(routes.again), methods=post),
            Route("/api/jobs/{number:int}/files/{place:int}", answer(routes.file)),
        ],
    )
    return Guard(app, token)


def _answered(route: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """Turn results into JSON and errors into one line that the page shows."""

    async def call(request: Request) -> Response:
        try:
            found = await route(request)
        except Depth3DError as error:
            return JSONResponse({"error": " ".join(str(error).replace("`", "").split())}, 400)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"not a request of the page: {type(error).__name__} {error}"}, 400)
        return found if isinstance(found, Response) else JSONResponse(found)

    return call


async def _body(request: Request) -> dict[str, Any]:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _LARGEST_REQUEST:
            raise InvalidInput("the request is too large")
    content = json.loads(bytes(data) or b"{}")
    if not isinstance(content, dict):
        raise InvalidInput("expected a JSON object")
    return content


async def _warm(studio: Studio) -> None:
    try:
        facts = await studio.jobs.ask("warm", {"model": studio.model})
    except Depth3DError as error:
        facts = {"problem": str(error)}
    studio.jobs.tell({"kind": "warm", **facts})


class _Routes:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def page(self, request: Request) -> Response:
        name, kind = _PAGE[request.url.path.rsplit("/", 1)[-1]]
        text = files("depth3d").joinpath("studio", "page", name).read_bytes()
        return Response(text, headers={"Content-Type": kind})

    async def state(self, request: Request) -> dict[str, Any]:
        studio = self._studio
        for item in list(studio.library.items.values()):
            if not item.facts:
                await self._look(item)
        return {
            "version": __version__,
            "items": [item.described() for item in studio.library.items.values()],
            "catalog": catalog(),
            "paths": list(PATHS),
            "networks": networks(),
            "presets": destinations(),
            "model": studio.model,
            "results": str(studio.results or studio.downloads),
        }

    async def events(self, request: Request) -> Response:
        async def stream() -> AsyncIterator[str]:
            async for event in self._studio.jobs.events():
                yield f"data: {json.dumps(event)}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def upload(self, request: Request) -> dict[str, Any]:
        name, batch = request.query_params["name"], request.query_params["batch"]
        length = request.headers.get("content-length")
        size = int(length) if length is not None else None
        item = await self._studio.library.receive(name, batch, size, request.stream())
        await self._look(item)
        if "problem" in item.facts:
            problem = item.facts["problem"]
            self._studio.library.remove(item.key)
            raise InvalidInput(problem)
        self._studio.jobs.tell({"kind": "item", "item": item.described()})
        return item.described()

    async def _look(self, item: Item) -> None:
        try:
            facts = await self._studio.jobs.ask("open", {"path": str(item.path)})
            item.thumbnail = facts.pop("thumbnail")
        except Depth3DError as error:
            facts = {"kind": "none", "problem": str(error).replace(str(item.path.parent), "").lstrip("/\\")}
        item.facts = facts

    async def remove(self, request: Request) -> dict[str, Any]:
        key = self._item(request).key
        self._studio.library.remove(key)
        self._studio.jobs.tell({"kind": "removed", "key": key})
        return {}

    def _item(self, request: Request) -> Item:
        return self._studio.library.get(request.path_params["key"])

    async def thumbnail(self, request: Request) -> Response:
        return Response(self._item(request).thumbnail, media_type="image/jpeg")

    async def scene(self, request: Request) -> Any:
        item, wanted = self._item(request), await _body(request)
        draft = bool(wanted.get("draft"))
        return await self._studio.jobs.ask(
            "scene",
            {
                "path": str(self._picture(item)),
                "depth": self._studio.painted(item, self._studio.depth_of(wanted), _frame_time(item, wanted)),
                "draft": draft,
                "detail": _DRAFT_DETAIL if draft else _DETAIL,
            },
        )

    def _picture(self, item: Item) -> Path:
        """Return the file of the photo; of a clip, that of the frame at the slider."""
        return self._frame_file(item) if item.facts.get("kind") == "clip" else item.path

    async def strokes(self, request: Request) -> Any:
        item, wanted = self._item(request), await _body(request)
        if wanted.get("strokes") is None:
            raise InvalidInput("expected strokes")
        strokes = self._studio.paint(item, wanted["strokes"], _frame_time(item, wanted))
        arguments = {"path": str(self._picture(item)), "depth": self._studio.depth_of(wanted), "strokes": strokes}
        return await self._studio.jobs.ask("repair", arguments)

    async def keep(self, request: Request) -> dict[str, Any]:
        item, wanted = self._item(request), await _body(request)
        folder = self._studio.folder_of(item)
        if item.facts.get("kind") == "clip":
            return {"files": [keep_frames(item, folder).name], "folder": str(folder)}
        arguments = {"path": str(item.path), "depth": self._studio.depth_of(wanted), "strokes": item.strokes or []}
        arguments |= {"folder": str(folder), "stem": item.path.stem}
        found = await self._studio.jobs.ask("keep_strokes", arguments)
        return {"files": [Path(file).name for file in found["files"]], "folder": str(self._studio.folder_of(item))}

    def _frame_file(self, item: Item) -> Path:
        return self._studio.folder / f"{item.key}.png"

    async def frame(self, request: Request) -> Any:
        item, wanted = self._item(request), await _body(request)
        time = min(max(float(wanted["time"]), 0.0), 1e6)
        arguments = {"path": str(item.path), "time": time, "file": str(self._frame_file(item))}
        return await self._studio.jobs.ask("frame", arguments)

    async def shots(self, request: Request) -> Any:
        return await self._studio.jobs.ask("shots", {"path": str(self._item(request).path)})

    async def path(self, request: Request) -> dict[str, Any]:
        return path_cameras(await _body(request))

    async def comfort(self, request: Request) -> dict[str, Any]:
        return comfort(await _body(request))

    async def commands(self, request: Request) -> dict[str, Any]:
        wanted = await _body(request)
        planned = self._studio.planned(wanted)
        seconds = sum(self._studio.jobs.estimate.seconds(*one.cost) for one in planned)
        return {"commands": [one.command for one in planned], "seconds": round(seconds, 1)}

    async def start(self, request: Request) -> dict[str, Any]:
        wanted = await _body(request)
        planned = self._studio.planned(wanted)
        item = self._studio.library.get(wanted["item"])
        if wanted.get("preview"):
            name = f"{item.key}-preview-{len(self._studio.jobs.jobs)}.mp4"
            more = {"time": wanted["time"], "seconds": item.facts["seconds"], "file": str(self._studio.folder / name)}
            more["size"] = [item.facts["width"], item.facts["height"]]
            planned = [Planned("clip_preview", {**planned[0].arguments, **more}, "", "2 s preview", ("clip", 0.0))]
        started = [self._studio.jobs.submit(one.task, one.arguments, one.title, item.key, one.cost) for one in planned]
        return {"jobs": [job.facts() for job in started]}

    def _job(self, request: Request) -> Job:
        job = self._studio.jobs.jobs.get(request.path_params["number"])
        if job is None:
            raise InvalidInput("this job is not known any more")
        return job

    async def cancel(self, request: Request) -> dict[str, Any]:
        job = self._job(request)
        self._studio.jobs.cancel(job)
        return job.facts()

    async def again(self, request: Request) -> dict[str, Any]:
        job = self._job(request)
        if job.state not in ("cancelled", "failed"):
            raise InvalidInput("only stopped jobs can go on")
        again = self._studio.jobs.submit(job.task, job.arguments, job.title, job.item, job.cost)
        again.resumed = True
        return again.facts()

    async def file(self, request: Request) -> Response:
        job, place = self._job(request), request.path_params["place"]
        if place >= len(job.files):
            raise InvalidInput("there is no such file")
        path = Path(job.files[place])
        if not path.is_file():
            raise InvalidInput(f"{path.name} was moved or deleted")
        kind = "inline" if request.query_params.get("show") else "attachment"
        return FileResponse(path, filename=path.name, content_disposition_type=kind)


def _frame_time(item: Item, wanted: dict[str, Any]) -> float | None:
    """Return the time of the frame at the slider; None for photos. Raises ``InvalidInput``."""
    if item.facts.get("kind") != "clip":
        return None
    time = wanted.get("time", 0)
    if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time < 1e7:
        raise InvalidInput(f"time is {time!r}, expected seconds")
    return float(time)
