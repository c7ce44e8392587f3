"""NUL, lone surrogates and huge numbers are the caller's mistake, never a failure of ours (PostgreSQL: test_serve_postgres.py)."""

from pathlib import Path

import pytest

from tests.fakes.served import environment, served
from tests.fakes.unstorable import failures

pytestmark = pytest.mark.both_databases


def test_text_that_no_database_takes_is_refused_not_failed(tmp_path: Path) -> None:
    with served(environment(tmp_path)) as server:
        assert failures(server, server.sign_up()) == []
        assert not [line for line in server.log if "Traceback" in line]
