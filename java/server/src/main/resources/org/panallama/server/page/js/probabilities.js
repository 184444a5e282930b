// A text as its tokens, coloured by how likely each was; pointing at one (or moving to it by keyboard) shows what else
// the model had in mind there.

import { el } from "./dom.js";
import { number, t } from "./i18n.js";

const GAP = 6;

const percent = (logprob) => Math.exp(logprob) * 100;
const written = (logprob) =>
    percent(logprob) < 0.01 ? `< ${number(0.01, 2)}` : number(percent(logprob), percent(logprob) < 10 ? 2 : 1);
const visible = (token) => token.replaceAll("\n", "↵").replaceAll("\t", "⇥").replaceAll(" ", "␣");

// Five classes rather than a colour each, which would need inline styles.
const shade = (logprob) => `token shade-${Math.min(4, Math.floor(percent(logprob) / 20))}`;

/** The tokens [text, log probability, alternatives] one after the other. */
export function tokenView(tokens) {
    const card = el("div", { class: "token-card", role: "tooltip", hidden: true });
    const spans = tokens.map((token, index) =>
        el("span", {
            class: shade(token[1]),
            textContent: token[0],
            tabIndex: index === 0 ? 0 : -1,
            "aria-label": t("probabilityOf", visible(token[0]), written(token[1])),
            role: "img",
        }),
    );
    const show = (index) => {
        card.replaceChildren(...alternatives(tokens[index]));
        card.hidden = false;
        place(card, spans[index]);
    };
    const view = el("div", { class: "tokens" }, spans, card);
    const indexOf = (event) => spans.indexOf(event.target);
    view.addEventListener("pointerover", (event) => {
        if (indexOf(event) >= 0) show(indexOf(event));
    });
    view.addEventListener("focusin", (event) => {
        if (indexOf(event) >= 0) show(indexOf(event));
    });
    for (const leaving of ["pointerleave", "focusout"]) view.addEventListener(leaving, () => (card.hidden = true));
    view.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const next = step && spans[indexOf(event) + step];
        if (!next) return;
        event.preventDefault();
        event.target.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
    });
    return view;
}

function alternatives([token, logprob, others]) {
    const rows = others.some(([other]) => other === token) ? others : [[token, logprob], ...others];
    return [
        el("p", { class: "hint" }, t("alternatives")),
        ...[...rows]
            .sort((a, b) => b[1] - a[1])
            .map(([other, value]) =>
                el(
                    "div",
                    { class: other === token ? "candidate taken" : "candidate" },
                    el("code", {}, visible(other)),
                    el("meter", { max: 100, value: percent(value), "aria-hidden": "true" }),
                    el("span", {}, t("probability", written(value))),
                ),
            ),
    ];
}

// Below the token or, where there is no room, above it. A token may be broken over two lines: the first counts.
function place(card, span) {
    const token = span.getClientRects()[0];
    const below = token.bottom + GAP;
    const fits = below + card.offsetHeight <= innerHeight;
    card.style.top = `${fits ? below : token.top - GAP - card.offsetHeight}px`;
    card.style.left = `${Math.max(GAP, Math.min(token.left, innerWidth - card.offsetWidth - GAP))}px`;
}
