import fc from 'fast-check';

/** Names as a careless or malicious CSV may have them: escape codes, line breaks, wide, joined and invisible characters. */
export const hostileText = fc.string({
  unit: fc.constantFrom(
    'a',
    'Z',
    '7',
    ' ',
    'é',
    'e\u0301',
    '花',
    '🙂',
    '👩‍👩‍👧',
    '\x1b[31m',
    '\x9b2J',
    '\n',
    '\r',
    '\0',
    '\u202e',
    '\ufeff',
  ),
  maxLength: 12,
});
