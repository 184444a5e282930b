# Fetches the pinned llama.cpp release: prebuilt libraries of one platform, and the headers.
#
# npm does the download and checks every package's sha512 against bindings/natives/package-lock.json. Only the
# packages needed are asked for: `npm ci` runs on an excerpt of that lock, without the dependencies that
# node-llama-cpp's own JavaScript has, and without the systems and processors that packages name for themselves, so that
# any machine can fetch any platform's. npm's per-user cache serves later builds, also offline.

include_guard(GLOBAL)

set(LLAMA_CPP_VERSION v0.4.0)
set(LLAMA_CPP_NPM_DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/../bindings/natives)
set(_llama_cpp_fetch_script ${CMAKE_CURRENT_LIST_FILE})

set(_llama_cpp_packages
    linux-x86_64 linux-x64
    linux-x86_64-cuda linux-x64-cuda
    linux-x86_64-vulkan linux-x64-vulkan
    linux-aarch_64 linux-arm64
    osx-aarch_64 mac-arm64-metal
    osx-x86_64 mac-x64
    windows-x86_64 win-x64
    windows-x86_64-cuda win-x64-cuda
    windows-x86_64-vulkan win-x64-vulkan
    windows-aarch_64 win-arm64)
# What is fetched to package natives for each.
set(LLAMA_CPP_PLATFORMS ${_llama_cpp_packages})
list(FILTER LLAMA_CPP_PLATFORMS INCLUDE REGEX "_64")

# llama_cpp_host_platform(<out>): the name of the platform that CMake runs on.
function(llama_cpp_host_platform out)
    cmake_host_system_information(RESULT system QUERY OS_NAME)
    cmake_host_system_information(RESULT processor QUERY OS_PLATFORM)
    string(TOLOWER "${system}" system)
    string(TOLOWER "${processor}" processor)
    if(system STREQUAL macos OR system STREQUAL darwin)
        set(system osx)
    endif()
    if(processor MATCHES "^(x86_64|amd64)$")
        set(processor x86_64)
    elseif(processor MATCHES "^(aarch64|arm64)$")
        set(processor aarch_64)
    endif()
    if(system STREQUAL linux)
        execute_process(COMMAND getconf GNU_LIBC_VERSION RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
        if(NOT status EQUAL 0)
            set(system linux-without-glibc)
        endif()
    endif()
    set(${out} ${system}-${processor} PARENT_SCOPE)
endfunction()

# llama_cpp_npm_names(<out> <platform>): the last parts of the names of the platform's packages.
function(llama_cpp_npm_names out platform)
    list(FIND _llama_cpp_packages "${platform}" index)
    if(index EQUAL -1)
        message(FATAL_ERROR
            "llama.cpp ${LLAMA_CPP_VERSION} has no prebuilt libraries for the platform '${platform}'. There are such "
            "for linux-x86_64 and linux-aarch_64 (glibc 2.34 or newer), osx-aarch_64, osx-x86_64, windows-x86_64 and "
            "windows-aarch_64. On another one, build llama.cpp ${LLAMA_CPP_VERSION} yourself with "
            "-DBUILD_SHARED_LIBS=ON -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON and start Java with "
            "-Dpanallama.native.dir=<its bin folder>.")
    endif()
    math(EXPR index "${index} + 1")
    list(GET _llama_cpp_packages ${index} names)
    if(platform MATCHES "-cuda$")
        list(APPEND names ${names}-ext)  # the same backend, for the CUDA runtime of the major version before
    endif()
    set(${out} ${names} PARENT_SCOPE)
endfunction()

# Sets the variable `name` to the program's path. Looks on the PATH alone, so that the build uses what a shell would.
function(_llama_cpp_program name purpose install)
    set(names ${name})
    if(CMAKE_HOST_WIN32)
        set(names ${name}.cmd ${name}.exe)
    endif()
    find_program(_llama_cpp_${name} NAMES ${names} PATHS ENV PATH NO_DEFAULT_PATH NO_CACHE)
    if(NOT _llama_cpp_${name})
        message(FATAL_ERROR
            "'${name}' is not on the PATH. It is needed to ${purpose}. Install ${install}, and build again.")
    endif()
    set(${name} ${_llama_cpp_${name}} PARENT_SCOPE)
endfunction()

# Writes package.json and package-lock.json into `directory`: the named packages as the committed lock pins them.
function(_llama_cpp_lock_excerpt directory)
    file(READ ${LLAMA_CPP_NPM_DIRECTORY}/package-lock.json lock)
    set(dependencies "{}")
    set(packages "{}")
    foreach(package IN LISTS ARGN)
        string(JSON version ERROR_VARIABLE no_version GET "${lock}" packages "node_modules/${package}" version)
        string(JSON integrity ERROR_VARIABLE no_integrity GET "${lock}" packages "node_modules/${package}" integrity)
        if(no_version OR NOT integrity MATCHES "^sha512-")
            message(FATAL_ERROR
                "${LLAMA_CPP_NPM_DIRECTORY}/package-lock.json holds no version and sha512 of ${package}. Restore the "
                "file from version control.")
        endif()
        string(JSON dependencies SET "${dependencies}" "${package}" "\"${version}\"")
        string(JSON packages SET "${packages}" "node_modules/${package}"
            "{\"version\": \"${version}\", \"integrity\": \"${integrity}\"}")
    endforeach()
    string(JSON packages SET "${packages}" "" "{\"dependencies\": ${dependencies}}")
    file(WRITE ${directory}/package.json "{\"private\": true, \"dependencies\": ${dependencies}}\n")
    file(WRITE ${directory}/package-lock.json
        "{\"lockfileVersion\": 3, \"requires\": true, \"packages\": ${packages}}\n")
endfunction()

function(_llama_cpp_npm_ci npm directory)
    # npm's own default makes a build without a network wait for over a minute.
    if(NOT DEFINED ENV{npm_config_fetch_retries})
        set(ENV{npm_config_fetch_retries} 1)
    endif()
    execute_process(
        COMMAND ${npm} ci --ignore-scripts --no-bin-links --prefer-offline --no-audit --no-fund --loglevel=error
        WORKING_DIRECTORY ${directory}
        RESULT_VARIABLE status
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output)
    if(status EQUAL 0)
        return()
    endif()
    if(output MATCHES "EINTEGRITY")
        message(FATAL_ERROR
            "Wrong checksum: what the npm registry sent is not what bindings/natives/package-lock.json pins, and was "
            "thrown away. Clear npm's cache (npm cache clean --force) and build again; if it happens again, the "
            "registry or a proxy on the way changes packages: do not use it (npm config get registry). "
            "npm said:\n${output}")
    elseif(output MATCHES "ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|SOCKET_TIMEOUT")
        message(FATAL_ERROR
            "No network: npm can't reach its registry, and llama.cpp ${LLAMA_CPP_VERSION} is not in npm's cache yet. "
            "Connect for the first build (46 MB for most platforms; later ones work offline); behind a proxy or a mirror, tell npm "
            "(npm config set proxy URL, npm config set registry URL). npm said:\n${output}")
    endif()
    message(FATAL_ERROR "npm ci failed (${status}) in ${directory}. npm said:\n${output}")
endfunction()

# Unpacks headers and licences of the git bundle into `directory`.
function(_llama_cpp_unpack_headers git bundle directory)
    set(repository ${directory}.git)
    execute_process(
        COMMAND ${git} clone --quiet --bare ${bundle} ${repository}
        COMMAND_ERROR_IS_FATAL ANY)
    execute_process(
        COMMAND ${git} --git-dir ${repository} archive --format=tar --output ${directory}.tar HEAD
            LICENSE licenses include ggml/include ggml/src/*.h common/*.h common/*.hpp common/jinja/*.h vendor/nlohmann
            vendor/cpp-httplib/LICENSE ggml/src/ggml-cpu/llamafile/sgemm.cpp
        COMMAND_ERROR_IS_FATAL ANY)
    file(ARCHIVE_EXTRACT INPUT ${directory}.tar DESTINATION ${directory})
    file(REMOVE_RECURSE ${directory}.tar ${repository})
    # llamafile's licence is nowhere but in the comment that its file opens with.
    file(READ ${directory}/ggml/src/ggml-cpu/llamafile/sgemm.cpp text)
    string(REGEX MATCH "^(//[^\n]*\n)+" licence "${text}")
    string(REGEX REPLACE "(^|\n)// ?" "\\1" licence "${licence}")
    file(WRITE ${directory}/licenses/LICENSE-llamafile "${licence}")
    file(RENAME ${directory}/LICENSE ${directory}/licenses/LICENSE-llama.cpp)
    file(RENAME ${directory}/vendor/cpp-httplib/LICENSE ${directory}/licenses/LICENSE-cpp-httplib)
    file(REMOVE_RECURSE ${directory}/ggml/src/ggml-cpu ${directory}/vendor/cpp-httplib)
endfunction()

# llama_cpp_fetch(<directory> <platform>): leaves the platform's libraries in <directory>/lib, and headers and licences,
# as llama.cpp's sources lay them out, in <directory>/source. Does nothing, and starts nothing, where they are there.
function(llama_cpp_fetch directory platform)
    llama_cpp_npm_names(names ${platform})
    list(TRANSFORM names PREPEND @node-llama-cpp/ OUTPUT_VARIABLE packages)
    # What decides the content of the directory: the lock, and this file.
    file(SHA256 ${LLAMA_CPP_NPM_DIRECTORY}/package-lock.json lock_hash)
    file(SHA256 ${_llama_cpp_fetch_script} script_hash)
    set(stamp "${platform}\n${lock_hash}\n${script_hash}\n")
    # Builds of several folders may share the directory, and start at the same time.
    get_filename_component(parent ${directory} DIRECTORY)
    file(MAKE_DIRECTORY ${parent})
    file(LOCK ${directory}.lock GUARD FUNCTION TIMEOUT 900)
    if(EXISTS ${directory}/stamp)
        file(READ ${directory}/stamp found)
        if(found STREQUAL stamp)
            return()
        endif()
    endif()

    _llama_cpp_program(npm "fetch llama.cpp ${LLAMA_CPP_VERSION}"
        "Node.js 18 or newer with npm (Debian: apt-get install npm)")
    _llama_cpp_program(git "unpack llama.cpp's headers" "git (Debian: apt-get install git)")
    message(STATUS "Fetching llama.cpp ${LLAMA_CPP_VERSION} for ${platform} (once)")
    set(work ${directory}.part)
    file(REMOVE_RECURSE ${work})
    file(MAKE_DIRECTORY ${work})
    _llama_cpp_lock_excerpt(${work} node-llama-cpp ${packages})
    _llama_cpp_npm_ci(${npm} ${work})

    set(modules ${work}/node_modules)
    file(READ ${modules}/node-llama-cpp/llama/llama.cpp.info.json info)
    string(JSON tag GET "${info}" tag)
    if(NOT tag STREQUAL LLAMA_CPP_VERSION)
        message(FATAL_ERROR
            "bindings/natives/package-lock.json pins a node-llama-cpp that carries llama.cpp ${tag}, but "
            "cmake/LlamaCppFetch.cmake names ${LLAMA_CPP_VERSION}. Change both together.")
    endif()
    _llama_cpp_unpack_headers(${git} ${modules}/node-llama-cpp/llama/gitRelease.bundle ${work}/source)
    foreach(package IN LISTS packages)
        file(GLOB bins ${modules}/${package}/bins/*)
        # The addon is Node's own.
        file(COPY ${bins}/ DESTINATION ${work}/lib FILES_MATCHING REGEX "/(lib)?(llama|ggml)[^/]*\\.(so|dylib|dll)$")
    endforeach()
    file(RENAME ${modules}/node-llama-cpp/LICENSE ${work}/source/licenses/LICENSE-node-llama-cpp)
    file(REMOVE_RECURSE ${modules} ${work}/package.json ${work}/package-lock.json)
    file(WRITE ${work}/stamp "${stamp}")
    file(REMOVE_RECURSE ${directory})
    file(RENAME ${work} ${directory})
endfunction()
