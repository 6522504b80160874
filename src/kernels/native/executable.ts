/**
 * Puts machine code where it may run: pages from the system are written, then made executable, and
 * are never both at once. Like a loaded library, they stay until the process ends.
 */
import { createRequire } from 'node:module';

/** What is asked of the system; a test can describe another. */
export interface CodeMemory {
  /** The address of so many writable bytes. @throws Error with what the system says */
  allocate(bytes: number): number;
  write(address: number, bytes: Uint8Array): void;
  /** Makes them executable, and no longer writable. @throws Error with what the system says */
  protect(address: number, bytes: number): void;
  /** The function (address, address) at an address. */
  bind(address: number): (first: number, second: number) => void;
  addressOf(view: ArrayBufferView): number;
}

/** @throws Error if koffi doesn't run here, or for a system of which the calls are not known */
export function systemMemory(): CodeMemory {
  // Not at the top: most commands need no FFI.
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  const type = koffi.proto('void', ['uintptr_t', 'uintptr_t']);
  const shared = {
    bind: (address: number) => koffi.decode(BigInt(address), type) as (first: number, second: number) => void,
    addressOf: (view: ArrayBufferView) => Number(koffi.address(view)),
  };
  if (process.platform === 'win32') {
    const kernel = koffi.load('kernel32.dll');
    const allocate = kernel.func('uintptr_t VirtualAlloc(uintptr_t, size_t, uint32_t, uint32_t)');
    const protect = kernel.func('int VirtualProtect(uintptr_t, size_t, uint32_t, _Out_ uint32_t *)');
    const process = kernel.func('uintptr_t GetCurrentProcess()');
    const flush = kernel.func('int FlushInstructionCache(uintptr_t, uintptr_t, size_t)');
    const copy = kernel.func('void RtlMoveMemory(uintptr_t, const uint8_t *, size_t)');
    return {
      ...shared,
      allocate(bytes) {
        const address = allocate(0, bytes, 0x3000, 0x04); // MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE
        if (address === 0) throw new Error(`VirtualAlloc refused ${bytes} bytes`);
        return address;
      },
      write: (address, bytes) => copy(address, bytes, bytes.length),
      protect(address, bytes) {
        const PAGE_EXECUTE_READ = 0x20;
        if (protect(address, bytes, PAGE_EXECUTE_READ, [0]) === 0) {
          throw new Error('VirtualProtect refused to make memory executable');
        }
        flush(process(), address, bytes);
      },
    };
  }
  const system = koffi.load(null);
  const isMac = process.platform === 'darwin';
  const map = system.func('uintptr_t mmap(uintptr_t, size_t, int, int, int, int64_t)');
  const protect = system.func('int mprotect(uintptr_t, size_t, int)');
  const copy = system.func('uintptr_t memcpy(uintptr_t, const uint8_t *, size_t)');
  const READ = 1;
  const WRITE = 2;
  const EXECUTE = 4;
  const PRIVATE = 2;
  const ANONYMOUS = isMac ? 0x1000 : 0x20;
  return {
    ...shared,
    allocate(bytes) {
      const address = map(0, bytes, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
      // MAP_FAILED is the highest address.
      if (address >= 2 ** 53) throw new Error(`mmap refused ${bytes} bytes (${errorName(koffi.errno())})`);
      return address;
    },
    write: (address, bytes) => copy(address, bytes, bytes.length),
    protect(address, bytes) {
      if (protect(address, bytes, READ | EXECUTE) !== 0) {
        const error = errorName(koffi.errno());
        throw new Error(`the system does not let memory become executable (mprotect: ${error})`);
      }
      // Processors of this kind don't see by themselves what was written; Linux tells them in mprotect.
      if (isMac) system.func('void sys_icache_invalidate(uintptr_t, size_t)')(address, bytes);
    },
  };

  function errorName(code: number): string {
    const names = Object.entries(koffi.os.errno).find(([, value]) => value === code);
    return names?.[0] ?? `error ${code}`;
  }
}

/** A program that may run in this thread. */
export interface OpenCode<Program> {
  readonly program: Program;
  readonly run: (memory: number, jobs: number) => void;
  readonly addressOf: (view: ArrayBufferView) => number;
}

const opened = new Map<string, OpenCode<unknown>>();

/** Writes a program once per thread. @throws Error if its code may not run */
export function openCode<Program extends { readonly code: Uint8Array }>(
  name: string,
  write: () => Program,
): OpenCode<Program> {
  let code = opened.get(name) as OpenCode<Program> | undefined;
  if (!code) {
    const memory = systemMemory();
    const program = write();
    code = { program, run: memory.bind(place(program.code, memory)), addressOf: memory.addressOf };
    opened.set(name, code);
  }
  return code;
}

/** The address of executable memory with this code. @throws Error if the system does not allow it */
export function place(code: Uint8Array, memory: CodeMemory): number {
  const address = memory.allocate(code.length);
  memory.write(address, code);
  memory.protect(address, code.length);
  return address;
}
