/**
 * HTML and SVG out of text. A template escapes what is put into it, so a name from a file can't become
 * markup: only what another template made is taken as it is.
 */
import { printable } from '../../text.js';

/** What may stand in a template. `undefined` and `false` are nothing. */
export type Content = string | number | bigint | Markup | undefined | false | readonly Content[];

/** Text that is markup already. */
export class Markup {
  readonly text: string;

  /** @param text of this program alone: nothing from a file that is not escaped */
  constructor(text: string) {
    this.text = text;
  }
}

/** `html`<b>${name}</b>``: the values are escaped, for an element's content and for quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let text = parts[0];
  for (let i = 0; i < values.length; i++) text += textOf(values[i]) + parts[i + 1];
  return new Markup(text);
}

function textOf(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (content === undefined || content === false) return '';
  return typeof content === 'object' ? content.map(textOf).join('') : escaped(String(content));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Marks that turn the direction of text are shown, not obeyed, as on a terminal; tabs and ends of lines stay. */
function escaped(text: string): string {
  return text
    .split(/([\n\t])/)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join('')
    .replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** A name of a file, a column or a class: its direction does not turn that of the text around it. */
export function name(text: string): Markup {
  return html`<bdi>${text}</bdi>`;
}

/** JSON for a script element, which neither ends the element nor begins a comment. */
export function json(value: unknown): Markup {
  return new Markup(
    JSON.stringify(value)
      .replace(/</g, '\\u003c')
      .replace(/[\u2028\u2029]/g, (line) => (line === '\u2028' ? '\\u2028' : '\\u2029')),
  );
}

/** A coordinate with one decimal, which is a tenth of a pixel. */
export function px(value: number): string {
  const rounded = Math.round(value * 10) / 10;
  return String(Object.is(rounded, -0) ? 0 : rounded);
}
