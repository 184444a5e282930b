package org.panallama.server.page;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

/** A file as the page exports it. */
final class ImportedFile {

    private ImportedFile() {}

    /** One chat: a question and its answer, the nodes "question" and "answer". */
    static JsonObject chat(String title, String question, String answer) {
        JsonObject file = JsonParser.parseString("""
                        {"format": "panallama-conversations", "version": 1, "conversations": [{
                            "id": "chat", "mode": "chat", "system": "", "created": 1, "updated": 2,
                            "nodes": {
                                "root": {"id": "root", "parent": null, "children": ["question"], "chosen": 0,
                                    "role": "root", "text": ""},
                                "question": {"id": "question", "parent": "root", "children": ["answer"], "chosen": 0,
                                    "role": "user"},
                                "answer": {"id": "answer", "parent": "question", "children": [], "chosen": 0,
                                    "role": "assistant"}
                            }
                        }]}""").getAsJsonObject();
        conversation(file).addProperty("title", title);
        nodes(file).getAsJsonObject("question").addProperty("text", question);
        nodes(file).getAsJsonObject("answer").addProperty("text", answer);
        return file;
    }

    static JsonObject conversation(JsonObject file) {
        return file.getAsJsonArray("conversations").get(0).getAsJsonObject();
    }

    static JsonObject nodes(JsonObject file) {
        return conversation(file).getAsJsonObject("nodes");
    }
}
