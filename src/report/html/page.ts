/**
 * The frame of a page: one file without any request. Its policy allows this style and this script by
 * their hashes, pictures within the page, and nothing else.
 */
import { createHash } from 'node:crypto';
import { type Content, html, json, Markup } from './markup.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

export interface Section {
  /** Of the link to it. */
  readonly id: string;
  readonly title: string;
  readonly body: Content;
}

export interface Page {
  /** The window's title. */
  readonly title: string;
  /** Above the sections. */
  readonly head: Content;
  readonly sections: readonly Section[];
  /** Which program wrote the page. */
  readonly writer: string;
}

/** By the id of its figure, what the script needs to show values under the pointer. */
export type ChartData = Readonly<Record<string, unknown>>;

/** @param charts what the charts of the page hold */
export function page({ title, head, sections, writer }: Page, charts: ChartData): string {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(STYLE)}'`,
    `script-src '${hashOf(SCRIPT)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const shown = sections.filter(({ body }) => body !== undefined && body !== false);
  const links = shown.map(({ id, title }) => html`<a href="#${id}">${title}</a> `);
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
${head}
<nav aria-label="Sections">${links}</nav>
</header>
<main>
${shown.map(({ id, title, body }) => html`<section id="${id}">\n<h2>${title}</h2>\n${body}\n</section>\n`)}</main>
<footer>${writer}</footer>
<script type="application/json" id="charts">${json(charts)}</script>
<script>${new Markup(SCRIPT)}</script>
</body>
</html>
`.text;
}

/** As a policy names what it allows. */
export function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`;
}
