/** What mlp init writes, a config or a sweep, and what it says of it. */
import { isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeNewFile } from '../files/outputFile.js';
import { formatJson } from '../spec/json.js';
import { printable } from '../text.js';
import { note, print, toJson, warn } from './output.js';
import { STANDARD_STREAM } from './reading.js';

interface Presentation {
  /** A path, or "-" for standard output. */
  readonly output: string;
  readonly reasons: readonly { readonly key: string; readonly text: string }[];
  readonly warnings?: readonly string[];
  /** The command to run then, from the file as a word of a shell. */
  readonly next: (file: string) => string;
}

/** @param named the document under the name that `--json` gives it */
export function writeDocument(
  named: { readonly [name: string]: object },
  { output, reasons, warnings = [], next }: Presentation,
  { force = false, json = false }: { readonly force?: boolean; readonly json?: boolean },
): void {
  const isFile = output !== STANDARD_STREAM;
  const text = formatJson(Object.values(named)[0]);
  if (isFile) writeNewFile(output, `${text}\n`, force);
  for (const warning of warnings) warn(warning);
  if (json) {
    print(toJson({ path: isFile ? output : null, ...named, reasons }, 2));
    return;
  }
  for (const { key, text } of reasons) note(printable(`${key}: ${text}`));
  if (isFile) {
    print(printable(`wrote ${output}`));
    print(printable(`next: ${next(shellWord(output))}`));
  } else {
    print(text);
  }
}

export function shellWord(text: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(text) ? text : `"${text}"`;
}

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The path from a config's folder to the schema in mlp's folder, with slashes; undefined unless
 * both move together (in mlp's folder, or in the project whose node_modules holds mlp).
 */
export function schemaPath(
  folder: string,
  name = 'config.schema.json',
  packageFolder = PACKAGE,
): string | undefined {
  const installed = packageFolder.indexOf(`${sep}node_modules${sep}`);
  const home = installed < 0 ? packageFolder : packageFolder.slice(0, installed) || sep;
  const inside = relative(home, folder);
  if (isAbsolute(inside) || inside.split(sep)[0] === '..') return undefined;
  const path = relative(folder, join(packageFolder, 'schema', name))
    .split(sep)
    .join('/');
  return path.startsWith('.') ? path : `./${path}`;
}
