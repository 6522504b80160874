/**
 * TensorBoard's event files: records of a length, its checksum, an `Event` message
 * (tensorflow/core/util/event.proto), and the checksum of that. Little-endian.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Message } from '../files/protobuf.js';
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
  const message = new Message().double(1, Date.now() / 1000);
  if (step !== undefined) message.integer(2, step);
  if (fileVersion !== undefined) message.text(3, fileVersion);
  if (scalars.length > 0) {
    const summary = new Message();
    for (const [tag, value] of scalars) summary.message(1, new Message().text(1, tag).float(2, value));
    message.message(5, summary);
  }
  // SessionLog.status is START.
  if (starts) message.message(7, new Message().integer(1, 1));
  return record(Buffer.concat(message.parts));
}

function record(message: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(16 + message.length);
  bytes.writeBigUInt64LE(BigInt(message.length));
  bytes.writeUInt32LE(maskedChecksum(bytes.subarray(0, 8)), 8);
  bytes.set(message, 12);
  bytes.writeUInt32LE(maskedChecksum(message), 12 + message.length);
  return bytes;
}

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
