// One turn on the screen.

import { branch } from "./conversation.js";
import { el, iconButton } from "./dom.js";
import { number, t } from "./i18n.js";
import { copyButton, MarkdownView } from "./markdown.js";
import { tokenView } from "./probabilities.js";

export class MessageView {
    element = el("article", { class: "message", tabIndex: -1 });
    #session;
    #node;
    #markdown = new MarkdownView();
    #body = el("div", { class: "body" });
    #reasoning = el("details", { class: "reasoning" }, el("summary"), el("div"));
    #error = el("p", { class: "error", role: "alert" });
    #footer = el("footer");
    #asTokens = false;

    constructor(session, node) {
        this.#session = session;
        this.#node = node;
        this.element.dataset.role = node.role;
        this.element.append(this.#reasoning, this.#body, this.#error, this.#footer);
        this.render();
    }

    /** Draws the turn as it is now: after its tree, the language or its state changed. Not while it is being edited. */
    render() {
        if (this.#isEdited) return;
        this.element.setAttribute("aria-label", t(this.#node.role === "user" ? "you" : "assistant"));
        this.#reasoning.firstElementChild.textContent = t("thinking");
        this.showText();
        this.#error.textContent = this.#node.error ?? "";
        this.#error.hidden = !this.#node.error;
        this.#footer.replaceChildren(...(this.#running ? [] : [this.#branches(), this.#actions(), this.#figures()]));
    }

    /** Draws the text alone, while it grows. */
    showText() {
        const node = this.#node;
        this.element.classList.toggle("running", this.#running);
        this.element.setAttribute("aria-busy", this.#running);
        this.#reasoning.hidden = !node.reasoning;
        this.#reasoning.lastElementChild.textContent = node.reasoning ?? "";
        if (this.#asTokens && node.tokens?.length && !this.#running) {
            this.#body.replaceChildren(tokenView(node.tokens));
        } else if (node.role === "user") {
            this.#body.replaceChildren(el("div", { class: "plain" }, node.text));
        } else {
            this.#markdown.show(node.text);
            if (this.#body.firstChild !== this.#markdown.element) this.#body.replaceChildren(this.#markdown.element);
        }
    }

    get #isEdited() {
        return this.element.classList.contains("editing");
    }

    get #running() {
        return this.#session.runningNode === this.#node.id;
    }

    #branches() {
        const { index, count } = branch(this.#session.current, this.#node);
        if (count < 2) return "";
        const step = (by) => () => this.#session.choose(this.#node, by);
        return el(
            "div",
            { class: "branches", role: "group", "aria-label": t("versions") },
            iconButton("left", t("previousBranch"), step(-1), { disabled: index === 0 }),
            el("span", {}, t("branchOf", index + 1, count)),
            iconButton("right", t("nextBranch"), step(1), { disabled: index === count - 1 }),
        );
    }

    #actions() {
        const node = this.#node;
        const busy = this.#session.isRunning();
        const switchView = () => {
            this.#asTokens = !this.#asTokens;
            this.render();
        };
        return el(
            "div",
            { class: "actions" },
            copyButton(() => node.text),
            iconButton("edit", t("edit"), () => this.#edit(), { disabled: busy }),
            node.role === "assistant" &&
                iconButton("again", t("regenerate"), () => this.#session.regenerate(node), { disabled: busy }),
            node.tokens?.length > 0 &&
                iconButton("chart", t(this.#asTokens ? "showText" : "showProbabilities"), switchView, {
                    "aria-pressed": String(this.#asTokens),
                }),
        );
    }

    #figures() {
        return this.#node.role === "assistant" ? figures(this.#node) : "";
    }

    #edit() {
        const node = this.#node;
        const area = el("textarea", { value: node.text, class: "grows", "aria-label": t("editing") });
        const close = () => {
            this.element.classList.remove("editing");
            this.render();
            this.element.querySelector(".actions button")?.focus();
        };
        const apply = () => {
            if (this.#session.isRunning()) return; // the text stays here until that is done
            close();
            if (area.value.trim() && area.value !== node.text) this.#session.edit(node, area.value);
        };
        const form = el(
            "form",
            {
                class: "edit",
                onsubmit: (event) => {
                    event.preventDefault();
                    apply();
                },
                onkeydown: (event) => {
                    if (event.isComposing) return;
                    if (event.key === "Escape") {
                        event.stopPropagation();
                        close();
                    } else if (event.key === "Enter" && !event.shiftKey && node.role === "user") {
                        event.preventDefault();
                        apply();
                    }
                },
            },
            area,
            el(
                "div",
                { class: "buttons" },
                el("button", { type: "button", onclick: close }, t("cancel")),
                el("button", { class: "primary" }, t(node.role === "user" ? "saveAndSend" : "save")),
            ),
        );
        this.element.classList.add("editing");
        this.#body.replaceChildren(form);
        this.#footer.replaceChildren();
        area.focus();
        area.setSelectionRange(area.value.length, area.value.length);
    }
}

/** What an answer cost: tokens, speed, model, and why it ended early. */
export function figures({ usage, speed, model, finish }) {
    const early = { stopped: "stopped", length: "lengthReached", interrupted: "interrupted" }[finish];
    const parts = [
        early && el("span", { class: "early" }, t(early)),
        usage &&
            el(
                "span",
                {
                    class: "usage",
                    title: t("tokensUsedTitle", number(usage.prompt), number(usage.completion), number(usage.cached ?? 0)),
                },
                t("tokensUsed", number(usage.prompt), number(usage.completion)),
            ),
        speed > 0 && el("span", { class: "speed" }, t("speed", number(speed, speed < 10 ? 1 : 0))),
        model && el("span", { class: "by" }, model),
    ];
    return el("div", { class: "figures" }, parts);
}
