# Sourced by the scripts panallama and verify: finds what the build needs, installs what is missing where that is
# possible, and else says what to install and exits with 2. Everything is printed to stderr.

# jdk_version HOME: the feature release of the JDK there, or nothing. Starts no process.
jdk_version() {
  local line
  [[ -x $1/bin/javac && -r $1/release ]] || return 0
  while read -r line; do
    if [[ $line =~ ^JAVA_VERSION=\"(1\.)?([0-9]+) ]]; then
      echo "${BASH_REMATCH[2]}"
      return
    fi
  done <"$1/release"
}

# find_jdk MINIMUM [MAXIMUM]: sets JDK to JAVA_HOME if that is such a one, else to the newest such JDK in the usual places;
# empty if there is none.
find_jdk() {
  local home version newest=$(($1 - 1)) maximum=${2:-999} java
  JDK=
  if [[ -n ${JAVA_HOME:-} ]]; then
    version=$(jdk_version "$JAVA_HOME")
    if [[ -n $version && $version -ge $1 && $version -le $maximum ]]; then
      JDK=$JAVA_HOME
      return
    fi
  fi
  java=$(command -v java || true)
  [[ -n $java ]] && java=$(readlink -f "$java") && java=${java%/bin/java}
  for home in "$java" /usr/lib/jvm/* /opt/*jdk* /opt/java/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    version=$(jdk_version "$home")
    if [[ -n $version && $version -gt $newest && $version -le $maximum ]]; then
      newest=$version
      JDK=$home
    fi
  done
}

# at_least WANTED FOUND: compares dotted versions.
at_least() {
  [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]
}

# version_of COMMAND...: the first dotted number that it prints.
version_of() {
  "$@" 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1
}

VULKAN_DRIVERS=/usr/share/vulkan/icd.d

# tests_vulkan: whether the test beside a GPU, which runs on a software driver, is for this kind of machine.
tests_vulkan() {
  [[ $MACHTYPE == x86_64-*linux-gnu ]]
}

# missing_prerequisites [tests]: prints a line "<Debian package>: <what, and where to get it>" for each thing missing;
# "<one>|<another>" where Debian's releases have it under different names.
missing_prerequisites() {
  local version
  if [[ ${1:-} == tests ]]; then
    find_jdk 22
    [[ -n $JDK ]] || echo "openjdk-25-jdk-headless: JDK 22 or newer (Temurin 25: https://adoptium.net)"
    find_jdk 17 21
    [[ -n $JDK ]] || echo "openjdk-17-jdk-headless|openjdk-21-jdk-headless: a JDK from 17 to 21 (Temurin 21: https://adoptium.net)"
  else
    find_jdk 17
    [[ -n $JDK ]] || echo "default-jdk-headless: JDK 17 or newer, better 22 or newer (Temurin 25: https://adoptium.net)"
  fi
  command -v mvn >/dev/null || echo "maven: Maven 3.8.6 or newer (https://maven.apache.org)"
  command -v git >/dev/null || echo "git: git (https://git-scm.com)"
  command -v npm >/dev/null && command -v node >/dev/null ||
    echo "npm: Node.js 18 or newer with npm (https://nodejs.org)"
  version=$(version_of cmake --version)
  [[ -n $version ]] && at_least 3.25 "$version" ||
    echo "cmake: CMake 3.25 or newer${version:+, not $version} (https://cmake.org)"
  command -v make >/dev/null || echo "make: make"
  command -v c++ >/dev/null || echo "g++: a C++17 compiler (GCC 9 or newer, Clang 10 or newer)"
  if [[ ${1:-} == tests ]]; then
    command -v clang-format-14 >/dev/null || [[ $(version_of clang-format --version) == 14.* ]] ||
      echo "clang-format-14: clang-format 14 (https://releases.llvm.org)"
    command -v curl >/dev/null || echo "curl: curl (https://curl.se)"
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
      echo "chromium: Chromium, for the tests of the web page (https://www.chromium.org)"
    ! tests_vulkan || compgen -G "$VULKAN_DRIVERS/lvp_icd*.json" >/dev/null ||
      echo "mesa-vulkan-drivers: Mesa's software Vulkan driver, lavapipe (https://mesa3d.org)"
  fi
}

# missing_for_arm_tests: the same for what tests the Arm kernels on x86-64. Without it the build works, and says that they
# are not tested.
missing_for_arm_tests() {
  [[ $OSTYPE == linux* && $HOSTTYPE == x86_64 ]] || return 0
  command -v aarch64-linux-gnu-g++ >/dev/null || echo "g++-aarch64-linux-gnu: GCC for 64-bit Arm"
  command -v qemu-aarch64 >/dev/null || command -v qemu-aarch64-static >/dev/null ||
    echo "qemu-user: QEMU's user-mode emulator (https://www.qemu.org)"
}

# require_prerequisites [tests]: returns when everything is there, with JAVA_HOME set to what Maven is to run on.
require_prerequisites() {
  local missing useful= packages package name
  missing=$(missing_prerequisites "$@")
  [[ ${1:-} != tests ]] || useful=$(missing_for_arm_tests)
  if [[ -n $missing$useful && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    packages=$(cut -sd: -f1 <<<"$missing"$'\n'"$useful")
    echo "Installing" ${packages//|/ or } >&2
    DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 || true
    # One by one: Debian 12, for one, has no JDK that is new enough, and the others are wanted all the same.
    for package in $packages; do
      for name in ${package//|/ }; do
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$name" >&2 && break || true
      done
    done
    hash -r
    missing=$(missing_prerequisites "$@")
  fi
  if [[ -n $missing ]]; then
    {
      echo "Please install:"
      sed -E 's/^[^:]*: /  - /' <<<"$missing"
      if command -v apt-get >/dev/null; then
        echo "On Debian and Ubuntu: sudo apt-get install $(sed 's/[|:].*//' <<<"$missing" | tr '\n' ' ')"
      fi
      if [[ $missing == *"JDK 22"* ]]; then
        echo "A JDK is looked for in JAVA_HOME and in places like /usr/lib/jvm, /opt, ~/.sdkman and ~/.jdks. Debian 12"
        echo "has none that is new enough: unpack Temurin 25 to /usr/lib/jvm, or set JAVA_HOME to where it is."
      fi
    } >&2
    exit 2
  fi
  find_jdk 17
  if [[ -n ${JAVA_HOME:-} && $JDK != "$JAVA_HOME" ]]; then
    echo "JAVA_HOME is not a JDK 17 or newer: $JAVA_HOME. Set it to one, or unset it to have one found." >&2
    exit 2
  fi
  export JAVA_HOME=$JDK
}
