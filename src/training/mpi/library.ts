/**
 * Finds and opens an MPI through FFI. Which one it must be is what started this process: an mpirun of
 * another family starts N processes that each see one rank. There are three ABIs. In MPICH's (also
 * Intel's, MVAPICH's, Cray's), handles are integers; in Open MPI's, addresses of exported objects; in the
 * standard one (MPI 5.0, chapter 20), small constants.
 */
import { existsSync, readlinkSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import type { LibraryHandle } from 'koffi';
import { ExitCode, MlpError } from '../../errors.js';
import { parentOf } from '../../files/process.js';
import { listed, printable } from '../../text.js';

type Koffi = typeof import('koffi');

export type Family = 'Open MPI' | 'MPICH';

/** How this process was started as one of several. */
export interface Launch {
  /** What the library must be; undefined if the launcher works with several. */
  readonly family?: Family;
  /** How many processes were started; undefined if the launcher does not say. */
  readonly size?: number;
  /** For messages. */
  readonly by: string;
  /** Whether it prints what each process of a host would say. */
  readonly isFirstOfHost: boolean;
}

/** The constants of an ABI that are used here. */
interface Constants {
  readonly world: number;
  readonly byte: number;
  readonly float: number;
  readonly double: number;
  readonly sum: number;
  readonly inPlace: number;
  readonly errorsReturn: number;
  readonly funneled: number;
}

export interface MpiLibrary extends Constants {
  readonly path: string;
  readonly family: Family;
  /** `Open MPI 4.1.4` */
  readonly version: string;
  /** The address of a view's first byte in the process. */
  addressOf(view: ArrayBufferView): number;
  /** A function of MPI that returns an error code; `H` is a handle, `A` an address. */
  bind(name: string, ...parameters: readonly string[]): (...values: unknown[]) => number;
}

/** As MPICH's mpi.h of version 5.0.2 has them: they are the same in all of its family since 3.1. */
const MPICH: Constants = {
  world: 0x44000000,
  byte: 0x4c00010d,
  float: 0x4c00040a,
  double: 0x4c00080b,
  sum: 0x58000003,
  inPlace: -1,
  errorsReturn: 0x54000001,
  funneled: 1,
};

/** MPI 5.0, appendix A. */
const STANDARD: Constants = {
  world: 0x101,
  byte: 0x247,
  float: 0x210,
  double: 0x214,
  sum: 0x21,
  inPlace: 1,
  errorsReturn: 0x143,
  funneled: 1024,
};

const NAMES: Readonly<Record<Family, readonly string[]>> =
  process.platform === 'darwin'
    ? {
        'Open MPI': ['libmpi.40.dylib', 'libmpi.dylib'],
        MPICH: ['libmpi.12.dylib', 'libmpich.12.dylib', 'libmpi_abi.1.dylib', 'libmpi.dylib'],
      }
    : {
        'Open MPI': ['libmpi.so.40', 'libmpi.so'],
        // Debian calls it libmpich.
        MPICH: ['libmpi.so.12', 'libmpich.so.12', 'libmpi_abi.so.1', 'libmpi.so'],
      };

/** What starts processes, or stays as their parent: its own library lies beside it. */
const LAUNCHERS = /^(?:mpirun|mpiexec|orterun|orted|prte|prted|prterun|hydra_)/;
const MOST_ANCESTORS = 4;

/**
 * What started this process as one of several; undefined for a process of its own, and with MLP_MPI=none.
 * Slurm's batch script is one process of several tasks to come: only a step has SLURM_STEP_NUM_TASKS.
 */
export function launchOf(env: Readonly<Record<string, string | undefined>>): Launch | undefined {
  if (env.MLP_MPI === 'none') return undefined;
  const count = (name: string) => (env[name] === undefined ? undefined : Number(env[name]));
  const local =
    count('OMPI_COMM_WORLD_LOCAL_RANK') ?? count('MPI_LOCALRANKID') ?? count('SLURM_LOCALID') ?? 0;
  const started = (launch: Omit<Launch, 'isFirstOfHost'>) =>
    launch.size === 1 ? undefined : { ...launch, isFirstOfHost: local === 0 };
  const openMpi = count('OMPI_COMM_WORLD_SIZE');
  if (openMpi !== undefined)
    return started({ family: 'Open MPI', size: openMpi, by: 'the mpirun of Open MPI' });
  const tasks = count('SLURM_STEP_NUM_TASKS');
  if (tasks !== undefined && env.SLURM_PROCID !== undefined) return started({ size: tasks, by: 'srun' });
  const size = count('PMI_SIZE');
  if (size !== undefined) return started({ family: 'MPICH', size, by: 'the mpirun of MPICH' });
  return env.PMIX_RANK === undefined ? undefined : started({ by: 'a launcher of PMIx' });
}

/**
 * Opens the library that fits the launcher: MLP_MPI and nothing else if it is set; else beside the
 * launcher, beside the mpirun on the path, and where the system's loader looks.
 * @throws MlpError ExitCode.unavailable if there is none, or it is another family's
 */
export function openMpi(launch: Launch, env: Readonly<Record<string, string | undefined>>): MpiLibrary {
  const asked = env.MLP_MPI;
  const failures: string[] = [];
  for (const path of asked ? [asked] : candidates(launch, env)) {
    const library = open(path);
    if (typeof library === 'string') {
      failures.push(`${printable(path)}: ${library}`);
      continue;
    }
    if (launch.family === undefined || library.family === launch.family) return library;
    failures.push(
      `${printable(path)}: found ${library.version}, expected ${launch.family}, since ${launch.by} started this process`,
    );
  }
  const found = failures.length === 0 ? 'found none' : listed(failures, 3);
  throw new MlpError(
    ExitCode.unavailable,
    asked ? `MLP_MPI: ${found}` : `no MPI library for ${launch.by}: ${found}`,
    `MLP_MPI=<path of ${NAMES[launch.family ?? 'Open MPI'][0]}> names the library that belongs to the launcher; MLP_MPI=none trains without it, in one process`,
  );
}

function candidates({ family }: Launch, env: Readonly<Record<string, string | undefined>>): string[] {
  const first: Family = env.PMI_RANK !== undefined && env.PMIX_RANK === undefined ? 'MPICH' : 'Open MPI';
  const families = family
    ? [family]
    : first === 'MPICH'
      ? (['MPICH', 'Open MPI'] as const)
      : (['Open MPI', 'MPICH'] as const);
  const names = families.flatMap((family) => NAMES[family]);
  const folders = [...launcherFolders(), ...pathFolders(env.PATH)].flatMap((folder) => [
    join(folder, '..', 'lib'),
    join(folder, '..', 'lib64'),
  ]);
  const beside = [...new Set(folders)].flatMap((folder) => names.map((name) => join(folder, name)));
  return [...beside.filter((path) => existsSync(path)), ...names];
}

/** The folders of the launchers among this process's ancestors; none without /proc. */
function launcherFolders(): string[] {
  const folders: string[] = [];
  let pid: number | undefined = process.ppid;
  for (let i = 0; i < MOST_ANCESTORS && pid !== undefined && pid > 1; i++) {
    try {
      const path = readlinkSync(`/proc/${pid}/exe`);
      if (LAUNCHERS.test(path.slice(path.lastIndexOf('/') + 1))) folders.push(dirname(path));
    } catch {
      return folders;
    }
    pid = parentOf(pid);
  }
  return folders;
}

/** The folders of the first mpirun and mpiexec on the path. */
function pathFolders(path = ''): string[] {
  return ['mpirun', 'mpiexec'].flatMap((name) => {
    const found = path.split(delimiter).find((folder) => folder !== '' && existsSync(join(folder, name)));
    return found === undefined ? [] : [dirname(realpathSync(join(found, name)))];
  });
}

/** A library, or what is wrong with it. */
function open(path: string): MpiLibrary | string {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi');
  } catch (error) {
    return `koffi does not run here: ${messageOf(error)}`;
  }
  let handle: LibraryHandle;
  try {
    handle = koffi.load(path);
  } catch (error) {
    return messageOf(error);
  }
  const version = versionOf(handle);
  if (version === undefined)
    return 'found no function MPI_Get_library_version, expected an MPI of version 3 or later';
  const family = /open mpi/i.test(version) ? 'Open MPI' : 'MPICH';
  const constants = constantsOf(koffi, handle, family);
  if (!constants) return `found ${shortVersion(version)} without the objects of its handles`;
  // Its plugins look for its symbols. Another family's must not be seen so, hence only now.
  handle = koffi.load(path, { global: true });
  // MPICH's handles are integers, all others pointers.
  const handles = constants.world === MPICH.world ? 'int' : 'uintptr_t';
  return {
    ...constants,
    path,
    family,
    version: shortVersion(version),
    addressOf: (view) => Number(koffi.address(view)),
    bind(name, ...parameters) {
      const types = parameters.map((type) => (type === 'H' ? handles : type === 'A' ? 'intptr_t' : type));
      return handle.func(name, 'int', types) as unknown as (...values: unknown[]) => number;
    },
  };
}

function constantsOf(koffi: Koffi, handle: LibraryHandle, family: Family): Constants | undefined {
  if (isStandard(handle)) return STANDARD;
  if (family === 'MPICH') return MPICH;
  const object = (name: string) => Number(koffi.address(handle.symbol(`ompi_mpi_${name}`)));
  try {
    return {
      world: object('comm_world'),
      byte: object('byte'),
      float: object('float'),
      double: object('double'),
      sum: object('op_sum'),
      inPlace: 1,
      errorsReturn: object('errors_return'),
      funneled: 1,
    };
  } catch {
    return undefined;
  }
}

/** Whether the library has the ABI of MPI 5.0: others answer −1, or lack the function. */
function isStandard(handle: LibraryHandle): boolean {
  try {
    const get = handle.func('int MPI_Abi_get_version(_Out_ int *major, _Out_ int *minor)');
    const [major, minor] = [[-1], [-1]];
    return get(major, minor) === 0 && major[0] >= 1;
  } catch {
    return false;
  }
}

function versionOf(handle: LibraryHandle): string | undefined {
  try {
    const get = handle.func('int MPI_Get_library_version(uint8_t *text, _Out_ int *length)');
    const text = Buffer.alloc(LONGEST_VERSION);
    const length = [0];
    if (get(text, length) !== 0) return undefined;
    return text.toString('latin1', 0, length[0]);
  } catch {
    return undefined;
  }
}

/** More than MPI_MAX_LIBRARY_VERSION_STRING of any. */
const LONGEST_VERSION = 65_536;

/** `Open MPI v4.1.4, package: …` is `Open MPI 4.1.4`. */
export function shortVersion(text: string): string {
  const name = /open mpi|mpich|intel\(r\) mpi|mvapich2?/i.exec(text)?.[0] ?? 'MPI';
  const number = /\d+(?:\.\d+)+\w*/.exec(text)?.[0] ?? '';
  return `${name === 'Intel(R) MPI' ? 'Intel MPI' : name} ${number}`.trim();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
