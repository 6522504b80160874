import { StoredFile } from '../../src/data/source/storedFile.js';

const { settle } = StoredFile.prototype;

/** Whether a file that was just written is let settle before it is read. */
export function settleFiles(waits: boolean): void {
  StoredFile.prototype.settle = waits ? settle : async () => {};
}
