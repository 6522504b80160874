/** The folders in which the installed Pythons keep their packages, found by looking at folders: Python is never run. */
import { activeEnvironments, type Machine, pathOf, searchPath } from './machine.js';

/**
 * Folders of packages, those of an active environment first, then of the Pythons on PATH, the user's own, and pyenv's; the newest
 * version first in each. Only folders of a version that is there, each once.
 */
export function sitePackages(machine: Machine): string[] {
  const folders = machine.platform === 'win32' ? windowsFolders(machine) : posixFolders(machine);
  return [...new Set(folders)];
}

function posixFolders(machine: Machine): string[] {
  const { platform, env, home } = machine;
  const prefixes = [
    ...activeEnvironments(machine),
    ...pythonFolders(machine).map((folder) => pathOf(platform).dirname(folder)),
    `${home}/.local`,
    // Debian's python3 in /usr/bin takes what pip installs from /usr/local.
    '/usr/local',
    '/usr',
  ];
  const pyenv = `${env.PYENV_ROOT ?? `${home}/.pyenv`}/versions`;
  prefixes.push(...newestFirst(machine.list(pyenv)).map((version) => `${pyenv}/${version}`));
  const folders = prefixes.flatMap((prefix) => versionedFolders(machine, prefix));
  if (platform === 'darwin') {
    const user = `${home}/Library/Python`;
    folders.push(
      ...newestFirst(machine.list(user)).map((version) => `${user}/${version}/lib/python/site-packages`),
    );
  }
  return folders;
}

/** prefix/lib/python3.12/site-packages and its relatives. */
function versionedFolders(machine: Machine, prefix: string): string[] {
  const { join } = pathOf(machine.platform);
  return ['lib', 'lib64'].flatMap((lib) => {
    const versions = machine.list(join(prefix, lib)).filter((name) => /^python3(\.\d+t?)?$/.test(name));
    return newestFirst(versions).flatMap((version) =>
      ['site-packages', 'dist-packages'].map((packages) => join(prefix, lib, version, packages)),
    );
  });
}

function windowsFolders(machine: Machine): string[] {
  const { env } = machine;
  const { join } = pathOf('win32');
  const prefixes = [...activeEnvironments(machine), ...pythonFolders(machine)];
  if (env.LOCALAPPDATA !== undefined) {
    const programs = join(env.LOCALAPPDATA, 'Programs', 'Python');
    prefixes.push(...newestFirst(machine.list(programs)).map((version) => join(programs, version)));
  }
  const folders = prefixes.map((prefix) => join(prefix, 'Lib', 'site-packages'));
  if (env.APPDATA !== undefined) {
    const user = join(env.APPDATA, 'Python');
    folders.push(...newestFirst(machine.list(user)).map((version) => join(user, version, 'site-packages')));
  }
  return folders;
}

/** The folders of PATH that have a Python in them. */
function pythonFolders(machine: Machine): string[] {
  return searchPath(machine).filter((folder) =>
    machine.list(folder).some((name) => /^python3?(\.exe)?$/i.test(name)),
  );
}

/** 3.12 before 3.9: by the numbers in a name, not by its letters. */
function newestFirst(names: readonly string[]): string[] {
  return [...names].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}
