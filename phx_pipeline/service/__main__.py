"""`python -P -m phx_pipeline.service`: the process that `phx up` keeps alive."""

import argparse
import sys
from pathlib import Path

from phx_pipeline.errors import InputError
from phx_pipeline.service.web import serve


def main() -> None:
    """Serve as the arguments say; what is wrong with them is one line, code 2."""
    parser = argparse.ArgumentParser(prog="phx_pipeline.service")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    try:
        serve(workspace=given.workspace, host=given.host, port=given.port)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
