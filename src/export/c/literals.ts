/** Values as C writes them. */
import { shortestFloat32 } from '../../data/csv/writeCsv.js';
import type { FloatArray } from '../../kernels/kernels.js';

export function number(value: number): string {
  if (Number.isNaN(value)) return 'NAN';
  if (!Number.isFinite(value)) return value > 0 ? 'INFINITY' : '-INFINITY';
  return withPoint(String(value));
}

/** A whole number would be an int. */
function withPoint(digits: string): string {
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}

/** The shortest decimals that read back to the same value. */
function element(value: number, isSingle: boolean): string {
  return isSingle ? `${withPoint(shortestFloat32(value))}f` : number(value);
}

/** `static const real name[] = {…};` */
export function* array(
  type: string,
  name: string,
  values: FloatArray | readonly number[],
): Generator<string> {
  const isSingle = values instanceof Float32Array;
  yield `static const ${type} ${name}[] = {`;
  for (let i = 0; i < values.length; i += 8) {
    const row = Array.from(values.slice(i, i + 8), (value) => element(value, isSingle));
    yield `\n  ${row.join(', ')},`;
  }
  yield '\n};\n';
}

/** A string of UTF-8; no trigraph, no escape that runs into what follows, no mark that turns the line round. */
export function text(value: string): string {
  const escaped = value.replace(/["\\?\u0000-\u001f\u007f]|\p{Bidi_Control}/gu, (character) => {
    if (/["\\?]/.test(character)) return `\\${character}`;
    const bytes = Array.from(Buffer.from(character), (byte) => byte.toString(8).padStart(3, '0'));
    return bytes.map((octal) => `\\${octal}`).join('');
  });
  return `"${escaped}"`;
}

/** `static const char *const name[] = {…};` */
export function strings(name: string, values: readonly string[]): string {
  return `static const char *const ${name}[] = {${values.map(text).join(', ')}};\n`;
}
