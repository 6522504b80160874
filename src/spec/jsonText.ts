/** JSON as people write it: what is short stands on one line. */

const WIDTH = 80;
const INDENT = '  ';

/**
 * The text of a JSON value. Its own entries have a line each; below, an object or array that fits into 80 columns with what stands before it
 * takes one line: `"network": { "layers": [16, "relu", 3] },`.
 */
export function formatJson(value: unknown): string {
  return broken(value, '');
}

function format(value: unknown, indent: string, before: number): string {
  const line = onOneLine(value);
  return isContainer(value) && before + line.length > WIDTH ? broken(value, indent) : line;
}

/** An entry a line. */
function broken(value: unknown, indent: string): string {
  if (!isContainer(value)) return JSON.stringify(value);
  const inner = indent + INDENT;
  const isArray = Array.isArray(value);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => {
      const label = isArray ? '' : `${JSON.stringify(key)}: `;
      return inner + label + format(item, inner, inner.length + label.length + 1);
    });
  const [open, close] = isArray ? '[]' : '{}';
  return entries.length === 0 ? open + close : `${open}\n${entries.join(',\n')}\n${indent}${close}`;
}

function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (!isContainer(value)) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${JSON.stringify(key)}: ${onOneLine(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** Whether a JSON value is an object or an array. */
export function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
