import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { answersWithin, networkMounts, requireAnswer } from '../../src/files/mounts.js';
import { errorOf, folderWith } from '../spec/support.js';

describe('network mounts', () => {
  it('are told from others in the list of Linux', () => {
    const text = [
      '24 1 254:0 / / rw,relatime - ext4 /dev/root rw',
      '31 24 0:26 / /mnt/my\\040files rw shared:2 - nfs4 server:/export rw,hard',
      '32 24 0:27 / /mnt/ssh rw - fuse.sshfs me@host: rw',
      '33 24 8:1 / /mnt/usb rw - fuseblk /dev/sdb1 rw',
      '34 24 0:28 / /mnt/old rw - nfs server:/old rw',
      '35 34 0:29 / /mnt/old rw - tmpfs none rw',
      '36 24 0:30 / /run/c/config.json rw master:1 propagate_from:2 - fuse hung rw',
      '',
    ].join('\n');
    expect([...networkMounts(text)]).toEqual([
      ['/mnt/my files', 'nfs4'],
      ['/mnt/ssh', 'fuse.sshfs'],
      ['/run/c/config.json', 'fuse'],
    ]);
    expect(networkMounts('').size).toBe(0);
  });
});

describe('requireAnswer', () => {
  /** The mounts asked for a path, of which those named `dead` give no answer. */
  function asked(path: string, points: readonly string[], followsLast = true) {
    const found: string[] = [];
    const mounts = {
      network: new Map(points.map((point) => [point, 'nfs4'])),
      answers(point: string) {
        found.push(point);
        return !point.endsWith('dead');
      },
    };
    try {
      requireAnswer(path, followsLast, mounts);
    } catch (error) {
      return { found, message: (error as Error).message };
    }
    return { found };
  }

  it('asks the mounts on the way to a file, through all links, and no others', () => {
    const folder = folderWith({ 'run/config.json': '{}' });
    const dead = join(folder, 'dead');
    mkdirSync(dead);
    symlinkSync('../dead/x/model', join(folder, 'run/model'));
    symlinkSync('./model', join(folder, 'run/again'));
    symlinkSync(folder, join(folder, 'run/up'));
    symlinkSync('loop', join(folder, 'loop'));
    const points = [dead, join(folder, 'alive'), join(folder, 'deadly')];
    expect(asked(join(folder, 'run/config.json'), points)).toEqual({ found: [] });
    expect(asked(`${folder}/alive/../run/config.json`, points)).toEqual({ found: [points[1]] });
    for (const path of ['dead', 'dead/x', 'run/model', 'run/again', 'run/up/dead', 'run/up/../dead']) {
      const given = `${folder}/${path}`;
      expect(asked(given, points)).toEqual(
        path.includes('..')
          ? { found: [] }
          : {
              found: [dead],
              message: `${given}: found ${dead}, a mount of type nfs4 that did not answer within 10 seconds`,
            },
      );
    }
    expect(asked(join(folder, 'run/model'), points, false)).toEqual({ found: [] });
    expect(asked(join(folder, 'loop'), points)).toEqual({ found: [] });
  });

  it('takes the path from the working directory', () => {
    expect(asked('dead', [join(process.cwd(), 'dead')]).found).toHaveLength(1);
  });

  it('is an error of reading, with advice', () => {
    const mounts = { network: new Map([['/mnt', 'nfs']]), answers: () => false };
    expect(errorOf(() => requireAnswer('/mnt/a\u001b', true, mounts))).toEqual({
      exitCode: ExitCode.io,
      message: '/mnt/a\\u001b: found /mnt, a mount of type nfs that did not answer within 10 seconds',
      hint: 'mount it again, or copy the file to a local disk',
    });
  });
});

describe('answersWithin', () => {
  it.skipIf(process.platform !== 'linux')('waits for the end of a command, not longer than it may', () => {
    expect(answersWithin(60, 'sh', ['-c', 'exit 1'])).toBe(true);
    expect(answersWithin(0.05, 'sleep', ['60'])).toBe(false);
    expect(answersWithin(60, 'no-such-command', [])).toBe(true);
  });
});
