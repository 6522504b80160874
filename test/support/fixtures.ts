import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A JSON file under test/fixtures. */
export function fixture<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8')) as T;
}

/** A path inside the project. */
export function projectPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
