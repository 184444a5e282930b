# Builds for 64-bit Arm Linux on another machine, and runs tests in qemu-user. Debian and Ubuntu: apt-get install
# g++-aarch64-linux-gnu qemu-user.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

# The core is the emulator's largest one, or the one that QEMU_CPU names.
find_program(PANALLAMA_QEMU_AARCH64 NAMES qemu-aarch64 qemu-aarch64-static REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR ${PANALLAMA_QEMU_AARCH64} -L /usr/aarch64-linux-gnu)
