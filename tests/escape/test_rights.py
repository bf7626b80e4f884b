"""Files that promise rights to whoever executes them: set-id programs and file capabilities give a function nothing (trial 52)."""

import os

import pytest

EPERM = "1"


def test_what_a_function_makes_itself_gives_it_nothing(hostile):
    outcomes = hostile.probe("rights-self-made")
    for way in ("setxattr", "lsetxattr", "fsetxattr", "chown"):
        assert outcomes[way] == EPERM, way
    assert outcomes["with capabilities"] == outcomes["with set ids"] == "same"


def test_programs_of_the_system_give_it_nothing(hostile):
    """All that its root file system has: su, mount, newgrp and the like, and whatever has capabilities."""
    outcomes = hostile.probe("rights")
    # Some may not be executed by everybody.
    assert not {path: outcome for path, outcome in outcomes.items() if outcome != "same" and not outcome.startswith("refused ")}
    su = [path for path in ("/bin/su", "/usr/bin/su") if "ok" in hostile.one("read", path)]
    assert all(outcomes[os.path.realpath(path) if path not in outcomes else path] == "same" for path in su)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files such rights")
def test_programs_of_a_shared_directory_give_it_nothing(make_hostile, armed):
    hostile = make_hostile(FileSystemConfigs=[{"Arn": armed[0], "LocalMountPath": "/mnt/armed"}])
    outcomes = hostile.probe("rights-beneath", "/mnt/armed")
    assert set(outcomes) == {f"/mnt/armed/{name}" for name in ("as-root", "as-roots-group", "with-capabilities")}
    assert set(outcomes.values()) == {"same"}
