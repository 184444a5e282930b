package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.panallama.server.ModularProgram.FFM;
import static org.panallama.server.ModularProgram.JNA;
import static org.panallama.server.ModularProgram.LIBRARY;
import static org.panallama.server.ModularProgram.concat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library on a module path finds its binding and its natives, which nobody names. Runs on JDK 17 as well. */
class LibraryModulesTest {

    private static final boolean HAS_FFM = Runtime.version().feature() >= 22;

    private static final String PROGRAM = """
            package app;

            import org.panallama.*;
            import org.panallama.tiny.TinyModel;

            public class App {
                public static void main(String[] args) {
                    try (Model model = Model.load(TinyModel.path());
                            Context context = model.newContext();
                            Sampler sampler = Sampler.greedy()) {
                        context.generate("[INST] 法国的英文名是什么？ [/INST]", sampler).forEach(System.out::print);
                    }
                    System.out.println(" by " + Model.class.getModule() + " through " + Llama.bindingName());
                }
            }
            """;

    @TempDir
    Path folder;

    @Test
    void bothBindings() throws Exception {
        assertThat(generated(concat(FFM, JNA))).endsWith(HAS_FFM ? "through ffm" : "through jna");
    }

    /** JNA's is an automatic module, which would bring all others along; here there is none. */
    @Test
    void oneBinding() throws Exception {
        assertThat(generated(HAS_FFM ? FFM : JNA)).endsWith(HAS_FFM ? "through ffm" : "through jna");
    }

    private String generated(List<String> bindings) throws Exception {
        List<String> jars = concat(LIBRARY, bindings);
        String output = new ModularProgram(folder, jars).run("org.panallama; requires org.panallama.tiny", PROGRAM);
        assertThat(output).startsWith("France by module org.panallama ");
        return output;
    }
}
