/**
 * TensorBoard's event files: records of a length, its checksum, an `Event` message
 * (tensorflow/core/util/event.proto), and the checksum of that. Little-endian.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../text.js';
import type { PreparedRun } from '../training/stages.js';
import { type RunLog, type Scalar, scalarsOf } from './runLog.js';

/** More losses of steps than a screen can show: further ones are left out. */
const MOST_STEPS = 10_000;

/** A log in a run directory. Each process writes a file of its own, as TensorBoard wants it. */
export class TensorBoardLog implements RunLog {
  readonly #warn: (sentence: string) => void;
  #file: number | undefined;
  #path = '';
  /** Of so many steps, one has its loss written. */
  #stride = 1;

  constructor(warn: (sentence: string) => void) {
    this.#warn = warn;
  }

  started({ directory = '.', plan, from }: PreparedRun): void {
    this.#stride = Math.max(1, Math.ceil(plan.steps / MOST_STEPS));
    this.#try(() => {
      this.#path = this.#create(directory);
    });
    this.#write(event({ fileVersion: 'brain.Event:2' }));
    // Readers drop what an interrupted process wrote of steps from here on.
    if (from) this.#write(event({ step: from.steps + 1, starts: true }));
  }

  stepsDone(
    { firstStep, losses }: { readonly firstStep: number; readonly losses: Float64Array },
    stage: string,
  ) {
    const records: Uint8Array[] = [];
    for (let i = 0; i < losses.length; i++) {
      const step = firstStep + i;
      if (step % this.#stride === 0)
        records.push(event({ step, scalars: [[`${stage}loss/step`, losses[i]]] }));
    }
    this.#write(...records);
  }

  epochDone(record: Parameters<RunLog['epochDone']>[0], stage: string): void {
    this.#write(event({ step: record.step, scalars: scalarsOf(record, stage) }));
  }

  async close(): Promise<void> {
    if (this.#file !== undefined) this.#try(() => closeSync(this.#file as number));
    this.#file = undefined;
  }

  /** A new file, never one that is there: a link could lead anywhere. */
  #create(directory: string): string {
    const seconds = Math.floor(Date.now() / 1000);
    for (let attempt = 0; ; attempt++) {
      const name = `events.out.tfevents.${String(seconds + attempt).padStart(10, '0')}.mlp`;
      try {
        this.#file = openSync(join(directory, name), 'wx');
        return join(directory, name);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  /** One call for all, so that a reader rarely finds half a record. */
  #write(...records: readonly Uint8Array[]): void {
    const file = this.#file;
    if (file === undefined || records.length === 0) return;
    this.#try(() => {
      const bytes = Buffer.concat(records);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    });
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#warn(
        `${printable(this.#path || 'TensorBoard')}: ${(error as Error).message}: the training goes on without this log`,
      );
      this.#file = undefined;
    }
  }
}

interface EventContent {
  readonly step?: number;
  readonly fileVersion?: string;
  readonly scalars?: readonly Scalar[];
  /** Whether a process starts here that resumes a run. */
  readonly starts?: boolean;
}

/** A record with an event of now. The numbers are those of the fields in event.proto and summary.proto. */
export function event({ step, fileVersion, scalars = [], starts }: EventContent): Uint8Array {
  const values = scalars.map(([tag, value]) =>
    bytesField(1, [...bytesField(1, utf8(tag)), ...float(2, value)]),
  );
  return record(
    Uint8Array.from([
      ...double(1, Date.now() / 1000),
      ...(step === undefined ? [] : varintField(2, step)),
      ...(fileVersion === undefined ? [] : bytesField(3, utf8(fileVersion))),
      ...(values.length === 0 ? [] : bytesField(5, values.flat())),
      // SessionLog.status is START.
      ...(starts ? bytesField(7, varintField(1, 1)) : []),
    ]),
  );
}

function record(message: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(16 + message.length);
  bytes.writeBigUInt64LE(BigInt(message.length));
  bytes.writeUInt32LE(maskedChecksum(bytes.subarray(0, 8)), 8);
  bytes.set(message, 12);
  bytes.writeUInt32LE(maskedChecksum(message), 12 + message.length);
  return bytes;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

/** The wire types of protobuf: 0 a varint, 1 eight bytes, 2 a length and bytes, 5 four bytes. */
const tag = (field: number, wire: number) => varint(field * 8 + wire);
const varintField = (field: number, value: number) => [...tag(field, 0), ...varint(value)];
const bytesField = (field: number, bytes: ArrayLike<number>) => [
  ...tag(field, 2),
  ...varint(bytes.length),
  ...Array.from(bytes),
];
const double = (field: number, value: number) => [...tag(field, 1), ...bytesOf(Float64Array.of(value))];
const float = (field: number, value: number) => [...tag(field, 5), ...bytesOf(Float32Array.of(value))];
const bytesOf = ({ buffer }: Float64Array | Float32Array) => new Uint8Array(buffer);

/** CRC-32C (Castagnoli) by bytes: the reflected polynomial 0x82f63b78. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** As TFRecord stores it: turned by 15 bits, and moved by a constant. */
function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
