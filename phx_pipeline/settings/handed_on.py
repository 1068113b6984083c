"""Settings as an environment: for this process, for others, and for shells."""

import os
from dataclasses import fields
from pathlib import Path

from phx_pipeline.errors import InputError
from phx_pipeline.settings.joined import Settings, load_settings, setting_names
from phx_pipeline.settings.storage import ON_POSTGRES
from phx_pipeline.settings.variables import variable_of

# OpenBLAS reads it when NumPy is loaded. Its threads wait for the small products of a
# picture by turning round, beside others that work.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
_FOR_NO_SHELL = ("PHX_SMTP_PASSWORD", "PHX_WEBHOOK_URL", "PHX_WEBHOOK_TOKEN")


def told_to_shells(settings: Settings) -> dict[str, str]:
    """As `exported`, without what no stock command needs and nobody should see."""
    return {
        name: value
        for name, value in exported(settings).items()
        if name not in _FOR_NO_SHELL
    }


def exported(settings: Settings) -> dict[str, str]:
    """All settings as variables, so that other processes find the same stores."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {
        variable_of(name): ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value is not None
    }


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with *settings* in place of its own.

    A Python that runs in it imports nothing from its working directory, and reckons
    products on one thread (`use_one_thread`).
    """
    ours = {*setting_names(), "PYTHONPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return _ONE_THREAD | kept | _safe_imports() | exported(settings)


def _safe_imports() -> dict[str, str]:
    # An empty entry means the working directory, and so does `.`.
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if absolute := [entry for entry in entries if Path(entry).is_absolute()]:
        return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(absolute)}
    return {"PYTHONSAFEPATH": "1"}


def use_one_thread() -> None:
    """Have NumPy, once it is loaded, reckon on one thread, unless the user set more."""
    for name, value in _ONE_THREAD.items():
        os.environ.setdefault(name, value)


def export(settings: Settings) -> None:
    """Set this process's environment so that Dagster resolves `{env: ...}` alike."""
    for name in setting_names():
        os.environ.pop(name, None)
    os.environ.update(exported(settings))


def complete_environment() -> None:
    """Set what Dagster resolves as `{env: ...}`, where a stock command lacks it.

    Raises:
        InputError: there is nothing to set: no store was made yet.
    """
    if _is_on_postgres() and not os.environ.get("PHX_DAGSTER_PG_URL"):
        raise InputError(
            f"DAGSTER_HOME={ON_POSTGRES} needs PHX_DAGSTER_PG_URL, which is not set: "
            '`eval "$(phx env)"` where it is'
        )
    if os.environ.get("PHX_DAGSTER_DIR"):
        return
    folder = load_settings().dagster_dir
    if not folder.is_dir():
        raise InputError(
            f"there is no store of Dagster in {folder}: run `phx init` in this folder, "
            'or `eval "$(phx env)"` where you did'
        )
    os.environ["PHX_DAGSTER_DIR"] = str(folder)


def _is_on_postgres() -> bool:
    named = os.environ.get("DAGSTER_HOME") or ""
    return Path(os.path.realpath(named)) == ON_POSTGRES
