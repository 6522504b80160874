import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OutputFile } from '../../src/cli/textOutput.js';
import { ExitCode } from '../../src/errors.js';
import { folderOf, temporaryFolder } from '../support/cli.js';

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
    const taken = { exitCode: ExitCode.cantCreate, message: expect.stringContaining('is there already') };
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
