/**
 * Where a BLAS may lie on this machine, in the order in which it is taken: what MLP_BLAS names and nothing else; or
 * Accelerate on macOS; then OpenBLAS, MKL and BLIS from the system's library path and from known folders; then
 * the OpenBLAS inside an installed NumPy wheel. Looks at folders alone: nothing is opened and nothing is run.
 *
 * Netlib's reference libblas is not in the list: it is slower than the WASM kernels. MLP_BLAS may name it.
 */
import { activeEnvironments, type Machine, pathOf, searchPath } from './machine.js';
import { sitePackages } from './python.js';

/** One place of the search, with the libraries to try there, best first. */
export interface BlasPlace {
  readonly source: 'MLP_BLAS' | 'Accelerate' | 'system' | 'NumPy';
  /** What an error message calls it. */
  readonly name: string;
  /** A path, or a bare file name for the system's loader to find. */
  readonly libraries: readonly string[];
}

const ACCELERATE = '/System/Library/Frameworks/Accelerate.framework/Accelerate';

// OpenBLAS by several names: Fedora has libopenblasp (POSIX threads), libopenblaso (OpenMP) and a serial libopenblas;
// Debian and Arch have one libopenblas.so.0, Alpine libopenblas.so.3.
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

/** The places to look at, first to last. Lazy: a later place is listed only when an earlier one had nothing. */
export function* blasPlaces(machine: Machine): Generator<BlasPlace> {
  const { platform, env } = machine;
  const named = env.MLP_BLAS;
  if (named) {
    // Alone, even where it fails: whoever names a library wants that one or an explanation.
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
    // By full path: the loader's own search of a bare name takes in the current folder.
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
  // pip and conda put MKL among the environment's own libraries.
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
