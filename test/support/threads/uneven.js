/**
 * A thread of a team that is held up wherever that must not matter: between two operations, after a barrier, in the middle
 * of drawing a batch. What a faster thread does too early then shows in the results. After each three steps of all, the
 * others are to rest for two.
 */
import { workerData } from 'node:worker_threads';
import { Network } from '../../../dist/network/network.js';
import { RandomState } from '../../../dist/random/randomState.js';
import { Control } from '../../../dist/training/engine/control.js';
import { Pace } from '../../../dist/training/engine/pace.js';

const nap = new Int32Array(new SharedArrayBuffer(4));
let state = workerData.rank + 1;

/** For up to so long, in one of two cases. */
function dawdle(milliseconds = 1) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  const lot = state / 2 ** 32;
  if (lot < 0.5) Atomics.wait(nap, 0, 0, 2 * lot * milliseconds);
}

/** Replaces a method by one that dawdles before and after. */
function slow(prototype, name, milliseconds) {
  const method = prototype[name];
  prototype[name] = function (...values) {
    dawdle(milliseconds);
    const result = method.apply(this, values);
    dawdle(milliseconds);
    return result;
  };
}

// Every operation of the kernels meets the team once; what comes after a meeting comes before the next operation.
const { share } = Control.prototype;
Control.prototype.share = function (...values) {
  const place = share.apply(this, values);
  const { sync } = place;
  place.sync = () => {
    dawdle();
    sync();
    dawdle();
  };
  return place;
};
for (const name of ['forward', 'dataLoss']) slow(Network.prototype, name);
for (const name of ['relayStop', 'record']) slow(Control.prototype, name);
// Longer than it takes the main thread to give the next command.
for (const name of ['awaitCommand', 'awaitJoin', 'rest', 'join', 'continues'])
  slow(Control.prototype, name, 4);

let steps = 0;
Pace.prototype.step = function () {
  this.isAlone = ++steps % 5 > 2;
};

const { randintInto } = RandomState.prototype;
RandomState.prototype.randintInto = function (out, high) {
  out.fill(high - 1); // numbers that are drawn and rejected
  dawdle();
  randintInto.call(this, out, high);
};

await import('../../../dist/training/engine/worker.js');
