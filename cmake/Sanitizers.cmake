# PANALLAMA_SANITIZE=address (with undefined behaviour) or thread instruments everything that is compiled here.

include_guard(GLOBAL)

set(PANALLAMA_SANITIZE "" CACHE STRING "address or thread; empty for none")
set_property(CACHE PANALLAMA_SANITIZE PROPERTY STRINGS "" address thread)

function(panallama_sanitize target)
    if(PANALLAMA_SANITIZE STREQUAL address)
        set(flags -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    elseif(PANALLAMA_SANITIZE STREQUAL thread)
        set(flags -fsanitize=thread -fno-omit-frame-pointer)
    elseif(NOT PANALLAMA_SANITIZE STREQUAL "")
        message(FATAL_ERROR "PANALLAMA_SANITIZE is '${PANALLAMA_SANITIZE}'; it can be address, thread or empty.")
    endif()
    target_compile_options(${target} INTERFACE ${flags})
    target_link_options(${target} INTERFACE ${flags})
endfunction()
