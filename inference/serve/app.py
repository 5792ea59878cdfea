"""The engines of a profile on a Ray cluster."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import ray
import structlog
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ApplicationStatusOverview

from inference.manifest import Kind, Profile
from inference.placed import Hosted, Placed, RayCluster, Terms
from inference.remote import Gauge
from inference.serve.deployments import application, reserved_cpus, targets
from inference.serve.remote import RayChannel
from inference.serve.replica import EngineReplica
from orchestrator.core.errors import ConfigError, EngineUnavailable

log = structlog.get_logger(__name__)

_CENSUS = 2.0  # seconds between two looks at which replicas run


@asynccontextmanager
async def on_ray(profile: Profile, hosted: Hosted, terms: Terms) -> AsyncIterator[Mapping[Kind, Placed]]:
    """Every engine of *hosted* as a Serve deployment with the resources of its manifest and the replicas of *profile*.

    Deployments on a cluster that was there before stay there: other orchestrators use them too. Raises ConfigError when
    there is no cluster, EngineUnavailable when a deployment does not come up.
    """
    testing = terms.ray == "testing"
    with _joined(terms.ray, profile, hosted):
        handles = await asyncio.to_thread(_deployed, profile, hosted, testing=testing)
        census = _Census()
        if testing:
            yield {kind: _placed(kind, hosted, handle, census) for kind, handle in handles.items()}
            return
        await _until_running(hosted, terms.patience.start)
        task = asyncio.create_task(census.keep(), name="census of Ray replicas")
        try:
            yield {kind: _placed(kind, hosted, handle, census) for kind, handle in handles.items()}
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _placed(kind: Kind, hosted: Hosted, handle: DeploymentHandle[EngineReplica], census: _Census) -> Placed:
    return Placed(
        channel=RayChannel(hosted[kind].manifest.name, handle),
        gauge=Gauge(),
        process=application(kind),
        alive=lambda: census.runs(kind),
    )


@contextmanager
def _joined(cluster: RayCluster, profile: Profile, hosted: Hosted) -> Iterator[None]:
    if cluster == "testing":
        yield
        return
    # Ray reads this when it starts: nothing about its use leaves the company's network.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # A cluster of our own makes as much room as its engines reserve; they share the machine as they do without Ray.
    cpus = reserved_cpus(profile, hosted) if cluster == "local" else None
    try:
        with _handler_kept(signal.SIGTERM):
            ray.init(address=cluster, num_cpus=cpus, namespace="offhook", include_dashboard=False, log_to_driver=False)
    except ConnectionError as error:
        raise ConfigError(
            f"placement ray: no cluster is reachable ({error}); start one or set RAY_ADDRESS, "
            "and RAY_AUTH_MODE=token when it asks for a token"
        ) from error
    serve.start(proxy_location="Disabled")
    try:
        yield
    finally:
        if cluster == "local":
            serve.shutdown()  # type: ignore[no-untyped-call]
        ray.shutdown()


@contextmanager
def _handler_kept(number: signal.Signals) -> Iterator[None]:
    """Who handles the signal *number* does so after the block too: Ray would end the process in the middle of calls."""
    handler = signal.getsignal(number)
    try:
        yield
    finally:
        signal.signal(number, handler)
        signal.siginterrupt(number, False)


def _deployed(profile: Profile, hosted: Hosted, *, testing: bool) -> dict[Kind, DeploymentHandle[EngineReplica]]:
    try:
        handles = serve.run_many(
            targets(profile, hosted), wait_for_applications_running=False, _local_testing_mode=testing
        )
    except (RayError, RayServeException, RuntimeError) as error:
        raise EngineUnavailable("ray", f"takes no deployments: {error}") from error
    return dict(zip(hosted, handles, strict=True))


async def _until_running(hosted: Hosted, patience: float) -> None:
    """Return when every deployment runs. Raises EngineUnavailable saying which does not, and what Ray says of it."""
    waiting = {application(kind): engine.manifest.name for kind, engine in hosted.items()}
    deadline = asyncio.get_running_loop().time() + patience
    while waiting:
        applications = (await asyncio.to_thread(serve.status)).applications
        late = asyncio.get_running_loop().time() > deadline
        for name in list(waiting):
            status = applications[name]
            if status.status == "RUNNING":
                del waiting[name]
            elif late or status.status == "DEPLOY_FAILED":
                raise EngineUnavailable(waiting[name], f"its deployment is {status.status}: {_explained(status)}")
        await asyncio.sleep(_CENSUS / 10)


def _explained(status: ApplicationStatusOverview) -> str:
    return "; ".join(filter(None, [status.message, *(each.message for each in status.deployments.values())]))


@dataclass(slots=True)
class _Census:
    """How many replicas of each application run, as of a moment ago."""

    _running: dict[str, int] = field(default_factory=dict)

    async def keep(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                self._running = await asyncio.to_thread(_running_replicas)
            except (RayError, RayServeException) as error:
                log.warning("ray_status_unknown", reason=str(error))
                self._running = {}
            await asyncio.sleep(_CENSUS)

    def runs(self, kind: Kind) -> bool:
        """Whether *kind* has a replica to go to; taken for granted before the first look."""
        return self._running.get(application(kind), 0) > 0 if self._running else True


def _running_replicas() -> dict[str, int]:
    return {
        name: sum(
            count
            for deployment in status.deployments.values()
            for state, count in deployment.replica_states.items()
            if state == "RUNNING"
        )
        for name, status in serve.status().applications.items()
    }
