# Sourced by the scripts beside it, from the root: builds what is missing, and compiles the engine with its load programs.
./panallama --version >&2
. .mvn/prerequisites.sh
find_jdk 22
classes=benchmarks/target/engine-classes
mkdir -p "$classes"
"$JDK/bin/javac" -proc:none -cp java/cli/target/panallama-cli.jar -d "$classes" \
  java/engine/src/main/java/org/panallama/engine/*.java java/engine/src/test/java/org/panallama/engine/Soak.java \
  benchmarks/engine/EngineBenchmark.java
tiny=java/model-tiny/src/main/resources/org/panallama/tiny/tiny-mixtral.f16.gguf

run() {
  "$JDK/bin/java" --enable-native-access=ALL-UNNAMED -cp "$classes:java/cli/target/panallama-cli.jar" "$@"
}
