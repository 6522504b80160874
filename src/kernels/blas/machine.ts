/** What the search for a BLAS knows of the machine: handed in by the caller, so that a test can describe any other. */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

export interface Machine {
  readonly platform: NodeJS.Platform;
  /** As process.arch has it. */
  readonly arch: string;
  /** Read: MLP_BLAS, PATH, VIRTUAL_ENV, CONDA_PREFIX, PYENV_ROOT, and on Windows APPDATA and LOCALAPPDATA. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  /** The names of a folder's entries; none where the folder is not there. `listFolder` is the disk's. */
  readonly list: (folder: string) => readonly string[];
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  const { platform, arch, env } = process;
  return { platform, arch, env, home: homedir(), list: listFolder };
}

/** The entries of a folder on disk. A folder that can't be read counts as one that is not there. */
export function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The platform's path functions. */
export function pathOf(platform: NodeJS.Platform): typeof posix {
  return platform === 'win32' ? win32 : posix;
}

/**
 * The folders of PATH. Relative ones are left out: no library is taken from whatever folder the user stands in.
 */
export function searchPath(machine: Machine): string[] {
  const { delimiter, isAbsolute } = pathOf(machine.platform);
  return (machine.env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
}

/** The root folders of the active Python and conda environments. */
export function activeEnvironments(machine: Machine): string[] {
  const { isAbsolute } = pathOf(machine.platform);
  return [machine.env.VIRTUAL_ENV ?? '', machine.env.CONDA_PREFIX ?? ''].filter((root) => isAbsolute(root));
}
