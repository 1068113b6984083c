from pathlib import Path

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.engine import catalogue_url, open_engine, reading, writing
from phx_pipeline.catalog.statements import SHARED_STATEMENTS

FILE = Path("data/phx.db")


@pytest.mark.parametrize(
    ("configured", "url"),
    [
        (None, "sqlite:///data/phx.db"),
        ("", "sqlite:///data/phx.db"),
        ("postgresql://u@db/phx", "postgresql+psycopg2://u@db/phx"),
        ("postgres://u@db/phx", "postgresql+psycopg2://u@db/phx"),
        ("postgresql+psycopg2://u@db/phx", "postgresql+psycopg2://u@db/phx"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    ],
)
def test_the_url_names_a_driver_that_is_installed(
    configured: str | None, url: str
) -> None:
    assert catalogue_url(configured, default_file=FILE) == url


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 1)],
)
def test_sqlite_is_set_up_for_several_processes(
    tmp_path: Path, pragma: str, value: object
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'phx.db'}")

    with reading(engine) as connection:
        found = connection.execute(sa.text(f"pragma {pragma}")).scalar_one()
    engine.dispose()

    assert found == value


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'phx.db'}")
    make, fail = sa.text("create table half (number integer)"), sa.text("no statement")

    def write(*statements: sa.TextClause) -> None:
        with writing(engine) as connection:
            for statement in statements:
                connection.execute(statement)

    with pytest.raises(sa.exc.OperationalError):
        write(make, fail)

    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_statement_is_compiled_once_for_all_engines_of_sqlite(
    tmp_path: Path,
) -> None:
    table = sa.Table("counted", sa.MetaData(), sa.Column("number", sa.Integer))
    compiled = SHARED_STATEMENTS["compiled_cache"]
    known = []

    for number in range(2):
        engine = open_engine(f"sqlite:///{tmp_path / f'{number}.db'}")
        table.create(engine)
        with writing(engine) as connection:
            connection.execute(sa.insert(table).values(number=number))
        with reading(engine) as connection:
            assert connection.execute(sa.select(table)).scalar_one() == number
        engine.dispose()
        known.append(len(compiled))

    assert known[0] == known[1]
