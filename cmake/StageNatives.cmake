# cmake -DPLATFORM=… -DVERSION=… -DRUNTIME=… -DLIBRARIES=… -DLICENSES=… -DNOTICES=… -DMODULE_SOURCES=… -DJAVAC=…
#     -DDESTINATION=… -P StageNatives.cmake
#
# Lays out the content of one platform's natives jar under DESTINATION:
#
#   META-INF/panallama/natives/<platform>/          llama.cpp's libraries, as RUNTIME holds them, and LIBRARIES, our own
#   META-INF/panallama/natives/<platform>.properties
#       llama.version  the llama.cpp release
#       hash           names the set: sha256 over the lines "<name> <sha256>\n" of all files, sorted by name
#       load           the libraries to load, in this order
#       files          <name>:<size>:<sha256>, comma separated, sorted by name; a name may begin with a folder's
#   META-INF/licenses/                              LICENSES: of what is in the libraries
#   META-INF/                                       NOTICES: our own
#   module-info.class, <package>/                   the module org.panallama.natives.<platform>, MODULE_SOURCES compiled

cmake_minimum_required(VERSION 3.25)

set(folder ${DESTINATION}/META-INF/panallama/natives)
file(REMOVE_RECURSE ${DESTINATION})
file(COPY ${RUNTIME}/ DESTINATION ${folder}/${PLATFORM})
if(LIBRARIES)
    file(COPY ${LIBRARIES} DESTINATION ${folder}/${PLATFORM})
endif()
file(COPY ${LICENSES} DESTINATION ${DESTINATION}/META-INF/licenses)
file(COPY ${NOTICES} DESTINATION ${DESTINATION}/META-INF)

file(GLOB_RECURSE names RELATIVE ${folder}/${PLATFORM} ${folder}/${PLATFORM}/*)
list(SORT names COMPARE STRING)
set(hashed "")
set(files "")
foreach(name IN LISTS names)
    file(SIZE ${folder}/${PLATFORM}/${name} size)
    file(SHA256 ${folder}/${PLATFORM}/${name} sha256)
    string(APPEND hashed "${name} ${sha256}\n")
    list(APPEND files ${name}:${size}:${sha256})
endforeach()
string(SHA256 hash "${hashed}")
list(JOIN files "," files)

set(load "")
foreach(pattern "(lib)?ggml-base\\." "(lib)?ggml\\." "(lib)?llama\\.")
    set(matching ${names})
    list(FILTER matching INCLUDE REGEX "^${pattern}")
    list(LENGTH matching count)
    if(NOT count EQUAL 1)
        message(FATAL_ERROR "Expected one library ${pattern}… among ${names}, found '${matching}'.")
    endif()
    list(APPEND load ${matching})
endforeach()
list(JOIN load "," load)

file(WRITE ${folder}/${PLATFORM}.properties
    "llama.version=${VERSION}\nhash=${hash}\nload=${load}\nfiles=${files}\n")

# The whole of panallama-core is not needed for it, and not there yet: the service's interface is its only tie.
string(REPLACE - . MODULE org.panallama.natives.${PLATFORM})
string(REPLACE . / package ${MODULE})
set(build ${DESTINATION}.module)
file(REMOVE_RECURSE ${build})
configure_file(${MODULE_SOURCES}/module-info.java.in ${build}/src/${MODULE}/module-info.java @ONLY)
configure_file(${MODULE_SOURCES}/Natives.java.in ${build}/src/${MODULE}/${package}/Natives.java @ONLY)
file(WRITE ${build}/src/org.panallama/module-info.java "module org.panallama { exports org.panallama.spi; }")
set(service org/panallama/spi/NativesModule.java)
configure_file(${CMAKE_CURRENT_LIST_DIR}/../java/core/src/main/java/${service} ${build}/src/org.panallama/${service} COPYONLY)
execute_process(
    COMMAND ${JAVAC} --release 17 -Xlint:-module -d ${build}/classes --module-source-path ${build}/src --module ${MODULE}
    RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "The module of the natives for ${PLATFORM} does not compile.")
endif()
file(COPY ${build}/classes/${MODULE}/ DESTINATION ${DESTINATION})
