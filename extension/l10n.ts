/**
 * The texts that people see in the window. Each is written in English where it is used; `l10n/` has it in other
 * languages. Modules that know no VS Code go through here too: outside a window the English text is used.
 */
export type TextValue = string | number;

type Translate = (text: string, ...values: TextValue[]) => string;

const fill: Translate = (text, ...values) => text.replace(/\{(\d+)\}/g, (place, index: string) => String(values[Number(index)] ?? place));

let translate: Translate = fill;
/** As BCP 47 names it; undefined outside a window: the system's. */
let language: string | undefined;

/** @param text a literal, which a test holds against the translations; `{0}` stands for the first value */
export function t(text: string, ...values: TextValue[]): string {
  return translate(text, ...values);
}

/** Called once when the extension is activated, with VS Code's own translator and the window's language. */
export function translateWith(other: Translate, of?: string): void {
  translate = other;
  language = of;
}

/** A moment, ms since 1970, as the language writes it. */
export function formatMoment(time: number): string {
  return new Date(time).toLocaleString(language);
}
