# bash prerequisites_test.sh <.mvn/prerequisites.sh> <scratch folder>
set -euo pipefail
prerequisites=$1
work=$2
rm -rf "$work"
mkdir -p "$work/bin"

fail() {
  echo "$*" >&2
  exit 1
}

# make_jdk NAME VERSION: a folder that looks like a JDK.
make_jdk() {
  mkdir -p "$work/$1/bin"
  printf 'IMPLEMENTOR="Nobody"\nJAVA_VERSION="%s"\n' "$2" >"$work/$1/release"
  printf '#!/bin/sh\n' >"$work/$1/bin/javac"
  chmod +x "$work/$1/bin/javac"
}

make_jdk "jdk 99" 99.0.1
make_jdk jdk17 17.0.15
make_jdk jdk8 1.8.0_402
. "$prerequisites"

[[ $(jdk_version "$work/jdk 99") == 99 ]] || fail "version of 99.0.1: $(jdk_version "$work/jdk 99")"
[[ $(jdk_version "$work/jdk8") == 8 ]] || fail "version of 1.8.0_402: $(jdk_version "$work/jdk8")"
[[ -z $(jdk_version "$work") ]] || fail "a folder without a JDK has a version"

JAVA_HOME="$work/jdk17" find_jdk 17
[[ $JDK == "$work/jdk17" ]] || fail "JAVA_HOME is not honoured where it is new enough: $JDK"
JAVA_HOME="$work/jdk17" find_jdk 22
[[ $JDK != "$work/jdk17" ]] || fail "JAVA_HOME is taken where it is too old"
mkdir -p "$work/home/.jdks"
ln -s "$work/jdk 99" "$work/home/.jdks/temurin-99"
HOME="$work/home" JAVA_HOME= find_jdk 22
[[ $JDK == "$work/home/.jdks/temurin-99" ]] || fail "the newest JDK is not found: $JDK"
JAVA_HOME="$work/jdk17" find_jdk 17 21
[[ $JDK == "$work/jdk17" ]] || fail "JAVA_HOME is not honoured where it is between the two: $JDK"
JAVA_HOME="$work/jdk 99" find_jdk 17 21
[[ $JDK != "$work/jdk 99" ]] || fail "JAVA_HOME is taken where it is too new"
HOME="$work/home" JAVA_HOME= find_jdk 90 98
[[ -z $JDK ]] || fail "a JDK that is too new is found: $JDK"
find_jdk 1000
[[ -z $JDK ]] || fail "a JDK that is too old is found: $JDK"

at_least 3.25 3.25.1 && at_least 3.25 4.0 && ! at_least 3.25 3.9 || fail "versions compare wrongly"

# requiring JAVA_HOME [tests]: requires everything with the fake programs alone. Sets `status` and `said`.
requiring() {
  status=0
  said=$(PATH="$work/bin" HOME="$work/home" JAVA_HOME=$1 bash -c '. "$1"; require_prerequisites ${2:-}' - \
    "$prerequisites" "${2:-}" 2>&1) || status=$?
}

# fake PROGRAM TEXT: puts a script on the PATH of the tests.
fake() {
  printf '#!%s\n%s\n' "$(command -v bash)" "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

# With nothing installed, and no apt-get to install it: each thing is named, and the status is 2.
for program in bash chmod cut grep head id readlink sed sort touch tr; do
  ln -s "$(command -v "$program")" "$work/bin/$program"
done
requiring "$work/jdk 99" tests
[[ $status == 2 ]] || fail "the exit status is $status: $said"
for thing in "Maven 3.8.6" "git (" "Node.js 18" "CMake 3.25" "make" "C++17 compiler" "clang-format 14" "Chromium"; do
  [[ $said == *"$thing"* ]] || fail "'$thing' is not among: $said"
done

if tests_vulkan; then
  [[ $(VULKAN_DRIVERS=$work missing_prerequisites tests) == *mesa-vulkan-drivers:* ]] ||
    fail "a missing Vulkan driver is not named"
  mkdir "$work/icd.d"
  touch "$work/icd.d/lvp_icd.x86_64.json"
  [[ $(VULKAN_DRIVERS=$work/icd.d missing_prerequisites tests) != *mesa* ]] || fail "a Vulkan driver is not found"
fi

# A JAVA_HOME that Maven cannot run on is an error of its own.
for program in mvn git npm node make c++ clang-format-14 chromium curl; do
  fake "$program" ""
done
fake cmake "echo cmake version 3.25.1"
requiring "$work/jdk8" tests
[[ $status == 2 ]] || fail "the exit status is $status: $said"
[[ $said == *"JAVA_HOME is not a JDK 17 or newer: $work/jdk8"* ]] || fail "JAVA_HOME of JDK 8: $said"

# As root with apt-get, what is missing is installed.
rm "$work/bin/npm" "$work/bin/node" "$work/bin/id"
fake id "echo 0"
fake apt-get "echo \"\$@\" >>'$work/apt.log'
[[ \$* != *'install '*' npm' ]] || { cd '$work/bin'; touch npm node; chmod +x npm node; }"
requiring ""
[[ $status == 0 ]] || fail "the exit status is $status: $said"
[[ $(cat "$work/apt.log") == update*install*npm ]] || fail "apt-get was called with: $(cat "$work/apt.log")"

# What tests the Arm kernels is installed with the rest, but nothing stops where it can't be had.
if [[ $OSTYPE == linux* && $HOSTTYPE == x86_64 ]]; then
  rm "$work/apt.log"
  requiring "" tests
  [[ $status == 0 ]] || fail "the exit status without an emulator is $status: $said"
  for package in g++-aarch64-linux-gnu qemu-user; do
    grep -qF -- "install -qy --no-install-recommends $package" "$work/apt.log" ||
      fail "$package is not installed: $(cat "$work/apt.log")"
  done
  [[ $said != *"Please install"* ]] || fail "an emulator is asked for: $said"
fi
