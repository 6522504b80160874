import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  truncateSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type OpenOptions, openSource, readAt, type Source } from '../../../src/data/source/source.js';
import { ExitCode } from '../../../src/errors.js';
import { projectPath } from '../../support/fixtures.js';
import { Folder, rejection } from '../files.js';

/** What stands in for the disk: bytes it takes in one call, or none at all. */
const disk = vi.hoisted(() => ({ full: false, bytesPerWrite: Number.POSITIVE_INFINITY }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const write = (fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => {
    if (disk.full) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    return fs.writeSync(fd, bytes, offset, Math.min(length, disk.bytesPerWrite), position);
  };
  return { ...fs, writeSync: write };
});

const POSIX = process.platform !== 'win32';
const TEXT = 'a,b\n1,2\n3,4\n';

const folder = new Folder();
const opened: Source[] = [];

afterEach(() => {
  for (const source of opened.splice(0)) source.close();
  disk.full = false;
  disk.bytesPerWrite = Number.POSITIVE_INFINITY;
  vi.unstubAllEnvs();
});

async function open(path: string, progress?: OpenOptions['progress']): Promise<Source> {
  const source = await openSource(path, progress && { progress });
  opened.push(source);
  return source;
}

/** All bytes, as text. */
function contentOf(source: Source): string {
  const bytes = Buffer.alloc(source.size);
  readAt(source, bytes, 0, source.size, 0);
  return bytes.toString();
}

/** An empty folder that temporary files go to. */
function temporaryFiles(name: string): string {
  const path = join(folder.path, name);
  mkdirSync(path);
  vi.stubEnv('TMPDIR', path);
  vi.stubEnv('TEMP', path);
  return path;
}

/** Where it is thrown, without the folder. */
async function failure(path: string) {
  const { exitCode, message, hint } = await rejection(open(path));
  return { exitCode, message: message.replace(join(folder.path, '/'), ''), hint };
}

describe('a plain file', () => {
  it('is read in place', async () => {
    const temporary = temporaryFiles('unused');
    const source = await open(folder.write('plain.csv', TEXT));
    expect(source).toMatchObject({ name: join(folder.path, 'plain.csv'), size: TEXT.length });
    expect(contentOf(source)).toBe(TEXT);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('may be empty, or shorter than what tells a gzip', async () => {
    expect(contentOf(await open(folder.write('empty.csv', '')))).toBe('');
    expect(contentOf(await open(folder.write('short.csv', Uint8Array.of(0x1f))))).toBe('\x1f');
  });

  it('is named without control characters', async () => {
    const { message } = await failure(join(folder.path, 'a\u001b[2J.csv'));
    expect(message).toBe('a\\u001b[2J.csv: no such file');
  });

  it('is closed once, however often it is asked to', async () => {
    const source = await open(folder.write('closed.csv', TEXT));
    source.close();
    const next = openSync(folder.write('next.csv', TEXT), 'r');
    source.close();
    expect(fstatSync(next).size).toBe(TEXT.length);
    closeSync(next);
  });

  it.skipIf(!POSIX)('may be larger than 2 GiB', async () => {
    const path = folder.write('large.csv', '');
    const far = 2 ** 31 + 5;
    truncateSync(path, far + 3);
    const writer = openSync(path, 'r+');
    writeSync(writer, Buffer.from('end'), 0, 3, far);
    closeSync(writer);
    const source = await open(path);
    expect(source.size).toBe(far + 3);
    const bytes = Buffer.from('[...]');
    readAt(source, bytes, 1, 3, far);
    expect(bytes.toString()).toBe('[end]');
  });
});

describe('a file that is not there to be read', () => {
  it('is refused with 66 where it is missing or a directory', async () => {
    const missing = { exitCode: ExitCode.noInput, message: 'no.csv: no such file' };
    expect(await failure(join(folder.path, 'no.csv'))).toMatchObject(missing);
    mkdirSync(join(folder.path, 'directory'));
    expect(await failure(join(folder.path, 'directory'))).toMatchObject({
      exitCode: ExitCode.noInput,
      message: 'directory: found a directory, expected a file',
    });
  });

  // root may read anything, and Windows knows no such mode
  it.skipIf(!POSIX || process.getuid?.() === 0)('is refused with 77 where it is forbidden', async () => {
    const path = folder.write('secret.csv', TEXT);
    chmodSync(path, 0);
    expect((await failure(path)).exitCode).toBe(ExitCode.noPermission);
  });
});

describe('a file that changes while it is read', () => {
  const changed = (found: number) => ({
    exitCode: ExitCode.io,
    message: expect.stringContaining(`changed while it was read: found ${found} bytes, expected 12`),
    hint: 'run again when nothing writes to the file',
  });

  it('is refused where it has shrunk', async () => {
    const path = folder.write('shrinks.csv', TEXT);
    const source = await open(path);
    source.requireUnchanged();
    truncateSync(path, 5);
    expect(() => source.requireUnchanged()).toThrow(expect.objectContaining(changed(5)));
    expect(() => readAt(source, Buffer.alloc(12), 0, 12, 0)).toThrow(expect.objectContaining(changed(5)));
  });

  it('is refused where it has grown', async () => {
    const path = folder.write('grows.csv', TEXT);
    const source = await open(path);
    appendFileSync(path, '5,6\n');
    expect(() => source.requireUnchanged()).toThrow(expect.objectContaining(changed(16)));
  });

  it('is refused where it was written over', async () => {
    const path = folder.write('rewritten.csv', TEXT);
    const source = await open(path);
    utimesSync(path, new Date(0), new Date(0));
    expect(() => source.requireUnchanged()).toThrow(/rewritten\.csv: changed while it was read$/);
  });
});

describe('a gzip', () => {
  const packed = gzipSync(TEXT.repeat(1000));

  it('is told by its content and unpacked, whatever its name', async () => {
    const source = await open(folder.write('packed.csv', packed));
    expect(source).toMatchObject({ name: join(folder.path, 'packed.csv'), size: TEXT.length * 1000 });
    expect(contentOf(source)).toBe(TEXT.repeat(1000));
    source.requireUnchanged();
  });

  it('may have several members, and none that hold anything', async () => {
    const members = Buffer.concat([gzipSync(TEXT), gzipSync(''), gzipSync('5,6\n')]);
    expect(contentOf(await open(folder.write('members.gz', members)))).toBe(`${TEXT}5,6\n`);
    expect(contentOf(await open(folder.write('nothing.gz', gzipSync(''))))).toBe('');
  });

  it('is unpacked into a file that nobody else can open, and that goes away', async () => {
    const temporary = temporaryFiles('unpacked');
    const source = await open(folder.write('hidden.gz', packed));
    if (POSIX) {
      expect(readdirSync(temporary)).toEqual([]);
      expect(fstatSync(source.fd).mode & 0o777).toBe(0o600);
    }
    source.close();
    source.close();
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('is unpacked whole where the system writes less than it is given', async () => {
    disk.bytesPerWrite = 777;
    expect(contentOf(await open(folder.write('slow.gz', packed)))).toBe(TEXT.repeat(1000));
  });

  it('reports the packed bytes that are read', async () => {
    // Noise, so that the packed file is several chunks long.
    let state = 1;
    const noise = Uint8Array.from({ length: 600_000 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
    const bytes = gzipSync(noise);
    const reports: [number, number | undefined][] = [];
    await open(folder.write('noise.gz', bytes), (done, total) => reports.push([done, total]));
    expect(reports.length).toBeGreaterThan(1);
    expect(reports.at(-1)).toEqual([bytes.length, bytes.length]);
    expect(reports.map(([done]) => done)).toEqual(reports.map(([done]) => done).toSorted((a, b) => a - b));
  });

  it('is refused where it is cut short, at whatever byte', async () => {
    const small = gzipSync(TEXT);
    for (let length = 2; length < small.length; length++) {
      const { exitCode, message } = await failure(folder.write('cut.gz', small.subarray(0, length)));
      expect(exitCode).toBe(ExitCode.data);
      expect(message).toContain(`cut.gz: found a gzip file that is cut short: its ${length} bytes`);
    }
    expect((await failure(folder.write('cut.gz', packed.subarray(0, -1)))).message).toBe(
      `cut.gz: found a gzip file that is cut short: its ${packed.length - 1} bytes unpack to 12000`,
    );
  });

  it.each([
    [
      'a wrong checksum',
      packed.with(packed.length - 8, packed[packed.length - 8] ^ 1),
      'incorrect data check',
    ],
    ['other data', packed.with(12, packed[12] ^ 0xff), 'damaged gzip file'],
    ['text after its end', Buffer.concat([packed, Buffer.from('and more')]), 'incorrect header check'],
    ['padding after its end', Buffer.concat([packed, Buffer.alloc(100)]), 'something after the end'],
    ['a lot of padding', Buffer.concat([packed, Buffer.alloc(2 ** 20)]), 'something after the end'],
  ])('is refused where it holds %s', async (_, bytes, expected) => {
    const { exitCode, message } = await failure(folder.write('damaged.gz', bytes));
    expect(exitCode).toBe(ExitCode.data);
    expect(message).toContain(`damaged.gz: found `);
    expect(message).toContain(expected);
  });

  it('is refused with a hint where the disk is full', async () => {
    const temporary = temporaryFiles('full');
    disk.full = true;
    expect(await failure(folder.write('packed.gz', packed))).toEqual({
      exitCode: ExitCode.io,
      message: `full: found no more room after 0 bytes of ${join(folder.path, 'packed.gz')}: ENOSPC: no space left on device`,
      hint: expect.stringContaining('TMPDIR'),
    });
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('is refused with a hint where no temporary file can be made', async () => {
    vi.stubEnv('TMPDIR', join(folder.path, 'nowhere'));
    vi.stubEnv('TEMP', join(folder.path, 'nowhere'));
    expect(await failure(folder.write('packed.gz', packed))).toMatchObject({
      exitCode: ExitCode.cantCreate,
      message: expect.stringContaining("nowhere: can't create a temporary file"),
      hint: expect.stringContaining('TMPDIR'),
    });
  });
});

describe.skipIf(!POSIX)('a named pipe', () => {
  async function openPipe(name: string, bytes: string | Uint8Array, progress?: (done: number) => void) {
    const path = join(folder.path, name);
    execFileSync('mkfifo', [path]);
    const [source] = await Promise.all([open(path, progress), writeFile(path, bytes)]);
    return source;
  }

  it('is copied first', async () => {
    const totals: unknown[] = [];
    const source = await openPipe('pipe', TEXT, (...report) => totals.push(report));
    expect(source).toMatchObject({ name: join(folder.path, 'pipe'), size: TEXT.length });
    expect(contentOf(source)).toBe(TEXT);
    expect(totals).toEqual([[TEXT.length, undefined]]);
  });

  it('may hold a gzip', async () => {
    expect(contentOf(await openPipe('packed-pipe', gzipSync(TEXT)))).toBe(TEXT);
  });

  it('may be empty', async () => {
    expect(contentOf(await openPipe('empty-pipe', ''))).toBe('');
  });
});

describe('standard input', () => {
  const script = (statements: string) => `
    import { openSource, readAt } from ${JSON.stringify(pathToFileURL(projectPath('dist/data/source/source.js')))};
    const source = await openSource('-');
    const bytes = Buffer.alloc(source.size);
    readAt(source, bytes, 0, source.size, 0);
    ${statements}`;

  /** What the built sources make of a standard input, in a process of its own. */
  function inChild(statements: string, input: string | Uint8Array | number): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script(statements)], {
        stdio: [typeof input === 'number' ? input : 'pipe', 'pipe', 'inherit'],
      });
      if (typeof input !== 'number') child.stdin?.end(input);
      let output = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      child.on('error', reject);
      child.on('close', () => resolve(output));
    });
  }

  it.each<[string, string | Uint8Array]>([
    ['text', TEXT],
    ['a gzip', gzipSync(TEXT)],
  ])('is read as %s', async (_, input) => {
    const show = 'console.log(JSON.stringify([source.name, bytes.toString()]))';
    expect(JSON.parse(await inChild(show, input))).toEqual(['standard input', TEXT]);
  });

  it('goes on where somebody else has stopped reading', async () => {
    const fd = openSync(folder.write('half.csv', `title\n${TEXT}`), 'r');
    const skip = "require('node:fs').readSync(0, Buffer.alloc(6))";
    execFileSync(process.execPath, ['-e', skip], { stdio: [fd, 'ignore', 'inherit'] });
    expect(await inChild('console.log(bytes.toString())', fd)).toBe(`${TEXT}\n`);
    closeSync(fd);
  });

  it('can be given for one file alone', async () => {
    const again = "await openSource('-').catch(({ message }) => console.log(message))";
    expect(await inChild(again, TEXT)).toBe('standard input: found "-" for two files, expected it for one\n');
  });
});
