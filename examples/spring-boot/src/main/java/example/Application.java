package example;

import java.nio.file.Path;
import org.panallama.Model;
import org.panallama.engine.Engine;
import org.panallama.tiny.TinyModel;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

@SpringBootApplication
public class Application {

    public static void main(String[] args) {
        SpringApplication.run(Application.class, args);
    }

    /** Loaded once and shared; Spring closes it, after what depends on it. */
    @Bean
    Model model(@Value("${panallama.model:}") String file) {
        return Model.load(file.isEmpty() ? TinyModel.path() : Path.of(file));
    }

    /** Computes the requests of all clients together. */
    @Bean
    Engine engine(
            Model model,
            @Value("${panallama.parallel}") int parallel,
            @Value("${panallama.context-length}") int contextLength) {
        return Engine.open(model, parallel, contextLength);
    }
}
