"""Which tests run beside which: `make test` has two processes, and a file of tests is run by one of them.

Calls in real time share a process, and so never stand in each other's way; they come first, for they take longest.
"""

from __future__ import annotations

from typing import Any

import pytest

_IN_REAL_TIME = ("tests/e2e/", "tests/integration/telephony/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_IN_REAL_TIME))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which not every environment has
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415

    # Not the plugin's own groups: with pytest 9 it does not see the names of its marks.
    class TogetherInRealTime(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "real time" if nodeid.startswith(_IN_REAL_TIME) else nodeid.partition("::")[0]

    return TogetherInRealTime(config, log)
