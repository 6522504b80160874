/**
 * Finds the BLAS of this machine: MLP_BLAS and nothing else if it is set; Accelerate on macOS;
 * OpenBLAS, MKL and BLIS in the library path and known folders; the OpenBLAS of a NumPy wheel
 * (folders are listed, Python never runs). Netlib's libblas is slower than WASM: not searched.
 */
import { readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';
import { ExitCode, MlpError } from '../../errors.js';
import { type BlasFailure, type BlasLibrary, isFailure, openBlas } from './library.js';

/** What the search knows of the machine; a test can describe any other. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Read: MLP_BLAS, MLP_NATIVE, PATH, VIRTUAL_ENV, CONDA_PREFIX, PYENV_ROOT, APPDATA and LOCALAPPDATA. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The names of a folder's entries; none if the folder is missing. */
  readonly list: (folder: string) => readonly string[];
}

export function thisMachine(): Machine {
  const { platform, arch, env } = process;
  return { platform, arch, env, home: homedir(), list: listFolder };
}

/** The entries of a folder on disk. A folder that can't be read counts as missing. */
function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** One place of the search, with the libraries to try there, best first. */
export interface BlasPlace {
  readonly source: 'MLP_BLAS' | 'Accelerate' | 'system' | 'NumPy';
  readonly name: string;
  /** A path, or a bare file name for the system's loader to find. */
  readonly libraries: readonly string[];
}

export interface FoundBlas extends BlasLibrary {
  readonly source: BlasPlace['source'];
}

export interface BlasSearch {
  /** Best first; `findBlas` stops at one. */
  readonly libraries: readonly FoundBlas[];
  /** Libraries that exist or were named, but don't work. */
  readonly failures: readonly BlasFailure[];
  readonly searched: readonly string[];
}

/** Opens the libraries of the machine in the order of the search, up to the first that works. */
export function findBlas(machine: Machine): BlasSearch {
  return search(machine, 1);
}

/** Opens every library of the machine. For a diagnosis: it is slow, and all stay loaded. */
export function findEveryBlas(machine: Machine): BlasSearch {
  return search(machine, Number.POSITIVE_INFINITY);
}

function search(machine: Machine, wanted: number): BlasSearch {
  const libraries = new Map<string, FoundBlas>();
  const failures = new Map<string, BlasFailure>();
  const searched: string[] = [];
  const outcome = () => ({ libraries: [...libraries.values()], failures: [...failures.values()], searched });
  for (const place of blasPlaces(machine)) {
    searched.push(place.name);
    for (const name of place.libraries) {
      const result = openBlas(name);
      const file = realPath(result.path);
      if (!isFailure(result)) {
        if (!libraries.has(file)) libraries.set(file, { ...result, source: place.source });
        if (libraries.size >= wanted) return outcome();
      } else if (place.source === 'MLP_BLAS' || result.reason !== 'missing') {
        failures.set(file, result);
      }
    }
  }
  return outcome();
}

/** A file with several names, as distributions link them, counts once. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Why there is no library, in one line: what is wrong with those found, and where we looked. */
export function explainSearch({ failures, searched }: BlasSearch): string {
  const faults = failures.map(({ path, reason, detail }) => `${path}: ${reason} (${detail})`);
  if (searched.length === 1) return [...searched, ...faults].join(': ');
  return [`no BLAS library in ${searched.join(', ')}`, ...faults].join('; ');
}

/** The error if `blas` is demanded and the search found nothing. */
export function blasUnavailable(outcome: BlasSearch): MlpError {
  return new MlpError(
    ExitCode.unavailable,
    `backend blas: ${explainSearch(outcome)}`,
    'install OpenBLAS (Debian, Ubuntu: apt-get install libopenblas0-pthread), set MLP_BLAS=/path/to/libopenblas.so, or use --backend wasm',
  );
}

const ACCELERATE = '/System/Library/Frameworks/Accelerate.framework/Accelerate';

// OpenBLAS has several names: Fedora has libopenblasp (POSIX threads), libopenblaso (OpenMP) and a
// serial libopenblas; Debian and Arch have one libopenblas.so.0, Alpine libopenblas.so.3.
const LINUX_LIBRARIES = [
  'libopenblasp.so.0',
  'libopenblas.so.0',
  'libopenblaso.so.0',
  'libopenblas.so.3',
  'libopenblas.so',
  'libmkl_rt.so.3',
  'libmkl_rt.so.2',
  'libmkl_rt.so.1',
  'libmkl_rt.so',
  'libblis-mt.so.5',
  'libblis-mt.so.4',
  'libblis.so.5',
  'libblis.so.4',
  'libblis.so',
];
const MACOS_LIBRARIES = [
  'libopenblas.dylib',
  'libopenblas.0.dylib',
  'libmkl_rt.3.dylib',
  'libmkl_rt.2.dylib',
  'libmkl_rt.1.dylib',
  'libblis.4.dylib',
  'libblis.dylib',
];
const WINDOWS_LIBRARIES = [
  'libopenblas.dll',
  'openblas.dll',
  'mkl_rt.3.dll',
  'mkl_rt.2.dll',
  'mkl_rt.1.dll',
  'AOCL-LibBlis-Win-MT-dll.dll',
  'libblis.dll',
];

/** The places to look at, in order; lazy: later ones are listed if earlier ones had nothing. */
export function* blasPlaces(machine: Machine): Generator<BlasPlace> {
  const { platform, env } = machine;
  const named = env.MLP_BLAS;
  if (named) {
    // Alone, even if it fails: whoever names a library wants that one or an explanation.
    yield { source: 'MLP_BLAS', name: 'MLP_BLAS', libraries: [named] };
    return;
  }
  if (platform === 'darwin') {
    yield { source: 'Accelerate', name: 'Accelerate', libraries: [ACCELERATE] };
  }
  yield* systemPlaces(machine);
  yield* wheelPlaces(machine);
}

function* systemPlaces(machine: Machine): Generator<BlasPlace> {
  const { platform } = machine;
  const names = libraryNames(platform);
  const filesIn = (folders: readonly string[]) =>
    folders.flatMap((folder) => {
      const entries = new Set(machine.list(folder));
      return names.filter((name) => entries.has(name)).map((name) => pathOf(platform).join(folder, name));
    });
  if (platform === 'win32') {
    // By full path: the loader's search for a bare name includes the current folder.
    yield { source: 'system', name: 'the folders of PATH', libraries: filesIn(searchPath(machine)) };
  } else if (platform !== 'darwin') {
    yield { source: 'system', name: "the system's library path", libraries: names };
  }
  const folders = knownFolders(machine);
  yield { source: 'system', name: folders.join(', '), libraries: filesIn(folders) };
}

function* wheelPlaces(machine: Machine): Generator<BlasPlace> {
  const { join } = pathOf(machine.platform);
  const inside = machine.platform === 'darwin' ? ['numpy', '.dylibs'] : ['numpy.libs'];
  const libraries = sitePackages(machine).flatMap((folder) => {
    const libs = join(folder, ...inside);
    const names = machine.list(libs).filter((name) => /openblas.*\.(so|dylib|dll)\b/.test(name));
    return names.map((name) => join(libs, name));
  });
  yield { source: 'NumPy', name: 'the NumPy wheels of the installed Pythons', libraries };
}

function libraryNames(platform: NodeJS.Platform): readonly string[] {
  if (platform === 'win32') return WINDOWS_LIBRARIES;
  return platform === 'darwin' ? MACOS_LIBRARIES : LINUX_LIBRARIES;
}

function knownFolders(machine: Machine): string[] {
  const { platform, arch } = machine;
  const { join } = pathOf(platform);
  // pip and conda put MKL among the libraries of the environment.
  const environments = activeEnvironments(machine);
  if (platform === 'win32') {
    return [
      ...environments.map((root) => join(root, 'Library', 'bin')),
      'C:\\Program Files (x86)\\Intel\\oneAPI\\mkl\\latest\\bin',
    ];
  }
  const folders = environments.map((root) => join(root, 'lib'));
  if (platform === 'darwin') {
    return [...folders, '/opt/homebrew/opt/openblas/lib', '/usr/local/opt/openblas/lib', '/opt/local/lib'];
  }
  const multiarch = arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return [
    ...folders,
    `/usr/lib/${multiarch}/openblas-pthread`,
    `/usr/lib/${multiarch}/openblas-openmp`,
    `/usr/lib/${multiarch}/blis-pthread`,
    '/usr/lib64',
    '/usr/local/lib64',
    '/usr/local/lib',
    '/opt/OpenBLAS/lib',
    '/opt/intel/oneapi/mkl/latest/lib',
    '/home/linuxbrew/.linuxbrew/opt/openblas/lib',
  ];
}

/**
 * The package folders of installed Pythons: of the active environment, on PATH, the user's,
 * pyenv's; newest version first in each, each once.
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
    // Debian's python3 in /usr/bin finds what pip installs in /usr/local.
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

function pythonFolders(machine: Machine): string[] {
  return searchPath(machine).filter((folder) =>
    machine.list(folder).some((name) => /^python3?(\.exe)?$/i.test(name)),
  );
}

/** 3.12 before 3.9: by the numbers in a name. */
function newestFirst(names: readonly string[]): string[] {
  return [...names].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

export function pathOf(platform: NodeJS.Platform): typeof posix {
  return platform === 'win32' ? win32 : posix;
}

/** The folders of PATH, without relative ones: no library comes from the current folder. */
export function searchPath(machine: Machine): string[] {
  const { delimiter, isAbsolute } = pathOf(machine.platform);
  return (machine.env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
}

/** The root folders of the active Python and conda environments. */
export function activeEnvironments(machine: Machine): string[] {
  const { isAbsolute } = pathOf(machine.platform);
  return [machine.env.VIRTUAL_ENV ?? '', machine.env.CONDA_PREFIX ?? ''].filter((root) => isAbsolute(root));
}
