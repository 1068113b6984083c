"""The ways to the MLS that want a token: the settings and the hosts of both.

How they are asked is told in `licensed_reso` and `licensed_spark`.
"""

from typing import Final

RESO_SETTING: Final = "PHX_RESO_TOKEN"
RESO_HOST: Final = "replication.sparkapi.com"
SPARK_SETTING: Final = "PHX_SPARK_TOKEN"
SPARK_HOST: Final = "sparkapi.com"
