# Installs the phones and tools that the interop tests use, where it may, and names what is absent.
# With CI=true an absent one is a failure; elsewhere its tests are skipped, loudly.
set -uo pipefail

declare -A package=(
    [baresip]=baresip-core [linphonec]=linphone-cli [sipp]=sip-tester [sipsak]=sipsak
    [sngrep]=sngrep [tshark]=tshark [sox]=sox [espeak-ng]=espeak-ng [ip]=iproute2
)

absent() {
    for program in "${!package[@]}"; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || echo "$program"
    done
}

missing=$(absent)
[ -z "$missing" ] && exit 0

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    packages=$(for program in $missing; do echo "${package[$program]}"; done)
    echo "Installing the tests' phones:" $packages
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq >/dev/null 2>&1
    $as_root apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1 ||
        for one in $packages; do  # one that is unknown here must not keep the others away
            $as_root apt-get install -y -qq --no-install-recommends "$one" >/dev/null 2>&1
        done
fi

missing=$(absent)
[ -z "$missing" ] && exit 0
for program in $missing; do
    echo "ABSENT: $program (Debian package ${package[$program]}); tests with it are skipped" >&2
done
[ "${CI:-}" != true ] || { echo "In CI every peer must be there." >&2; exit 1; }
