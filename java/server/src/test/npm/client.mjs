// Uses the server as its users do, and prints what came as one line of JSON.
// Environment: BASE_URL, and TOKENS, a logit_bias that makes the tiny model call a tool.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: "none", maxRetries: 0 });
const model = "gpt-4o";
const messages = [{ role: "user", content: "法国的英文名是什么？" }];
const result = {};

const chat = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 40 });
result.chat = chat.choices[0].message.content;

result.streamed = "";
const stream = await client.chat.completions.create({
  model, messages, temperature: 0, max_tokens: 40, stream: true, stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  result.streamed += chunk.choices[0]?.delta?.content ?? "";
  result.usage = chunk.usage?.total_tokens ?? 0;
}
result.expectedUsage = chat.usage.total_tokens;

const tools = [{
  type: "function",
  function: {
    name: "weather",
    description: "The weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string", enum: ["Paris", "Rome"] } },
      required: ["city"],
      additionalProperties: false,
    },
    strict: true,
  },
}];
const called = await client.chat.completions.create({
  model, messages, tools, tool_choice: "required", temperature: 0, max_tokens: 200,
  logit_bias: JSON.parse(process.env.TOKENS),
});
result.call = called.choices[0].message.tool_calls[0].function;

const structured = await client.chat.completions.create({
  model, messages, temperature: 0, max_tokens: 100,
  response_format: {
    type: "json_schema",
    json_schema: {
      name: "answer",
      strict: true,
      schema: {
        type: "object",
        properties: { sure: { type: "boolean" } },
        required: ["sure"],
        additionalProperties: false,
      },
    },
  },
});
result.structured = JSON.parse(structured.choices[0].message.content);

const response = await client.responses.create({ model, input: messages[0].content, temperature: 0, max_output_tokens: 40 });
result.response = response.output_text;

result.responseStreamed = "";
const events = await client.responses.create({
  model, input: messages[0].content, temperature: 0, max_output_tokens: 40, stream: true,
});
for await (const event of events) {
  if (event.type === "response.output_text.delta") {
    result.responseStreamed += event.delta;
  }
}

// The client asks for base64, and decodes it.
const embedding = await client.embeddings.create({ model, input: ["你好", "hello"] });
result.embeddings = embedding.data.map((item) => item.embedding.length);

const models = await client.models.list();
result.models = models.data.map((item) => item.id);

try {
  await client.chat.completions.create({ model, messages, temperature: -1 });
} catch (error) {
  result.error = { name: error.constructor.name, status: error.status, param: error.param };
}
console.log(JSON.stringify(result));
