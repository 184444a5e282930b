// Markdown as elements. What the model wrote is never trusted: HTML in it is shown as text but for a few plain tags,
// and DOMPurify has the last word over everything.

import hljs from "../vendor/highlight/highlight.min.js";
import { marked } from "../vendor/marked/marked.esm.js";
import DOMPurify from "../vendor/dompurify/purify.es.mjs";
import { el, icon, iconButton } from "./dom.js";
import { t } from "./i18n.js";

const PLAIN_TAG = /^<\/?(b|br|del|em|i|ins|kbd|mark|s|strong|sub|sup|u)\s*\/?>$/i;

const escape = (text) =>
    text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

marked.use({
    gfm: true,
    breaks: true,
    renderer: {
        html: ({ text }) => (PLAIN_TAG.test(text.trim()) ? text : escape(text)),
        // The page loads nothing from elsewhere; a link lets the user decide.
        image: ({ href, text }) => `<a href="${escape(href)}">${escape(text || href)}</a>`,
        checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    },
});

const POLICY = {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ["audio", "button", "dialog", "form", "img", "input", "picture", "source", "style", "textarea", "video"],
    FORBID_ATTR: ["style", "id", "name"],
    ALLOW_DATA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
};

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
    if (node.tagName === "A") {
        node.setAttribute("target", "_blank");
        node.setAttribute("rel", "noopener noreferrer");
    }
});

/**
 * Shows a Markdown text in an element, and again whenever it grew: blocks that stayed as they were are left alone, so
 * that a selection in them survives and a long answer is not rendered anew for every token.
 */
export class MarkdownView {
    element = el("div", { class: "markdown" });
    #sources = [];
    #links = "{}";

    show(text) {
        const blocks = marked.lexer(text);
        // A reference that came to be defined changes the blocks before it.
        const links = JSON.stringify(blocks.links);
        if (links !== this.#links) this.#sources = [];
        this.#links = links;
        blocks.forEach((block, index) => {
            if (this.#sources[index] === block.raw) return;
            this.#sources[index] = block.raw;
            const view = el("div", { class: "block" }, render(block));
            if (index < this.element.childElementCount) this.element.children[index].replaceWith(view);
            else this.element.append(view);
        });
        this.#sources.length = blocks.length;
        while (this.element.childElementCount > blocks.length) this.element.lastElementChild.remove();
    }
}

function render(block) {
    const fragment = DOMPurify.sanitize(marked.parser([block]), POLICY);
    for (const code of fragment.querySelectorAll("pre > code")) code.parentElement.replaceWith(codeBlock(code));
    for (const table of fragment.querySelectorAll("table")) {
        const frame = el("div", { class: "table-frame", tabIndex: 0 });
        table.replaceWith(frame);
        frame.append(table);
    }
    return fragment;
}

function codeBlock(code) {
    const name = /language-(\S+)/.exec(code.className)?.[1] ?? "";
    const text = code.textContent;
    if (hljs.getLanguage(name)) {
        code.innerHTML = hljs.highlight(text, { language: name, ignoreIllegals: true }).value;
        code.classList.add("hljs");
    }
    return el(
        "figure",
        { class: "code" },
        el("figcaption", {}, el("span", {}, name), copyButton(() => text)),
        el("pre", { tabIndex: 0 }, code),
    );
}

/** A button that copies a text and says so for a moment. */
export function copyButton(text) {
    const button = iconButton("copy", t("copy"), async () => {
        await copy(text());
        button.replaceChildren(icon("check"));
        button.setAttribute("aria-label", t("copied"));
        setTimeout(() => {
            button.replaceChildren(icon("copy"));
            button.setAttribute("aria-label", t("copy"));
        }, 1500);
    });
    return button;
}

// navigator.clipboard is missing where the page is not served over https or from this machine.
async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = el("textarea", { value: text, class: "off-screen" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
}
