/** The provenance of a run, as far as the command line knows it. */
import { fingerprintData } from '../data/source/source.js';
import { type Provenance, provenanceOf } from '../training/run/provenance.js';
import { version } from '../version.js';
import type { Prepared } from './prepare.js';

/** Hashes the data while the run may already go on; whoever awaits the promise gets its error. */
export function originOf({ loaded: { config, directory }, choice, threads }: Prepared): Promise<Provenance> {
  const versions = { version: version(), node: process.version };
  const origin = fingerprintData(config.data, directory).then((data) =>
    provenanceOf(versions, choice, threads, data),
  );
  origin.catch(() => undefined);
  return origin;
}
