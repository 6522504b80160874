import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { OutputFile, requireFree, writeNewFile } from '../../src/files/outputFile.js';
import { folderOf, temporaryFolder } from '../support/cli.js';

function failure(action: () => void): [number, string] {
  try {
    action();
  } catch (error) {
    if (error instanceof MlpError) return [error.exitCode, error.message];
    throw error;
  }
  throw new Error('there was no error');
}

describe('a new file', () => {
  it('is written, and nothing beside it', () => {
    const folder = folderOf({});
    const path = join(folder, 'a.json');
    requireFree(path, false);
    writeNewFile(path, 'text', false);
    expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['a.json'], 'text']);
  });

  it('never takes the place of another', () => {
    const folder = folderOf({ 'a.json': 'old' });
    const path = join(folder, 'a.json');
    for (const write of [() => requireFree(path, false), () => writeNewFile(path, 'new', false)]) {
      const [code, message] = failure(write);
      expect(code).toBe(73);
      expect(message).toContain('a.json: found an existing file, expected a new one');
    }
    expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['a.json'], 'old']);
  });

  it('replaces another when forced to', () => {
    const folder = folderOf({ 'a.json': 'a longer old text' });
    const path = join(folder, 'a.json');
    requireFree(path, true);
    writeNewFile(path, 'new', true);
    expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['a.json'], 'new']);
    writeNewFile(join(folder, 'b.json'), 'also where there is none', true);
    expect(readdirSync(folder)).toEqual(['a.json', 'b.json']);
  });

  it.skipIf(process.platform === 'win32')('replaces what a link points to, and leaves the link', () => {
    const folder = folderOf({ 'a.json': 'old' });
    symlinkSync('a.json', join(folder, 'link.json'));
    writeNewFile(join(folder, 'link.json'), 'new', true);
    expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('new');
    expect(readdirSync(folder, { withFileTypes: true }).map((entry) => entry.isSymbolicLink())).toEqual([
      false,
      true,
    ]);
  });

  it('needs a folder, and is none', () => {
    const folder = folderOf({});
    const [code, message] = failure(() => writeNewFile(join(folder, 'no', 'a.json'), 'text', false));
    expect(code).toBe(73);
    expect(message).toContain('found no folder');
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'file'), '');
    for (const force of [false, true]) {
      expect(failure(() => writeNewFile(join(folder, 'sub'), 'text', force))[0]).toBe(73);
    }
    expect(readdirSync(folder)).toEqual(['sub']);
  });
});

describe('an output file', () => {
  it('has its name when it is finished, and not before', async () => {
    const folder = temporaryFolder();
    const file = new OutputFile(join(folder, 'out.csv'), false);
    expect(await file.write('a,b\n')).toBe(true);
    await file.write('ä,2\n');
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.out\.csv\..*\.partial$/)]);
    await file.finish();
    file.discard();
    expect(readdirSync(folder)).toEqual(['out.csv']);
    expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toBe('a,b\nä,2\n');
  });

  it('leaves nothing when it is discarded', async () => {
    const folder = folderOf({ 'old.csv': 'old' });
    for (const [name, force] of [
      ['new.csv', false],
      ['old.csv', true],
    ] as const) {
      const file = new OutputFile(join(folder, name), force);
      await file.write('new');
      file.discard();
      file.discard();
    }
    expect(readdirSync(folder)).toEqual(['old.csv']);
    expect(readFileSync(join(folder, 'old.csv'), 'utf8')).toBe('old');
  });

  it('never takes the place of another, not even of one that came in the meantime', async () => {
    const folder = folderOf({ 'old.csv': 'old' });
    const taken = {
      exitCode: ExitCode.cantCreate,
      message: expect.stringContaining('found an existing file'),
    };
    expect(() => new OutputFile(join(folder, 'old.csv'), false)).toThrow(expect.objectContaining(taken));
    const file = new OutputFile(join(folder, 'new.csv'), false);
    await file.write('ours');
    writeFileSync(join(folder, 'new.csv'), 'theirs');
    await expect(file.finish()).rejects.toMatchObject(taken);
    file.discard();
    expect(readdirSync(folder).sort()).toEqual(['new.csv', 'old.csv']);
    expect(readFileSync(join(folder, 'new.csv'), 'utf8')).toBe('theirs');
  });

  it.skipIf(process.platform === 'win32')('replaces what a link points to when forced to', async () => {
    const folder = folderOf({ 'old.csv': 'old' });
    symlinkSync('old.csv', join(folder, 'link.csv'));
    const file = new OutputFile(join(folder, 'link.csv'), true);
    await file.write('new');
    await file.finish();
    expect(readFileSync(join(folder, 'old.csv'), 'utf8')).toBe('new');
    expect(readdirSync(folder).sort()).toEqual(['link.csv', 'old.csv']);
  });

  it.each([[['no', 'out.csv'], 'found no folder'] as const, [['.'], 'found a directory'] as const])(
    'needs a folder, and is none: %j',
    (path, message) => {
      expect(() => new OutputFile(join(temporaryFolder(), ...path), true)).toThrow(
        expect.objectContaining({
          exitCode: ExitCode.cantCreate,
          message: expect.stringContaining(message),
        }),
      );
    },
  );

  it.skipIf(process.platform === 'win32')('takes no place of a device', () => {
    for (const force of [false, true]) {
      expect(() => new OutputFile('/dev/null', force)).toThrow('/dev/null: found a device or a pipe');
    }
  });
});
