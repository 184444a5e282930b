package example;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.panallama.Embedder;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.tiny.TinyModel;

/** Finds the lines of a file that are closest to a query, by the cosine of their embeddings. */
public final class EmbeddingsSearch {

    private static final String USAGE =
            """
            usage: embeddings-search QUERY FILE [K [MODEL]]
              FILE    the documents: UTF-8, one per line
              K       how many to print, the closest first; 3 by default
              MODEL   a GGUF file, best one of an embedding model; the embedded tiny model by default""";

    /** A document with its place in the file and the cosine of the angle between its vector and the query's. */
    record Hit(int line, String document, float similarity) {}

    public static void main(String[] args) throws IOException {
        if (args.length < 2 || args.length > 4) {
            System.err.println(USAGE);
            System.exit(2);
        }
        try {
            int count = args.length > 2 ? Integer.parseInt(args[2]) : 3;
            Path model = args.length > 3 ? Path.of(args[3]) : TinyModel.path();
            List<String> documents = Files.readAllLines(Path.of(args[1]));
            for (Hit hit : search(model, documents, args[0], count)) {
                System.out.printf(Locale.ROOT, "%.3f  %d: %s%n", hit.similarity, hit.line, hit.document);
            }
        } catch (NumberFormatException e) {
            System.err.println("K is " + args[2] + ", must be a number\n" + USAGE);
            System.exit(2);
        } catch (IOException | LlamaException | IllegalArgumentException e) {
            System.err.println(e);
            System.exit(1);
        }
    }

    static List<Hit> search(Path file, List<String> documents, String query, int count) {
        try (Model model = Model.load(file);
                Embedder embedder = Embedder.of(model)) {
            // Many texts in one call: as many as fit are computed together.
            List<float[]> vectors = embedder.embed(documents);
            float[] wanted = embedder.embed(query);
            return IntStream.range(0, documents.size())
                    .mapToObj(i -> new Hit(i + 1, documents.get(i), dot(wanted, vectors.get(i))))
                    .sorted(Comparator.comparing(Hit::similarity).reversed())
                    .limit(count)
                    .toList();
        }
    }

    /** The cosine, since an embedder's vectors have length 1. */
    private static float dot(float[] a, float[] b) {
        float sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
