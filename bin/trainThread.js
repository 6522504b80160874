/** A thread that trains, or calls MPI. */
require('./load.js').load('training/engine/thread.cjs');
