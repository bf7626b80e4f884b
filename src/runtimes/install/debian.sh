#!/bin/sh
# Makes a root file system with one language out of a Debian suite: debian.sh DIR SUITE MIRROR KEYRING PACKAGES INTERPRETER
# Run as root by `lambent runtimes install`; DIR is new, and nobody uses it before this script has succeeded. apt, within
# mmdebstrap, checks every package against the keyring. Maintainer scripts are not run: what of them matters is done here.
set -eu
umask 022
dir=$1 suite=$2 mirror=$3 keyring=$4 packages=$5 interpreter=$6
sdk=/usr/local/lib/lambent/python

# Inside the new root, without network and with nothing of the host but /proc.
in_root() {
  unshare --mount --net --ipc --uts --pid --fork --kill-child --root="$dir" --mount-proc \
    /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 "$@"
}

common=base-files,bash,ca-certificates,coreutils,dash,findutils,grep,gzip,libc-bin,media-types,netbase,sed,tar,tzdata
mmdebstrap --quiet --mode=root --variant=extract --components=main --keyring="$keyring" --include="$common,$packages" \
  "$suite" "$dir" "$mirror"

# A suite with one /usr has these as links, which a maintainer script makes.
for name in bin sbin lib lib64; do
  if [ ! -e "$dir/$name" ] && [ -d "$dir/usr/$name" ]; then ln -s "usr/$name" "$dir/$name"; fi
done
[ -e "$dir/bin/sh" ] || ln -s dash "$dir/bin/sh"

# Nothing but programs and what they read: the rest of the tree is empty, or a mount point of the sandbox.
for entry in "$dir"/* "$dir"/.[!.]*; do
  case ${entry##*/} in
    bin | sbin | lib | lib32 | lib64 | libx32 | usr | etc) ;;
    *) rm -rf "$entry" ;;
  esac
done
for entry in "$dir"/etc/*; do
  case ${entry##*/} in
    ld.so.conf | ld.so.conf.d | ssl | ca-certificates* | mime.types | protocols | services | os-release | debian_version | \
      java* | python3* | alternatives | bash.bashrc) ;;
    *) rm -rf "$entry" ;;
  esac
done
rm -rf "$dir/usr/share/doc" "$dir/usr/share/man" "$dir/usr/share/info" "$dir/usr/share/lintian" "$dir/usr/share/locale" \
  "$dir/usr/share/bug" "$dir/usr/share/ri" "$dir/usr/games"
for name in dev proc sys tmp run home root opt var/task var/runtime var/empty var/lang/bin var/lang/lib; do
  mkdir -p "$dir/$name"
done
for name in passwd group resolv.conf hosts hostname nsswitch.conf; do : >"$dir/etc/$name"; done
ln -sf /usr/share/zoneinfo/UTC "$dir/etc/localtime"

# AWS's LANG is en_US.UTF-8; what matters of it is the encoding.
for locale in "$dir"/usr/lib/locale/C.*; do
  if [ -d "$locale" ]; then ln -s "${locale##*/}" "$dir/usr/lib/locale/en_US.utf8"; fi
done

# The authorities that everybody trusts, where Debian and where Amazon Linux have them.
mkdir -p "$dir/etc/ssl/certs" "$dir/etc/pki/tls/certs"
find "$dir/usr/share/ca-certificates" -name '*.crt' | sort | while read -r certificate; do
  cat "$certificate"
  echo
done >"$dir/etc/ssl/certs/ca-certificates.crt"
ln -s /etc/ssl/certs/ca-certificates.crt "$dir/etc/pki/tls/certs/ca-bundle.crt"

in_root /sbin/ldconfig
ln -s "$interpreter" "$dir/var/lang/bin/"
case $interpreter in
  */java)
    # Which of the installed programs is /usr/bin/java is said by a maintainer script too.
    java=$(cd "$dir" && find usr/lib/jvm -path '*/bin/java' -type f | head -n 1)
    ln -s "/$java" "$dir/usr/bin/java"
    # Class data sharing makes a start twice as fast. Only newer packages bring the archive.
    in_root "/$java" -Xshare:dump >/dev/null
    # The runtime's own classes, if this Java has its compiler: version 8 has it only in the JDK.
    mv "$dir/../java" "$dir/tmp/java"
    mkdir -p "$dir/usr/local/lib/lambent/java"
    in_root /bin/sh -c "/$java -m jdk.compiler/com.sun.tools.javac.Main -nowarn -d /usr/local/lib/lambent/java \$(find /tmp/java -name '*.java')" \
      2>/dev/null || true
    rm -rf "$dir/tmp/java"
    # The authorities once more, in Java's own format.
    mkdir -p "$dir/etc/ssl/certs/java"
    find "$dir/usr/share/ca-certificates" -name '*.crt' -printf '+/usr/share/ca-certificates/%P\n' | sort >"$dir/tmp/list"
    in_root /bin/sh -c "/$java -jar /usr/share/ca-certificates-java/ca-certificates-java.jar -storepass changeit </tmp/list" \
      >/dev/null
    rm "$dir/tmp/list"
    ;;
  */python3.*)
    ln -sf "$interpreter" "$dir/var/lang/bin/python3"
    [ -e "$dir/usr/bin/python3" ] || ln -s "${interpreter##*/}" "$dir/usr/bin/python3"
    # The SDK that functions find, as on AWS: the host's, or for a Python that is too old for that its own.
    if [ -d "$sdk" ]; then
      mkdir -p "$dir$sdk"
      cp -r "$sdk/." "$dir$sdk"
      find "$dir$sdk" -name __pycache__ -prune -exec rm -rf {} +
      if ! in_root "$interpreter" -S -c "import sys; sys.path.append('$sdk'); import boto3" 2>/dev/null; then
        rm -rf "${dir:?}$sdk"
        /usr/bin/python3 -m venv "$dir/tmp/venv"
        "$dir/tmp/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --only-binary=:all: \
          --python-version "${interpreter##*/python}" --target "$dir$sdk" boto3
        rm -rf "$dir/tmp/venv" "$dir$sdk/bin"
      fi
    fi
    # Functions cannot write compiled files; unchecked, because nothing here ever changes again. Some packages carry files
    # of other versions' syntax, which nobody imports.
    version=${interpreter##*/}
    in_root "$interpreter" -I -S -m compileall -q -x 'test/|lib2to3|bad_' --invalidation-mode unchecked-hash \
      "/usr/lib/$version" "$sdk" || true
    ;;
  */ruby*)
    ln -sf "$interpreter" "$dir/var/lang/bin/ruby"
    [ -e "$dir/usr/bin/ruby" ] || ln -s "${interpreter##*/}" "$dir/usr/bin/ruby"
    ;;
esac
in_root "$interpreter" --version >/dev/null 2>&1 || in_root "$interpreter" -version >/dev/null 2>&1
