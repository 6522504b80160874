/** What differs between BLAS vendors: how to tell them apart, their version, and their threads. */
import type { LibraryHandle } from 'koffi';

export interface Identity {
  readonly vendor: 'OpenBLAS' | 'MKL' | 'BLIS' | 'Accelerate' | 'unknown';
  readonly version: string | null;
  /** The width of its integers; null if the library can't report it. */
  readonly integerBits: 32 | 64 | null;
  /** False if simultaneous calls from several threads may disturb each other. */
  readonly threadSafe: boolean;
}

export function hasSymbol(handle: LibraryHandle, symbol: string): boolean {
  try {
    handle.symbol(symbol);
    return true;
  } catch {
    return false;
  }
}

/**
 * Identifies the vendor by its own functions, and sets the library to one thread. `decorate` adds
 * prefix and suffix of NumPy's wheels; `decorated64`: the suffix means 64-bit integers.
 */
export function settle(
  handle: LibraryHandle,
  decorate: (name: string) => string,
  decorated64: boolean,
): Identity {
  if (hasSymbol(handle, decorate('openblas_set_num_threads')))
    return settleOpenBlas(handle, decorate, decorated64);
  if (hasSymbol(handle, 'MKL_Set_Threading_Layer')) return settleMkl(handle);
  if (hasSymbol(handle, 'bli_thread_set_num_threads')) return settleBlis(handle);
  if (hasSymbol(handle, 'BLASSetThreading')) {
    handle.func('BLASSetThreading', 'int', ['uint'])(1); // BLAS_THREADING_SINGLE_THREADED, macOS 15; per thread
    return { vendor: 'Accelerate', version: null, integerBits: 32, threadSafe: true };
  }
  return { vendor: 'unknown', version: null, integerBits: decorated64 ? 64 : null, threadSafe: true };
}

function settleOpenBlas(
  handle: LibraryHandle,
  decorate: (name: string) => string,
  decorated64: boolean,
): Identity {
  handle.func(decorate('openblas_set_num_threads'), 'void', ['int'])(1);
  const ask = (name: string, result: string) =>
    hasSymbol(handle, decorate(name)) ? handle.func(decorate(name), result, [])() : null;
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY SkylakeX MAX_THREADS=64"
  const config: string = ask('openblas_get_config', 'str') ?? '';
  return {
    vendor: 'OpenBLAS',
    version: /OpenBLAS (\S+)/.exec(config)?.[1] ?? null,
    integerBits: decorated64 || config.includes('USE64BITINT') ? 64 : 32,
    // 0: built without threads and so without locks, unless USE_LOCKING=1, which is not reported.
    threadSafe: ask('openblas_get_parallel', 'int') !== 0,
  };
}

function settleMkl(handle: LibraryHandle): Identity {
  handle.func('MKL_Set_Interface_Layer', 'int', ['int'])(0); // MKL_INTERFACE_LP64
  handle.func('MKL_Set_Threading_Layer', 'int', ['int'])(1); // MKL_THREADING_SEQUENTIAL: loads no OpenMP
  const text = Buffer.alloc(200);
  handle.func('MKL_Get_Version_String', 'void', ['_Out_ uint8_t *', 'int'])(text, text.length);
  return {
    vendor: 'MKL',
    version: /Version (\d[\d.]*)/.exec(text.toString('latin1'))?.[1] ?? null,
    integerBits: 32,
    threadSafe: true,
  };
}

function settleBlis(handle: LibraryHandle): Identity {
  handle.func('bli_thread_set_num_threads', 'void', ['int64_t'])(1); // per thread in AMD's
  return {
    vendor: 'BLIS',
    version: handle.func('bli_info_get_version_str', 'str', [])(),
    integerBits: handle.func('bli_info_get_blas_int_type_size', 'int64_t', [])() === 64 ? 64 : 32,
    threadSafe: true,
  };
}
