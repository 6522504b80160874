/**
 * The calls of MPI that a run makes. All of one process come from one thread, from the first to the last
 * (MPI_THREAD_FUNNELED). They block, and spin meanwhile.
 */
import { ExitCode, MlpError } from '../../errors.js';
import type { MpiLibrary } from './library.js';

/** Every implementation's MPI_MAX_ERROR_STRING and MPI_MAX_PROCESSOR_NAME are smaller. */
const LONGEST_TEXT = 4096;

/** Whether a call is under way, for other threads: odd while it is. */
export type CallCount = Int32Array;

export class Mpi {
  readonly rank: number;
  readonly size: number;
  readonly host: string;
  readonly #library: MpiLibrary;
  readonly #calls: CallCount;
  readonly #functions = new Map<string, (...values: unknown[]) => number>();

  /**
   * Joins the processes that were started together.
   * @param calls counts the calls, [1] in shared memory
   * @throws MlpError ExitCode.unavailable if MPI refuses
   */
  constructor(library: MpiLibrary, calls: CallCount) {
    this.#library = library;
    this.#calls = calls;
    const { world, funneled, errorsReturn } = library;
    this.#call('MPI_Init_thread', ['uintptr_t', 'uintptr_t', 'int', '_Out_ int *'], 0, 0, funneled, [0]);
    // By default, an error ends the process without a word of ours.
    this.#call('MPI_Comm_set_errhandler', ['H', 'H'], world, errorsReturn);
    const [rank, size, length] = [[0], [0], [0]];
    this.#call('MPI_Comm_rank', ['H', '_Out_ int *'], world, rank);
    this.#call('MPI_Comm_size', ['H', '_Out_ int *'], world, size);
    const name = Buffer.alloc(LONGEST_TEXT);
    this.#call('MPI_Get_processor_name', ['uint8_t *', '_Out_ int *'], name, length);
    this.rank = rank[0];
    this.size = size[0];
    this.host = name.toString('utf8', 0, length[0]);
  }

  addressOf(view: ArrayBufferView): number {
    return this.#library.addressOf(view);
  }

  /** Sends piece i of `bytes` at `from` to rank i; what rank i sends here becomes piece i at `to`. */
  exchangePieces(from: number, to: number, bytes: number): void {
    const { world, byte } = this.#library;
    const types = ['A', 'int', 'H', 'A', 'int', 'H', 'H'];
    this.#call('MPI_Alltoall', types, from, bytes, byte, to, bytes, byte, world);
  }

  /** Piece i of `bytes` at `to` becomes what rank i has at `from`; null if that lies in its place already. */
  gatherPieces(from: number | null, to: number, bytes: number): void {
    const { world, byte, inPlace } = this.#library;
    const types = ['A', 'int', 'H', 'A', 'int', 'H', 'H'];
    this.#call('MPI_Allgather', types, from ?? inPlace, bytes, byte, to, bytes, byte, world);
  }

  /** Numbers become their sums over the ranks, in an order of the library's choice. */
  addAll(at: number, count: number, bytesPerElement: number): void {
    const { world, float, double, sum, inPlace } = this.#library;
    const types = ['A', 'A', 'int', 'H', 'H', 'H'];
    const real = bytesPerElement === 4 ? float : double;
    this.#call('MPI_Allreduce', types, inPlace, at, count, real, sum, world);
  }

  /** What each rank tells all, in the order of the ranks. */
  tellAll(message: Uint8Array): Uint8Array[] {
    const lengths = this.#gather(new Uint8Array(Float64Array.of(message.length).buffer));
    const sizes = lengths.map((bytes) => new Float64Array(bytes.slice().buffer)[0]);
    const longest = Math.max(...sizes, 1);
    const padded = new Uint8Array(longest);
    padded.set(message);
    return this.#gather(padded).map((bytes, rank) => bytes.subarray(0, sizes[rank]));
  }

  #gather(bytes: Uint8Array): Uint8Array[] {
    const { world, byte } = this.#library;
    const { length } = bytes;
    const all = new Uint8Array(length * this.size);
    const types = ['uint8_t *', 'int', 'H', 'uint8_t *', 'int', 'H', 'H'];
    this.#call('MPI_Allgather', types, bytes, length, byte, all, length, byte, world);
    return Array.from({ length: this.size }, (_, rank) => all.subarray(rank * length, (rank + 1) * length));
  }

  /** Ends all ranks, and this process with them. */
  abort(exitCode: number): void {
    this.#call('MPI_Abort', ['H', 'int'], this.#library.world, exitCode);
  }

  /** Waits for the others, and leaves. Nothing may be called after it. */
  finish(): void {
    this.#call('MPI_Finalize', []);
  }

  #call(name: string, types: readonly string[], ...values: unknown[]): void {
    // A function may have several types: one that writes for itself, and one that takes addresses.
    const key = `${name} ${types.join()}`;
    let call = this.#functions.get(key);
    if (!call) {
      call = this.#library.bind(name, ...types);
      this.#functions.set(key, call);
    }
    Atomics.add(this.#calls, 0, 1);
    const code = call(...values);
    Atomics.add(this.#calls, 0, 1);
    if (code === 0) return;
    throw new MlpError(
      ExitCode.unavailable,
      `${name}: ${this.#library.version} says: ${this.#textOf(code)}`,
      'MLP_MPI=none trains in one process, without MPI',
    );
  }

  #textOf(code: number): string {
    const text = Buffer.alloc(LONGEST_TEXT);
    const length = [0];
    const get = this.#library.bind('MPI_Error_string', 'int', 'uint8_t *', '_Out_ int *');
    return get(code, text, length) === 0 ? text.toString('utf8', 0, length[0]) : `error ${code}`;
  }
}
