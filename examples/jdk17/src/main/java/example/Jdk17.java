package example;

import java.nio.file.Path;
import org.panallama.Context;
import org.panallama.GenerationOptions;
import org.panallama.Llama;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.tiny.TinyModel;

/** The same API on a JDK that has no FFM yet: the binding through JNA comes along, and is chosen by itself. */
public final class Jdk17 {

    public static void main(String[] args) {
        if (args.length > 2) {
            System.err.println("usage: jdk17 [PROMPT [MODEL]]");
            System.exit(2);
        }
        String prompt = args.length > 0 ? args[0] : "[INST] 法国的英文名是什么？ [/INST]";
        try {
            System.out.printf("Java %d, binding %s%n", Runtime.version().feature(), Llama.bindingName());
            try (Model model = Model.load(args.length > 1 ? Path.of(args[1]) : TinyModel.path());
                    Context context = model.newContext();
                    Sampler sampler = Sampler.greedy()) {
                GenerationOptions options = GenerationOptions.builder()
                        .maxTokens(256)
                        .stripLeadingSpace(true)
                        .build();
                context.generate(prompt, sampler, options).forEach(System.out::print);
                System.out.println();
            }
        } catch (LlamaException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }
}
