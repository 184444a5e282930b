# llama.cpp's Vulkan package with our variant dropped in, driven on lavapipe, Mesa's Vulkan driver for the CPU.

if(NOT LLAMA_CPP_PLATFORM STREQUAL linux-x86_64)
    message(FATAL_ERROR
        "PANALLAMA_VULKAN_TESTS is ON, but the test beside a GPU runs on linux-x86_64 only, not on "
        "${LLAMA_CPP_PLATFORM}.")
endif()
file(GLOB lavapipe /usr/share/vulkan/icd.d/lvp_icd*.json)
list(LENGTH lavapipe count)
if(NOT count EQUAL 1)
    message(FATAL_ERROR
        "PANALLAMA_VULKAN_TESTS is ON, but Mesa's software driver is not installed: no "
        "/usr/share/vulkan/icd.d/lvp_icd*.json. Install it (Debian: apt-get install mesa-vulkan-drivers), or configure "
        "with -DPANALLAMA_VULKAN_TESTS=OFF.")
endif()

set(vulkan_package ${LLAMA_CPP_DIRECTORY}-vulkan)
llama_cpp_fetch(${vulkan_package} ${LLAMA_CPP_PLATFORM}-vulkan)
set(vulkan_folder ${CMAKE_CURRENT_BINARY_DIR}/vulkan)
add_custom_command(
    OUTPUT ${vulkan_folder}/libggml-cpu-panallama.so
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${vulkan_package}/lib ${vulkan_folder}
    COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:ggml_cpu_panallama> ${vulkan_folder}
    DEPENDS ggml_cpu_panallama ${vulkan_package}/stamp
    VERBATIM)
add_custom_target(vulkan_folder ALL DEPENDS ${vulkan_folder}/libggml-cpu-panallama.so)

add_executable(vulkan_test vulkan_test.c)
set_target_properties(vulkan_test PROPERTIES C_STANDARD 11 BUILD_RPATH ${vulkan_package}/lib)
# The package's own libraries: their names differ from those of the package without Vulkan.
target_include_directories(vulkan_test PRIVATE $<TARGET_PROPERTY:llama::llama,INTERFACE_INCLUDE_DIRECTORIES>
    $<TARGET_PROPERTY:llama::ggml-base,INTERFACE_INCLUDE_DIRECTORIES>)
target_link_libraries(vulkan_test PRIVATE
    ${vulkan_package}/lib/libllama.vulkan.${LLAMA_CPP_VERSION}.so
    ${vulkan_package}/lib/libggml.vulkan.${LLAMA_CPP_VERSION}.so
    ${vulkan_package}/lib/libggml-base.so
    m panallama_compile_options)
add_dependencies(vulkan_test vulkan_folder)
add_test(NAME vulkan COMMAND vulkan_test ${vulkan_folder} ${tiny_model} ${CMAKE_CURRENT_BINARY_DIR}/vulkan.gguf)
set(environment
    VK_ICD_FILENAMES=${lavapipe}
    GGML_VK_VISIBLE_DEVICES=0  # llama.cpp passes over Vulkan devices of the type CPU unless they are named
    MESA_SHADER_CACHE_DIR=${CMAKE_CURRENT_BINARY_DIR}
    ASAN_OPTIONS=detect_leaks=0)  # llama.cpp's, at exit
set_tests_properties(vulkan PROPERTIES ENVIRONMENT "${environment}")
