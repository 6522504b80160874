/**
 * Opens a BLAS through FFI: finds the names of its CBLAS and the width of its integers, and makes
 * it compute on the calling thread alone, as the team is the parallelism. Failures are values:
 * another library or WASM may still do.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, resolve } from 'node:path';
import type { LibraryHandle } from 'koffi';
import { hasSymbol, type Identity, settle } from './vendor.js';

type Koffi = typeof import('koffi');

/** cblas_sgemm or cblas_dgemm. a, b, c: addresses as plain numbers, exact, cheaper than BigInt */
export type Gemm = (
  order: number,
  transA: number,
  transB: number,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  beta: number,
  c: number,
  ldc: number,
) => void;

/** Enumerations of CBLAS. */
export const ROW_MAJOR = 101;
export const NO_TRANSPOSE = 111;
export const TRANSPOSE = 112;

export interface BlasLibrary extends Identity {
  /** The loaded file; a thread opens it by this path. */
  readonly path: string;
  readonly sgemm: Gemm;
  readonly dgemm: Gemm;
  /** The address of a view's first byte in the process. */
  readonly addressOf: (view: ArrayBufferView) => number;
}

export interface BlasFailure {
  readonly path: string;
  readonly reason:
    | 'missing'
    | 'not a library'
    | 'wrong architecture'
    | 'not loadable'
    | 'no cblas'
    | 'not thread-safe'
    | 'wrong result';
  /** For the user: what was found, and what was expected if that helps. */
  readonly detail: string;
}

// Prefix and suffix of cblas_sgemm: none; in NumPy's wheels, with 64-bit integers; in SciPy's; in
// NumPy's older wheels and Julia.
const DECORATIONS = [
  ['', ''],
  ['scipy_', '64_'],
  ['scipy_', ''],
  ['', '64_'],
] as const;

// By path and for good: koffi unloads with the last reference, but OpenBLAS has threads in it.
const opened = new Map<string, BlasLibrary | BlasFailure>();

/**
 * Opens a library by path or bare file name, sets it to one thread and tries it. Each thread that
 * uses it must call this: some libraries keep a thread count per thread.
 */
export function openBlas(name: string): BlasLibrary | BlasFailure {
  let result = opened.get(name);
  if (result === undefined) {
    result = open(existsSync(name) || !isBare(name) ? resolve(name) : name);
    opened.set(name, result);
  }
  return result;
}

export function isFailure(result: BlasLibrary | BlasFailure): result is BlasFailure {
  return 'reason' in result;
}

function isBare(name: string): boolean {
  return name === basename(name);
}

function open(path: string): BlasLibrary | BlasFailure {
  const unfit = inspect(path);
  if (unfit !== null) return unfit;
  let koffi: Koffi;
  let handle: LibraryHandle;
  try {
    // Not at the top: most commands need no FFI, and where koffi has no build there is still WASM.
    koffi = createRequire(import.meta.url)('koffi');
  } catch (error) {
    return { path, reason: 'not loadable', detail: `koffi does not run here: ${messageOf(error)}` };
  }
  nameProcessor(process.env);
  try {
    handle = koffi.load(path);
  } catch (error) {
    return { path, reason: isBare(path) ? 'missing' : 'not loadable', detail: messageOf(error) };
  }
  const decoration = DECORATIONS.find(([prefix, suffix]) =>
    hasSymbol(handle, `${prefix}cblas_sgemm${suffix}`),
  );
  if (decoration === undefined) return { path, reason: 'no cblas', detail: 'has no function cblas_sgemm' };
  const [prefix, suffix] = decoration;
  const decorate = (symbol: string) => `${prefix}${symbol}${suffix}`;

  const identity = settle(handle, decorate, suffix === '64_');
  if (!identity.threadSafe) {
    const detail = 'a build without threads, which several threads must not call; expected one with threads';
    return { path, reason: 'not thread-safe', detail };
  }
  const library: BlasLibrary = {
    ...identity,
    path: isBare(path) ? loadedPath(koffi, handle, decorate('cblas_sgemm'), path) : path,
    sgemm: bind(handle, decorate('cblas_sgemm'), 'float', identity.integerBits),
    dgemm: bind(handle, decorate('cblas_dgemm'), 'double', identity.integerBits),
    addressOf: (view) => Number(koffi.address(view)),
  };
  if (!multiplies(library)) {
    return { path, reason: 'wrong result', detail: 'a product of a 2×3 and a 3×2 matrix came out wrong' };
  }
  return library;
}

/**
 * An OpenBLAS that is older than the processor takes it for a Pentium 4, at a fifth of the speed:
 * 0.3.21 on a Sapphire Rapids has 30 GFLOP/s, and 145 as SkylakeX. It reads this variable when it is
 * loaded, and ignores a name that it does not know.
 */
export function nameProcessor(env: NodeJS.ProcessEnv, cpuInfo = readCpuInfo()): void {
  if (env.OPENBLAS_CORETYPE !== undefined || !cpuInfo.includes('GenuineIntel')) return;
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuInfo)?.[1].trim().split(' '));
  const has = (...names: string[]) => names.every((name) => flags.has(name));
  if (has('avx512f', 'avx512cd', 'avx512bw', 'avx512dq', 'avx512vl')) env.OPENBLAS_CORETYPE = 'SkylakeX';
  else if (has('avx2', 'fma')) env.OPENBLAS_CORETYPE = 'Haswell';
}

/** What Linux says of the processors; empty elsewhere. */
function readCpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'latin1');
  } catch {
    return '';
  }
}

/** What its first bytes say against loading a file; null if nothing, or for a bare name. */
function inspect(path: string): BlasFailure | null {
  // macOS keeps its libraries in one cache, without a file under their path.
  if (isBare(path) || path.startsWith('/System/Library/')) return null;
  try {
    const status = statSync(path);
    if (!status.isFile()) return { path, reason: 'not a library', detail: 'found a folder' };
    const kind = identifyBinary(readHeader(path));
    if (kind?.format !== nativeFormat(process.platform)) {
      const found = kind === null ? 'found some other file' : `found a library of format ${kind.format}`;
      return {
        path,
        reason: 'not a library',
        detail: `${found}, expected a shared library (${nativeFormat(process.platform)})`,
      };
    }
    if (!kind.architectures.includes(process.arch)) {
      const detail = `found a library for ${kind.architectures.join(' and ')}, expected one for ${process.arch}`;
      return { path, reason: 'wrong architecture', detail };
    }
    if (status.size < kind.bytes) {
      const detail = `found ${status.size} bytes, expected at least ${kind.bytes}: the file is cut off`;
      return { path, reason: 'not a library', detail };
    }
    return null;
  } catch (error) {
    if (!existsSync(path)) return { path, reason: 'missing', detail: 'no such file' };
    return { path, reason: 'not loadable', detail: messageOf(error) };
  }
}

function bind(
  handle: LibraryHandle,
  symbol: string,
  real: 'float' | 'double',
  integerBits: 32 | 64 | null,
): Gemm {
  // An unknown width counts as 64: an argument has a slot of eight bytes, so a library with 32-bit
  // integers reads the lower half. Only Apple's convention for arm64 packs arguments.
  const packs = process.platform === 'darwin' && process.arch === 'arm64';
  const int = (integerBits ?? (packs ? 32 : 64)) === 32 ? 'int32_t' : 'int64_t';
  return handle.func(symbol, 'void', [
    ...['int', 'int', 'int', int, int, int, real],
    ...['uintptr_t', int, 'uintptr_t', int, real, 'uintptr_t', int],
  ]) as unknown as Gemm;
}

/** The file that the loader found for a bare name: dladdr names the library of a symbol. */
function loadedPath(koffi: Koffi, handle: LibraryHandle, symbol: string, name: string): string {
  try {
    const info = koffi.struct({ file: 'str', base: 'void *', name: 'str', address: 'void *' });
    const dladdr = koffi.load(null).func('dladdr', 'int', ['void *', koffi.out(koffi.pointer(info))]);
    const found: { file?: string } = {};
    dladdr(handle.symbol(symbol), found);
    return found.file ?? name;
  } catch {
    return name; // a C library without dladdr
  }
}

/** [1 2 3; 4 5 6]·[1 2; 3 4; 5 6] = [22 28; 49 64], in both precisions. */
function multiplies({ sgemm, dgemm, addressOf }: BlasLibrary): boolean {
  return [[sgemm, Float32Array] as const, [dgemm, Float64Array] as const].every(([gemm, Elements]) => {
    const ab = Elements.of(1, 2, 3, 4, 5, 6);
    const c = new Elements(4);
    const address = addressOf(ab);
    gemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, 2, 2, 3, 1, address, 3, address, 2, 0, addressOf(c), 2);
    return String(c) === '22,28,49,64';
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// What kind of program file a library is, from its first bytes. The system's loader can't tell: it
// reports a library of another architecture as "no such file".

const ELF_MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};
const MACH_O_CPUS: Readonly<Record<number, string>> = { 16777223: 'x64', 16777228: 'arm64' };
const PE_MACHINES: Readonly<Record<number, string>> = { 332: 'ia32', 34404: 'x64', 43620: 'arm64' };

const HEADER_BYTES = 4096;

export interface Binary {
  /** The format of the file, and so the platforms that load it. */
  readonly format: 'ELF' | 'Mach-O' | 'PE';
  /** As in process.arch; several in a universal file, "unknown" for an unknown number. */
  readonly architectures: readonly string[];
  /** The least size of the file by its header: loading a cut file kills the process. */
  readonly bytes: number;
}

/** The kind of program file that starts with these bytes, or null. */
export function identifyBinary(header: Uint8Array): Binary | null {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.byteLength < 32) return null;
  const magic = view.getUint32(0);
  if (magic === 0x7f454c46) {
    const littleEndian = header[5] === 1;
    const machine = ELF_MACHINES[view.getUint16(18, littleEndian)];
    return binary('ELF', [machine], view.byteLength < 64 ? 0 : elfBytes(view, littleEndian));
  }
  if (magic === 0xcffaedfe) return binary('Mach-O', [MACH_O_CPUS[view.getUint32(4, true)]]);
  if (magic === 0xcafebabe) {
    const count = Math.min(view.getUint32(4), Math.floor((view.byteLength - 8) / 20));
    return binary(
      'Mach-O',
      Array.from({ length: count }, (_, i) => MACH_O_CPUS[view.getUint32(8 + 20 * i)]),
    );
  }
  if (view.getUint16(0) === 0x4d5a && view.byteLength >= 64) {
    const start = view.getUint32(0x3c, true);
    if (start + 6 > view.byteLength || view.getUint32(start) !== 0x50450000) return null;
    return binary('PE', [PE_MACHINES[view.getUint16(start + 4, true)]]);
  }
  return null;
}

/** The end of the section table, which is last (ELF-64 Object File Format, Figure 1), else 0. */
function elfBytes(view: DataView, littleEndian: boolean): number {
  if (view.getUint8(4) !== 2) return 0;
  const offset = Number(view.getBigUint64(40, littleEndian));
  return offset + view.getUint16(58, littleEndian) * view.getUint16(60, littleEndian);
}

function binary(format: Binary['format'], architectures: (string | undefined)[], bytes = 0): Binary {
  return { format, architectures: architectures.map((architecture) => architecture ?? 'unknown'), bytes };
}

/** The first bytes of a file, enough for `identifyBinary`. @throws the system's error */
export function readHeader(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(HEADER_BYTES);
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

export function nativeFormat(platform: NodeJS.Platform): Binary['format'] {
  if (platform === 'win32') return 'PE';
  return platform === 'darwin' ? 'Mach-O' : 'ELF';
}
