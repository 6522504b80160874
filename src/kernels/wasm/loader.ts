/** Finds, compiles and instantiates the modules of `assembly/`. */
import { readFileSync } from 'node:fs';
import { ExitCode, MlpError, readError } from '../../errors.js';
import { bytesPerElement } from '../arena.js';
import type { DType } from '../kernels.js';
import { type Share, Slices } from '../share.js';

/** A function of `assembly/`. Addresses, row steps and scratch are in bytes; 0 is no tensor. */
export type WasmFunction = (...values: number[]) => number;
export type WasmFunctions = Readonly<Record<string, WasmFunction>>;

export interface WasmFeatures {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** One function of type () → v128. */
const SIGNATURE = [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01, 0x00];
/** i32.const 0; i8x16.splat */
const VECTOR = [0x41, 0x00, 0xfd, 0x0f];
const END = 0x0b;
const SIMD_MODULE = [...HEADER, ...SIGNATURE, 0x0a, 0x08, 0x01, 0x06, 0x00, ...VECTOR, END];
/** f32x4.relaxed_madd of three vectors */
const RELAXED_MADD = [...VECTOR, ...VECTOR, ...VECTOR, 0xfd, 0x85, 0x02];
const RELAXED_MODULE = [...HEADER, ...SIGNATURE, 0x0a, 0x13, 0x01, 0x11, 0x00, ...RELAXED_MADD, END];

export function detectFeatures(): WasmFeatures {
  return {
    simd: WebAssembly.validate(new Uint8Array(SIMD_MODULE)),
    relaxedSimd: WebAssembly.validate(new Uint8Array(RELAXED_MODULE)),
  };
}

/** As seen from the sources, from dist/kernels/wasm and from the bundled thread in dist/training/engine alike. */
const FOLDER = new URL('../../../dist/kernels/wasm/', import.meta.url);

/** By file name, once per thread; V8 shares the machine code among threads. */
const compiled = new Map<string, WebAssembly.Module>();

/**
 * Overwrites the memory's first RESERVED_BYTES (arena.ts).
 * @throws MlpError ExitCode.unavailable if the engine lacks SIMD, or relaxed SIMD if that is wanted
 */
export function loadKernels(
  dtype: DType,
  relaxed: boolean,
  memory: WebAssembly.Memory,
  features: WasmFeatures = detectFeatures(),
): WasmFunctions {
  if (!features.simd || (relaxed && !features.relaxedSimd)) {
    throw new MlpError(
      ExitCode.unavailable,
      `backend "wasm": found an engine without WebAssembly ${features.simd ? 'relaxed ' : ''}SIMD, expected one that has it`,
      features.simd
        ? 'use the build without relaxed SIMD'
        : 'use --backend reference, or a CPU and a Node.js with SIMD',
    );
  }
  const module = compile(`${dtype}${relaxed ? '-relaxed' : ''}.wasm`);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return instance.exports as WasmFunctions;
}

function compile(name: string): WebAssembly.Module {
  let module = compiled.get(name);
  if (!module) {
    module = new WebAssembly.Module(read(new URL(name, FOLDER)));
    compiled.set(name, module);
  }
  return module;
}

function read(url: URL): Uint8Array<ArrayBuffer> {
  try {
    return readFileSync(url);
  } catch (error) {
    throw readError(url.pathname, error);
  }
}

/** The most partial sums of one total, and so the most threads that can have one each. */
export const MAX_PARTIALS = 256;

/** Two sets in turn: a fast thread may set the next while a slow one adds up the last. */
const PARTIALS_BYTES = 2 * MAX_PARTIALS * 8;

/** What a product packs into, for one thread and the larger dtype; others use less. */
export const PRODUCT_SCRATCH_BYTES = 565_504;

/** The bytes of scratch that a team of this many threads needs: once, and not initialised. */
export function scratchBytes(threads: number): number {
  return PARTIALS_BYTES + threads * PRODUCT_SCRATCH_BYTES;
}

/** Partial sums of a team: each sets its own, all meet, and all add the same numbers in order. */
export class Partials {
  readonly #values: Float64Array;
  readonly #share: Share;
  #set = 0;

  /** @param address of PARTIALS_BYTES bytes in the memory, the same for all threads */
  constructor(memory: WebAssembly.Memory, address: number, share: Share) {
    this.#values = new Float64Array(memory.buffer, address, 2 * MAX_PARTIALS);
    this.#share = share;
  }

  set(index: number, value: number): void {
    this.#values[this.#set + index] = value;
  }

  /** Meets the other threads, and adds up the first `count` partial sums set since the last. */
  total(count: number): number {
    this.#share.sync();
    let sum = 0;
    for (let i = 0; i < count; i++) sum += this.#values[this.#set + i];
    // The others, if they rest, do not take turns.
    if (this.#share.size > 1) this.#set = MAX_PARTIALS - this.#set;
    return sum;
  }
}

/** What one thread of a team needs to run its part of an operation. */
export interface WasmThread {
  readonly wasm: WasmFunctions;
  readonly share: Share;
  readonly slices: Slices;
  readonly partials: Partials;
  readonly bytes: number;
  /** The address of PRODUCT_SCRATCH_BYTES bytes of this thread's own. */
  readonly scratch: number;
  readonly memory: WebAssembly.Memory;
}

/** @param scratch scratchBytes(share.size) bytes in the memory, the same for all threads */
export function wasmThread(
  dtype: DType,
  wasm: WasmFunctions,
  memory: WebAssembly.Memory,
  scratch: number,
  share: Share,
): WasmThread {
  const bytes = bytesPerElement(dtype);
  return {
    wasm,
    share,
    slices: new Slices(share, bytes),
    partials: new Partials(memory, scratch, share),
    bytes,
    scratch: scratch + PARTIALS_BYTES + share.rank * PRODUCT_SCRATCH_BYTES,
    memory,
  };
}
