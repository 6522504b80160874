import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { MlpError } from '../../src/errors.js';

/** The MlpError that `run` throws, as plain fields; anything else that it throws goes through. */
export function errorOf(run: () => unknown): { exitCode: number; message: string; hint: string | undefined } {
  try {
    run();
  } catch (error) {
    if (error instanceof MlpError) {
      return { exitCode: error.exitCode, message: error.message, hint: error.hint };
    }
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A folder with these files (objects are written as JSON), gone after the test. */
export function folderWith(files: Record<string, string | Uint8Array | object>): string {
  const folder = mkdtempSync(join(tmpdir(), 'mlp-spec-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    const isRaw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(folder, name), isRaw ? content : JSON.stringify(content));
  }
  return folder;
}
