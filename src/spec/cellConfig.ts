/** How a table is written: its columns, cells, numbers, dates and missing values. */
import { showValue } from '../text.js';
import { choice, object, text, wholeNumber } from './fields.js';
import { COMMENT_START, DATE_ORDERS, DATE_PARTS, DELIMITERS, MISSING_POLICIES } from './words.js';
import * as z from './zod.js';

export const columnExpected = "a column's name, or its number from 0";
export const column = z.union([text(columnExpected), wholeNumber(0)], { error: columnExpected });
export const columns = z.array(column, { error: 'an array of columns' });

export const targets = columns
  .min(1, { error: 'at least one column' })
  .meta({ uniqueItems: true })
  .check(eachOnce('column'));

function eachOnce(what: string) {
  return ({ value, issues }: z.core.ParsePayload<unknown[]>) => {
    const again = value.findIndex((item, i) => value.indexOf(item) < i);
    if (again === -1) return;
    issues.push({
      code: 'custom',
      input: value,
      path: [again],
      message: `found ${showValue(value[again])} a second time, expected each ${what} once`,
    });
  };
}

/** What people write for a delimiter, and the right spelling. */
const delimiterNames: ReadonlyMap<string, string> = new Map([
  ['\\t', '"\\t", which is how JSON writes a tab'],
  ['tab', '"\\t", which is how JSON writes a tab'],
  ['comma', '","'],
  ['semicolon', '";"'],
  ['bar', '"|"'],
  ['pipe', '"|"'],
]);

export const delimiter = z.enum(['auto', ...DELIMITERS, 'whitespace'], {
  error: ({ input }) =>
    delimiterNames.get(String(input).toLowerCase()) ?? '"auto", ",", ";", "\\t", "|" or "whitespace"',
});

const commentExpected = 'one character such as "#" that no cell begins with';
export const comment = z
  .string({ error: commentExpected })
  .regex(COMMENT_START, { error: commentExpected, abort: true });

const quoteExpected = 'one character such as "\'", or "" for none';
export const quoteCharacter = z
  .string({ error: quoteExpected })
  .regex(/^[!-/:-@[-`{-~]?$/, { error: quoteExpected });

const escapeExpected = 'one character such as "\\\\"';
export const escapeCharacter = z
  .string({ error: escapeExpected })
  .regex(/^[!-/:-@[-`{-~]$/, { error: escapeExpected });

const encodingExpected = 'a name of an encoding that TextDecoder knows, such as "windows-1252" or "utf-16le"';
export const encoding = text(encodingExpected).refine(isEncoding, { error: encodingExpected });

function isEncoding(label: string): boolean {
  try {
    return label === 'auto' || new TextDecoder(label).encoding !== '';
  } catch {
    return false;
  }
}

const separatorExpected = 'one character such as ".", " " or "\'" that separates thousands';
export const separator = z
  .string({ error: separatorExpected })
  .regex(/^[^\d+\-eE]$/, { error: separatorExpected });
const decimalMark = choice(['.', ',']);
const stripExpected = 'a text such as "$", or an array of texts';
/** How the numbers of a column are written. */
export const notationSchema = object({
  strip: z
    .union([text(stripExpected), z.array(text(stripExpected), { error: stripExpected })], {
      error: stripExpected,
    })
    .exactOptional()
    .describe(
      'A sign or unit to leave away before or behind the number, such as "$", "%" or "kg", or several.',
    ),
  decimal: decimalMark.exactOptional().describe('The decimal mark of this column.'),
  thousands: separator.exactOptional().describe('What separates thousands in this column.'),
  parentheses: z
    .literal(true, { error: 'true' })
    .exactOptional()
    .describe('Read (5) as −5, as book-keepers write it.'),
  exponent: z
    .literal('D', { error: '"D"' })
    .exactOptional()
    .describe('Read 1.0D+05 as 1.0e+05, as Fortran writes it.'),
});
export const notationExpected = 'an object such as {"strip": "$"} for each column';

const partsExpected = 'an array of parts such as ["year", "month", "weekday", "hour", "elapsed"]';
const dateParts = z
  .array(choice(DATE_PARTS), { error: partsExpected })
  .min(1, { error: 'at least one part' })
  .meta({ uniqueItems: true })
  .check(eachOnce('part'));
const datesExpected = 'an array of parts, or an object such as {"order": "dmy"}';
export const dateSetting = z.union(
  [
    dateParts,
    object({
      parts: dateParts
        .exactOptional()
        .describe('What of a date becomes an input; by default what differs between the rows.'),
      order: choice(DATE_ORDERS)
        .exactOptional()
        .describe(
          'Whether the year, the day or the month comes first. By default the cells show it: 31/12/2024 has the day first.',
        ),
    }),
  ],
  { error: ({ input }) => (Array.isArray(input) ? partsExpected : datesExpected) },
);
export const datesByColumn = 'an object such as {"when": ["month", "weekday", "elapsed"]}';

export const policy = choice(MISSING_POLICIES);
export const policyExpected = 'a policy such as "mean", or an object of policies by column';

export const missingTextsExpected =
  'an array of texts such as ["NA", "-999"], or an object of these by column';
export const missingTexts = z.array(
  z.union([z.string(), z.number({ error: 'a text or a number' })], { error: 'a text or a number' }),
  { error: missingTextsExpected },
);

/** How numbers are written, if not as plain decimals. */
export type NumberNotation = z.infer<typeof notationSchema>;
