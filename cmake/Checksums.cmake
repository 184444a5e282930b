# cmake -DJARS=<pattern> -DCHECKSUMS=<file> -P Checksums.cmake: writes the SHA-256 of the files as `sha256sum -c` reads them.

cmake_minimum_required(VERSION 3.25)

file(GLOB jars ${JARS})
if(NOT jars)
    message(FATAL_ERROR "There are no files ${JARS}.")
endif()
set(lines "")
foreach(jar IN LISTS jars)
    file(SHA256 ${jar} sha256)
    get_filename_component(name ${jar} NAME)
    string(APPEND lines "${sha256}  ${name}\n")
endforeach()
file(WRITE ${CHECKSUMS} "${lines}")
