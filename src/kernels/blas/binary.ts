/**
 * What kind of program file this is, read from its first bytes. The system's loader can't be asked: it reports a
 * library of another architecture as "no such file".
 */
import { closeSync, openSync, readSync } from 'node:fs';

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
  /** The platforms that load this format. */
  readonly format: 'ELF' | 'Mach-O' | 'PE';
  /** In the words of process.arch; more than one in a universal file, "unknown" where the number is not known. */
  readonly architectures: readonly string[];
  /** The least size of the whole file, where its header tells: loading a cut one would kill the process. */
  readonly bytes: number;
}

/** The kind of the file that starts with these bytes, or null where it is no program file. */
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

/** The end of the section table, which linkers write last (ELF-64, Object Files, Figure 1); 0 in a 32-bit file. */
function elfBytes(view: DataView, littleEndian: boolean): number {
  if (view.getUint8(4) !== 2) return 0;
  const offset = Number(view.getBigUint64(40, littleEndian));
  return offset + view.getUint16(58, littleEndian) * view.getUint16(60, littleEndian);
}

function binary(format: Binary['format'], architectures: (string | undefined)[], bytes = 0): Binary {
  return { format, architectures: architectures.map((architecture) => architecture ?? 'unknown'), bytes };
}

/** The first bytes of a file, enough for `identifyBinary`. Throws the system's error. */
export function readHeader(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(HEADER_BYTES);
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

/** The format of the platform's shared libraries. */
export function nativeFormat(platform: NodeJS.Platform): Binary['format'] {
  if (platform === 'win32') return 'PE';
  return platform === 'darwin' ? 'Mach-O' : 'ELF';
}
