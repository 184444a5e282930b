// Elements in one expression, without a template language and without HTML strings.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element. Keys of `properties` that start with "on" are listeners, "class" and names with a dash are
 * attributes, others are properties of the element. A child that is null or false is left out.
 */
export function el(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (value === undefined || value === null) continue;
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (name === "dataset") Object.assign(element.dataset, value);
        else if (name === "class" || name === "role" || name === "for" || name.includes("-")) {
            element.setAttribute(name, value);
        } else element[name] = value;
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
}

/** One of the drawings of icons.svg, in the colour of the text around it. */
export function icon(name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", `icons.svg#${name}`);
    svg.append(use);
    return svg;
}

/** A button that shows an icon alone; its label is read aloud and shown as a tooltip. */
export function iconButton(name, label, onclick, properties = {}) {
    return el(
        "button",
        { type: "button", class: "icon-button", title: label, "aria-label": label, onclick, ...properties },
        icon(name),
    );
}

export const $ = (id) => document.getElementById(id);
