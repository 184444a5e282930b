package example;

import com.google.gson.Gson;
import java.nio.file.Path;
import org.panallama.ChatSession;
import org.panallama.Context;
import org.panallama.FinishReason;
import org.panallama.Generation;
import org.panallama.JsonSchema;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.tiny.TinyModel;

/** Gets a typed record out of a model: the answer cannot but follow a JSON schema, since a grammar holds it. */
public final class JsonExtraction {

    private static final String USAGE =
            """
            usage: json-extraction COUNTRY [MODEL]
              COUNTRY   its Chinese name, for example 法国
              MODEL     a GGUF file; the embedded tiny model by default""";

    /** What is asked for. The properties come in this order. */
    private static final JsonSchema SCHEMA = JsonSchema.of(
            """
            {
              "type": "object",
              "properties": {
                "name":   {"type": "string", "minLength": 1, "maxLength": 60},
                "zh":     {"type": "string", "minLength": 1, "maxLength": 30},
                "alpha2": {"type": "string", "pattern": "^[A-Z]{2}$"},
                "alpha3": {"type": "string", "pattern": "^[A-Z]{3}$"}
              },
              "required": ["name", "zh", "alpha2", "alpha3"]
            }""");

    /** The same as a type: English and Chinese name, codes of ISO 3166. */
    record Country(String name, String zh, String alpha2, String alpha3) {}

    public static void main(String[] args) {
        if (args.length < 1 || args.length > 2) {
            System.err.println(USAGE);
            System.exit(2);
        }
        try {
            System.out.println(extract(args.length > 1 ? Path.of(args[1]) : TinyModel.path(), args[0]));
        } catch (LlamaException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    static Country extract(Path file, String country) {
        try (Model model = Model.load(file);
                Context context = model.newContext();
                Sampler sampler = Sampler.builder().grammar(SCHEMA.grammar()).temperature(0).build()) {
            Generation answer =
                    ChatSession.builder(context, sampler).build().send("以JSON输出" + country + "的信息。");
            String json = answer.text();
            // The grammar allows no other end than that of the object; but the context may be too short for it.
            if (answer.finishReason().orElseThrow() != FinishReason.END_OF_GENERATION) {
                throw new LlamaException("the answer is not whole: " + json);
            }
            return new Gson().fromJson(json, Country.class);
        }
    }
}
