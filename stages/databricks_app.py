"""Brings a Databricks app from whatever it is doing into the state that is wanted: started, stopped, deployed.

The notebooks of this folder import it in a workspace, where the SDK is there and nothing else of this project. The SDK's own
waits are not used: they do not end on a cancelled deployment, and give up at the first state that is not the one they wait for.
"""

import hashlib
import re
import time
from collections.abc import Iterator

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound, ResourceConflict
from databricks.sdk.service.apps import App, AppDeployment, AppDeploymentState, ComputeState

POLL_S = 5.0
PATIENCE_S = 25 * 60.0
"""The platform itself takes up to 20 minutes, for a deletion."""

CHANGING = {ComputeState.STARTING, ComputeState.STOPPING, ComputeState.UPDATING, ComputeState.DELETING}
"""Nothing can be done to an app in these states; each of them ends by itself."""

LONGEST_NAME = 30
SUFFIX = "-digital-twin"


def name_for(catalog: str) -> str:
    """Return the name of a catalog's app: what a name may hold of it, made unique by a hash where that is not all of it.

    >>> name_for("caspersdev"), name_for("Kitchens_of_the_north")
    ('caspersdev-digital-twin', 'kitchens-of-fc1f-digital-twin')
    """
    catalog = catalog.lower()  # Unity Catalog does not tell cases apart
    plain = re.sub(r"[^a-z0-9]+", "-", catalog).strip("-")
    if plain != catalog or len(plain) > LONGEST_NAME - len(SUFFIX):
        distinct = hashlib.sha256(catalog.encode()).hexdigest()[:4]
        plain = "-".join(filter(None, [plain[: LONGEST_NAME - len(SUFFIX) - len(distinct) - 1].strip("-"), distinct]))
    return plain + SUFFIX


def settled(w: WorkspaceClient, name: str) -> App | None:
    """Return the app as soon as its compute has stopped changing, None if there is none (any more). Raises TimeoutError."""
    state = None
    for _ in _polls():
        try:
            app = w.apps.get(name)
        except NotFound:
            return None
        state = state_of(app)
        if state not in CHANGING:
            return app
    raise TimeoutError(
        f"The app {name} has been {state and state.value} for {PATIENCE_S / 60:.0f} minutes. Try again later."
    )


def running(w: WorkspaceClient, name: str) -> App:
    """Return the app, started if its compute is not active.

    Raises LookupError if there is none, RuntimeError if it does not start.
    """
    app = _existing(w, name)
    if state_of(app) is not ComputeState.ACTIVE:  # stopped, in error, or never started
        w.apps.start(name)
        app = _existing(w, name)
        if state_of(app) is not ComputeState.ACTIVE:
            message = app.compute_status.message if app.compute_status else None
            raise RuntimeError(f"The app {name} does not start: {message or 'its page in the workspace says why.'}")
    return app


def stop(w: WorkspaceClient, name: str) -> None:
    """Stop the app unless it is stopped. Raises LookupError if there is none."""
    if state_of(_existing(w, name)) in (ComputeState.ACTIVE, ComputeState.ERROR):
        w.apps.stop(name)
        _existing(w, name)


def deploy(w: WorkspaceClient, name: str, deployment: AppDeployment) -> AppDeployment:
    """Deploy to a running app, after whatever deployment of others is under way.

    Raises RuntimeError with the platform's reason.
    """
    made: AppDeployment
    try:
        _wait_for_deployments(w, name)
        made = w.apps.deploy(name, deployment).response
    except (BadRequest, ResourceConflict):  # the platform takes one at a time, and somebody's began in between
        _wait_for_deployments(w, name)
        made = w.apps.deploy(name, deployment).response
    done = _finished(w, name, made.deployment_id)
    if done.status is None or done.status.state is not AppDeploymentState.SUCCEEDED:
        status = done.status
        state, message = (status.state.value if status and status.state else "?", status.message if status else None)
        raise RuntimeError(
            f"The deployment {made.deployment_id} of {name} is {state}: {message or 'see the log of the app.'}"
        )
    return done


def refuse_anothers(app: App, user: str, source: str) -> None:
    """Raise PermissionError if the app is somebody else's, deployed from another folder: it would show them another's work."""
    deployed_from = app.default_source_code_path
    if app.creator not in (None, user) and deployed_from not in (None, "", source):
        raise PermissionError(
            f"The app {app.name} is {app.creator}'s and runs the code in {deployed_from}. Give yours another name (APP_NAME), "
            "or let them deploy."
        )


def state_of(app: App) -> ComputeState | None:
    """Return the state of an app's compute; None if it has none yet."""
    return app.compute_status.state if app.compute_status else None


def _existing(w: WorkspaceClient, name: str) -> App:
    app = settled(w, name)
    if app is None:
        raise LookupError(f"There is no app {name}.")
    return app


def _wait_for_deployments(w: WorkspaceClient, name: str) -> None:
    """Wait until nothing is being deployed, by us or by others; how that ends is not our affair."""
    app = w.apps.get(name)
    for earlier in (app.active_deployment, app.pending_deployment):
        if earlier and earlier.status and earlier.status.state is AppDeploymentState.IN_PROGRESS:
            _finished(w, name, earlier.deployment_id)


def _finished(w: WorkspaceClient, name: str, deployment: str | None) -> AppDeployment:
    if deployment is None:
        raise RuntimeError(f"The platform names no deployment of {name}.")
    for _ in _polls():
        found = w.apps.get_deployment(name, deployment)
        if found.status and found.status.state not in (None, AppDeploymentState.IN_PROGRESS):
            return found
    raise TimeoutError(f"The deployment {deployment} of {name} has been under way for {PATIENCE_S / 60:.0f} minutes.")


def _polls() -> Iterator[int]:
    """Yield at once, then after each pause, until patience ends."""
    for number in range(int(PATIENCE_S / POLL_S)):
        if number:
            time.sleep(POLL_S)
        yield number
