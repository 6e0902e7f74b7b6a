/** HTML that is safe to show: made by {@link html} alone, so that no value gets into a page as markup. */
export class Html {
  /** @param text Markup; only {@link html} and {@link raw} make one. */
  constructor(readonly text: string) {}
}

/** What a template takes. Texts and numbers are escaped; false, null and undefined leave nothing. */
export type Part = Html | string | number | false | null | undefined | readonly Part[];

/** A template of HTML (or of SVG in it). Every value is escaped, in text as in quoted attributes. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.map((text, index) => text + (index < parts.length ? textOf(parts[index]) : "")).join(""));
}

/** Takes text as markup: for what this package itself holds as constants, never for a value. */
export function raw(text: string): Html {
  return new Html(text);
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === false || part === null || part === undefined) return "";
  if (typeof part === "object") return part.map(textOf).join("");
  return String(part).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
