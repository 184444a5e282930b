# cmake -DCASE=… -DWORK=<scratch folder> -P fetch_test.cmake
#
# Runs llama_cpp_fetch() in a child process under the conditions that CASE names, and checks how it ends. No case needs
# a network, and none touches npm's per-user cache.

cmake_minimum_required(VERSION 3.25)

set(cmake_folder ${CMAKE_CURRENT_LIST_DIR}/..)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/bin)

# Sets `path` to a PATH with just the named programs.
function(path_of)
    foreach(program IN LISTS ARGN)
        find_program(found_${program} ${program} REQUIRED NO_CACHE)
        file(CREATE_LINK ${found_${program}} ${WORK}/bin/${program} SYMBOLIC)
    endforeach()
    set(path ${WORK}/bin PARENT_SCOPE)
endfunction()

# Fetches in an environment changed by `environment`, started through `launcher`. Sets `status` and `output`.
function(fetch directory platform)
    file(WRITE ${WORK}/fetch.cmake
        "include([[${cmake_folder}/LlamaCppFetch.cmake]])\nllama_cpp_fetch([[${directory}]] ${platform})\n")
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env ${environment} ${launcher} ${CMAKE_COMMAND} -P ${WORK}/fetch.cmake
        RESULT_VARIABLE result
        OUTPUT_VARIABLE text
        ERROR_VARIABLE text)
    # CMake wraps the lines of its messages.
    string(REGEX REPLACE "[ \n]+" " " text "${text}")
    set(status ${result} PARENT_SCOPE)
    set(output "${text}" PARENT_SCOPE)
endfunction()

# Expects that fetching fails with each of the texts in its message, and leaves nothing that looks fetched.
function(expect_error platform)
    fetch(${WORK}/llama.cpp ${platform})
    if(status EQUAL 0)
        message(FATAL_ERROR "${CASE}: expected an error, but the fetch succeeded")
    endif()
    foreach(text IN LISTS ARGN)
        string(FIND "${output}" "${text}" position)
        if(position EQUAL -1)
            message(FATAL_ERROR "${CASE}: '${text}' is not in the message:\n${output}")
        endif()
    endforeach()
    if(EXISTS ${WORK}/llama.cpp)
        message(FATAL_ERROR "${CASE}: a failed fetch left its directory behind")
    endif()
endfunction()

set(environment npm_config_cache=${WORK}/npm-cache npm_config_fetch_retries=0)
set(launcher "")

if(CASE STREQUAL no-npm)
    path_of(git)
    list(APPEND environment PATH=${path})
    expect_error(linux-x86_64 "'npm' is not on the PATH" "Install Node.js")

elseif(CASE STREQUAL no-git)
    path_of(npm node)
    list(APPEND environment PATH=${path})
    expect_error(linux-x86_64 "'git' is not on the PATH" "Install git")

elseif(CASE STREQUAL no-network)
    # A registry that refuses connections.
    list(APPEND environment npm_config_registry=http://127.0.0.1:9/)
    expect_error(linux-x86_64 "No network" "npm config set proxy" "ECONNREFUSED")

elseif(CASE STREQUAL offline-and-not-cached)
    list(APPEND environment npm_config_offline=true)
    expect_error(linux-x86_64 "No network" "not in npm's cache yet" "ENOTCACHED")

elseif(CASE STREQUAL wrong-checksum)
    find_program(node node REQUIRED)
    set(launcher ${node} ${CMAKE_CURRENT_LIST_DIR}/forged_registry.mjs
        ${cmake_folder}/../bindings/natives/package-lock.json)
    expect_error(linux-x86_64 "Wrong checksum" "npm cache clean" "EINTEGRITY")

elseif(CASE STREQUAL unsupported-platform)
    expect_error(plan9-mips
        "no prebuilt libraries for the platform 'plan9-mips'" "linux-x86_64" "-Dpanallama.native.dir")

elseif(CASE STREQUAL every-platform)
    # The lock pins each package, which this would fail without.
    include(${cmake_folder}/LlamaCppFetch.cmake)
    foreach(platform IN LISTS LLAMA_CPP_PLATFORMS)
        llama_cpp_npm_names(names ${platform})
        list(TRANSFORM names PREPEND @node-llama-cpp/)
        _llama_cpp_lock_excerpt(${WORK} ${names})
    endforeach()
    list(LENGTH LLAMA_CPP_PLATFORMS count)
    if(NOT count EQUAL 10)
        message(FATAL_ERROR "${CASE}: there are ${count}: ${LLAMA_CPP_PLATFORMS}")
    endif()

elseif(CASE STREQUAL second-build)
    # Neither a network nor npm is needed once the release is there.
    path_of(cmake)
    list(APPEND environment PATH=${path})
    fetch(${FETCHED} ${PLATFORM})
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${CASE}: ${output}")
    endif()

else()
    message(FATAL_ERROR "No case '${CASE}'")
endif()
