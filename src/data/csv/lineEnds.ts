/** Line ends as csv-parse knows them: LF, CRLF and CR. */

const LINE_END = /\r\n|\n|\r/g;

/** How many line ends the text holds. */
export function countLineEnds(text: string): number {
  return text.match(LINE_END)?.length ?? 0;
}

/** Where the line begins that has so many lines of the text before it. */
export function lineStart(text: string, linesBefore: number): number {
  if (linesBefore === 0) return 0;
  let count = 0;
  for (const { 0: end, index } of text.matchAll(LINE_END)) {
    if (++count === linesBefore) return index + end.length;
  }
  return text.length;
}

/** Where the quote is that closes the one at `start`; the end of the text where there is none. A doubled quote closes nothing. */
export function closingQuote(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  return end < 0 ? text.length : end;
}
