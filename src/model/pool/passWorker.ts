/** A thread that passes rows through networks: those of one model, or of the members of an ensemble. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FloatArray } from '../../kernels/kernels.js';
import { BUFFERS, type NetworkPlace, type NetworkSetup, openNetwork } from './sharedNetwork.js';

export interface PassWorkerSetup {
  readonly networks: readonly { readonly setup: NetworkSetup; readonly place: NetworkPlace }[];
}

/** Asks for the logits of the rows in a buffer. They are answered in the order in which they are asked for. */
export interface PassRequest {
  /** The number of the network, and that of its inputs. */
  readonly network: number;
  readonly buffer: number;
  readonly members?: readonly number[] | undefined;
}

/** That the thread takes rows from now on, or logits [capacity, outputs]. */
export type PassAnswer = 'ready' | FloatArray;

if (parentPort) {
  const port = parentPort;
  const { networks } = workerData as PassWorkerSetup;
  const views = networks.map(({ setup, place }) => ({ ...setup, ...openNetwork(setup, place, BUFFERS) }));
  port.on('message', ({ network, buffer, members }: PassRequest) => {
    const { network: own, inputs, capacity } = views[network];
    const logits = own.forward(capacity, inputs[buffer], members).data.slice();
    port.postMessage(logits satisfies PassAnswer, [logits.buffer as ArrayBuffer]);
  });
  port.postMessage('ready' satisfies PassAnswer);
}
