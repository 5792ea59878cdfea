#!/usr/bin/env bash
# Builds PJSIP 2.17 for hundreds of calls in one gateway process and puts it before the registry's wheel, which holds
# four, in the virtual environment VENV. Debian or Ubuntu; about five minutes of CPU. To go back:
#     rm VENV/lib/python3.11/site-packages/offhook-pjsip.pth
# Usage: build_pjsip.sh VENV [TARBALL]     TARBALL: the sources, when this machine cannot download them
set -euo pipefail

venv=$(realpath "${1:?usage: build_pjsip.sh VENV [TARBALL]}")
given=${2:-}
python=$venv/bin/python
home=$venv/pjsip-2.17
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

# pjproject 2.17 as Debian's asterisk package carries it: files that are not free are taken out, nothing else is changed.
sha256=6860c2f7604b4eee75f38151a9ef69774eb3f0c5286fc1d14bc1db2dc5a9e8aa
sha1=9cbc54943839c75a8d626e84d3562074bc766222
name=asterisk_22.10.1%2bdfsg%2b%7ecs6.17.60671434.orig-Xpjproject.tar.xz
urls=(
    "https://deb.debian.org/debian/pool/main/a/asterisk/$name"
    "https://snapshot.debian.org/file/$sha1" # where it stays when Debian has moved on
)
packages=(
    build-essential curl swig xz-utils
    libgsm1-dev libopus-dev libspeex-dev libspeexdsp-dev libsrtp2-dev libssl-dev uuid-dev
)

need_packages() {
    local missing=()
    for package in "${packages[@]}"; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ]; then
        echo "Install these as root first:  apt-get install ${missing[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

matches() { echo "$sha256  $1" | sha256sum --check --status; }

download() {
    for url in "${urls[@]}"; do
        echo "Downloading $url"
        curl --fail --silent --show-error --location --output "$1" "$url" && matches "$1" && return
    done
    echo "The sources of PJSIP 2.17 (sha256 $sha256) are nowhere to be had; give them as the second argument" >&2
    exit 1
}

need_packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tarball=$work/pjproject.tar.xz
if [ -n "$given" ]; then
    cp "$given" "$tarball"
    matches "$tarball" || { echo "$given is not the tarball of PJSIP 2.17: its sha256 is not $sha256" >&2; exit 1; }
else
    download "$tarball"
fi
mkdir "$work/source"
tar --extract --file "$tarball" --directory "$work/source" --strip-components 1
cd "$work/source"

sed -i 's/ bdimad_dev\.o//' pjmedia/build/Makefile # a file that Debian has taken out
cat >pjlib/include/pj/config_site.h <<'CONFIG'
#define PJ_HAS_IPV6 1
#define PJ_IOQUEUE_MAX_HANDLES 4096
#define PJMEDIA_HAS_VIDEO 0
#define PJSIP_MAX_TSX_COUNT 4095
#define PJSIP_MAX_DIALOG_COUNT 4095
#define PJSUA_MAX_ACC 64
#define PJSUA_MAX_CALLS 512
#define PJSUA_MAX_CONF_PORTS 4096
#define PJSUA_MAX_PLAYERS 512
#define PJSUA_MAX_RECORDERS 1024
CONFIG
export CFLAGS="-fPIC -O2 -DNDEBUG" CXXFLAGS="-fPIC -O2 -DNDEBUG"
echo "Building in $work; the log is $home.log"
{
    ./aconfigure --disable-video --disable-sound --enable-epoll --enable-speex-resample \
        --with-external-gsm --with-external-speex --with-external-srtp \
        --disable-bcg729 --disable-ffmpeg --disable-g7221-codec --disable-ilbc-codec --disable-libwebrtc \
        --disable-libyuv --disable-opencore-amr --disable-sdl --disable-upnp --disable-v4l2
    make dep
    make -j"$(nproc)" lib
    cd pjsip-apps/src/swig
    swig -threads -w312 -python -c++ -I../../../pjlib/include -I../../../pjlib-util/include \
        -I../../../pjmedia/include -I../../../pjsip/include -I../../../pjnath/include \
        -outdir "$work" -o "$work/pjsua2_wrap.cpp" pjsua2.i
    suffix=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
    include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    eval "$(make --no-print-directory --file - <<'MAKE'
include ../../../build.mak
all:
	@printf 'flags=(%s)\nlibs=(%s)\n' "$(PJ_CXXFLAGS)" "$(PJ_LDXXFLAGS) $(PJ_LDXXLIBS)"
MAKE
)"
    g++ -shared "${flags[@]}" -fPIC -O2 -DNDEBUG -I"$include" -o "$work/_pjsua2$suffix" "$work/pjsua2_wrap.cpp" "${libs[@]}"
} >"$home.log" 2>&1 || { tail -n 30 "$home.log" >&2; exit 1; }

rm -rf "$home"
mkdir "$home"
cp "$work/pjsua2.py" "$work"/_pjsua2*.so "$home/"
echo "import sys; sys.path.insert(0, '$home')" >"$site/offhook-pjsip.pth"
"$python" - <<'PYTHON'
import pjsua2

endpoint = pjsua2.Endpoint()
endpoint.libCreate()
print(f"PJSIP {endpoint.libVersion().full} is in place")
endpoint.libDestroy()
PYTHON
