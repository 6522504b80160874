/**
 * Makes one thread of a team fail: MLP_TEST_FAULT says how, MLP_TEST_RANK which one, MLP_TEST_STEP at which of its steps
 * (from 0; −1 before it is ready). Imported before the thread's own script.
 */
import { workerData } from 'node:worker_threads';
import { Pace } from '../../../dist/training/engine/pace.js';
import { Trainer } from '../../../dist/training/step.js';

// A thread that rests takes no steps in which it could fail.
Pace.prototype.step = () => {};

const { MLP_TEST_FAULT, MLP_TEST_RANK, MLP_TEST_STEP } = process.env;

const FAULTS = {
  throws() {
    throw new RangeError('no more numbers');
  },
  'throws a string'() {
    throw 'a string';
  },
  'throws nothing'() {
    throw undefined;
  },
  exits() {
    process.exit(0);
  },
  'runs out of memory'() {
    const kept = [];
    for (;;) kept.push(new Array(10_000).fill({}));
  },
  'overflows its stack'() {
    const deeper = () => deeper() + 1;
    deeper();
  },
  'waits for ever'() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
};

if (workerData?.rank === Number(MLP_TEST_RANK)) {
  const fail = FAULTS[MLP_TEST_FAULT];
  const at = Number(MLP_TEST_STEP);
  if (at < 0) fail();
  const { trainStep } = Trainer.prototype;
  let step = 0;
  Trainer.prototype.trainStep = function (learningRate) {
    if (step++ === at) fail();
    return trainStep.call(this, learningRate);
  };
}
