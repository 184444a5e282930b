# Instruction-set flags of the kernels: each set's sources, and nothing else, are compiled with them.

include_guard(GLOBAL)

set(PANALLAMA_AVX512_FLAGS -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi -mavx512vnni -mgfni -mavx2 -mfma -mf16c
    -mprefer-vector-width=512)
set(PANALLAMA_AVX2_FLAGS -mavx2 -mfma -mf16c)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # GCC's own intrinsics header trips it (GCC bug 105593).
    list(APPEND PANALLAMA_AVX512_FLAGS -Wno-maybe-uninitialized -Wno-uninitialized)
    # Clang has no such flag.
    list(APPEND PANALLAMA_AVX2_FLAGS -fno-tree-reassoc)
endif()

set(PANALLAMA_DOTPROD_FLAGS -march=armv8.2-a+dotprod)
set(PANALLAMA_I8MM_FLAGS -march=armv8.2-a+dotprod+i8mm)

# panallama_kernel_library(<name> FLAGS <flags> SOURCES <files>): objects for one instruction set.
function(panallama_kernel_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FLAGS;SOURCES")
    add_library(${name} OBJECT ${arg_SOURCES})
    target_compile_options(${name} PRIVATE ${arg_FLAGS})
    target_link_libraries(${name} PRIVATE panallama_kernel_options)
endfunction()
