"""A script of this folder, run as in a pod: `in_pod.py FOLDER SCRIPT ARGUMENT…`.

The kubelet mounts a service account at one fixed place; here it is in a folder instead. Where to
look is all that is different: the client finds and reads the files by itself.
"""

import runpy
import sys
from pathlib import Path

from kubernetes.config import incluster_config

if __name__ == "__main__":
    mounted, script, *_ = sys.argv[1:]
    incluster_config.SERVICE_TOKEN_FILENAME = f"{mounted}/token"
    incluster_config.SERVICE_CERT_FILENAME = f"{mounted}/ca.crt"
    del sys.argv[:2]
    runpy.run_path(str(Path(__file__).with_name(script)), run_name="__main__")
