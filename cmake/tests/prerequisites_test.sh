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
find_jdk 1000
[[ -z $JDK ]] || fail "a JDK that is too old is found: $JDK"

at_least 3.25 3.25.1 && at_least 3.25 4.0 && ! at_least 3.25 3.9 || fail "versions compare wrongly"

# With nothing installed, and no apt-get to install it: each thing is named, and the status is 2.
for program in bash cut grep head id readlink sed sort tr; do
  ln -s "$(command -v "$program")" "$work/bin/$program"
done
status=0
said=$(PATH="$work/bin" HOME="$work" JAVA_HOME="$work/jdk 99" bash -c '. "$1"; require_prerequisites tests' - "$prerequisites" 2>&1) ||
  status=$?
[[ $status == 2 ]] || fail "the exit status is $status: $said"
for thing in "Maven 3.8.6 or newer" "git (" "Node.js 18 or newer" "CMake 3.25 or newer" "C++17 compiler" "clang-format 14"; do
  [[ $said == *"$thing"* ]] || fail "'$thing' is not among: $said"
done

# A JAVA_HOME that Maven cannot run on is an error of its own.
for program in mvn git npm node make c++ clang-format-14; do
  printf '#!/bin/sh\n' >"$work/bin/$program"
  chmod +x "$work/bin/$program"
done
printf '#!/bin/sh\necho cmake version 3.25.1\n' >"$work/bin/cmake"
chmod +x "$work/bin/cmake"
status=0
said=$(PATH="$work/bin" HOME="$work/home" JAVA_HOME="$work/jdk8" bash -c '. "$1"; require_prerequisites tests' - "$prerequisites" 2>&1) ||
  status=$?
[[ $status == 2 && $said == *"JAVA_HOME is not a JDK 17 or newer: $work/jdk8"* ]] || fail "JAVA_HOME of JDK 8 ($status): $said"

# As root with apt-get, what is missing is installed.
rm "$work/bin/npm" "$work/bin/node" "$work/bin/id"
ln -s "$(command -v touch)" "$(command -v chmod)" "$work/bin"
printf '#!/bin/sh\necho 0\n' >"$work/bin/id"
cat >"$work/bin/apt-get" <<END
#!$(command -v bash)
echo "\$@" >>"$work/apt.log"
if [[ "\$*" == *"install "*" npm" ]]; then
  touch "$work/bin/npm" "$work/bin/node"
  chmod +x "$work/bin/npm" "$work/bin/node"
fi
END
chmod +x "$work/bin/id" "$work/bin/apt-get"
PATH="$work/bin" HOME="$work/home" JAVA_HOME= bash -c '. "$1"; require_prerequisites' - "$prerequisites" 2>"$work/said" ||
  fail "$(cat "$work/said")"
[[ $(cat "$work/apt.log") == "update"*$'\n'"install "*" npm" ]] || fail "apt-get was called with: $(cat "$work/apt.log")"
