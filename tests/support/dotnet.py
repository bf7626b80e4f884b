"""Assemblies for the .NET that the registries carry: .NET Core 3.1, on PyPI, for which Mono's compiler makes them."""

import json
import pathlib
import shutil
import subprocess

from support.runtimes import ROOTS, ensure
from support.server import ROOT

RUNTIME = "dotnetcore3.1"
STAND_IN = ROOT / "tests/runtimes/dotnet/RuntimeSupport.cs"
CONFIG = json.dumps({"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"}}})


class Compiler:
    """Mono's, against the assemblies of the .NET that runs what it makes."""

    def __init__(self, directory):
        ensure(RUNTIME)
        assert shutil.which("mcs"), "./setup --tests installs mono-mcs"
        self.directory = directory
        framework = next((ROOTS / "dotnet3/lang/dotnet/shared/Microsoft.NETCore.App").iterdir())
        assemblies = [path for path in framework.glob("*.dll") if path.name.startswith(("System", "mscorlib"))]
        self.options = ["-noconfig", "-nostdlib", *(f"-r:{path}" for path in assemblies)]
        self.support = self.make("Amazon.Lambda.RuntimeSupport", STAND_IN)

    def make(self, name, source, kind="library", *more):
        if not isinstance(source, pathlib.Path):
            path = self.directory / (name + ".cs")
            path.write_text(source)
            source = path
        made = self.directory / (name + ".dll")
        done = subprocess.run(["mcs", f"-target:{kind}", f"-out:{made}", *self.options, *more, str(source)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        return made
