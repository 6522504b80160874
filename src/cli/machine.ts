/** The machine as the kernels' search for a BLAS sees it. */
import { homedir } from 'node:os';
import { listFolder, type Machine } from '../kernels/blas/machine.js';

export function thisMachine(): Machine {
  const { platform, arch, env } = process;
  return { platform, arch, env, home: homedir(), list: listFolder };
}
