# PANALLAMA_SANITIZE=address (with undefined behaviour) or thread instruments everything that is compiled here.

include_guard(GLOBAL)

set(PANALLAMA_SANITIZE "" CACHE STRING "address or thread; empty for none")
set_property(CACHE PANALLAMA_SANITIZE PROPERTY STRINGS "" address thread)

if(PANALLAMA_SANITIZE STREQUAL address)
    set(PANALLAMA_SANITIZER_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=all)
    # For code that is all intrinsics: GCC 12 makes a variable in memory of each of their arguments to check its scope
    # or its alignment, and takes minutes for a file. They have no undefined behaviour but wild addresses, which are
    # checked.
    set(PANALLAMA_KERNEL_SANITIZER_FLAGS -fsanitize=address -fno-sanitize-recover=all)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
        list(APPEND PANALLAMA_KERNEL_SANITIZER_FLAGS -fno-sanitize-address-use-after-scope)
    endif()
elseif(PANALLAMA_SANITIZE STREQUAL thread)
    set(PANALLAMA_SANITIZER_FLAGS -fsanitize=thread)
    set(PANALLAMA_KERNEL_SANITIZER_FLAGS -fsanitize=thread)
elseif(NOT PANALLAMA_SANITIZE STREQUAL "")
    message(FATAL_ERROR "PANALLAMA_SANITIZE is '${PANALLAMA_SANITIZE}'; it can be address, thread or empty.")
endif()

# panallama_sanitize(<target> <flags>): what uses the target is compiled and linked with them.
function(panallama_sanitize target)
    target_compile_options(${target} INTERFACE ${ARGN})
    target_link_options(${target} INTERFACE ${ARGN})
endfunction()
