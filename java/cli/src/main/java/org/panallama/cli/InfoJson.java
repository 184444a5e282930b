package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.Map;
import org.panallama.fit.MemoryNeed;
import org.panallama.fit.ModelMemory;
import org.panallama.internal.GgufTensor;
import org.panallama.internal.GgufValue;

/**
 * What {@code info} tells programs. Sizes are in bytes.
 *
 * @param model the model
 * @param need of memory
 * @param memory of the model with any context
 * @param machine to run on
 * @param everyTensor whether to list the tensors
 */
record InfoJson(ModelFacts model, MemoryNeed need, ModelMemory memory, Machine machine, boolean everyTensor)
        implements Output.JsonBody {

    @Override
    public void write(JsonWriter json) throws IOException {
        json.beginObject();
        json.name("file").value(model.file().toString());
        json.name("parts").value(model.parts());
        json.name("file_bytes").value(model.fileBytes());
        json.name("name").value(model.name());
        json.name("architecture").value(model.architecture());
        json.name("parameters").value(model.parameters());
        json.name("active_parameters").value(model.activeParameters());
        json.name("file_type").value(model.fileType());
        json.name("bits_per_weight").value(model.bitsPerWeight());
        json.name("layers").value(model.number("block_count"));
        json.name("hidden_size").value(model.number("embedding_length"));
        json.name("feed_forward_size").value(model.number("feed_forward_length"));
        json.name("heads").value(model.number("attention.head_count"));
        json.name("kv_heads").value(model.number("attention.head_count_kv"));
        json.name("experts").value(model.number("expert_count"));
        json.name("experts_used").value(model.number("expert_used_count"));
        json.name("expert_bytes").value(model.expertBytes());
        json.name("context_length").value(model.number("context_length"));
        json.name("vocabulary").value(model.vocabSize());
        json.name("tokenizer").value(model.tokenizer());
        tensors(json);
        memory(json);
        json.name("devices");
        machine.write(json);
        json.name("metadata").beginObject();
        for (Map.Entry<String, GgufValue> entry : model.metadata().entrySet()) {
            json.name(entry.getKey());
            MetadataText.write(json, entry.getValue());
        }
        json.endObject();
        json.endObject();
    }

    private void tensors(JsonWriter json) throws IOException {
        json.name("tensors_by_type").beginArray();
        for (ModelFacts.TypeShare share : model.byType()) {
            json.beginObject();
            json.name("type").value(share.type().toString());
            json.name("count").value(share.count());
            json.name("bytes").value(share.bytes());
            json.endObject();
        }
        json.endArray();
        if (!everyTensor) {
            return;
        }
        json.name("tensors").beginArray();
        for (GgufTensor tensor : model.tensors()) {
            json.beginObject();
            json.name("name").value(tensor.name());
            json.name("type").value(tensor.type().toString());
            json.name("shape").beginArray();
            for (long size : tensor.shape()) {
                json.value(size);
            }
            json.endArray();
            json.name("bytes").value(tensor.bytes());
            json.endObject();
        }
        json.endArray();
    }

    private void memory(JsonWriter json) throws IOException {
        json.name("memory").beginObject();
        json.name("context").value(need.contextLength());
        json.name("key_type").value(need.keys().toString());
        json.name("value_type").value(need.values().toString());
        json.name("weights").value(need.weights());
        json.name("kv_cache").value(need.kvCache());
        json.name("compute").value(need.compute());
        json.name("total").value(need.total());
        json.name("main_memory").value(machine.memory().total());
        json.name("gpu_memory").value(machine.memory().gpuTotal());
        json.name("fits").value(need.total() <= machine.allMemory());
        json.name("longest_context")
                .value(memory.longestContext(
                        memory.weights(), need.keys(), need.values(), need.microBatch(), machine.allMemory()));
        json.endObject();
    }
}
