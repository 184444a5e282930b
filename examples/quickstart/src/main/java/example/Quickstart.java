package example;

import java.nio.file.Path;
import org.panallama.Context;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.tiny.TinyModel;

public final class Quickstart {

    public static void main(String[] args) {
        Path file = args.length > 0 ? Path.of(args[0]) : TinyModel.path();
        try (Model model = Model.load(file);
                Context context = model.newContext();
                Sampler sampler = Sampler.builder().temperature(0.2f).topP(0.9f).seed(42).build()) {
            context.generate("[INST] 法国的英文名是什么？ [/INST]", sampler).forEach(System.out::print);
            System.out.println();
        }
    }
}
