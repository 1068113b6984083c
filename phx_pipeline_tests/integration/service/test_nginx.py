"""The recipe for nginx in docs/operations.md, read by nginx itself."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import trustme

from phx_pipeline_tests.deployment import ROOT

_RECIPE = re.compile(r"^```nginx\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_nginx_reads_the_recipe_as_it_stands(tmp_path: Path) -> None:
    """Only what needs the rights of root is another: certificate, port and paths."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("there is no nginx")
    (recipe,) = _RECIPE.findall((ROOT / "docs/operations.md").read_text())
    made = trustme.CA().issue_cert("phx.example.com").private_key_and_cert_chain_pem
    made.write_to_path(str(tmp_path / "both.pem"))
    recipe = re.sub(r"/etc/phx/\w+\.pem", str(tmp_path / "both.pem"), recipe)
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{it}_temp_path {tmp_path}/{it};\n" for it in temporary)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}"
        f"{recipe.replace('listen 443', 'listen 127.0.0.1:18443')}}}\n"
    )

    done = subprocess.run(  # noqa: S603 - nginx itself
        [nginx, "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
