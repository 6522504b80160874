/** What the bits of a run depend on, as far as the command line knows it. */
import type { Origin } from '../training/run/provenance.js';
import type { Prepared } from './prepare.js';
import { version } from './version.js';

/** Hashes the data, a while that a run can use: whoever awaits the promise is told of an error. */
export function originOf({ loaded: { config, directory }, choice, threads }: Prepared): Promise<Origin> {
  const origin = hashed();
  origin.catch(() => undefined);
  return origin;

  async function hashed(): Promise<Origin> {
    const { fingerprintData } = await import('../data/fingerprint.js');
    const { originOf } = await import('../training/run/provenance.js');
    const versions = { version: version(), node: process.version };
    return originOf(versions, choice, threads, await fingerprintData(config.data, directory));
  }
}
