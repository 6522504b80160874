import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createFileSync, replaceFileSync, syncFolder, writeFileAtomically } from '../../src/files/atomic.js';
import { rejection } from '../data/files.js';
import { folderOf, temporaryFolder } from '../support/cli.js';

/** What happens around the system's calls. */
const hooks = vi.hoisted(() => ({
  opened: undefined as ((file: FileHandle, path: string) => Promise<FileHandle>) | undefined,
  renaming: undefined as ((from: string) => void) | undefined,
  linking: undefined as (() => void) | undefined,
}));

vi.mock('node:fs/promises', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs/promises')>();
  const open = async (path: string, flags: string) => {
    const file = await fs.open(path, flags);
    return hooks.opened ? hooks.opened(file, path) : file;
  };
  const rename = (from: string, to: string) => {
    hooks.renaming?.(from);
    return fs.rename(from, to);
  };
  return { ...fs, open, rename };
});

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const linkSync = (from: string, to: string) => {
    hooks.linking?.();
    fs.linkSync(from, to);
  };
  return { ...fs, linkSync };
});

/** Has something happen until the test is over. */
function during(changes: Partial<typeof hooks>): void {
  Object.assign(hooks, changes);
  onTestFinished(() => {
    Object.assign(hooks, { opened: undefined, renaming: undefined, linking: undefined });
  });
}

/** Every file in a folder, with what it holds. */
function contentOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

describe('writeFileAtomically', () => {
  it('writes all parts, texts and bytes, and nothing beside them', async () => {
    const folder = temporaryFolder();
    const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(0x61);
    await writeFileAtomically(join(folder, 'new'), ['é,', shared, new Uint8Array(0), Buffer.from('!')]);
    expect(contentOf(folder)).toEqual({ new: 'é,aaa!' });
    await writeFileAtomically(join(folder, 'empty'), []);
    expect(statSync(join(folder, 'empty')).size).toBe(0);
  });

  it('replaces a longer file', async () => {
    const folder = folderOf({ a: 'a longer old text' });
    await writeFileAtomically(join(folder, 'a'), ['new']);
    expect(contentOf(folder)).toEqual({ a: 'new' });
  });

  it('brings the bytes to the disk before their name, and then the folder', async () => {
    const folder = temporaryFolder();
    const calls: string[] = [];
    during({
      async opened(file, path) {
        const { sync, writeFile } = file;
        const what = path === folder ? 'the folder' : 'the file';
        file.writeFile = (data) => {
          calls.push(`write ${data}`);
          return writeFile.call(file, data);
        };
        file.sync = () => {
          calls.push(`sync ${what}`);
          return sync.call(file);
        };
        return file;
      },
      renaming: (from) => calls.push(`rename ${basename(from).replace(/\d+\.[0-9a-f]+/, '*')}`),
    });
    await writeFileAtomically(join(folder, 'a'), ['1', '2']);
    expect(calls).toEqual([
      'write 1',
      'write 2',
      'sync the file',
      'rename .a.*.partial',
      ...(process.platform === 'win32' ? [] : ['sync the folder']),
    ]);
  });

  it('keeps two that write the same file at once apart', async () => {
    const folder = temporaryFolder();
    const texts = ['x', 'y'].map((letter) => letter.repeat(3e6));
    await Promise.all(texts.map((text) => writeFileAtomically(join(folder, 'a'), [text])));
    expect(readdirSync(folder)).toEqual(['a']);
    expect(texts).toContain(readFileSync(join(folder, 'a'), 'utf8'));
  });

  it.skipIf(!existsSync('/dev/full'))('leaves the old file alone where the disk is full: 74', async () => {
    const folder = folderOf({ a: 'old' });
    const { open } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises');
    during({
      async opened(file) {
        await file.close();
        return open('/dev/full', 'w');
      },
    });
    expect(await rejection(writeFileAtomically(join(folder, 'a'), ['new'], 'wait'))).toMatchObject({
      exitCode: 74,
      message: `${join(folder, 'a')}: the disk is full`,
      hint: 'free some space, or wait',
    });
    expect(contentOf(folder)).toEqual({ a: 'old' });
  });

  it('leaves the old file alone where the bytes do not reach the disk: 74', async () => {
    const folder = folderOf({ a: 'old' });
    during({
      async opened(file) {
        file.sync = () => Promise.reject(Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' }));
        return file;
      },
    });
    const { exitCode, message } = await rejection(writeFileAtomically(join(folder, 'a'), ['new']));
    expect([exitCode, message]).toEqual([74, `${join(folder, 'a')}: writing failed: EIO: i/o error, fsync`]);
    expect(contentOf(folder)).toEqual({ a: 'old' });
  });

  it('leaves the old file alone where the parts come to no end', async () => {
    const folder = folderOf({ a: 'old' });
    function* parts() {
      yield 'new';
      throw new Error('no more parts');
    }
    const { message } = await rejection(writeFileAtomically(join(folder, 'a'), parts()));
    expect(message).toContain('no more parts');
    expect(contentOf(folder)).toEqual({ a: 'old' });
  });

  it('needs a folder: 73', async () => {
    const folder = join(temporaryFolder(), 'no');
    const { exitCode, message } = await rejection(writeFileAtomically(join(folder, 'a'), ['new']));
    expect([exitCode, message]).toEqual([
      73,
      `${join(folder, 'a')}: found no folder ${folder}, expected one`,
    ]);
  });

  it('says so where the folder goes away meanwhile: 73', async () => {
    const folder = temporaryFolder();
    during({ renaming: () => rmSync(folder, { recursive: true }) });
    const { exitCode, message } = await rejection(writeFileAtomically(join(folder, 'a'), ['new']));
    expect([exitCode, message]).toEqual([
      73,
      `${join(folder, 'a')}: found no folder ${folder}, expected one`,
    ]);
    expect(existsSync(folder)).toBe(false);
  });

  it('takes the place of no directory: 73', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'a'));
    const { exitCode } = await rejection(writeFileAtomically(join(folder, 'a'), ['new']));
    // Windows doesn't say why.
    expect(exitCode).toBe(process.platform === 'win32' ? 77 : 73);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it.skipIf(process.platform !== 'linux')('needs permission: 77', async () => {
    // Not even root may make a file here.
    const { exitCode, message } = await rejection(writeFileAtomically('/sys/a', ['new']));
    expect([exitCode, message]).toEqual([77, '/sys/a: no permission to write here']);
  });
});

describe('syncFolder', () => {
  it.skipIf(process.platform !== 'linux')('lets a file system be that knows no such thing', async () => {
    await expect(syncFolder('/proc')).resolves.toBeUndefined();
  });

  it.skipIf(process.platform === 'win32')('tells of a folder that is not there', async () => {
    await expect(syncFolder(join(temporaryFolder(), 'no'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe.each<[string, (() => void) | undefined]>([
  ['has second names for files', undefined],
  [
    'has none',
    () => {
      throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
    },
  ],
])('createFileSync, where the file system %s', (_, linking) => {
  it('makes a file, and nothing beside it', () => {
    during({ linking });
    const folder = temporaryFolder();
    createFileSync(join(folder, 'a'), 'text');
    expect(contentOf(folder)).toEqual({ a: 'text' });
  });

  it('never takes the place of another', () => {
    during({ linking });
    const folder = folderOf({ a: 'old' });
    expect(() => createFileSync(join(folder, 'a'), 'new')).toThrow(
      expect.objectContaining({ code: 'EEXIST' }),
    );
    expect(contentOf(folder)).toEqual({ a: 'old' });
  });
});

describe('replaceFileSync', () => {
  it('makes a file or takes the place of another, and leaves nothing beside it', () => {
    const folder = folderOf({ a: 'a longer old text' });
    for (const name of ['a', 'b']) replaceFileSync(join(folder, name), 'new');
    expect(contentOf(folder)).toEqual({ a: 'new', b: 'new' });
  });
});
