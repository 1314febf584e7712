# tools/peers.sh phones: the phones and tools that the interop tests use;
# tools/peers.sh bench: the servers that benchmarks compare with, and their load.
# Installs them where it may, and names what is absent.  With CI=true an absent phone is a failure;
# elsewhere its tests are skipped, loudly.  An absent server is never a failure.
set -uo pipefail

wanted=${1:-phones}
if [ "$wanted" = phones ]; then
    declare -A package=(
        [baresip]=baresip-core [linphonec]=linphone-cli [sipp]=sip-tester [sipsak]=sipsak
        [sngrep]=sngrep [tshark]=tshark [sox]=sox [espeak-ng]=espeak-ng [ip]=iproute2
    )
    loss="tests with it are skipped"
else
    declare -A package=(
        [kamailio]=kamailio [rtpengine]=rtpengine-daemon [asterisk]=asterisk [sipp]=sip-tester
    )
    loss="nothing is compared with it"
fi

absent() {
    for program in "${!package[@]}"; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || echo "$program"
    done
}

keep_quiet() {  # a server that is only measured need not run for ever
    [ "$wanted" = bench ] && [ -d /run/systemd/system ] || return 0
    for service in $packages; do
        $as_root systemctl disable --now -q "$service" 2>/dev/null
    done
}

give_sippy() {  # a B2BUA in Python: in an environment of its own, since it is nobody's dependency
    [ -x bench/out/sippy/bin/b2bua_simple ] && return
    echo "Installing: sippy"
    mkdir -p bench/out
    { python3 -m venv bench/out/sippy && bench/out/sippy/bin/pip install -q sippy==2.5.0; } \
        >/dev/null 2>&1 || echo "ABSENT: sippy (Python package sippy); $loss" >&2
}

[ "$wanted" = bench ] && give_sippy
missing=$(absent)
[ -z "$missing" ] && exit 0

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    packages=$(for program in $missing; do echo "${package[$program]}"; done)
    echo "Installing:" $packages
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq >/dev/null 2>&1
    $as_root apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1 ||
        for one in $packages; do  # one that is unknown here must not keep the others away
            $as_root apt-get install -y -qq --no-install-recommends "$one" >/dev/null 2>&1
        done
    keep_quiet
fi

missing=$(absent)
[ -z "$missing" ] && exit 0
for program in $missing; do
    echo "ABSENT: $program (Debian package ${package[$program]}); $loss" >&2
done
[ "$wanted" = phones ] && [ "${CI:-}" = true ] || exit 0
echo "In CI every phone must be there." >&2
exit 1
