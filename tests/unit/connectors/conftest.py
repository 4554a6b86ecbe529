"""What many of these tests begin with: two provinces of one network, and a demo workspace on disk."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.province import Network, Province
from tongbao_broker import database
from tongbao_connectors import workspace
from tongbao_connectors.workspace import Workspace

MADE_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""When the demo workspace was made."""


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    """A network with 520000 and 440000."""
    network = Network(tmp_path)
    network.province("520000")
    network.province("440000")
    yield network
    database.close()


@pytest.fixture
def gz(net: Network) -> Province:
    return net.provinces["520000"]


@pytest.fixture
def gd(net: Network) -> Province:
    return net.provinces["440000"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A demo workspace that nothing runs in, for a module's tests that only read it."""
    return workspace.create(tmp_path_factory.mktemp("workspaces") / "demo", MADE_AT)


@pytest.fixture
def place(network: Workspace, tmp_path: Path) -> Workspace:
    """A workspace of the test's own."""
    return workspace.load(shutil.copytree(network.folder, tmp_path / "demo"))
