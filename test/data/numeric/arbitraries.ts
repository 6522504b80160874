/** Random CSVs that the byte path may own. */
import fc from 'fast-check';

const digits = fc.stringMatching(/^[0-9]{1,20}$/);
const badCells = fc.constantFrom(
  ...['-0', '+0', '.5', '5.', '-.5e1', '007', '1e-320', '4.9e-324', '2e-324', '1e308', '-1E+308', '0e999'],
  ...[
    '1.7976931348623157e308',
    '9007199254740993',
    '0.1',
    '123456789012345678',
    '1e22',
    '1e23',
    '00.50',
    '1e-400',
  ],
  ...['0.30000000000000004', '12345678', '-123456789', '.123456789012345', '1234567890.12345678901234567890'],
);
export const number = fc.oneof(
  badCells,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.tuple(fc.constantFrom('', '-', '+'), digits, digits).map(([sign, a, b]) => `${sign}${a}.${b}`),
  fc
    .tuple(digits, fc.integer({ min: -40, max: 40 }), fc.constantFrom('e', 'E'))
    .map(([a, exponent, e]) => `0.${a}${e}${exponent}`),
);
const missing = fc.constantFrom('', 'NA', 'nan', ' ', '?', 'null');
const spaced = (cell: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.constantFrom('', '', '', ' ', '   '), cell, fc.constantFrom('', '', '', ' '))
    .map((parts) => parts.join(''));
const quoted = (cell: fc.Arbitrary<string>) => cell.map((text) => `"${text.replaceAll('"', '""')}"`);
const maybeQuoted = (cell: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 3, arbitrary: cell }, { weight: 1, arbitrary: quoted(cell) });
const anyText = fc.oneof(
  fc.constantFrom(
    'a,b',
    'a;b\tc|d',
    'say "hi"',
    'two\nlines',
    'two\r\nlines',
    ' x ',
    '-NaN',
    '1.#IND',
    '#N/A',
  ),
  fc.constantFrom(
    'NA ',
    '12 ',
    ' 7',
    '  ',
    '\r',
    '\n\n',
    '"',
    '\u00a0',
    'more than sixteen characters, and a comma',
  ),
  fc.string({ unit: fc.constantFrom(...'ab1.e ,;|"\n\r\té'), maxLength: 40 }),
);
const word = fc.constantFrom('x', 'yes', 'Zoë', '北京', '🦊', 'a b', 'trailing.', '-', 'no');

interface Shape {
  readonly content: string;
  readonly textColumns: readonly boolean[];
}

/** A file that the byte path owns. */
export const owned: fc.Arbitrary<Shape> = fc
  .tuple(
    fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    fc.integer({ min: 1, max: 12 }),
    fc.constantFrom(',', ';', '\t', '|'),
    fc.boolean(),
  )
  .chain(([textColumns, rows, delimiter, isComplete]) => {
    const cell = (isText: boolean, isFirst: boolean) =>
      isText
        ? fc.oneof(
            { weight: 5, arbitrary: maybeQuoted(word) },
            { weight: isFirst ? 0 : 1, arbitrary: maybeQuoted(missing) },
            { weight: isFirst ? 0 : 2, arbitrary: quoted(anyText) },
            { weight: isFirst ? 0 : 1, arbitrary: fc.constantFrom('5" pipe', 'a "b" c') },
          )
        : fc.oneof(
            { weight: 5, arbitrary: maybeQuoted(number) },
            { weight: isFirst ? 0 : 1, arbitrary: maybeQuoted(missing) },
          );
    const row = (isFirst: boolean) =>
      fc.tuple(
        fc.tuple(...textColumns.map((isText) => spaced(cell(isText, isFirst)))),
        fc.constantFrom('\n', '\r\n'),
      );
    const ending = fc.tuple(fc.constantFrom('', delimiter), fc.constantFrom('', '\n', ' \r\n\n'));
    return fc
      .tuple(row(true), fc.array(row(false), { minLength: rows, maxLength: rows }), ending)
      .map(([first, rest, [trailing, emptyLines]]) => {
        const header = `${textColumns.map((_, i) => `c${i}`).join(delimiter)}\n`;
        // A row that is blank altogether would be an empty line.
        const lines = [first, ...rest].filter(([cells]) => cells.join('').trim() !== '');
        const text = lines.map(([cells, end]) => cells.join(delimiter) + trailing + end).join('');
        return {
          content: header + (isComplete ? text + emptyLines : text.replace(/\r?\n$/, '')),
          textColumns,
        };
      });
  });
