# The natives jars of every platform. A release is packaged on one machine, so that all jars are of one build: on Linux
# x86-64, which can compile our own libraries for Linux on Arm too. Where we have none, llama.cpp's runtime is complete
# alone: its own kernels serve, and chat templates are those that libllama knows.

if(NOT LLAMA_CPP_PLATFORM STREQUAL linux-x86_64)
    message(FATAL_ERROR "The natives of every platform are packaged on linux-x86_64, not on ${LLAMA_CPP_PLATFORM}.")
endif()
if(NOT PANALLAMA_ARM_COMPILER OR NOT PANALLAMA_QEMU_AARCH64)
    message(FATAL_ERROR
        "Packaging the natives of every platform needs a compiler for Linux on Arm, and an emulator. Install them "
        "(Debian: apt-get install g++-aarch64-linux-gnu qemu-user), and build again.")
endif()

# The preset of native/ that the test `neon` runs: what is packaged is what it tests.
set(arm_build ${root}/native/build/neon)
set(own_of_arm ${arm_build}/moe/libggml-cpu-panallama.so ${arm_build}/chat/libpanallama-chat.so)
add_custom_target(arm-libraries
    COMMAND ${CMAKE_COMMAND} --preset neon
    COMMAND ${CMAKE_COMMAND} --build --preset neon --target ${own_libraries} load_test
    WORKING_DIRECTORY ${root}/native
    BYPRODUCTS ${own_of_arm}
    VERBATIM)

get_filename_component(jar_contents ${PANALLAMA_JAR_CONTENT} DIRECTORY)
set(other_platforms ${LLAMA_CPP_PLATFORMS})
list(REMOVE_ITEM other_platforms ${LLAMA_CPP_PLATFORM})
get_filename_component(fetched_platforms ${LLAMA_CPP_DIRECTORY} DIRECTORY)
foreach(platform IN LISTS other_platforms)
    llama_cpp_fetch(${fetched_platforms}/${platform} ${platform})
    set(own_of_platform)
    if(platform MATCHES "^linux-x86_64-")
        set(own_of_platform ${own})
    elseif(platform STREQUAL linux-aarch_64)
        set(own_of_platform ${own_of_arm})
    endif()
    lay_out(${platform} ${jar_contents}/${platform} ${own_of_platform})
endforeach()
add_dependencies(natives-jar-linux-aarch_64 arm-libraries)
add_test(NAME jar.linux-aarch_64
    COMMAND ${PANALLAMA_QEMU_AARCH64} -L /usr/aarch64-linux-gnu ${arm_build}/tests/load_test
        ${jar_contents}/linux-aarch_64/META-INF/panallama/natives/linux-aarch_64 1)
