/**
 * Times the exchange of a step under mpirun: mpirun -n 4 node bench/exchange.js [parameters]. Prints the least and the median of
 * 30 in milliseconds, and how much each rank sends.
 */
import { launchOf, openMpi } from '../dist/training/mpi/library.js';
import { Mpi } from '../dist/training/mpi/mpi.js';

const parameters = Number(process.argv[2] ?? 557_057);
process.env.UCX_MEM_EVENTS ??= 'no';
const mpi = new Mpi(openMpi(launchOf(process.env), process.env), new Int32Array(new SharedArrayBuffer(4)));
const piece = 4 * Math.ceil(parameters / mpi.size);
const [block, room] = [0, 1].map(() =>
  mpi.addressOf(new Uint8Array(new SharedArrayBuffer(piece * mpi.size))),
);
const times = Array.from({ length: 33 }, () => {
  mpi.tellAll(new Uint8Array(1));
  const start = performance.now();
  mpi.exchangePieces(block, room, piece);
  mpi.gatherPieces(room, block, piece);
  return performance.now() - start;
}).slice(3);
times.sort((a, b) => a - b);
const sent = (2 * (mpi.size - 1) * piece) / 1e6;
if (mpi.rank === 0) {
  const [least, median] = [times[0], times[15]].map((ms) => ms.toFixed(2));
  console.log(
    `${mpi.size} ranks, ${sent.toFixed(2)} MB sent by each: least ${least} ms, median ${median} ms`,
  );
}
mpi.finish();
