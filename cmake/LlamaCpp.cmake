# The pinned llama.cpp release as imported targets:
#
#   llama::llama      llama.h, and ggml with it
#   llama::common     chat.h, json-schema-to-grammar.h and others: llama.cpp's C++ library of helpers
#   llama::ggml       ggml.h, ggml-backend.h: the registry that loads backends
#   llama::ggml-base  ggml.h, gguf.h, and the headers that a ggml backend is written against (ggml-backend-impl.h)
#
# LLAMA_CPP_LIBRARY_DIR is the folder that holds the libraries, with the CPU variants that ggml picks from at run time;
# LLAMA_CPP_SOURCE_DIR holds headers and licences as llama.cpp's sources lay them out.

include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/LlamaCppFetch.cmake)

if(NOT DEFINED LLAMA_CPP_PLATFORM)
    llama_cpp_host_platform(LLAMA_CPP_PLATFORM)
endif()
# One place for the builds of native/, benchmarks/native and Maven, so that they fetch once.
get_filename_component(LLAMA_CPP_DIRECTORY
    ${CMAKE_CURRENT_LIST_DIR}/../bindings/natives/target/llama.cpp/${LLAMA_CPP_PLATFORM} ABSOLUTE)
llama_cpp_fetch(${LLAMA_CPP_DIRECTORY} ${LLAMA_CPP_PLATFORM})
set(LLAMA_CPP_LIBRARY_DIR ${LLAMA_CPP_DIRECTORY}/lib)
set(LLAMA_CPP_SOURCE_DIR ${LLAMA_CPP_DIRECTORY}/source)

function(_llama_cpp_target name file_pattern)
    file(GLOB library ${LLAMA_CPP_LIBRARY_DIR}/${file_pattern})
    list(LENGTH library count)
    if(NOT count EQUAL 1)
        message(FATAL_ERROR "${LLAMA_CPP_LIBRARY_DIR} should hold one file ${file_pattern}, found: '${library}'. "
            "Delete ${LLAMA_CPP_DIRECTORY} and configure again.")
    endif()
    add_library(llama::${name} SHARED IMPORTED GLOBAL)
    set_target_properties(llama::${name} PROPERTIES IMPORTED_LOCATION ${library})
endfunction()

set(_llama_cpp_suffix ${CMAKE_SHARED_LIBRARY_SUFFIX})
_llama_cpp_target(ggml-base libggml-base${_llama_cpp_suffix})
_llama_cpp_target(ggml libggml.${LLAMA_CPP_VERSION}${_llama_cpp_suffix})
_llama_cpp_target(llama libllama.${LLAMA_CPP_VERSION}${_llama_cpp_suffix})
target_include_directories(llama::ggml-base INTERFACE
    ${LLAMA_CPP_SOURCE_DIR}/ggml/include ${LLAMA_CPP_SOURCE_DIR}/ggml/src)
target_link_libraries(llama::ggml INTERFACE llama::ggml-base)
target_include_directories(llama::llama INTERFACE ${LLAMA_CPP_SOURCE_DIR}/include)
target_link_libraries(llama::llama INTERFACE llama::ggml)
_llama_cpp_target(common libllama-common${_llama_cpp_suffix})
# SYSTEM: its warnings are not ours.
target_include_directories(llama::common SYSTEM INTERFACE ${LLAMA_CPP_SOURCE_DIR}/common)
target_link_libraries(llama::common INTERFACE llama::llama)
